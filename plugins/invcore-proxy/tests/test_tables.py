"""Tables for a fit: appended, told apart, and refused with file and row."""

from __future__ import annotations

import hashlib

import pytest
import torch
from invcore_proxy.symmetry import group
from invcore_proxy.tables import Tables, averaged, contradiction, known_pairs, pooled

from invcore import ConfigError, DataError, Space, Uniform, Variable
from invcore.plugin import Pairs, generator

NAMES = {"design_columns": "a,b", "response_columns": "y"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a CSV file of rows, and give its name."""
    monkeypatch.chdir(tmp_path)

    def put(name, rows, header="a,b,y"):
        lines = [*([header] if header else []), *(",".join(map(str, row)) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return name

    return put


def rows(count, seed=0):
    x = torch.rand(count, 2, generator=generator(seed, "rows")).double()
    return [[a, b, a + b] for a, b in x.tolist()]


def test_tables_are_put_one_below_the_other_whatever_their_columns_order(write, tmp_path):
    first, second = rows(40), rows(30, seed=1)
    one = write("one.csv", first)
    two = write("two.csv", [[y, b, a] for a, b, y in second], header="y,b,a")
    known = known_pairs(Tables(both=(one, two), **NAMES))
    expected = torch.tensor(first + second).double()
    torch.testing.assert_close(known.data.pairs.x, expected[:, :2])
    torch.testing.assert_close(known.data.pairs.y, expected[:, 2:])
    assert [(s.name, s.rows) for s in known.sources] == [("one.csv", 40), ("two.csv", 30)]
    checksum = hashlib.sha256((tmp_path / "two.csv").read_bytes()).hexdigest()
    assert known.sources[1].sha256 == checksum
    assert known.merged == 0


def test_designs_and_responses_may_have_files_of_their_own(write):
    all_rows = rows(40)
    x = write("x.csv", [r[:2] for r in all_rows], header=None)
    y = write("y.csv", [r[2:] for r in all_rows], header=None)
    known = known_pairs(Tables(x=x, y=y))
    assert (known.data.designs.names, known.data.responses.names) == (("x1", "x2"), ("y1",))
    assert [(s.name, s.rows) for s in known.sources] == [("x.csv", 40), ("y.csv", 40)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: {"both": (w("t.csv", rows(40)),)}, "design columns and response columns"),
        (lambda w: {}, "say where the data are"),
        (lambda w: {"x": w("x.csv", rows(40))}, "say where the data are"),
        (lambda w: {"both": ("a",), "x": "b"}, "not all of them"),
        (lambda w: {"both": (w("t.csv", rows(9)),), **NAMES}, "at least 10"),
        (
            lambda w: {"both": (w("t.csv", [*rows(40), ["", 0, 1]]),), **NAMES},
            "t.csv",
        ),
        (
            lambda w: {
                "both": (w("t.csv", rows(40)), w("u.csv", rows(3), header="a,b,z")), **NAMES
            },
            "u.csv and t.csv have other columns: 'y'",
        ),
        (
            lambda w: {"both": (w("t.csv", rows(40)), w("u.csv", [[1, 2, "nan"]])), **NAMES},
            "u.csv: row 2, column 'y'",
        ),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used_are_refused(write, change, said):
    with pytest.raises(DataError) as error:
        known_pairs(Tables(**change(write)))
    assert said in str(error.value)


def test_a_constant_design_is_left_out(write):
    table = write("t.csv", [[1, r[1], r[2]] for r in rows(40)])
    assert known_pairs(Tables(both=(table,), **NAMES)).data.designs.names == ("b",)


def test_another_response_of_one_design_is_refused_with_both_places(write):
    all_rows = rows(40)
    one = write("one.csv", all_rows)
    two = write("two.csv", [all_rows[5], [*all_rows[7][:2], 9.0]])
    tables = Tables(both=(one, two), **NAMES)
    with pytest.raises(DataError, match=r"two\.csv, row 3 has the same design as one\.csv, row 9"):
        known_pairs(tables)
    known = known_pairs(tables, average=True)
    assert known.merged == 2
    assert len(known.data.pairs) == 40
    torch.testing.assert_close(float(known.data.pairs.y[7]), (all_rows[7][2] + 9) / 2)


def test_equivalent_designs_contradict_too(write):
    first = rows(40)
    a, b, y = first[3]
    path = write("t.csv", [*first, [b, a, y + 1]])
    with pytest.raises(DataError, match=r"row 42 has equivalent designs as t\.csv, row 5"):
        known_pairs(Tables(both=(path,), **NAMES), symmetries=[["b", "a"]])
    assert known_pairs(Tables(both=(path,), **NAMES)).merged == 0


def test_averages_keep_the_order_of_first_rows():
    x = torch.tensor([[3.0], [1.0], [3.0], [2.0]])
    y = torch.tensor([[1.0], [2.0], [5.0], [4.0]])
    assert contradiction(x, y) == (0, 2)
    assert contradiction(x[:2], y[:2]) is None
    found = averaged(Pairs(x, y), x)
    assert (found.x.tolist(), found.y.tolist()) == ([[3.0], [1.0], [2.0]], [[3.0], [2.0], [4.0]])


def test_exchanged_variables_get_common_bounds():
    ends = {"a": (0.0, 1.0), "b": (0.2, 1.5), "c": (-1.0, 0.5), "d": (0.0, 9.0)}
    space = Space.of(
        *(Variable(name=n, prior=Uniform(low=lo, high=hi)) for n, (lo, hi) in ends.items())
    )
    turn = [["b", "c", "a", "d"]]
    found = pooled(space, turn)
    assert [v.bounds for v in found.variables] == [(-1.0, 1.5)] * 3 + [(0.0, 9.0)]
    assert len(group(turn, found)) == 3
    assert pooled(space, []) == space
    with pytest.raises(ConfigError, match="once"):
        group([["a", "b"]], pooled(space, [["a", "b"]]))


def test_whole_columns_are_whole_also_with_common_bounds(write):
    x = torch.cartesian_prod(torch.arange(6), torch.arange(2, 8)).tolist()
    path = write("t.csv", [[a, b, a * b] for a, b in x])
    tables = Tables(both=(path,), **NAMES)
    designs = known_pairs(tables, whole=["a", "b"], symmetries=[["b", "a"]]).data.designs
    assert [(v.bounds, v.whole) for v in designs.variables] == [((0.0, 7.0), True)] * 2
    with pytest.raises(ConfigError, match="differ in bounds or kind"):
        known_pairs(tables, whole=["a"], symmetries=[["b", "a"]])

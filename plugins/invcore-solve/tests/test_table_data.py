"""A user's own pairs: what is refused, and which spaces they imply; targets in any form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from invcore_solve.tables.sources import as_table, as_targets
from invcore_solve.tables.table_data import TableData

from invcore.base.errors import ConfigError, DataError
from invcore.data.tables.table import Table
from invcore.plugin import generator
from invcore.spaces.priors import Integers, Uniform
from invcore.spaces.space import Space, Variable

X = torch.rand(60, 2, generator=generator(0), dtype=torch.float64) * 4 - 1
Y = X.sum(1, keepdim=True)
WHOLE = torch.stack([X[:, 0], torch.arange(60) % 7 + 2.0], dim=1)


def changed(table, row, column, value):
    table = table.clone()
    table[row, column] = value
    return table


def test_spaces_are_the_datas_range():
    data = TableData.read(X, Y)
    assert data.designs.names == ("x1", "x2") and data.responses.names == ("y1",)
    assert torch.equal(data.designs.low, X.amin(0)) and torch.equal(data.designs.high, X.amax(0))
    assert bool(data.designs.contains(X).all())
    assert all(isinstance(v.prior, Uniform) for v in data.designs.variables)
    assert torch.equal(data.pairs.x, X) and torch.equal(data.pairs.y, Y)


def test_bounds_and_whole_columns():
    bounds = {"x1": (0.0, 99.0), "x2": (3.5, math.inf)}
    data = TableData.read(WHOLE, Y, bounds=bounds, whole=["x2"])
    first, second = data.designs.variables
    assert first.bounds == (0.0, 99.0), "wider than the data, as asked for"
    assert second.prior == Integers(low=4, high=8)
    assert len(data.pairs) == 60, "rows outside of the bounds are still learnt from"


BAD = {
    "rows": (X, Y[:-1], {}, "60 rows and y has 59 rows"),
    "few": (X[:9], Y[:9], {}, "9 rows can be used, expected at least 10"),
    "infinite": (X, changed(Y, 0, 0, math.inf), {}, "column 'y1', row 1 is infinite"),
    "infinite design": (changed(X, 7, 1, -math.inf), Y, {}, "column 'x2', row 8 is infinite"),
    "constant response": (X, torch.ones(60, 1), {}, "column 'y1' is constant"),
    "text": ([[f"a{i}", f"b{i}"] for i in range(60)], Y, {}, "no column of designs that varies"),
    "ragged": ([[1.0, 2.0], [1.0]], Y, {}, "not a table of numbers"),
    "three dimensions": (X[None], Y, {}, "got shape (1, 60, 2)"),
    "one number": (3.0, Y, {}, "got shape ()"),
    "one name": (
        Table(("a", "b"), X.numpy(), "x", 1), Table(("b",), Y.numpy(), "y.csv", 2), {},
        "y.csv: column 'b' is both"),
    "a column of results": (
        Table(("a", "error y1"), X.numpy(), "x", 1), Y, {}, "'error y1': results have a column"),
    "not whole": (X, Y, {"whole": ["x1"]}, "'x1', row 1 is no whole number"),
    "too many whole": (
        torch.stack([X[:, 0], torch.arange(60) * 1e6], dim=1), Y, {"whole": ["x2"]}, "1e7"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_pairs_are_refused_in_one_line(name, complaint):
    x, y, options, said = BAD[name]
    kind = ConfigError if name in ("too many whole", "a column of results") else DataError
    assert said in complaint(kind, TableData.read, x, y, **options)


BOUNDS = {
    "unknown": ({"bounds": {"x3": (0, 1)}}, "column 'x3'. Did you mean 'x2' or 'x1'?"),
    "unknown whole": ({"whole": ["n"]}, "column 'n'"),
    "reversed": ({"bounds": {"x1": (1, 0)}}, "1 to 0 leaves no room"),
    "nan": (
        {"bounds": {"x1": (math.nan, 1)}},
        "field 'bounds.0': Input should be a finite number, got NaN",
    ),
    "other nan": (
        {"bounds": {"x1": (0, math.nan)}},
        "field 'bounds.1': Input should be a finite number, got NaN",
    ),
    "one whole number": ({"bounds": {"x2": (3.5, 4.5)}, "whole": ["x2"]}, "one whole number alone"),
    "no whole number": ({"bounds": {"x2": (3.2, 3.8)}, "whole": ["x2"]}, "no whole number"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bad_bounds_are_refused_in_one_line(name, complaint):
    options, said = BOUNDS[name]
    assert said in complaint(ConfigError, TableData.read, WHOLE, Y, **options)


def test_a_missing_design_leaves_its_row_out_and_a_missing_response_alone_does_not():
    y = torch.cat([Y, X[:, :1]], dim=1)
    data = TableData.read(changed(X, 4, 1, math.nan), changed(y, 7, 1, math.nan))
    left = [i for i in range(60) if i != 4]
    assert torch.equal(data.pairs.x, X[left]) and data.rows.tolist() == [i + 1 for i in left]
    assert bool(data.pairs.y[6, 1].isnan()) and int(data.pairs.y.isnan().sum()) == 1


def test_split_and_checksum():
    data = TableData.read(X, Y)
    parts = data.split(0)
    assert (len(parts.train), len(parts.val), len(parts.test)) == (48, 6, 6)
    rows = torch.cat([parts.train.x, parts.val.x, parts.test.x])
    assert torch.equal(rows.sort(0).values, X.sort(0).values)
    assert torch.equal(data.split(0).test.x, parts.test.x)
    assert not torch.equal(data.split(1).test.x, parts.test.x)
    assert data.checksum == TableData.read(X.tolist(), Y.numpy()).checksum
    assert data.checksum != TableData.read(changed(X, 0, 0, 0.5), Y).checksum


SOURCES = [
    [[1, 2], [3, 4]], np.array([[1, 2], [3, 4]], dtype=np.int8), torch.tensor([[1.0, 2], [3, 4]]),
    torch.tensor([[1.0, 2], [3, 4]], requires_grad=True), [torch.tensor([1.0, 2]), [3, 4]],
    Table(("p", "q"), np.array([[1.0, 2], [3, 4]]), "t", 1),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SOURCES)))
def test_anything_like_a_table_will_do(number):
    table = as_table(SOURCES[number], "x")
    assert table.values.tolist() == [[1, 2], [3, 4]] and table.values.dtype == np.float64
    assert as_table([1, 2, 3], "x").values.shape == (3, 1)


TWO = Space.of(Variable(name="gap"), Variable(name="mass"))


def test_targets_are_by_position_or_by_name(tmp_path):
    assert as_targets([[1.0, 2.0]], TWO).tolist() == [[1.0, 2.0]]
    for name, text in (
        ("plain", "1,2\n3,4\n"), ("named", "gap,mass\n1,2\n3,4\n"),
        ("swapped", "mass,gap\n2,1\n4,3\n"), ("other names", "a,b\n1,2\n3,4\n"),
    ):  # fmt: skip
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        assert as_targets(path, TWO).tolist() == [[1, 2], [3, 4]], name
    turned = Space.of(Variable(name="y2"), Variable(name="y1"))
    assert as_targets([[1.0, 2.0]], turned).tolist() == [[1.0, 2.0]], "an array has no names"


@pytest.mark.parametrize("head", ["mass,Gap", "gap,load"])
def test_targets_of_which_some_have_other_names_are_refused(head, tmp_path, complaint):
    path = tmp_path / "targets.csv"
    path.write_text(f"{head}\n2,1\n")
    other = head.split(",")[1]
    assert f"column {other!r} is no response" in complaint(DataError, as_targets, path, TWO)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([[1.0]], "targets have 1 columns, the responses 2 (gap, mass)"),
        ([1.0, 2.0], "1 columns"),
        ([[1.0, math.nan]], "missing"),
        ([], "expected at least 1"),
        ([["a", "b"]], "holds text"),
    ],
)
def test_bad_targets_are_refused_in_one_line(targets, said, complaint):
    assert said in complaint(DataError, as_targets, targets, TWO)

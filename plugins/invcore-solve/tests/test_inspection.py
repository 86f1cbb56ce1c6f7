"""What a table holds: kinds of columns, roles, rows in use, and what users say otherwise."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.importance import importance
from invcore_solve.schema.inspection import inspect_table
from invcore_solve.schema.support import support
from invcore_solve.tables.read import read

from invcore.base.errors import ConfigError, DataError

ROWS = 60
DRAWS = np.random.default_rng(0)
A, B = DRAWS.random(ROWS), DRAWS.random(ROWS)
Y = A + B**2
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i) ** 2) for i in range(ROWS)]


def look(cells, /, **said):
    """What is found in columns, with a response `y` after them."""
    table = read(pd.DataFrame({**cells, "y": cells.get("y", Y)}))
    return inspect_table(table, Choices(**{"responses": ("y",)} | said))


def kind(values, **choice):
    found = look({"a": A, "c": values}, columns={"c": choice} if choice else {})
    return next(column for column in found.schema.columns if column.name == "c")


KINDS = {
    "number": (B, "number"),
    "whole": (DRAWS.permutation(ROWS) * 3 + 2.0, "whole"),
    "levels": (np.arange(ROWS) % 12 * 0.3, "levels"),
    "too many for levels": (np.arange(ROWS) % 13 * 0.3, "number"),
    "too few rows a level": (np.repeat(np.arange(24) * 0.3, [3] * 18 + [1] * 6), "number"),
    "whole levels": (np.arange(ROWS) % 3, "levels"),
    "true and false": (np.arange(ROWS) % 2 == 0, "levels"),
    "wide whole numbers": (DRAWS.permutation(ROWS) * 20_000.0, "number"),
    "category": (np.array(["steel", "brass", "tin"])[np.arange(ROWS) % 3], "category"),
    "texts": ([f"part {i}" for i in range(ROWS)], "text"),
    "constant": (np.full(ROWS, 7.5), "constant"),
    "constant but for rounding": (1e6 + 1e-8 * B, "constant"),
    "constant text": (["steel"] * ROWS, "constant"),
    "index": (np.arange(ROWS) + 41, "index"),
    "dates": (DAYS, "date"),
    "empty": ([None] * ROWS, "empty"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kind_of_a_column(name):
    values, expected = KINDS[name]
    column = kind(values)
    assert column.kind == expected
    usable = expected in ("number", "whole", "levels", "category")
    usable |= expected == "constant" and column.value != "steel"  # part of every proposal
    assert column.role == ("design" if usable else "left out")
    assert bool(column.reason) != usable


def test_levels_and_categories_are_those_of_the_table():
    assert kind(np.arange(ROWS) % 3 * 0.5).levels == (0.0, 0.5, 1.0)
    metals = np.array(["tin", "brass"])[np.arange(ROWS) % 2]
    found = look({"metal": metals, "a": A})
    assert found.schema.columns[0].categories == ("brass", "tin")
    assert [found.schema.columns[0].categories[int(i)] for i in found.x[:, 0]] == list(metals)


SAID = {
    "number": (np.arange(ROWS) % 3 * 0.5, {"kind": "number"}, "number"),
    "whole": (np.arange(ROWS) % 3, {"kind": "whole"}, "whole"),
    "levels": (B, {"levels": (0.25, 0.5)}, "levels"),
    "levels of the table": (np.arange(ROWS) % 20 * 0.1, {"kind": "levels"}, "levels"),
    "category of numbers": (np.arange(ROWS) % 3 * 0.5, {"kind": "category"}, "category"),
    "category of many texts": (
        [f"part {i}" for i in range(ROWS)],
        {"kind": "category"},
        "category",
    ),
    "periodic": (np.arange(ROWS) % 4 * 90.0, {"periodic": (0, 360)}, "number"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_users_say_of_a_kind_counts(name):
    values, choice, expected = SAID[name]
    column = kind(values, **choice)
    assert (column.kind, column.role) == (expected, "design")
    if name == "levels":
        assert column.levels == (0.25, 0.5)
    if name == "category of numbers":
        assert column.categories == ("0", "0.5", "1")


def test_logarithms_are_proposed_where_numbers_spread_evenly_on_that_scale():
    decades = 10 ** (4 * B)
    assert kind(decades).log_proposed and not kind(decades).log
    assert kind(decades, log=True).log
    assert not kind(0.001 + B).log_proposed, "wide, but even as it is"
    assert not kind(decades - 2).log_proposed, "not all positive"


def test_a_column_with_a_few_texts_among_numbers_is_left_out_or_refused(complaint):
    mixed = [*map(str, B[:-2]), "12 mm?", "broken"]
    column = kind(mixed)
    assert column.role == "left out" and "12 mm?" in column.reason and "2 such" in column.reason
    said = complaint(DataError, look, {"a": A, "c": mixed}, designs=("a", "c"))
    assert "column 'c'" in said and "12 mm?" in said
    said = complaint(DataError, look, {"a": A, "c": mixed}, responses=("c",))
    assert "column 'c' is a response" in said and "12 mm?" in said


def test_roles():
    columns = {"id": np.arange(ROWS), "a": A, "b": B, "batch": np.arange(ROWS) // 5, "w": 1 + A}
    columns |= {"err": 0.1 + 0 * A, "other": A * B}
    found = look(columns, weight_column="w", group="batch", ignore=("other",),
                 columns={"y": {"error_column": "err"}})  # fmt: skip
    roles = {column.name: column.role for column in found.schema.columns}
    assert roles == {
        "id": "left out", "a": "design", "b": "design", "batch": "group", "w": "weight",
        "err": "error", "other": "left out", "y": "response",
    }  # fmt: skip
    assert found.weights.tolist() == columns["w"].tolist()
    assert np.allclose(found.noise, 0.01) and found.noise.shape == (ROWS, 1)
    same = columns["batch"][:, None] == columns["batch"]
    np.testing.assert_array_equal(found.groups[:, None] == found.groups, same)
    assert [c.name for c in found.schema.varying] == ["a", "b"]
    assert look(columns, designs=("b",)).x.shape == (ROWS, 1)
    assert look(columns, designs=("id", "a")).x[:, 0].tolist() == list(range(ROWS)), "as asked for"


def test_rows_that_lack_a_design_or_every_response_are_left_out():
    a, y, z = A.copy(), Y.copy(), B.copy()
    a[3], y[5], z[5], y[7] = np.nan, np.nan, np.nan, np.nan
    found = look({"a": a, "y": y, "z": z}, responses=("y", "z"))
    left = [i for i in range(ROWS) if i not in (3, 5)]
    assert found.schema.rows == ROWS - 2 and found.schema.left_out == 2
    assert found.rows.tolist() == [read(pd.DataFrame({"a": a})).rows[i] for i in left]
    np.testing.assert_array_equal(found.x[:, 0], a[left])
    np.testing.assert_array_equal(found.y, np.c_[y, z][left])
    assert any("1 rows lack some response" in note for note in found.schema.notes)


def test_rows_of_no_weight_are_left_out_and_a_missing_error_counts_as_the_mean_one():
    weights, errors = np.ones(ROWS), np.full(ROWS, 0.5)
    weights[4], weights[6], errors[:2] = 0.0, np.nan, (np.nan, 1.5)
    found = look({"a": A, "w": weights, "e": errors}, weight_column="w",
                 columns={"y": {"error_column": "e"}})  # fmt: skip
    assert found.schema.rows == ROWS - 2 and (found.weights == 1).all()
    mean = np.nanmean(errors)
    np.testing.assert_allclose(found.noise[:3, 0], [mean**2, 2.25, 0.25])


def test_a_design_that_is_constant_in_the_rows_in_use_becomes_a_constant():
    flag, a = np.zeros(ROWS), A.copy()
    flag[0], a[0] = 1.0, np.nan
    cells = {"a": a, "flag": flag, "metal": ["tin"] * ROWS, "depth": np.full(ROWS, 2.5)}
    found = look(cells, designs=("a", "flag", "metal", "depth"))
    assert found.schema.constants == {"flag": 0.0, "metal": "tin", "depth": 2.5}
    assert found.x.shape == (ROWS - 1, 1)


BAD = {
    "no responses": ({"a": A}, {"responses": ()}, "no column of responses"),
    "no designs": ({"a": np.ones(ROWS)}, {}, "no column of designs that varies"),
    "constant response": ({"a": A, "y": np.ones(ROWS)}, {}, "'y' is constant"),
    "both": ({"a": A}, {"designs": ("a", "y")}, "'y' is both a design and a response"),
    "date": ({"a": A, "day": DAYS}, {"designs": ("day",)}, "is a date"),
    "text": ({"a": A, "t": [f"p{i}" for i in range(ROWS)]}, {"designs": ("t",)}, "60 different"),
    "empty": ({"a": A, "e": [None] * ROWS}, {"designs": ("e",)}, "is empty"),
    "text response": ({"a": A, "y": ["p", "q"] * 30}, {}, "'y' is a response, and is category"),
    "infinite": ({"a": np.r_[A[:-1], np.inf]}, {}, "'a', row 60 is infinite"),
    "huge": ({"a": A * 1e200}, {}, "have no squares"),
    "negative error": (
        {"a": A, "e": A - 0.5}, {"columns": {"y": {"error_column": "e"}}}, "not negative"),
    "negative weight": ({"a": A, "w": A - 0.5}, {"weight_column": "w"}, "not negative"),
    "no weight": ({"a": A, "w": 0 * A}, {"weight_column": "w"}, "w"),
    "few": ({"a": np.where(np.arange(ROWS) < 51, np.nan, A)}, {"designs": ("a",)},
            "9 rows can be used (51 lack"),
    "missing": ({"a": np.where(np.arange(ROWS) < 51, np.nan, A)}, {}, "no column of designs"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_nothing_can_be_learnt_from_is_refused_in_one_line(name, complaint):
    columns, said, words = BAD[name]
    assert words in complaint(DataError, look, columns, **said)


def test_ten_rows_are_enough():
    few = {"a": A[:10], "y": Y[:10]}
    assert look(few).schema.rows == 10


@pytest.mark.parametrize("said", [
    {"designs": ("aa",)}, {"responses": ("aa",)}, {"ignore": ("aa",)}, {"group": "aa"},
    {"weight_column": "aa"}, {"columns": {"aa": {"kind": "whole"}}},
    {"columns": {"y": {"error_column": "aa"}}},
])  # fmt: skip
def test_words_about_columns_that_there_are_not(said, complaint):
    message = complaint(ConfigError, look, {"a": A}, **said)
    assert "no column 'aa'" in message and "Did you mean 'a'" in message


@pytest.mark.parametrize(("choice", "words"), [
    ({"kind": "whole", "levels": (1, 2)}, "takes no levels"),
    ({"bounds": (2, 1)}, "2 to 1 leaves no room"),
    ({"bounds": (float("nan"), 1)}, "bounds"),
    ({"periodic": (360, 360)}, "leaves no room"),
    ({"kind": "wole"}, "kind"),
])  # fmt: skip
def test_words_about_a_column_that_contradict_each_other(choice, words, complaint):
    assert words in complaint(ConfigError, lambda: Choices().change("a", **choice))


def test_what_is_said_adds_up_and_the_last_word_counts():
    one = Choices(responses=("y",)).saying("whole", ["a"]).giving("bounds", {"a": (0, 4)})
    assert one.columns["a"].kind == "whole" and one.columns["a"].bounds == (0, 4)
    assert one.saying("continuous", ["a"]).columns["a"].kind == "number"
    assert one.saying("log", ["a"]).columns["a"].log


def test_importance_finds_the_columns_that_matter():
    x = np.random.default_rng(1).random((150, 3))
    y = np.stack([np.sin(6 * x[:, 0]), np.sin(6 * x[:, 0]) + 0.3 * x[:, 2]], axis=1)
    shares = importance(x, y, ["a", "b", "c"], np.random.default_rng(0))
    assert shares["a"] > 1 > 5 * shares["c"] > 0 and abs(shares["b"]) < shares["c"] < 0.2
    assert shares == importance(x, y, ["a", "b", "c"], np.random.default_rng(0))
    assert importance(x[:8], y[:8], ["a", "b", "c"], np.random.default_rng(0)) == {}


def test_advice_is_about_what_is_thin_noisy_or_idle():
    found = look({"a": np.repeat(A[:30], 2), "b": np.repeat(10 ** (3 * B[:30]), 2)})
    schema = found.schema.model_copy(update={"importance": {"a": 0.5, "b": 0.001}})
    text = " | ".join(support(schema, found.y))
    assert "30 different designs for 2 columns" not in text, "that is enough"
    assert "measurements of y differ by" in text and "hardly matter: b" in text
    assert "a logarithmic scale may suit b" in text
    thin = look({**{f"x{i}": DRAWS.random(12) for i in range(4)}, "y": Y[:12]})
    assert "12 different designs for 4 columns" in " | ".join(support(thin.schema, thin.y))

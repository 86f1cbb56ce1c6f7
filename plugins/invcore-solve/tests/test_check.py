"""Tables that nothing can be learnt from are refused, and the message says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from invcore_solve.tables.check import check_same_rows, check_table

from invcore.plugin import DataError, Table


def message(call: Callable[[], object]) -> str:
    """The one printable line of the DataError that a call must raise."""
    with pytest.raises(DataError) as caught:
        call()
    text = str(caught.value)
    assert text.isprintable() and len(text) < 600, text
    return text


def table(values: list[list[float]], names: str = "abcdefg", first_row: int = 2) -> Table:
    array = np.array(values, dtype=float)
    return Table(tuple(names[: array.shape[1]]), array, "t.csv", first_row)


@pytest.mark.parametrize(
    ("values", "options", "parts"),
    [
        ([[1, 2], [3, np.nan]], {}, ["row 3, column 'b' is missing (nan)"]),
        ([[1, 2], [-np.inf, np.nan]], {}, ["row 3, column 'a' is -inf", "2 such"]),
        ([[1, 2], [3, 4]], {"min_rows": 3}, ["2 rows, expected at least 3"]),
        ([[1, 2]], {"min_rows": 2}, ["1 row, expected at least 2"]),
        ([[1, 2], [3, 2]], {}, ["column 'b' is constant, 2.0 in rows 2 to 3"]),
    ],
)
def test_check_table(values: list[list[float]], options: dict[str, Any], parts: list[str]) -> None:
    text = message(lambda: check_table(table(values), what="designs", **options))
    assert text.startswith("t.csv: designs") and all(part in text for part in parts), text


def test_check_table_lets_pass() -> None:
    check_table(table([[1, 2], [3, 4]]), what="designs", min_rows=2)
    check_table(table([[1, 2], [3, 2]]), what="designs", allow_constant=True)
    check_table(table([[1, 2]]), what="targets")


def test_check_same_rows() -> None:
    other = Table(("y",), np.zeros((1, 1)), "y.npy", 1)
    check_same_rows(other, other)
    text = message(lambda: check_same_rows(table([[1], [2]]), other))
    assert "t.csv has 2 rows" in text and "y.npy has 1 row;" in text

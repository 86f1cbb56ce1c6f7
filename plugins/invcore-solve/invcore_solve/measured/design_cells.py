"""Cells of designs and responses as numbers; what is none is told with its row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DataError, Variable, close_names, quoted
from invcore_solve.measured.cell_problems import MOST, CellProblems
from invcore_solve.measured.columns import Columns
from invcore_solve.tables.check import size_problem
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.cells import is_missing, text_of

FAILURES = (
    "failed", "fail", "fails", "failure", "broken", "broke", "lost", "defective", "defect",
    "cracked", "invalid", "unusable",
)  # fmt: skip
"""Words that say that nothing came of a row."""
_FAILURE = re.compile(rf"\b(?:{'|'.join(FAILURES)})\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|no|nothing|none|never)\b", re.IGNORECASE)
_YES = {"yes", "y", "true", "1", "x", "failed", "fail", "ja", "oui"}


def says_failed(cell: object) -> bool:
    """Whether a cell says that a row has failed.

    Example:
        >>> [says_failed(text) for text in ("broken", "Failed at 3 kN", "not broken", 311.0, None)]
        [True, True, False, False, False]
    """
    return isinstance(cell, str) and bool(_FAILURE.search(cell)) and not _NOT.search(cell)


def ticked(cell: object) -> bool:
    """Whether a cell of the column ``failed`` says yes."""
    if is_missing(cell):
        return False
    return text_of(cell).casefold() in _YES or cell is True or says_failed(cell)


def design_values(
    table: RawTable, columns: Columns, variable: Variable, problems: CellProblems | None = None
) -> Tensor:
    """A variable's values (N,), NaN where the cell is empty; categories by their numbers.

    Args:
        table: that was read.
        columns: which is which.
        variable: of the designs.
        problems: collects cells that are no number, or no category of the variable.

    Raises:
        DataError: there is such a cell, and nobody collects them; or the column is of dates.
    """
    own = problems or CellProblems(table.place)
    index = columns.place[variable.name]
    if variable.categories:
        values = _codes(table, index, variable.categories, own)
    else:
        values = _numbers(table, index, "", own)
    if problems is None:
        own.check()
    return values


def response_values(
    table: RawTable, index: int, problems: CellProblems
) -> tuple[Tensor, list[bool]]:
    """A response's values (N,), NaN where unknown, and which cells say that the row has failed.

    Cells that are neither a number, nor empty, nor a word for a failure, are problems.

    Raises:
        DataError: the column is of dates.
    """
    cells = table.cells[index].tolist()
    failed = [says_failed(cell) for cell in cells]
    table = _without(table, index, [i for i, bad in enumerate(failed) if bad])
    return _numbers(table, index, ", or leave the cell empty, or write failed", problems), failed


def _without(table: RawTable, index: int, rows: Sequence[int]) -> RawTable:
    """The same table with empty cells in some rows of a column."""
    if not rows:
        return table
    kept = np.empty(len(table), dtype=object)
    kept[:] = table.cells[index].tolist()
    kept[rows] = None
    every = tuple(kept if i == index else column for i, column in enumerate(table.cells))
    return replace(table, cells=every)


def _numbers(table: RawTable, index: int, instead: str, problems: CellProblems) -> Tensor:
    name = table.names[index]
    where = f"{table.place}: column {quoted(name)}"
    number = f"a number: correct it{instead}"
    places = {int(row): i for i, row in enumerate(table.rows.tolist())}
    parsed = table.at([index]).column(name)
    for _ in range(len(table)):
        if parsed.bad is None:
            break
        problems.add(name, parsed.bad.row, parsed.bad.text, number)
        if parsed.bad.numbers == 0 and parsed.bad.count > MOST:  # a column of something else
            problems.say(parsed.bad.row, f"and {parsed.bad.count - 1:,} more cells of that column")
            return torch.full((len(table),), torch.nan, dtype=torch.float64)
        table = _without(table, index, [places[parsed.bad.row]])
        parsed = table.at([index]).column(name)
    if parsed.kind == "date":
        raise DataError(f"{where}: has dates; Excel may have made them of numbers")
    values = np.array(parsed.values, dtype=np.float64)
    for i in np.flatnonzero(np.isinf(values)):
        problems.say(
            int(table.rows[i]), f"column {quoted(name)}, row {int(table.rows[i])} is infinite",
            f"correct it{instead}",
        )  # fmt: skip
    values[np.isinf(values)] = np.nan
    known = values[~np.isnan(values)]
    if len(known) and (problem := size_problem(known, spread=False)):
        raise DataError(f"{where}: {problem}")
    return torch.from_numpy(values)


def _codes(
    table: RawTable, index: int, categories: tuple[str, ...], problems: CellProblems
) -> Tensor:
    place = {name: float(i) for i, name in enumerate(categories)}
    alike: dict[str, list[str]] = {}
    for name in categories:
        alike.setdefault(name.casefold(), []).append(name)
    codes = []
    for cell, row in zip(table.cells[index].tolist(), table.rows.tolist(), strict=True):
        text = "" if is_missing(cell) and text_of(cell) not in place else text_of(cell)
        same = alike.get(text.casefold(), [])
        code = place.get(text, place[same[0]] if len(same) == 1 else torch.nan)
        if text and code != code:
            allowed = f"one of {', '.join(categories[:8])}. {close_names(text, categories)}"
            problems.add(table.names[index], int(row), text, allowed)
        codes.append(code if text else torch.nan)
    return torch.tensor(codes, dtype=torch.float64)

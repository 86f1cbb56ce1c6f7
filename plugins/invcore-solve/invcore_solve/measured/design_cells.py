"""Cells of designs and responses as numbers; what is none is told with its row."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DataError, Variable, close_names, quoted
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


def design_values(table: RawTable, columns: Columns, variable: Variable) -> Tensor:
    """A variable's values (N,), NaN where the cell is empty; categories by their numbers.

    Raises:
        DataError: a cell that is no number, or no category of the variable.
    """
    index = columns.place[variable.name]
    if variable.categories:
        return _codes(table, index, variable.categories)
    return _numbers(table, index, "")


def response_values(table: RawTable, index: int) -> tuple[Tensor, list[bool]]:
    """A response's values (N,), NaN where unknown, and which cells say that the row has failed.

    Raises:
        DataError: a cell that is neither a number, nor empty, nor a word for a failure.
    """
    cells = table.cells[index].tolist()
    failed = [says_failed(cell) for cell in cells]
    if any(failed):
        kept = np.empty(len(cells), dtype=object)
        kept[:] = [None if bad else cell for cell, bad in zip(cells, failed, strict=True)]
        every = tuple(kept if i == index else column for i, column in enumerate(table.cells))
        table = replace(table, cells=every)
    return _numbers(table, index, ", or leave the cell empty, or write failed"), failed


def _numbers(table: RawTable, index: int, instead: str) -> Tensor:
    alone = table.at([index])
    name = table.names[index]
    parsed = alone.column(alone.names[0])
    where = f"{table.place}: column {quoted(name)}"
    if parsed.bad is not None:
        more = f" ({parsed.bad.count} such cells)" if parsed.bad.count > 1 else ""
        raise DataError(
            f"{where}, row {parsed.bad.row} is {quoted(parsed.bad.text, 60)}{more}; expected a "
            f"number: correct it{instead}"
        )
    if parsed.kind == "date":
        raise DataError(f"{where}: has dates; Excel may have made them of numbers")
    values = parsed.values
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        row = int(table.rows[wrong[0]])
        raise DataError(f"{where}, row {row} is infinite; correct it{instead}")
    known = values[~np.isnan(values)]
    if len(known) and (problem := size_problem(known, spread=False)):
        raise DataError(f"{where}: {problem}")
    return torch.from_numpy(np.array(values, dtype=np.float64))


def _codes(table: RawTable, index: int, categories: tuple[str, ...]) -> Tensor:
    place = {name: float(i) for i, name in enumerate(categories)}
    alike: dict[str, list[str]] = {}
    for name in categories:
        alike.setdefault(name.casefold(), []).append(name)
    codes = []
    for cell, row in zip(table.cells[index].tolist(), table.rows.tolist(), strict=True):
        text = "" if is_missing(cell) and text_of(cell) not in place else text_of(cell)
        same = alike.get(text.casefold(), [])
        if text and text not in place and len(same) != 1:
            column = quoted(table.names[index])
            raise DataError(
                f"{table.place}: column {column}, row {row} is {quoted(text, 60)}; expected one of "
                f"{', '.join(categories[:8])}. {close_names(text, categories)}"
            )
        codes.append(place.get(text, place[same[0]] if same else torch.nan) if text else torch.nan)
    return torch.tensor(codes, dtype=torch.float64)

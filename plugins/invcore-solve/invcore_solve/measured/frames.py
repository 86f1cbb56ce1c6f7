"""Rows that are known as data frames: of a loop at work, and of designs and responses."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from invcore.plugin import Column, Space, Variable
from invcore.search import LoopJournal
from invcore_solve.measured.measured_rows import FIRST

if TYPE_CHECKING:
    import pandas


def rows_frame(
    journal: LoopJournal, known: int = 0, notes: Mapping[str, str] | None = None
) -> pandas.DataFrame:
    """All rows of a loop at work: id, designs, responses, ``state``, ``source`` and ``note``.

    Of rows that are pending the designs are those that were asked for.

    Args:
        journal: of the loop.
        known: how many of the first rows were known at first, beside its pairs.
        notes: remarks, by the places of rows behind the pairs.
    """
    import pandas

    problem, rows, pairs = journal.problem, journal.rows, journal.pairs
    told = rows.told[:, None]
    x = torch.cat([pairs.x.cpu().double(), torch.where(told, rows.made, rows.asked)])
    y = torch.cat([pairs.y.cpu().double(), rows.responses])
    number = torch.where(rows.id >= 0, rows.id, rows.repeats).tolist()
    states, sources = ["told"] * len(pairs), ["known"] * len(pairs)
    whole, asked = rows.whole.tolist(), (rows.asked_in >= 0).tolist()
    for i, (there, failed) in enumerate(zip(rows.told.tolist(), rows.failed.tolist(), strict=True)):
        part = "told" if whole[i] else "in part"
        states.append(("failed" if failed else part) if there else "pending")
        repeated = "measured again" if int(rows.repeats[i]) >= 0 else "not asked for"
        first = "known" if i < known else repeated
        sources.append("asked" if asked[i] else first)
    ids = [None] * len(pairs) + [n + FIRST if n >= 0 else None for n in number]
    columns: dict[str, Any] = {"id": pandas.array(ids, dtype="Int64")}
    columns |= frame_columns(problem.designs, x, problem.responses, y)
    texts = [""] * len(pairs) + [(notes or {}).get(str(i), "") for i in range(len(rows))]
    return pandas.DataFrame({**columns, "state": states, "source": sources, "note": texts})


def row_id(value: Any) -> int | None:
    """The id in a cell of ``rows_frame``; None of a row without one."""
    import pandas

    return None if value is None or value is pandas.NA or value != value else int(value)


def frame_columns(designs: Space, x: Tensor, responses: Space, y: Tensor) -> dict[str, Any]:
    """Columns of designs (N, Dx) and responses (N, Dy)."""
    columns: dict[str, Any] = {}
    for space, values in ((designs, x), (responses, y)):
        for j, variable in enumerate(space.variables):
            columns[variable.name] = values_of(variable, values[:, j].double().cpu())
    return columns


def values_of(variable: Variable, values: Tensor) -> Column:
    """A variable's values as columns have them: categories by name, whole numbers whole."""
    numbers = values.tolist()
    if variable.categories:
        count = len(variable.categories)
        return [
            variable.categories[int(v)] if v == v and 0 <= int(v) < count else "" for v in numbers
        ]
    if variable.whole and bool(torch.isfinite(values).all()):
        return [round(v) if v == round(v) else v for v in numbers]
    return numbers


def with_empty_cells(
    table: pandas.DataFrame | Mapping[str, Sequence[Any]], path: str | os.PathLike[str]
) -> dict[str, Any]:
    """A table's columns for a file, where text has an empty cell for what is unknown."""
    columns: dict[str, Any] = {str(name): list(cells) for name, cells in table.items()}
    if os.fspath(path).lower().endswith((".csv", ".tsv")):
        return {name: _empty_where_unknown(cells) for name, cells in columns.items()}
    return columns


def _empty_where_unknown(cells: list[Any]) -> list[Any]:
    if all(cell == cell for cell in cells):
        return cells
    return ["" if cell != cell else repr(cell) for cell in cells]


def with_unit(variable: Variable) -> str:
    """A variable's name with its unit in brackets."""
    return f"{variable.name} [{variable.unit}]" if variable.unit else variable.name

"""From rows of cells to a table: titles, names, units, and columns of one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from invcore import DataError
from invcore.data.tables import printable, quoted
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.cells import is_missing, is_number, text_of
from invcore_solve.tables.reading.grid import Grid, empty, filled, numbered
from invcore_solve.tables.reading.header import holds, is_header, titles, width_of
from invcore_solve.tables.reading.units import unit_of_name, units_in

_LOOKED_AT = 20  # rows below one of units


def laid_out(
    grid: Grid,
    source: str,
    *,
    header: bool | None = None,
    units: bool | None = None,
    prefix: str = "column ",
    expected: Sequence[str] = (),
) -> RawTable:
    """Find names, units and values in rows of cells.

    Args:
        grid: the rows; at least one holds something.
        source: the path as it was given.
        header: whether the first row below titles holds names; None: it is found.
        units: whether a row of units follows the names; None: it is found.
        prefix: columns of a table without names are called by it and their number.
        expected: names that make a row the header, even if they are numbers.

    Raises:
        DataError: rows of several widths, names without rows below them.

    Example:
        >>> grid = Grid([["a", "b"], ["mm", "-"], ["1", "2"]], [1, 2, 3], "t.csv")
        >>> table = laid_out(grid, "t.csv")
        >>> table.names, table.units, table.rows.tolist()
        (('a', 'b'), ('mm', ''), [3])
    """
    grid = _trimmed(grid, header, expected)
    notes = [*grid.notes]
    rows, lines = grid.rows, grid.lines
    head: list[Any] | None = None
    if header is None:
        found, doubt = is_header(rows, expected)
        remark = None if found else _remark(grid, expected)
        head = remark if remark is not None else rows[0] if found else None
        notes += [doubt] if doubt else []
    else:
        head, remark = (rows[0] if header else None), None
    if head is not None and remark is None:
        head_line, rows, lines = lines[0], rows[1:], lines[1:]
    else:
        head_line = grid.remark_line
    if not rows:
        raise DataError(f"{grid.place}: row {head_line} is a header, but no rows follow it")
    rows, width = _even(grid, head, rows, lines)
    found_units = [""] * width
    if head is not None and units is not False:
        in_row = units_in(rows[0], said=units is True)
        if in_row is not None and (units or _numbers_below(rows, in_row)):
            found_units = in_row
            notes.append(f"Row {lines[0]} was read as units.")
            rows, lines = rows[1:], lines[1:]
            if not rows:
                fault = f"row {head_line} holds names and the next one units, but no rows follow"
                raise DataError(f"{grid.place}: {fault}; add rows, or say that there are no units")
    return _table(grid, head, rows, lines, found_units, notes, source, prefix)


def _trimmed(grid: Grid, header: bool | None, expected: Sequence[str]) -> Grid:
    """The grid without titles above it, and without remarks below a workbook's."""
    count = 0 if header is False else titles(grid)
    if expected:
        at = (i for i, row in enumerate(grid.rows[:count]) if holds(row, expected))
        count = min(next(at, count), count)
    notes = grid.notes
    if count:
        said = quoted(text_of(filled(grid.rows[0])[0]))
        which = numbered(grid.lines[:count])
        notes = (*notes, f"Above the table, {which} ({said}) {_were(count)} skipped.")
    end = len(grid.rows)
    if grid.ragged and width_of(grid.rows) > 2:
        while end > count + 2 and _is_remark(grid.rows[end - 1]):
            end -= 1
        if end < len(grid.rows):
            which = numbered(grid.lines[end:])
            notes = (*notes, f"Below the table, {which} {_were(len(grid.rows) - end)} skipped.")
    return replace(grid, rows=grid.rows[count:end], lines=grid.lines[count:end], notes=notes)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _is_remark(row: Sequence[Any]) -> bool:
    cells = filled(row)
    return len(cells) == 1 and isinstance(cells[0], str) and not is_number(cells[0])


def _remark(grid: Grid, expected: Sequence[str]) -> list[str] | None:
    """The names in a comment right above the numbers, as numpy.savetxt writes them."""
    width = width_of(grid.rows)
    for cells in grid.remark:
        if len(cells) == width and all(cells) and (width > 1 or grid.remark_line == 1):
            return [*cells]
    return None


def _even(
    grid: Grid, head: Sequence[Any] | None, rows: list[list[Any]], lines: Sequence[int]
) -> tuple[list[list[Any]], int]:
    """The rows, all as wide as the first of the table.

    Fields past the table may be empty; so may be left out what the header has no name for.
    """
    width = len(head) if head is not None else len(rows[0])
    if grid.ragged:
        width = max(width, *map(len, rows))
    while width > 1 and _spare(width - 1, head, rows):
        width -= 1
    if all(len(row) == width for row in rows):
        return rows, width
    result = []
    for row, line in zip(rows, lines, strict=True):
        if len(row) > width and not any(not empty(cell) for cell in row[width:]):
            row = row[:width]
        elif len(row) < width and grid.ragged:
            row = [*row, *[None] * (width - len(row))]
        if len(row) != width:
            count = f"{len(row)} field{'s' * (len(row) != 1)}"
            raise DataError(
                f"{grid.place}: row {line} has {count}, expected {width}, as in the first row; "
                "correct the row, or put quotes around a cell that holds the separator"
            )
        result.append(row)
    return result, width


def _spare(column: int, head: Sequence[Any] | None, rows: list[list[Any]]) -> bool:
    """Whether a column, of those at the right, has neither a name nor any cell that is filled."""
    if head is not None and column < len(head) and not empty(head[column]):
        return False
    return all(empty(row[column]) for row in rows if column < len(row))


def _numbers_below(rows: Sequence[Sequence[Any]], units: Sequence[str]) -> bool:
    """Whether there are numbers below each unit."""
    below = rows[1 : 1 + _LOOKED_AT]
    for index, unit in enumerate(units):
        cells = [row[index] for row in below if not is_missing(row[index])]
        if unit and 2 * sum(map(is_number, cells)) < len(cells):
            return False
    return len(below) > 0


def _table(
    grid: Grid,
    head: Sequence[Any] | None,
    rows: list[list[Any]],
    lines: Sequence[int],
    units: Sequence[str],
    notes: list[str],
    source: str,
    prefix: str,
) -> RawTable:
    """The table, without columns at its sides that hold nothing."""
    columns = list(zip(*rows, strict=True))
    width = len(columns)
    names = [""] * width
    if head is not None:
        texts = [" ".join(text_of(cell).split()) if not empty(cell) else "" for cell in head]
        names = [*texts, *names][:width]
    blank = [
        not name and all(map(empty, column)) for name, column in zip(names, columns, strict=True)
    ]
    start, end = 0, width
    while end > 1 and blank[end - 1]:
        end -= 1
    while start < end - 1 and blank[start]:
        start += 1
    kept = range(start, end)
    if head is not None:
        nameless = [index - start + 1 for index in kept if not names[index]]
        if nameless:
            which = numbered(nameless, "column")
            notes.append(f"No name stands above {which}; it is called so.")
        names = [name or f"column {index - start + 1}" for index, name in enumerate(names)]
    else:
        names = [f"{prefix}{index - start + 1}" for index in range(width)]
    cells = []
    for index in kept:
        column = np.empty(len(rows), dtype=object)
        column[:] = columns[index]
        cells.append(column)
    return RawTable(
        tuple(printable(names[index], 1000) for index in kept),
        tuple(cells),
        source,
        np.array(lines, dtype=np.int64),
        tuple(units[index] or unit_of_name(names[index]) for index in kept),
        tuple(notes),
        head is not None,
        grid.decimal,
    )

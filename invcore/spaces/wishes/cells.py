"""Cells of small files of text: a header, and rows that are as wide."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from invcore.base.errors import ConfigError
from invcore.base.text import printable, quoted
from invcore.configs.documents import read_text

LARGEST = 64 << 20
"""Most bytes of a file."""
MOST_ROWS = 100_000
"""Most rows of a file."""


def read_cells(path: str | Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of a file's first row, and its other rows, each with its number.

    Columns are separated by commas, semicolons or tabs, whichever the first row has most of. Rows
    without anything are left out.

    Raises:
        ConfigError: it cannot be read, is empty, or has a row that is not as wide as the first.
    """
    place = printable(path)
    lines = read_text(path, largest=LARGEST).splitlines()
    lines_from = next((i for i, line in enumerate(lines) if line.strip()), None)
    if lines_from is None:
        raise ConfigError(f"{place}: is empty; expected a row of names, and rows below it")
    first = lines[lines_from]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(lines[lines_from:], delimiter=delimiter, skipinitialspace=True, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = [" ".join(name.split()) for name in next(reader)]
        for cells in reader:
            number = lines_from + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise ConfigError(
                    f"{place}: row {number} has {len(cells)} cells, the first row {len(header)}"
                )
            rows.append((number, [cell.strip() for cell in cells]))
            if len(rows) > MOST_ROWS:
                raise ConfigError(f"{place}: more than {MOST_ROWS:,} rows")
    except csv.Error as error:
        number = lines_from + reader.line_num
        raise ConfigError(f"{place}: row {number}: {printable(error, 80)}") from None
    if len(set(header)) != len(header) or not all(header):
        raise ConfigError(f"{place}: row 1 must name each column, and differently")
    if not rows:
        raise ConfigError(f"{place}: has names, but no rows below them")
    return header, rows


def column_number(cell: str, column: str, row: int, place: str) -> float | None:
    """The number in a cell; None in an empty one.

    Raises:
        ConfigError: it is something else.
    """
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(
            f"{place}: row {row}, {quoted(column)}: {quoted(cell)} is no finite number"
        )
    return value

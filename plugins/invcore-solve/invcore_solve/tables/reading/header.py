"""Which rows at the top of a table are titles, names, and units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from invcore.data.tables import quoted
from invcore_solve.tables.reading.cells import (
    decimal_signs,
    is_date,
    is_missing,
    is_number,
    number_of,
    plain_text,
    text_of,
)
from invcore_solve.tables.reading.grid import Grid, empty, filled

_LOOKED_AT = 50  # rows below the header
_FEWEST_STEPS = 4  # columns whose names may be found to be numbers
_EVENNESS = 1.5  # the largest step between such names, in smallest ones


def width_of(rows: Sequence[Sequence[Any]]) -> int:
    """How many columns most rows have, up to the last that is filled."""
    widths = [_width(row) for row in rows[: 4 * _LOOKED_AT]]
    counts = Counter(width for width in widths if width)
    return max(counts, key=lambda width: (counts[width], width)) if counts else 0


def titles(grid: Grid) -> int:
    """How many rows at the top are titles: a lone filled cell, or text of another width.

    Text of another width counts where a row of names of the table's width follows.
    """
    width = width_of(grid.rows)
    count = 0
    while count + 1 < len(grid.rows) and width > 1:
        row = grid.rows[count]
        cells = filled(row)
        alone = len(cells) == 1 and not empty(row[0]) and not is_number(cells[0])
        if not alone or (len(row) == width == 2 and numbers_in(grid.rows[count + 1])):
            break
        count += 1
    for index, row in enumerate(grid.rows[count : count + 10], count):
        if _width(row) >= width:  # a last column may be filled in few rows
            named = index > count and not any(is_number(cell) for cell in row)
            return index if named else count
        if all(is_number(cell) for cell in filled(row)):
            break
    return count


def numbers_in(row: Sequence[Any]) -> list[float] | None:
    """A row's numbers, None if anything in it is none."""
    if not row or not all(is_number(cell) for cell in row):
        return None
    return [_number(cell) for cell in row]


def is_header(rows: Sequence[Sequence[Any]], expected: Sequence[str] = ()) -> tuple[bool, str]:
    """Whether the first row holds names, and a note where that may be wrong.

    Args:
        rows: of the table.
        expected: names that would make it a header, if it holds all of them.
    """
    first, below = rows[0], rows[1 : 1 + _LOOKED_AT]
    cells = filled(first)
    if expected and holds(first, expected):
        return True, ""
    words = [cell for cell in cells if not (is_number(cell) or is_missing(cell) or is_date(cell))]
    if words:
        doubt = len(words) < len(cells) / 2 and len(below) > 0 and _alike(first, below)
        word = quoted(text_of(words[0]))
        return True, (f"The first row was taken for names, because of {word}." if doubt else "")
    dates = [index for index, cell in enumerate(first) if is_date(cell) and not is_number(cell)]
    if dates:
        same = any(is_date(row[i]) for row in below for i in dates if i < len(row))
        return not same, ""
    if _even_steps(first, below):
        ends = f"{text_of(cells[0])} to {text_of(cells[-1])}"
        return True, (
            f"The first row, {ends} in even steps, was taken for the columns' names; "
            "say that there is no header if it is data."
        )
    return False, ""


def holds(row: Sequence[Any], names: Sequence[str]) -> bool:
    """Whether a row has all of the names; numbers count by value.

    Example:
        >>> holds(["850", "852.0"], ["852", "850.0"])
        True
    """
    there = {name_key(text_of(cell)) for cell in row if not empty(cell)}
    return {name_key(name) for name in names} <= there


def name_key(name: str) -> str | float:
    """What two spellings of one name have in common: the number, if it is one.

    Example:
        >>> name_key("850.0") == name_key("850"), name_key("gap")
        (True, 'gap')
    """
    return _number(name) if is_number(name) else name


def _number(cell: Any) -> float:
    if not isinstance(cell, str):
        return float(cell)
    text = plain_text(cell)
    return number_of(text, "," if decimal_signs(text)[-1:] == "," else ".")


def _width(row: Sequence[Any]) -> int:
    return max((index for index, cell in enumerate(row, 1) if not empty(cell)), default=0)


def _alike(first: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    """Whether the first row's words stand above words, and its numbers above numbers."""
    row = below[0]
    pairs = [(a, b) for a, b in zip(first, row, strict=False) if not (empty(a) or empty(b))]
    return all(is_number(a) == is_number(b) for a, b in pairs)


def _even_steps(first: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    """Whether a row of numbers is a scale, such as wavelengths, above values of another size."""
    scale = numbers_in(first)
    if scale is None or len(scale) < _FEWEST_STEPS or not below or not _is_scale(scale):
        return False
    values = [number for number in map(numbers_in, below) if number is not None]
    if not values or any(_is_scale(row) for row in values):
        return False
    sizes = [abs(value) for row in values for value in row]
    largest, smallest = max(sizes), min(sizes)
    ends = abs(scale[0]), abs(scale[-1])
    counting = scale in ([*range(len(scale))], [*range(1, len(scale) + 1)])
    whole = all(value == int(value) for row in values for value in row if abs(value) < 1e15)
    apart = min(ends) > 2 * largest or max(ends) < smallest / 2
    return apart or (counting and not whole)


def _is_scale(numbers: Sequence[float]) -> bool:
    """Whether numbers rise, or fall, in steps of about one size."""
    steps = [after - before for before, after in pairwise(numbers)]
    sizes = [abs(step) for step in steps]
    one_way = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    return bool(steps) and one_way and max(sizes) <= _EVENNESS * min(sizes)

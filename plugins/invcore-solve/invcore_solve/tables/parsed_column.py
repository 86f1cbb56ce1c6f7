"""One column of a table as numbers, dates or text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from invcore import DataError
from invcore.data.tables import real_array
from invcore_solve.tables.reading.cells import (
    MISSING,
    decimal_signs,
    is_date,
    is_missing,
    number_of,
    plain_text,
    text_of,
)

_EXACT = 2**53  # above it, float64 has no place for every whole number


@dataclass(frozen=True)
class BadCell:
    """The first cell of a column that is no number.

    Args:
        row: its line in the file.
        text: what it holds.
        count: how many such cells the column has.
        numbers: how many cells of the column are numbers; 0 in a column of text.
    """

    row: int
    text: str
    count: int
    numbers: int


@dataclass(frozen=True, eq=False)
class ParsedColumn:
    """What a column holds.

    Args:
        kind: "number" if each cell that is not missing is one, "date" likewise, "empty" if all
            are missing; else "text", which `bad` says more about.
        values: (N,) float64, NaN where missing; all NaN unless the kind is "number".
        texts: (N,) of text and dates, None where missing; None for other kinds.
        missing: (N,) whether the cell is missing.
        bad: of a column of text, the first cell that is no number.
        unit: "" where none is known.
    """

    kind: Literal["number", "text", "date", "empty"]
    values: npt.NDArray[np.float64]
    texts: tuple[str | None, ...] | None
    missing: npt.NDArray[np.bool_]
    bad: BadCell | None = None
    unit: str = ""

    @property
    def mixed(self) -> bool:
        """Whether it holds numbers and text: a few of its cells are likely mistakes."""
        return self.bad is not None and self.bad.numbers > 0


def parse_column(
    cells: npt.NDArray[Any],
    rows: npt.NDArray[np.int64],
    place: str,
    *,
    unit: str = "",
    decimal: str = "",
) -> ParsedColumn:
    """Find out what a column holds.

    Args:
        cells: (N,) as they were read.
        rows: (N,) their lines in the file.
        place: the file and the column, for messages.
        unit: of the column.
        decimal: the decimal sign to assume where the column does not show it.

    Raises:
        DataError: decimal commas and points in one column; numbers that are not real, or have
            more digits than float64.

    Example:
        >>> cells = np.array(["1,5", "n/a", "12 %"], dtype=object)
        >>> column = parse_column(cells, np.arange(2, 5), "t.csv: column 'a'")
        >>> column.kind, column.values.tolist()
        ('number', [1.5, nan, 12.0])
    """
    if cells.dtype.kind in "biufc":
        values = real_array(cells, place)
        missing = np.isnan(values)
        kind: Literal["number", "empty"] = "empty" if missing.all() else "number"
        return ParsedColumn(kind, values, None, missing, unit=unit)
    if cells.dtype.kind == "M":
        dates = np.datetime_as_string(cells).astype(object)
        dates[np.isnat(cells)] = None
        cells = dates
    items = cells.tolist()
    quick = _quick(items)
    if quick is not None:
        return ParsedColumn("number", quick, None, np.isnan(quick), unit=unit)
    missing = np.array([is_missing(item) for item in items], dtype=bool)
    nothing = np.full(len(items), np.nan)
    if missing.all():
        return ParsedColumn("empty", nothing, None, missing, unit=unit)
    signs, texts = _signs(items, missing)
    bad = [index for index, sign in enumerate(signs) if sign == "x"]
    if not bad:
        values = _numbers(items, texts, signs, rows, place, decimal)
        return ParsedColumn("number", values, None, missing, unit=unit)
    strings = tuple(None if gone else text_of(i) for i, gone in zip(items, missing, strict=True))
    filled = [item for item, gone in zip(items, missing, strict=True) if not gone]
    if all(is_date(item) for item in filled):
        return ParsedColumn("date", nothing, strings, missing, unit=unit)
    first = bad[0]
    numbers = len(filled) - len(bad)
    cell = BadCell(int(rows[first]), strings[first] or "", len(bad), numbers)
    return ParsedColumn("text", nothing, strings, missing, cell, unit)


def _quick(items: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """Numbers that Python reads at once, which is ten times as fast; None for others.

    Python takes underscores and other alphabets' digits for parts of a number too.
    """
    kinds = set(map(type, items))
    if kinds <= {float, int, type(None)} and float in kinds:
        values = np.array([np.nan if item is None else item for item in items], dtype=float)
        return values if np.nanmax(np.abs(values), initial=0) < _EXACT else None
    if kinds != {str}:
        return None
    joined = "".join(items)
    if not joined.isascii() or "_" in joined:
        return None
    if "," in joined:
        if "." in joined or not any(decimal_signs(item.strip()) == "," for item in items):
            return None  # thousands, perhaps
        items = [item.replace(",", ".") for item in items]
    try:
        values = np.array([float(item) for item in items])
    except ValueError:
        known = [item if item.strip().lower() not in MISSING else "nan" for item in items]
        try:
            values = np.array([float(item) for item in known])
        except ValueError:
            return None
    return None if np.isnan(values).all() else values


def _signs(
    items: Sequence[Any], missing: npt.NDArray[np.bool_]
) -> tuple[list[str], list[str | None]]:
    """For each cell what signs it needs ("x" if it is no number), and its text if it is one."""
    signs, texts = [], []
    for item, gone in zip(items, missing, strict=True):
        text = plain_text(item) if isinstance(item, str) and not gone else None
        texts.append(text)
        if gone:
            signs.append("")
        elif text is None:
            signs.append("" if _is_real(item) else "x")
        else:
            signs.append(decimal_signs(text))
    return signs, texts


def _is_real(item: Any) -> bool:
    """Whether an object is a number, also one of NumPy's, a fraction or a decimal."""
    return not isinstance(item, str | bytes) and hasattr(item, "__float__")


def _numbers(
    items: Sequence[Any],
    texts: Sequence[str | None],
    signs: Sequence[str],
    rows: npt.NDArray[np.int64],
    place: str,
    decimal: str,
) -> npt.NDArray[np.float64]:
    """The column's numbers, NaN where missing."""
    sign = _decimal(signs, rows, place, decimal)
    rest = [
        None if text is not None or is_missing(i) else i
        for text, i in zip(texts, items, strict=True)
    ]
    values = real_array(rest, place)
    for index, text in enumerate(texts):
        if text is not None:
            values[index] = number_of(text, sign)
    return values


def _decimal(signs: Sequence[str], rows: npt.NDArray[np.int64], place: str, decimal: str) -> str:
    """The column's decimal sign."""
    first: dict[str, int] = {}
    for index, sign in enumerate(signs):
        if sign:
            first.setdefault(sign, int(rows[index]))
    # thousands in points mean a decimal comma, and the other way round
    commas = [first[sign] for sign in (",", "+,", "t.") if sign in first]
    points = [first[sign] for sign in (".", "+.", "t,") if sign in first]
    if not commas and not points:
        unsure = [sign[1] for sign in ("?,", "?.") if sign in first]
        if len(unsure) == 1:
            # 1,234 between semicolons has a decimal comma, 1.234 a decimal point
            return "." if unsure[0] == "." or decimal == "." else ","
        if not unsure:
            return "."
        commas, points = [first["?,"]], [first["?."]]
    grouped = "+," in first or "t." in first or "+." in first or "t," in first
    if not grouped:  # then a sign that may stand for thousands is the decimal one
        commas += [first["?,"]] if "?," in first and decimal != "." else []
        points += [first["?."]] if "?." in first else []
    if commas and points:
        both = f"decimal commas (row {min(commas)}) and decimal points (row {min(points)})"
        raise DataError(f"{place}: has {both}; use one of them throughout")
    return "," if commas else "."

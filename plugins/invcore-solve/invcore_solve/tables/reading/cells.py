"""What is in a cell: nothing, a number as people write it, a date, or text."""

from __future__ import annotations

import datetime
import re
from typing import Any

MISSING = frozenset({
    "", "na", "n/a", "n.a.", "nan", "null", "none", "-", "--", "\u2013", "\u2014", "?", "<na>",
    "#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "nat",
})  # fmt: skip
"""Marks of a missing value, in lower case."""
_BLANKS = "[ \t\u00a0\u2007\u2009\u202f]"
_GROUPED = re.compile(rf"(?<=\d)(?:{_BLANKS}|['\u2019])(?=\d{{3}}(?!\d))")
_MINUS = ("\u2212", "\ufe63", "\uff0d", "\u2013")  # which are no hyphens
_AFTER_SIGN = re.compile(rf"^([+-]){_BLANKS}+")
_EXPONENT = r"(?:[eEdD][+-]?\d{1,6})?"
# No part of these can match the same text in two ways: a hostile cell may have 100,000 digits.
_PLAIN = re.compile(
    rf"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}|inf|infinity|∞)", re.ASCII | re.IGNORECASE
)
_COMMA = re.compile(rf"[+-]?(?:\d+,\d*|,\d+){_EXPONENT}", re.ASCII)
_GROUPS = {sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:\{sign}\d{{3}})+", re.ASCII) for sign in ".,"}
_FRACTION = {
    sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:\{group}\d{{3}})+\{sign}\d*{_EXPONENT}", re.ASCII)
    for sign, group in ((",", "."), (".", ","))
}
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_TIME = rf"(?:[T ]{_CLOCK}(?:\s?[AaPp][Mm])?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?"
_YEAR_FIRST = re.compile(rf"\d{{4}}([-/.])(\d{{1,2}})\1(\d{{1,2}}){_TIME}", re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([./-])(\d{{1,2}})\2(?:\d{{4}}|\d{{2}}){_TIME}", re.ASCII)


def is_missing(cell: Any) -> bool:
    """Whether a cell stands for a missing value.

    Example:
        >>> [is_missing(cell) for cell in (None, "n/a", "#DIV/0!", float("nan"), 0, "no")]
        [True, True, True, True, False, False]
    """
    if cell is None:
        return True
    if isinstance(cell, str):
        return len(cell) < 9 and cell.strip().lower() in MISSING
    return type(cell).__name__ in ("NAType", "NaTType") or (
        isinstance(cell, float) and cell != cell
    )


def plain_text(cell: str) -> str:
    """A cell's text with the minus that keyboards have, and without blanks or percent sign.

    Example:
        >>> plain_text("− 1 234,5 %")
        '-1234,5'
    """
    text = cell.strip().removesuffix("%").rstrip()
    if text[:1] in _MINUS:
        text = "-" + text[1:]
    text = text.replace("\u2212", "-")  # in an exponent
    return _GROUPED.sub("", _AFTER_SIGN.sub(r"\1", text))


def decimal_signs(text: str) -> str:
    """What signs a text, from `plain_text`, would need to be a number.

    Returns:
        "" for whole numbers and the like, "." or "," for that decimal sign, "+." or "+," for that
        decimal sign beside groups of thousands, "?." or "?," where that sign may stand for
        either, "t." or "t," where that sign stands for thousands for sure; "x" for text.

    Example:
        >>> [decimal_signs(text) for text in ("12", "1.5", "1,5", "1.234,5", "1,234", "1,234,567")]
        ['', '.', ',', '+,', '?,', 't,']
        >>> decimal_signs("12 mm")
        'x'
    """
    if _PLAIN.fullmatch(text):
        if "." not in text:
            return ""
        return "?." if _GROUPS["."].fullmatch(text) else "."
    if _COMMA.fullmatch(text):
        return "?," if _GROUPS[","].fullmatch(text) else ","
    for sign in ".,":
        if _GROUPS[sign].fullmatch(text):
            return f"t{sign}"
        if _FRACTION[sign].fullmatch(text):
            return f"+{sign}"
    return "x"


def number_of(text: str, decimal: str) -> float:
    """The number of a text that `decimal_signs` accepts, by the decimal sign of its column.

    Example:
        >>> number_of("1.234,5", ","), number_of("1,234", "."), number_of("1.5d-3", ".")
        (1234.5, 1234.0, 0.0015)
    """
    other = "." if decimal == "," else ","
    plain = text.replace(other, "").replace(",", ".").lower()
    return float(plain.replace("d", "e").replace("∞", "inf"))


def is_number(cell: Any) -> bool:
    """Whether a cell holds a number by itself, whichever way it is written.

    Example:
        >>> [is_number(cell) for cell in (1, "1,5", "12 %", True, "", "mm", None)]
        [True, True, True, True, False, False, False]
    """
    if isinstance(cell, str):
        return decimal_signs(plain_text(cell)) != "x"
    return isinstance(cell, int | float) and cell == cell


def is_date(cell: Any) -> bool:
    """Whether a cell holds a date, with or without a time.

    Example:
        >>> [is_date(cell) for cell in ("2024-02-29", "3.12.2024 14:05", "12/31/24", "1.5", "1/2")]
        [True, True, True, False, False]
    """
    if not isinstance(cell, str):
        return isinstance(cell, datetime.date | datetime.time)
    text = cell.strip() if len(cell) < 50 else ""
    if match := _YEAR_FIRST.fullmatch(text):
        parts = (match[2], match[3])
    elif match := _YEAR_LAST.fullmatch(text):
        parts = (match[1], match[3])
    else:
        return False
    one, two = sorted(int(part) for part in parts)
    return 1 <= one <= 12 and two <= 31


def text_of(cell: Any) -> str:
    """A cell as the text that people would call it.

    Example:
        >>> text_of(5.0), text_of(datetime.date(2024, 1, 2)), text_of(" a ")
        ('5', '2024-01-02', 'a')
    """
    whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15
    return str(int(cell)) if whole else str(cell).strip()

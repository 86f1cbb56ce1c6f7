"""Choosing columns: by name, by number from 1, or by a range of numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from invcore.base.errors import DataError
from invcore.base.text import listing, quoted

_RANGE = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?", re.ASCII)
_QUOTES = ('"', "`")


def chosen_columns(columns: Sequence[str], names: Sequence[str], place: str) -> list[int]:
    """The indices of the columns that are asked for, in that order.

    Args:
        columns: names, 1-based numbers ("2") or ranges of them ("3-5"); where a column's name
            looks like a number, the name counts.
        names: of all columns; names that are not asked for may repeat.
        place: what messages begin with.

    Raises:
        DataError: an unknown column, a name that two columns have, one asked for twice, or none.

    Example:
        >>> chosen_columns(["2-3", "a"], ["a", "b", "c"], "t.csv")
        [1, 2, 0]
    """
    selectors = (columns,) if isinstance(columns, str) else columns
    chosen = [index for column in selectors for index in _found(column.strip(), names, place)]
    first = {index: n for n, index in reversed([*enumerate(chosen)])}
    twice = [index for n, index in enumerate(chosen) if first[index] < n]
    if twice:
        name = quoted(names[twice[0]])
        raise DataError(f"{place}: column {name} is asked for twice; name it once")
    if not chosen:
        raise DataError(f"{place}: no column is asked for; {listing(names)}")
    return chosen


def _found(column: str, names: Sequence[str], place: str) -> Sequence[int]:
    """The indices that a name, a number or a range stands for."""
    same = [index for index, name in enumerate(names) if name == column]
    if len(same) > 1:
        both = f"columns {same[0] + 1} and {same[1] + 1} are both named {quoted(column)}"
        raise DataError(f"{place}: {both}; rename one, or give the column's number")
    if same:
        return same
    if match := _RANGE.fullmatch(column):
        first, last = int(match[1]), int(match[2] or match[1])
        if 1 <= first <= last <= len(names):
            return range(first - 1, last)
    raise DataError(
        f"{place}: no column {quoted(column)}; {listing(names, column)} "
        f"(or a number, 1 to {len(names)}, or a range such as 1-{len(names)})"
    )


def split_columns(text: str, names: Sequence[str]) -> list[str]:
    """The columns that a command line's text asks for, where names may hold commas.

    The longest name that the text goes on with counts; a name in double quotes or backticks is
    taken as it is.

    Args:
        text: names, numbers and ranges between commas.
        names: of all columns.

    Example:
        >>> split_columns("stress, max,3-5", ["stress", "stress, max", "b", "c", "d"])
        ['stress, max', '3-5']
        >>> split_columns('"a,b",c', [])
        ['a,b', 'c']
    """
    longest = sorted({name for name in names if "," in name}, key=len, reverse=True)
    found: list[str] = []
    rest = text.strip()
    while rest:
        part, rest = _first(rest, longest)
        found.append(part)
        rest = rest.lstrip().removeprefix(",").lstrip()
    return [part for part in found if part]


def _first(text: str, longest: Sequence[str]) -> tuple[str, str]:
    """The first column of a text, and what follows it."""
    for name in longest:
        if text.startswith(name) and text[len(name) :].lstrip()[:1] in ("", ","):
            return name, text[len(name) :]
    if text[0] in _QUOTES:
        end = text.find(text[0], 1)
        if end > 0 and text[end + 1 :].lstrip()[:1] in ("", ","):
            return text[1:end], text[end + 1 :]
    part, _, rest = text.partition(",")
    return part.strip(), rest

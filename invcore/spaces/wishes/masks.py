"""Masks of curves: between which values a response is to stay along its axis."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from invcore.base.errors import ConfigError
from invcore.base.text import printable, quoted
from invcore.spaces.specification import Requirement
from invcore.spaces.wishes.cells import column_number, read_cells
from invcore.spaces.wishes.text import conditions_of, value_of
from invcore.spaces.wishes.wish import Wish

_NUMBER = re.compile(r"(?<![0-9A-Za-z.])-?\d+(?:\.\d+)?|\d+(?:\.\d+)?")
Line = list[tuple[float, float | None]]
"""Breakpoints by their place on the axis; None where nothing is wanted."""


def is_mask(condition: str) -> bool:
    """Whether a condition is the name of a mask's file."""
    return condition.startswith("@")


def mask_wishes(text: str, names: Sequence[str], of: Sequence[str] | None = None) -> list[Wish]:
    """The wishes of a mask.

    Args:
        text: ``@mask.csv``, and options behind commas. The file has a header and the columns
            ``low`` and ``high``, either of which may be missing, beside that of the axis. Its rows
            are points that straight lines join; an empty cell ends a line, and where there is
            none, nothing is wanted. Two rows at one place are a step; there, both count.
        names: of the responses, whose numbers are the axis (``T400``, ``T450``, …), or else
            1, 2, 3, ….
        of: those of them that form the curve; by default all that are named alike.

    Raises:
        ConfigError: the file is none, or wants nothing of these responses.
    """
    first, *options = conditions_of(text)
    path = first.strip().removeprefix("@").strip()
    lower, upper = read_mask(path)
    axis = axis_of(names if of is None else of)
    wishes = []
    for name, place in axis.items():
        low, high = _at(lower, place, max), _at(upper, place, min)
        if low is None and high is None:
            continue
        if low is not None and high is not None and low > high:
            raise ConfigError(
                f"{printable(path)}: at {place:g}, low {low:g} is above high {high:g}"
            )
        wish = Wish(name, Requirement(low=low, high=high))
        wishes.append(wish.joined(value_of(name, options, text)) if options else wish)
    if not wishes:
        ends = f"{min(axis.values()):g} to {max(axis.values()):g}"
        raise ConfigError(
            f"{printable(path)}: wants nothing of these responses, whose axis goes from {ends}"
        )
    return wishes


def axis_of(names: Sequence[str]) -> dict[str, float]:
    """The responses of a curve and their places on its axis.

    Those are the numbers in names that are alike but for one number, if there are any; else all
    responses are the curve, at 1, 2, 3, ….

    Raises:
        ConfigError: several curves are as long as each other.

    Example:
        >>> axis_of(["T400", "T450", "cost"]), axis_of(["a", "b"])
        ({'T400': 400.0, 'T450': 450.0}, {'a': 1.0, 'b': 2.0})
    """
    families: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        texts, numbers = _NUMBER.split(name), _NUMBER.findall(name)
        for i in range(len(numbers)):  # alike but for the i-th number
            others = tuple(number for j, number in enumerate(numbers) if j != i)
            families.setdefault((str(i), *texts, *others), []).append(name)
    longest = sorted(families.items(), key=lambda item: -len(item[1]))
    if not longest or len(longest[0][1]) < 2:
        return {name: float(i) for i, name in enumerate(names, 1)}
    best = [family for family in longest if len(family[1]) == len(longest[0][1])]
    if len(best) > 1:
        examples = " and ".join(quoted(family[1][0]) for family in best[:2])
        raise ConfigError(
            f"a mask of which curve? {examples} belong to different ones; write R*=@mask.csv, "
            "with the beginning of its responses' names"
        )
    key, members = best[0]
    return {name: float(_NUMBER.findall(name)[int(key[0])]) for name in members}


def read_mask(path: str | Path) -> tuple[Line, Line]:
    """The lower and the upper line of a mask's file.

    Raises:
        ConfigError: it cannot be read, or is no mask; with the row.
    """
    place = printable(path)
    header, rows = read_cells(path)
    lowered = [name.lower() for name in header]
    limits = [lowered.index(name) if name in lowered else -1 for name in ("low", "high")]
    others = [i for i in range(len(header)) if i not in limits]
    if len(others) != 1 or limits == [-1, -1]:
        raise ConfigError(
            f"{place}: expected the columns axis, low and high, got {printable(', '.join(header))}"
        )
    lines: tuple[Line, Line] = ([], [])
    for number, row in rows:
        at = column_number(row[others[0]], header[others[0]], number, place)
        if at is None:
            raise ConfigError(f"{place}: row {number} has no place on the axis; fill it in")
        for line, column in zip(lines, limits, strict=True):
            cell = row[column] if column >= 0 else ""
            line.append((at, column_number(cell, header[column], number, place)))
    places = [at for at, _ in lines[0]]
    if len(places) > 1 and places[0] > places[-1]:
        lines = (lines[0][::-1], lines[1][::-1])
        places = places[::-1]
    if any(after < before for before, after in pairwise(places)):
        raise ConfigError(f"{place}: the axis goes up and down; sort the rows by it")
    return lines


def _at(line: Line, place: float, tightest: Callable[[list[float]], float]) -> float | None:
    """The value of a line at a place of the axis."""
    places = [at for at, _ in line]
    left, right = bisect_left(places, place), bisect_right(places, place)
    if left < right:  # at a breakpoint, or a step
        here = [value for _, value in line[left:right] if value is not None]
        return tightest(here) if here else None
    if left == 0 or left == len(line):
        return None
    (before, low), (after, high) = line[left - 1], line[left]
    if low is None or high is None:
        return None
    share = (place - before) / (after - before)
    return low + share * (high - low)

"""Numbers, names and sentences for people."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

_LONGEST = 26  # signs of a name in a picture
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


def number(value: float | None, digits: int = 4) -> str:
    """A number for people; a dash where there is none.

    Example:
        >>> number(0.00012345), number(None), number(1200.0), number(123456.7), number(-0.5)
        ('1.234e-4', '-', '1200', '123457', '-0.5')
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e7:
        return f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def probability_text(probability: float) -> str:
    """A probability for people: never quite sure.

    Example:
        >>> probability_text(0.9996), probability_text(0.931), probability_text(0.0002)
        ('> 99.9%', '93.1%', '< 0.1%')
    """
    if probability < 0.001:
        return "< 0.1%"
    return "> 99.9%" if probability > 0.999 else f"{100 * probability:.3g}%"


def short(name: str, most: int = _LONGEST) -> str:
    r"""A name as pictures have it: one line, what can be printed, not too long.

    Example:
        >>> short("a\nb"), short("x" * 40, 5)
        ('a b', 'xxxx…')
    """
    line = "".join(sign if sign.isprintable() else " " for sign in name).strip()
    return line if len(line) <= most else line[: most - 1] + "…"


def with_unit(name: str, unit: str) -> str:
    """A column's name with its unit, once.

    Example:
        >>> with_unit("age", "d"), with_unit("age", ""), with_unit("age (d)", "d")
        ('age [d]', 'age', 'age (d)')
    """
    known = not unit or any(f"{a}{unit}{b}" in name for a, b in ("[]", "()"))
    return name if known else f"{name} [{unit}]"


def counted(count: int, one: str, several: str = "") -> str:
    """How many of what.

    Example:
        >>> counted(1, "row"), counted(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names one after the other, of many the first.

    Example:
        >>> listed(["a", "b"]), listed(["a", "b", "c"], 2)
        ('a, b', 'a, b, … (3 in all)')
    """
    more = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def axis_of(names: Sequence[str]) -> tuple[list[float], str]:
    """Where the values of a curve stand, and the axis' title: numbers in names, else positions.

    Example:
        >>> axis_of(["850 nm", "852 nm"])
        ([850.0, 852.0], 'nm')
        >>> axis_of(["red", "green"])
        ([1.0, 2.0], 'position of the response')
    """
    found = [[*_NUMBER.finditer(name)] for name in names]
    rests = {_NUMBER.sub(" ", name).strip(" _[]()") for name in names}
    if all(len(numbers) == 1 for numbers in found) and len(rests) == 1:
        values = [float(numbers[0][0]) for numbers in found]
        steps = [b - a for a, b in pairwise(values)]
        if all(step > 0 for step in steps) or all(step < 0 for step in steps):
            return values, rests.pop() or "number of the response"
    return [float(i + 1) for i in range(len(names))], "position of the response"

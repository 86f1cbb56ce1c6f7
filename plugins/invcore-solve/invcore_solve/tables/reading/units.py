"""Units: what looks like one, in a row of their own or behind a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from invcore_solve.tables.reading.grid import empty

_SYMBOLS = (
    "mol cd Hz Pa eV bar min rad sr deg lm lx Bq Gy Sv kat wt vol at mass ohm Ohm rpm px pixel psi "
    "ksi cal kcal Da hr day days year years yr sec inch in ft lb lbs oz mil gal °C °F °K degC ppm "
    "ppb dB dBm emu Oe cP cSt Torr torr atm mmHg % ‰ ° Å Ω \u2126 g s A K N J W C V F S T H L l h "
    "d t M m"
).split()
_PREFIX = r"(?:da|[yzafpnuµμmcdhkMGTPEZY])?"
_ATOM = rf"(?:{_PREFIX}(?:{'|'.join(sorted(map(re.escape, _SYMBOLS), key=len, reverse=True))})%?)"
_POWER = r"(?:\^?[({]?[-\u2212]?\d[)}]?|\*\*-?\d|[⁺⁻]?[⁰¹²³⁴-⁹]+)?"
_UNIT = re.compile(rf"(?:1|{_ATOM}{_POWER})(?:\s?[/·⋅*. ]\s?\(?{_ATOM}{_POWER}\)?){{0,6}}")
_WORDS = frozenset({
    "a.u.", "arb. u.", "arb. units", "arb.u.", "au", "1", "none", "unitless", "dimensionless",
    "mm/mm", "counts", "count", "index", "number", "percent", "degrees", "radians", "degree",
    "seconds", "hours", "minutes", "meters", "metres", "grams", "volts", "kelvin", "pixels",
})  # fmt: skip
_DASHES = frozenset({"-", "\u2013", "\u2014", "--", "[-]", "(-)", "[]", "()", "/"})
_BRACKETED = re.compile(r"\[([^\[\]]{0,30})\]|\(([^()]{0,30})\)")
_IN_NAME = re.compile(r".*\S\s*(?:\[([^\[\]]{1,30})\]|\(([^()]{1,30}(?:\([^()]*\))?)\))")
_BEHIND = re.compile(r"\s*[\[(][^\[\]()]*(?:\([^()]*\))?[\])]\s*$")


def is_unit(text: str) -> bool:
    """Whether a text is a unit by itself.

    Example:
        >>> [is_unit(text) for text in ("mm", "kg/m³", "W m^-2 K^-1", "°C", "%", "a.u.", "wt%")]
        [True, True, True, True, True, True, True]
        >>> [is_unit(text) for text in ("low", "steel", "component 1", "12")]
        [False, False, False, False]
    """
    text = text.strip()
    return len(text) <= 30 and (text.lower() in _WORDS or _UNIT.fullmatch(text) is not None)


def unit_of_name(name: str) -> str:
    """The unit in a column's name, "" if there is none.

    Example:
        >>> [unit_of_name(name) for name in ("width [mm]", "load (kN)", "Ash (component 1)")]
        ['mm', 'kN', '']
    """
    match = _IN_NAME.fullmatch(name)
    if match is None:
        return ""
    if match[1] is not None:
        text = match[1].strip()
        return "" if text in _DASHES or text.isdigit() else text
    text = match[2].strip()
    return text if is_unit(text) and not text.isdigit() else ""


def without_unit(name: str) -> tuple[str, str]:
    """A name and the unit in brackets behind it.

    Example:
        >>> without_unit("strength [MPa]"), without_unit("cu")
        (('strength', 'MPa'), ('cu', ''))
    """
    unit = unit_of_name(name)
    return (_BEHIND.sub("", name).strip(), unit) if unit else (name.strip(), "")


def units_in(row: Sequence[Any], *, said: bool = False) -> list[str] | None:
    """The units that a row holds, "" where there is none; None if it is no row of units.

    Args:
        row: its cells.
        said: whether somebody said that it is one.

    Example:
        >>> units_in(["mm", "[MPa]", "(°C)", "-", ""])
        ['mm', 'MPa', '°C', '', '']
        >>> units_in(["low", "MPa"]) is None
        True
    """
    found = []
    sure = False
    for cell in row:
        text = "" if empty(cell) else str(cell).strip()
        if not isinstance(cell, str | None) and not said:
            return None
        if text in ("", *_DASHES):
            found.append("")
            continue
        match = _BRACKETED.fullmatch(text)
        inner = (match[1] or match[2] or "").strip() if match else text
        if not said and not is_unit(inner) and not (match and match[1] is not None):
            return None
        if not said and inner.isdigit() and not match:
            return None
        sure = True
        found.append("" if inner in _DASHES else inner)
    return found if sure or said else None

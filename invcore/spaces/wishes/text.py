"""From text to wishes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import reduce

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.base.text import quoted
from invcore.expressions.names import resolved
from invcore.expressions.tokens import LONGEST
from invcore.spaces.specification import Goal, Requirement
from invcore.spaces.wishes.wish import Band, Unit, Wish

FORMS = "gap=0.5:0.7, gap>=1.2, 0.5<=gap<=0.7, gap=min, gap=0.6, gap=0.6±0.05, gap=±5%, gap=any"
"""The forms of a wish, for messages."""

# No part of these can match the same text in two ways
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_EXACT = re.compile(_NUMBER)
_RANGE = re.compile(rf"({_NUMBER})?\s*:\s*({_NUMBER})?")
_WIDTH = re.compile(
    rf"(given|{_NUMBER})?\s*(?:±|\+/?-)\s*((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(%|sd)?"
)
_LIMIT = re.compile(rf"(<=?|>=?|==?)\s*(given|{_NUMBER})")
_OPTION = re.compile(r"(weight|tolerance)\s*=\s*(.*)", re.DOTALL)
_PIECES = re.compile(r"`[^`]*`|<=|>=|==|[<>=,]|[^`<>=,]+|`")
_GOALS: dict[str, Goal] = {
    "min": "minimise", "minimise": "minimise", "minimize": "minimise",
    "max": "maximise", "maximise": "maximise", "maximize": "maximise",
}  # fmt: skip
_SPELT = str.maketrans({"≤": "<=", "≥": ">=", "\u2212": "-"})
_RELATIONS = ("<", "<=", ">", ">=", "=", "==")
_TURNED = {"<": ">=", "<=": ">=", ">": "<=", ">=": "<=", "=": "=", "==": "="}


def parse_wish(text: str, names: Sequence[str]) -> Wish:
    """What a text wants of one response.

    Args:
        text: in one of ``FORMS``; behind commas further limits (``gap=min, <=3``), and the options
            ``weight=2`` and ``tolerance=0.01``.
        names: of the responses: as they are, in backticks, as ``#3``, or by their beginning.

    Raises:
        ConfigError: it is no wish, or contradicts itself.
        UnknownNameError: it names no response, or several.

    Example:
        >>> parse_wish("0.5 <= gap <= 0.7, weight=2", ["gap", "mass"])
        Wish(name='gap', requirement=Requirement(low=0.5, high=0.7, goal='meet', weight=2.0, \
tolerance=None), relative=())
        >>> parse_wish("mass = min", ["gap", "mass"]).requirement.goal
        'minimise'
    """
    name, conditions = split_wish(text, names)
    return value_of(resolved(name, names, "response"), conditions, text)


def split_wish(text: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """The name as it is written, without backticks, and the conditions behind commas.

    Raises:
        ConfigError: there is no name, or no condition.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"a wish of {len(text):,} characters: at most {LONGEST:,}")
    first, *others = _parts(text.translate(_SPELT))
    sides, relations = [""], list[str]()
    for piece in first:
        if piece in _RELATIONS:
            relations.append(piece)
            sides.append("")
        else:
            sides[-1] += piece
    sides = [side.strip() for side in sides]
    more = ["".join(part).strip() for part in others]
    if len(sides) == 2 and all(sides):
        left, right = sides
        if _named(left, names) or not _named(right, names):
            sign = "" if relations[0] in ("=", "==") else relations[0]
            return _bare(left), [sign + right, *more]
        sign = _TURNED[relations[0]]
        return _bare(right), [("" if sign == "=" else sign) + left, *more]
    if len(sides) == 3 and all(sides) and {r[0] for r in relations} in ({"<"}, {">"}):
        ends = [_TURNED[relations[0]] + sides[0], relations[1] + sides[2]]
        return _bare(sides[1]), [*ends, *more]
    raise _refused(text, text)


def value_of(name: str, conditions: Sequence[str], text: str) -> Wish:
    """What conditions want of a response.

    Args:
        name: of the response.
        conditions: each a limit, a goal, an option, ….
        text: that they come from, for messages.

    Raises:
        ConfigError: one is none, or they contradict each other.
    """
    for part in conditions[1:]:
        if _EXACT.fullmatch(part.strip()):
            raise _refused(part.strip(), text)
    return reduce(Wish.joined, [_condition(name, each.strip(), text) for each in conditions])


def conditions_of(text: str) -> list[str]:
    """The conditions of a text without a name, as cells of files hold them."""
    if len(text) > LONGEST:
        raise ConfigError(f"a wish of {len(text):,} characters: at most {LONGEST:,}")
    return [part.strip() for part in text.translate(_SPELT).split(",")]


def _condition(name: str, text: str, whole: str) -> Wish:
    lowered = text.lower()
    if lowered in _GOALS:
        return Wish(name, Requirement(goal=_GOALS[lowered]))
    if lowered == "any":
        return Wish(name, Requirement(goal="ignore"))
    if match := _OPTION.fullmatch(lowered):
        value = _positive(match[2], match[1], whole)
        return Wish(name, Requirement.parse({"goal": "ignore", match[1]: value}))
    if lowered == "given":
        return Wish(name, Requirement(goal="ignore"), (Band(0.0, 0.0),))
    if match := _LIMIT.fullmatch(lowered):
        if match[2] == "given":
            below, above = {"<": (math.inf, 0.0), ">": (0.0, math.inf)}.get(match[1][0], (0.0, 0.0))
            return Wish(name, Requirement(goal="ignore"), (Band(below, above),))
        end = _number(match[2], whole)
        ends = {"<": (None, end), ">": (end, None)}.get(match[1][0], (end, end))
        return Wish(name, Requirement(low=ends[0], high=ends[1]))
    if _EXACT.fullmatch(lowered):
        return Wish(name, Requirement.exact(_number(lowered, whole)))
    if (match := _RANGE.fullmatch(lowered)) and (match[1] or match[2]):
        low, high = (None if end is None else _number(end, whole) for end in match.groups())
        if low is not None and high is not None and low > high:
            raise ConfigError(f"want {quoted(whole)}: {match[1]} is above {match[2]}; turn them")
        return Wish(name, Requirement(low=low, high=high))
    if match := _WIDTH.fullmatch(lowered):
        return _around(name, match, whole)
    raise _refused(text, whole)


def _around(name: str, match: re.Match[str], whole: str) -> Wish:
    """A centre and a half width; what is known already becomes an interval."""
    centre = None if match[1] in (None, "given") else _number(match[1], whole)
    unit: Unit = {"%": "%", "sd": "sd"}.get(match[3] or "", "")  # type: ignore[assignment]
    width = _number(match[2], whole)
    band = Band(width, width, unit, centre)
    if centre is None or unit == "sd":
        return Wish(name, Requirement(goal="ignore"), (band,))
    low, high = band.ends(None, None)
    if not math.isfinite(low) or not math.isfinite(high):
        raise ConfigError(f"want {quoted(whole)}: {match[0]} is too wide to be finite")
    return Wish(name, Requirement(low=low, high=high))


def _parts(text: str) -> Iterator[list[str]]:
    """The pieces of each part between commas, backticks kept together."""
    part: list[str] = []
    for piece in _PIECES.findall(text):
        if piece == ",":
            yield part
            part = []
        else:
            part.append(piece)
    yield part


def _named(side: str, names: Sequence[str]) -> bool:
    """Whether a side of a relation is a name."""
    if side.startswith("`") or side in names:
        return True
    return not (_EXACT.fullmatch(side) or side == "given")


def _bare(name: str) -> str:
    ticked = len(name) > 2 and name[0] == name[-1] == "`"
    return name[1:-1] if ticked else name


def _number(text: str, whole: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ConfigError(f"want {quoted(whole)}: {quoted(text)} is too large a number")
    return value


def _positive(text: str, option: str, whole: str) -> float:
    value = _number(text, whole) if _EXACT.fullmatch(text.strip()) else 0.0
    if value <= 0:
        raise ConfigError(f"want {quoted(whole)}: {option} needs a number above 0")
    return value


def _refused(part: str, whole: str) -> ConfigError:
    """Why a text is no wish."""
    if part != whole and _EXACT.fullmatch(part):
        hint = "decimal commas are not read: write 0.6 for 0,6"
    else:
        hint = f"expected one of {FORMS}; weight=2 or tolerance=0.01 behind a comma"
    at = "" if part == whole else f" {quoted(part)} is no wish;"
    return ConfigError(f"want {quoted(whole)}:{at} {hint}")


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """The names that a name with a star before or behind it means, ``*`` all of them.

    Raises:
        UnknownNameError: there are none.

    Example:
        >>> matching("R*", ["R1", "T1", "R2"]), matching("*2", ["R1", "T1", "R2"])
        (['R1', 'R2'], ['R2'])
    """
    begin, star, end = pattern.partition("*")
    if not star or pattern in names:
        return [resolved(pattern, names, "response")]
    found = [n for n in names if n.startswith(begin) and n.endswith(end)]
    found = [n for n in found if len(n) >= len(begin) + len(end)]
    if not found:
        raise UnknownNameError(f"no response is like {quoted(pattern)}; there are {len(names)}")
    return found

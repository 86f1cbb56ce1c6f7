"""The tokens of an expression: numbers, names, texts, and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from invcore.base.errors import ConfigError
from invcore.base.text import quoted

LONGEST = 10_000
"""Most characters of an expression."""

TokenKind = Literal["number", "name", "text", "sign", "end"]

_PATTERN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | `(?P<ticked>[^`]+)`
  | (?P<column>\#\d+)
  | "(?P<double>[^"]*)"
  | '(?P<single>[^']*)'
  | (?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
  | (?P<sign><=|>=|==|!=|\*\*|[≤≥≠·\u2212+\-*/^<>=(),{}\[\]])
    """,
    re.VERBOSE,
)
_SPELT = {"≤": "<=", "≥": ">=", "≠": "!=", "=": "==", "**": "^", "·": "*", "\u2212": "-"}


@dataclass(frozen=True)
class Token:
    """One token.

    Args:
        kind: ``end`` stands after the last one.
        text: as it is meant: without quotes; ``==`` for a single ``=`` and ``^`` for ``**``.
        place: of its first character.
        ticked: whether a name stood in backticks, so that it is no word of the language.
    """

    kind: TokenKind
    text: str
    place: int
    ticked: bool = False


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, ``end`` last.

    Raises:
        ConfigError: a character that is none of the language; more than ``LONGEST`` of them.

    Example:
        >>> [token.text for token in tokens_of("2*`fly ash` <= 3")]
        ['2', '*', 'fly ash', '<=', '3', '']
    """
    if len(text) > LONGEST:
        raise ConfigError(f"an expression of {len(text):,} characters: at most {LONGEST:,}")
    found, place = [], 0
    while place < len(text):
        match = _PATTERN.match(text, place)
        if match is None:
            raise ConfigError(
                f"{quoted(text)}: {quoted(text[place])} at place {place + 1} is no part of an "
                "expression; names with blanks or signs go in backticks, texts in quotes"
            )
        kind, value = str(match.lastgroup), match[str(match.lastgroup)]
        if kind == "number":
            found.append(Token("number", value, place))
        elif kind in ("ticked", "column", "name"):
            found.append(Token("name", value, place, kind == "ticked"))
        elif kind in ("double", "single"):
            found.append(Token("text", value, place))
        elif kind == "sign":
            found.append(Token("sign", _SPELT.get(value, value), place))
        place = match.end()
    return [*found, Token("end", "", len(text))]

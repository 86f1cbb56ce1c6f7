"""Terms as text, such that the text is parsed to the same term."""

from __future__ import annotations

from invcore.expressions.names import written
from invcore.expressions.syntax import Name, Number, Operation, Term, Text

_STRENGTH = {"+": 1, "*": 2, "/": 2, "-": 3, "^": 4}
_ATOM = 5


def number_text(value: float) -> str:
    """A number as people write it, in as many digits as it needs.

    Example:
        >>> number_text(3.0), number_text(0.1), number_text(1e-12)
        ('3', '0.1', '1e-12')
    """
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)


def text_text(text: str) -> str:
    """A category in quotes."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def term_text(term: Term) -> str:
    """A term as text.

    Example:
        >>> from invcore.expressions.parser import parse_term
        >>> term_text(parse_term("2*(a - `fly ash`)^2 / max(b, 1)"))
        '2*(a - `fly ash`)^2/max(b, 1)'
    """
    return _text(term)[0]


def _text(term: Term) -> tuple[str, int]:
    """The text, and how tightly it holds together."""
    if isinstance(term, Number):
        negative = term.value < 0
        return number_text(term.value), _STRENGTH["-"] if negative else _ATOM
    if isinstance(term, Name):
        return written(term.text), _ATOM
    if isinstance(term, Text):
        return text_text(term.text), _ATOM
    return _operation(term)


def _operation(term: Operation) -> tuple[str, int]:
    name, own = term.name, _STRENGTH.get(term.name, 0)
    if name == "+":
        return _sum(term), own
    if name == "-":
        return f"-{_within(term.operands[0], own)}", own
    if name == "*":
        return "*".join(_within(operand, own + 1) for operand in term.operands), own
    if name == "/":
        above, below = term.operands
        return f"{_within(above, own)}/{_within(below, own + 1)}", own
    if name == "^":
        base, power = term.operands
        return f"{_within(base, own + 1)}^{_within(power, own)}", own
    return f"{name}({', '.join(term_text(operand) for operand in term.operands)})", _ATOM


def _sum(term: Operation) -> str:
    text = _within(term.operands[0], _STRENGTH["+"] + 1)
    for operand in term.operands[1:]:
        if isinstance(operand, Operation) and operand.name == "-":
            text += f" - {_within(operand.operands[0], _STRENGTH['*'])}"
        elif isinstance(operand, Number) and operand.value < 0:
            text += f" - {number_text(-operand.value)}"
        else:
            text += f" + {_within(operand, _STRENGTH['+'] + 1)}"
    return text


def _within(term: Term, least: int) -> str:
    text, strength = _text(term)
    return text if strength >= least else f"({text})"

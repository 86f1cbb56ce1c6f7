"""Numbers within expressions: each part without a name has a finite value."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence

from invcore.base.errors import ConfigError
from invcore.expressions.syntax import (
    Comparison,
    Connective,
    Count,
    Membership,
    Number,
    Operation,
    Statement,
    Term,
)
from invcore.expressions.writing import term_text

_VALUES: dict[str, Callable[[Sequence[float]], float]] = {
    "+": math.fsum, "sum": math.fsum, "mean": statistics.fmean, "min": min, "max": max,
    "*": math.prod, "/": lambda v: v[0] / v[1], "^": lambda v: math.pow(v[0], v[1]),
    "-": lambda v: -v[0], "abs": lambda v: abs(v[0]), "sqrt": lambda v: math.sqrt(v[0]),
    "exp": lambda v: math.exp(v[0]), "log": lambda v: math.log(v[0]),
    "log10": lambda v: math.log10(v[0]), "sin": lambda v: math.sin(v[0]),
    "cos": lambda v: math.cos(v[0]), "tan": lambda v: math.tan(v[0]),
    "asin": lambda v: math.asin(v[0]), "acos": lambda v: math.acos(v[0]),
    "atan": lambda v: math.atan(v[0]), "tanh": lambda v: math.tanh(v[0]),
}  # fmt: skip


def check_constants(tree: Term | Statement) -> None:
    """Check that what is computed from numbers alone, anywhere in the tree, is finite, and no
    divisor zero.

    Raises:
        ConfigError: a part is not; it is named.

    Example:
        >>> from invcore.expressions.parser import parse_term
        >>> parse_term("x + 2/0")
        Traceback (most recent call last):
        ...
        invcore.base.errors.ConfigError: 'x + 2/0': 2/0 has no finite value
    """
    for term in _terms(tree):
        _constant(term)


def _terms(tree: Term | Statement) -> Iterator[Term]:
    if isinstance(tree, Comparison):
        yield from tree.terms
    elif isinstance(tree, Membership):
        yield from (tree.term, *tree.values)
    elif isinstance(tree, Connective):
        for statement in tree.statements:
            yield from _terms(statement)
    elif not isinstance(tree, Count):
        yield tree


def _constant(term: Term) -> float | None:
    """The value of a part without names; None where it has some."""
    if isinstance(term, Number):
        return term.value
    if not isinstance(term, Operation):
        return None
    parts = [_constant(operand) for operand in term.operands]
    values = [part for part in parts if part is not None]
    if len(values) < len(parts):
        if term.name == "/" and parts[1] == 0:
            raise ConfigError(f"{term_text(term)} has no finite value")
        return None
    try:
        value = _VALUES[term.name](values)
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"{term_text(term)} has no finite value")
    return value

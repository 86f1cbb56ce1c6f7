"""Which terms are linear in their names, and their coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from invcore.expressions.syntax import Name, Number, Operation, Term


@dataclass(frozen=True)
class Linear:
    """A sum of names, each times a number, and a constant.

    Args:
        coefficients: by name; none is zero.
        constant: what is added.
    """

    coefficients: Mapping[str, float]
    constant: float

    def plus(self, other: Linear, factor: float = 1.0) -> Linear:
        """The sum of it and ``factor`` times another."""
        names = [*self.coefficients, *(n for n in other.coefficients if n not in self.coefficients)]
        summed = {
            name: self.coefficients.get(name, 0.0) + factor * other.coefficients.get(name, 0.0)
            for name in names
        }
        kept = {name: value for name, value in summed.items() if value != 0}
        return Linear(kept, self.constant + factor * other.constant)

    def times(self, factor: float) -> Linear:
        """It times a number."""
        return Linear({}, 0.0).plus(self, factor)


def linear(term: Term) -> Linear | None:
    """The term as a sum of names times numbers; None where it is none.

    Example:
        >>> from invcore.expressions.parser import parse_term
        >>> linear(parse_term("2*(a - b)/4 + 1"))
        Linear(coefficients={'a': 0.5, 'b': -0.5}, constant=1.0)
        >>> linear(parse_term("a*b")) is None
        True
    """
    if isinstance(term, Number):
        return Linear({}, term.value)
    if isinstance(term, Name):
        return Linear({term.text: 1.0}, 0.0)
    if not isinstance(term, Operation):
        return None
    parts = [part for operand in term.operands if (part := linear(operand)) is not None]
    if len(parts) < len(term.operands):
        return None
    return _of_operation(term.name, parts)


def _of_operation(name: str, parts: list[Linear]) -> Linear | None:
    first, constants = parts[0], [not part.coefficients for part in parts]
    if name == "-":
        return first.times(-1.0)
    if name == "*" and sum(constants) >= len(parts) - 1:
        variable = first if all(constants) else parts[constants.index(False)]
        rest = [part.constant for part in parts if part is not variable]
        return variable.times(math.prod(rest))
    if name == "/" and constants[1] and parts[1].constant != 0:
        return first.times(1 / parts[1].constant)
    if name == "^" and constants[1] and parts[1].constant == 1:
        return first
    if name == "^" and all(constants) and first.constant > 0:
        try:
            return Linear({}, first.constant ** parts[1].constant)
        except OverflowError:
            return None
    if name in ("+", "sum", "mean"):
        whole = Linear({}, 0.0)
        for part in parts:
            whole = whole.plus(part)
        return whole.times(1 / len(parts)) if name == "mean" else whole
    return None

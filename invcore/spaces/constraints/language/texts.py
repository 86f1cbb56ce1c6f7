"""Constraints as text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invcore.expressions.names import written
from invcore.expressions.writing import number_text, text_text
from invcore.spaces.constraints.kinds import (
    Among,
    AnyOf,
    Cardinality,
    Constraint,
    Fixed,
    Interval,
    Levels,
    LinearEquality,
    LinearInequality,
    Periodic,
    Piece,
    Values,
)
from invcore.spaces.constraints.kinds.limits import Limited
from invcore.spaces.variable import Variable

_LISTED = 12  # values that are shown


def constraint_text(constraint: Constraint, variables: Sequence[Variable]) -> str:
    """A constraint as people would write it.

    ``parse_constraint`` reads it again, save for variables that go round, lists of designs, the
    tolerances of sums, and long lists of values, which are cut.

    Example:
        >>> from invcore.plugin import Uniform
        >>> x, y = (Variable(name=n, prior=Uniform(low=0.0, high=9.0)) for n in "xy")
        >>> constraint_text(LinearInequality(coefficients={"x": 1.0, "y": -2.0}, high=0.0), [x, y])
        'x <= 2*y'
    """
    named = {variable.name: variable for variable in variables}
    if isinstance(constraint, Fixed):
        return _values(constraint.variable, (constraint.value,), named)
    if isinstance(constraint, Levels):
        return _values(constraint.variable, constraint.values, named)
    if isinstance(constraint, LinearEquality):
        value = constraint.value
        both = Interval(variable="", low=value, high=value)
        text = _inequality(constraint.coefficients, both)
        off = constraint.tolerance
        return f"{text} within {number_text(off)}" if off else text
    if isinstance(constraint, LinearInequality):
        return _inequality(constraint.coefficients, constraint)
    if isinstance(constraint, Periodic):
        low, high = number_text(constraint.low), number_text(constraint.high)
        return f"{written(constraint.variable)} goes round from {low} to {high}"
    if isinstance(constraint, Among):
        names = ", ".join(written(name) for name in constraint.variables)
        return f"({names}) is one of {len(constraint.designs)} designs"
    if isinstance(constraint, AnyOf):
        return _any(constraint, named)
    if isinstance(constraint, Cardinality):
        return _count(constraint)
    return _between(constraint.expression, constraint)


def _values(name: str, values: Sequence[float], named: Mapping[str, Variable]) -> str:
    categories = named[name].categories if name in named else ()
    shown = [_value(value, categories) for value in values[:_LISTED]]
    if len(values) == 1:
        return f"{written(name)} == {shown[0]}"
    more = f", … {len(values)} values" if len(values) > _LISTED else ""
    return f"{written(name)} in {{{', '.join(shown)}{more}}}"


def _value(value: float, categories: Sequence[str]) -> str:
    place = round(value)
    if 0 <= place < len(categories):
        return text_text(categories[place])
    return number_text(value)


def _sum(coefficients: Mapping[str, float]) -> str:
    text = ""
    for name, coefficient in coefficients.items():
        size = abs(coefficient)
        term = written(name) if size == 1 else f"{number_text(size)}*{written(name)}"
        if not text:
            text = f"-{term}" if coefficient < 0 else term
        else:
            text += f" - {term}" if coefficient < 0 else f" + {term}"
    return text


def _between(term: str, limits: Limited) -> str:
    low = None if limits.low is None else number_text(limits.low)
    high = None if limits.high is None else number_text(limits.high)
    if low is not None and high is not None:
        return f"{term} == {low}" if limits.low == limits.high else f"{low} <= {term} <= {high}"
    return f"{term} <= {high}" if low is None else f"{term} >= {low}"


def _inequality(coefficients: Mapping[str, float], limits: Limited) -> str:
    """With a limit of zero, what is subtracted stands on the other side."""
    added = {n: c for n, c in coefficients.items() if c > 0}
    taken = {n: -c for n, c in coefficients.items() if c < 0}
    if not added or not taken or {limits.low, limits.high} - {None} != {0.0}:
        return _between(_sum(coefficients), limits)
    sign = "<=" if limits.low is None else ">=" if limits.high is None else "=="
    return f"{_sum(added)} {sign} {_sum(taken)}"


def _piece(piece: Piece, named: Mapping[str, Variable]) -> str:
    if isinstance(piece, Values):
        return _values(piece.variable, piece.values, named)
    if isinstance(piece, Interval):
        return _between(written(piece.variable), piece)
    return _inequality(piece.coefficients, piece)


def _any(constraint: AnyOf, named: Mapping[str, Variable]) -> str:
    """As a condition where an alternative is that a category is not some."""
    alternatives = list(constraint.alternatives)
    denied = [text for pieces in alternatives if (text := _denied(pieces, named)) is not None]
    if len(denied) == len(alternatives) > 1:
        return f"not ({' and '.join(denied)})"
    for i, pieces in enumerate(alternatives):
        condition = _denied(pieces, named)
        if condition is not None and len(alternatives) > 1:
            rest = alternatives[:i] + alternatives[i + 1 :]
            return f"if {condition} then {_or(rest, named)}"
    return _or(alternatives, named)


def _denied(pieces: Sequence[Piece], named: Mapping[str, Variable]) -> str | None:
    """What an alternative denies, where that is a category."""
    if len(pieces) != 1 or not isinstance(pieces[0], Values):
        return None
    variable = named.get(pieces[0].variable)
    if variable is None or not variable.categories:
        return None
    codes = range(len(variable.categories))
    others = tuple(float(code) for code in codes if code not in pieces[0].values)
    few = 0 < len(others) <= len(pieces[0].values)
    return _values(variable.name, others, named) if few else None


def _or(alternatives: Sequence[Sequence[Piece]], named: Mapping[str, Variable]) -> str:
    texts = [" and ".join(_piece(piece, named) for piece in pieces) for pieces in alternatives]
    return " or ".join(texts)


def _count(constraint: Cardinality) -> str:
    names = ", ".join(written(name) for name in constraint.variables)
    parts = [f"at least {constraint.least} of {names}"] if constraint.least else []
    if constraint.most is not None:
        parts.append(f"at most {constraint.most} of {names}")
    return " and ".join(parts)

"""What single comparisons say of variables: the atoms that statements are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invcore.base.errors import ConfigError, close_names
from invcore.expressions.linear import linear
from invcore.expressions.names import resolved, with_names, written
from invcore.expressions.syntax import Name, Operation, Term, Text, names_in
from invcore.expressions.writing import term_text
from invcore.spaces.constraints.kinds import Interval, LinearInequality, Nonlinear, Piece, Values
from invcore.spaces.variable import Variable

Atom = Piece | Nonlinear
Alternatives = list[list[Atom]]
"""At least one of several conjunctions holds."""

_MIRRORED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<", "==": "==", "!=": "!="}
_NEGATED = {"<=": ">", ">=": "<", "<": ">=", ">": "<=", "==": "!=", "!=": "=="}
_ZERO = 1e-12  # of a sum's coefficients, what differences leave of them


@dataclass(frozen=True)
class Names:
    """The variables that a text may name.

    Args:
        variables: in order, as ``#3`` counts them.
    """

    variables: Sequence[Variable]

    @property
    def by_name(self) -> Mapping[str, Variable]:
        """Each by its name."""
        return {variable.name: variable for variable in self.variables}

    def all(self) -> list[str]:
        """The names, in order."""
        return [variable.name for variable in self.variables]

    def category(self, term: Term) -> Variable | None:
        """The variable of categories that a term is, if it is one."""
        if not isinstance(term, Name):
            return None
        variable = self.by_name.get(term.text)
        return variable if variable is not None and variable.categories else None

    def code(self, variable: Variable, term: Term) -> float:
        """The number of the category that a term names.

        Raises:
            ConfigError: it names none.
        """
        text = term.text if isinstance(term, Name | Text) else term_text(term)
        if text not in variable.categories:
            close = close_names(text, variable.categories)
            raise ConfigError(f"{written(variable.name)} has no category {text!r}. {close}")
        return float(variable.categories.index(text))

    def whole(self, coefficients: Mapping[str, float]) -> bool:
        """Whether a sum of variables takes whole numbers only."""
        return all(
            self.by_name[name].whole and coefficient == round(coefficient)
            for name, coefficient in coefficients.items()
        )


def compared(first: Term, relation: str, second: Term, names: Names, negate: bool) -> Alternatives:
    """What a comparison of two terms says.

    Raises:
        ConfigError: it compares what has no order, or says nothing of a variable.
    """
    relation = _NEGATED[relation] if negate else relation
    if names.category(second) is not None and names.category(first) is None:
        first, second, relation = second, first, _MIRRORED[relation]
    if (variable := names.category(first)) is not None:
        if relation not in ("==", "!="):
            raise ConfigError(f"{written(variable.name)} has categories, which have no order")
        return [[_categories(variable, [names.code(variable, second)], relation == "!=")]]
    # A name that stood beside a name may still be one's beginning
    first, second = (with_names(term, names.all()) for term in (first, second))
    for term in (first, second):
        for name in names_in(term):
            if name in names.by_name and names.by_name[name].categories:
                raise ConfigError(f"{written(name)} has categories, which are no numbers")
    difference = linear(Operation("+", (first, Operation("-", (second,)))))
    if difference is None:
        return [[_curved(first, relation, second)]]
    if not all(map(math.isfinite, [*difference.coefficients.values(), difference.constant])):
        raise ConfigError(f"{_said(first, relation, second)}: its numbers are too large together")
    least = _ZERO * max((abs(c) for c in difference.coefficients.values()), default=0.0)
    coefficients = {n: c for n, c in difference.coefficients.items() if abs(c) > least}
    if not coefficients:
        raise ConfigError(f"{_said(first, relation, second)} says nothing of a variable")
    value = 0.0 - difference.constant
    if next(iter(coefficients.values())) < 0:  # so that the ends of a chain meet
        coefficients = {name: -coefficient for name, coefficient in coefficients.items()}
        relation, value = _MIRRORED[relation], -value
    return _linear(coefficients, relation, value, names)


def among(term: Term, values: Sequence[Term], names: Names, negate: bool) -> Alternatives:
    """What it says that a term is one of some values, or none.

    Raises:
        ConfigError: the values are none that it can have.
    """
    if not isinstance(term, Name):
        raise ConfigError(f"{term_text(term)} in {{…}}: a variable's name is needed before 'in'")
    variable = names.by_name[resolved(term.text, names.all())]
    if variable.categories:
        return [[_categories(variable, [names.code(variable, v) for v in values], negate)]]
    numbers = []
    for value in values:
        number = linear(value)
        if number is None or number.coefficients:
            raise ConfigError(f"{written(variable.name)} in {{…}}: {term_text(value)} is no number")
        numbers.append(number.constant)
    if not negate:
        return [[Values(variable=variable.name, values=tuple(numbers))]]
    if not variable.whole:
        raise ConfigError(_no_hole(written(variable.name)))
    low, high = variable.bounds
    kept = tuple(float(v) for v in _whole_numbers(low, high) if v not in numbers)
    if not kept:
        raise ConfigError(f"{written(variable.name)}: none of its values is left")
    return [[Values(variable=variable.name, values=kept)]]


def _whole_numbers(low: float, high: float) -> range:
    if high - low > 10_000:
        raise ConfigError(f"{high - low:g} values are too many to list without some of them")
    return range(round(low), round(high) + 1)


def _categories(variable: Variable, codes: Sequence[float], negate: bool) -> Values:
    every = range(len(variable.categories))
    kept = tuple(float(code) for code in every if (code in codes) != negate)
    if not kept:
        raise ConfigError(f"{written(variable.name)}: no category is left")
    return Values(variable=variable.name, values=kept)


def _linear(
    coefficients: Mapping[str, float], relation: str, value: float, names: Names
) -> Alternatives:
    whole = names.whole(coefficients)
    if relation == "!=":
        if not whole:
            term = " + ".join(written(name) for name in coefficients)
            raise ConfigError(_no_hole(term))
        below, above = (_linear(coefficients, sign, value, names) for sign in "<>")
        return [*below, *above]
    low = value if relation in (">=", ">", "==") else -math.inf
    high = value if relation in ("<=", "<", "==") else math.inf
    if relation == "<" and whole:  # of other numbers, the limit itself is allowed
        high = math.ceil(value) - 1.0
    if relation == ">" and whole:
        low = math.floor(value) + 1.0
    return [[_limited(coefficients, low, high)]]


def _limited(coefficients: Mapping[str, float], low: float, high: float) -> Piece:
    """An interval of one variable, or of a sum."""
    if len(coefficients) > 1:
        return LinearInequality(coefficients=dict(coefficients), low=_end(low), high=_end(high))
    ((name, coefficient),) = coefficients.items()
    ends = (low, high) if coefficient > 0 else (high, low)
    low, high = (end / coefficient for end in ends)
    if any(math.isinf(new) > math.isinf(old) for new, old in zip((low, high), ends, strict=True)):
        raise ConfigError(f"the limit of {written(name)} is too large a number")
    low, high = low + 0.0, high + 0.0  # no minus before a zero
    if low == high:
        return Values(variable=name, values=(low,))
    return Interval(variable=name, low=_end(low), high=_end(high))


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _curved(first: Term, relation: str, second: Term) -> Nonlinear:
    if relation == "!=":
        raise ConfigError(_no_hole(f"{term_text(first)} - {term_text(second)}"))
    left, right = linear(first), linear(second)
    if left is not None and not left.coefficients:
        first, right, relation = second, left, _MIRRORED[relation]
    if right is not None and not right.coefficients:
        value, term = right.constant, first
    else:
        terms = first.operands if isinstance(first, Operation) and first.name == "+" else (first,)
        value, term = 0.0, Operation("+", (*terms, Operation("-", (second,))))
    return Nonlinear(
        expression=term_text(term),
        low=value if relation in (">=", ">", "==") else None,
        high=value if relation in ("<=", "<", "==") else None,
    )


def _no_hole(term: str) -> str:
    return f"{term}: one value cannot be left out of numbers that are not whole"


def _said(first: Term, relation: str, second: Term) -> str:
    return f"{term_text(first)} {relation} {term_text(second)}"


def zero(name: str) -> Piece:
    """A variable is zero."""
    return Values(variable=name, values=(0.0,))

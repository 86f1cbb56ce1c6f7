"""From text to constraints."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.base.text import quoted
from invcore.configs.config import reason
from invcore.expressions.names import with_names
from invcore.expressions.parser import parse_statement
from invcore.expressions.syntax import Comparison, Connective, Count, Membership, Statement
from invcore.spaces.constraints.kinds import (
    AnyOf,
    Cardinality,
    Constraint,
    Fixed,
    Interval,
    Levels,
    LinearEquality,
    LinearInequality,
    Nonlinear,
    Piece,
    Values,
)
from invcore.spaces.constraints.language.atoms import (
    Alternatives,
    Atom,
    Names,
    among,
    compared,
    zero,
)
from invcore.spaces.constraints.language.merging import merged, without_weaker
from invcore.spaces.variable import Variable

MOST = 64
"""Most alternatives of one constraint."""


def parse_constraint(
    text: str, variables: Sequence[Variable], columns: Sequence[str] = ()
) -> list[Constraint]:
    """The constraints that a text stands for.

    A text compares sums and other terms (``x1 + x2 <= 3``, ``0.2 <= a + b <= 0.8``, ``x*y >= 2``),
    gives values (``x == 3``, ``kind in {A, B}``), counts (``at most 3 of a, b, c`` are not zero),
    and joins such statements by ``and``, ``or``, ``not`` and ``if … then …``. Names are as in
    ``invcore.expressions.names``: with blanks in backticks, ``#3`` for the third, or the beginning
    of one alone.

    The limit itself is always allowed: ``x < 3`` is ``x <= 3``, save for whole numbers, where it is
    ``x <= 2``; what is not greater may be equal.

    Args:
        text: one statement.
        variables: that it may name.
        columns: among which names are looked for, and counted, where there are more of them than
            variables, as in a table.

    Raises:
        ConfigError: it cannot be read; it says where, or which part makes no constraint.
        UnknownNameError: a name that no variable has.

    Example:
        >>> from invcore.plugin import Uniform
        >>> x, y = (Variable(name=n, prior=Uniform(low=0.0, high=9.0)) for n in "xy")
        >>> parse_constraint("x <= y", [x, y])
        [LinearInequality(kind='linear-inequality', coefficients={'x': 1.0, 'y': -1.0}, low=None, \
high=0.0)]
        >>> parse_constraint("x == 3 and y < 4", [x, y])[0]
        Fixed(kind='fixed', variable='x', value=3.0)
    """
    names = Names(variables)
    tree = parse_statement(text)
    try:
        if columns:
            tree = with_names(tree, columns, "column")
        return _constraints(with_names(tree, names.all()), names)
    except UnknownNameError as error:
        raise UnknownNameError(f"{quoted(text)}: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{quoted(text)}: {error}") from None
    except ValidationError as error:  # what a kind of constraint refuses
        raise ConfigError(f"{quoted(text)}: {reason(error)}") from None


def _constraints(statement: Statement, names: Names) -> list[Constraint]:
    """Those of all parts of a conjunction; what single parts say of one subject is one of them."""
    single: list[Atom] = []
    others: list[Constraint] = []
    for part in _conjunction(statement):
        if isinstance(part, Count):
            others.append(Cardinality(variables=part.names, least=part.least, most=part.most))
            continue
        alternatives = without_weaker(_alternatives(part, names, negate=False))
        values = _one_variable(alternatives)
        if values is not None:
            alternatives = [[values]]
        if len(alternatives) == 1:
            single += alternatives[0]
        elif alternatives:
            pieces = [tuple(_piece(atom) for atom in atoms) for atoms in alternatives]
            others.append(AnyOf(alternatives=tuple(pieces)))
        else:
            raise ConfigError("nothing satisfies it")
    together = merged(single)
    if together is None:
        raise ConfigError("nothing satisfies it")
    return [*map(_alone, together), *others]


def _conjunction(statement: Statement) -> Iterator[Statement]:
    """The parts of a conjunction, each of which always holds."""
    if isinstance(statement, Connective) and statement.name == "and":
        for part in statement.statements:
            yield from _conjunction(part)
    else:
        yield statement


def _alternatives(statement: Statement, names: Names, *, negate: bool) -> Alternatives:
    """The statement, or what denies it, as alternatives of atoms.

    Raises:
        ConfigError: there are too many.
    """
    if isinstance(statement, Connective):
        return _joined(statement, names, negate=negate)
    if isinstance(statement, Comparison):
        terms = statement.terms
        parts = [
            compared(first, relation, second, names, negate)
            for first, relation, second in zip(terms, statement.relations, terms[1:], strict=False)
        ]
        return _any(parts) if negate else _all(parts)
    if isinstance(statement, Membership):
        return among(statement.term, statement.values, names, negate)
    return _counted(statement, negate=negate)


def _joined(statement: Connective, names: Names, *, negate: bool) -> Alternatives:
    def part(which: Statement, deny: bool) -> Alternatives:
        return _alternatives(which, names, negate=deny)

    if statement.name == "not":
        return part(statement.statements[0], not negate)
    if statement.name == "if":
        condition, conclusion = statement.statements
        parts = [part(condition, not negate), part(conclusion, negate)]
        return _all(parts) if negate else _any(parts)
    parts = [part(each, negate) for each in statement.statements]
    return _all(parts) if (statement.name == "and") != negate else _any(parts)


def _counted(count: Count, *, negate: bool) -> Alternatives:
    if negate or count.most is None:
        raise ConfigError(
            "that some are not zero can stand alone and behind 'and', but not in conditions: what "
            "is not zero has no least value"
        )
    zeros = max(len(count.names) - count.most, 0)
    if math.comb(len(count.names), zeros) > MOST:
        raise ConfigError(_too_many(math.comb(len(count.names), zeros)))
    return [[zero(n) for n in chosen] for chosen in itertools.combinations(count.names, zeros)]


def _all(parts: Sequence[Alternatives]) -> Alternatives:
    """The alternatives of a conjunction: one of each part, together."""
    result: Alternatives = [[]]
    for part in parts:
        _checked(len(result) * len(part))
        both = (merged([*left, *right]) for left in result for right in part)
        result = without_weaker([atoms for atoms in both if atoms is not None])
    return result


def _any(parts: Sequence[Alternatives]) -> Alternatives:
    _checked(sum(len(part) for part in parts))
    return [atoms for part in parts for atoms in part]


def _checked(count: int) -> None:
    if count > MOST:
        raise ConfigError(_too_many(count))


def _too_many(count: int) -> str:
    return f"it has {count} alternatives, and at most {MOST} are possible; say it in several"


def _one_variable(alternatives: Alternatives) -> Values | None:
    """The values of one variable that all alternatives together allow, if that is all they say."""
    found = [atoms[0] for atoms in alternatives if len(atoms) == 1]
    values = [atom for atom in found if isinstance(atom, Values)]
    if not values or len(values) < len(alternatives) or len({atom.variable for atom in values}) > 1:
        return None
    every = {value for atom in values for value in atom.values}
    return Values(variable=values[0].variable, values=tuple(every))


def _alone(atom: Atom) -> Constraint:
    """An atom that always holds, as a constraint."""
    if isinstance(atom, Values):
        if len(atom.values) == 1:
            return Fixed(variable=atom.variable, value=atom.values[0])
        return Levels(variable=atom.variable, values=atom.values)
    if isinstance(atom, Interval):
        return LinearInequality(coefficients={atom.variable: 1.0}, low=atom.low, high=atom.high)
    if isinstance(atom, LinearInequality) and atom.low is not None and atom.low == atom.high:
        return LinearEquality(coefficients=atom.coefficients, value=atom.low)
    return atom


def _piece(atom: Atom) -> Piece:
    if isinstance(atom, Nonlinear):
        raise ConfigError(
            f"{atom.expression} is not linear, and stands alone: in conditions and behind 'or' are "
            "sums, limits and values"
        )
    return atom

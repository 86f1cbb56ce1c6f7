"""What expressions are parsed to: numbers, names and operations, as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class Name:
    """A variable or a response; in a comparison with such, perhaps a category."""

    text: str


@dataclass(frozen=True)
class Text:
    """A text in quotes: a category."""

    text: str


@dataclass(frozen=True)
class Operation:
    """An operation or a function of numbers.

    Args:
        name: ``+`` and ``*`` of two or more, ``-`` of one, ``/`` and ``^`` of two, or a function.
        operands: in order; a difference is a sum with ``-`` of its second part.
    """

    name: str
    operands: tuple[Term, ...]


Term = Number | Name | Text | Operation
"""What has a value."""


@dataclass(frozen=True)
class Comparison:
    """Terms in an order: ``a <= b <= c`` has three and two relations.

    Args:
        terms: one more than relations.
        relations: ``<=``, ``>=``, ``<``, ``>``, ``==``, ``!=``.
    """

    terms: tuple[Term, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Membership:
    """A term is one of some values."""

    term: Term
    values: tuple[Term, ...]


@dataclass(frozen=True)
class Count:
    """At most, or at least, so many of some variables are not zero.

    Args:
        names: of the variables.
        least: how many at least.
        most: how many at most; None for any number.
    """

    names: tuple[str, ...]
    least: int
    most: int | None


@dataclass(frozen=True)
class Connective:
    """Statements joined.

    Args:
        name: ``and``, ``or``, ``not``, or ``if``: the second follows from the first.
        statements: that are joined.
    """

    name: str
    statements: tuple[Statement, ...]


Statement = Comparison | Membership | Count | Connective
"""What is true or false."""


def names_in(tree: Term | Statement) -> Iterator[str]:
    """The names of a tree, from left to right, each as often as it comes."""
    if isinstance(tree, Name):
        yield tree.text
    elif isinstance(tree, Operation):
        for operand in tree.operands:
            yield from names_in(operand)
    elif isinstance(tree, Comparison):
        for term in tree.terms:
            yield from names_in(term)
    elif isinstance(tree, Membership):
        yield from names_in(tree.term)
    elif isinstance(tree, Count):
        yield from tree.names
    elif isinstance(tree, Connective):
        for statement in tree.statements:
            yield from names_in(statement)

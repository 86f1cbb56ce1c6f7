"""Which variable a name means: as it is, by its column's number, or by its beginning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from invcore.base.errors import UnknownNameError, close_names
from invcore.expressions.syntax import (
    Comparison,
    Connective,
    Count,
    Membership,
    Name,
    Operation,
    Statement,
    Term,
)

T = TypeVar("T", bound=Term | Statement)

_BARE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_WORDS = {"if", "then", "and", "or", "not", "never", "at", "in"}


def resolved(name: str, names: Sequence[str], what: str = "variable") -> str:
    """The one of some names that is meant.

    Args:
        name: one of them; ``#3`` for the third; or the beginning of one alone.
        names: in order.
        what: they are names of, for messages.

    Raises:
        UnknownNameError: none is meant, or several are.

    Example:
        >>> resolved("fly", ["cement", "fly ash"])
        'fly ash'
        >>> resolved("#1", ["cement", "fly ash"])
        'cement'
    """
    if name in names:
        return name
    if name[:1] == "#" and name[1:].isdecimal():
        number = int(name[1:])
        if 1 <= number <= len(names):
            return names[number - 1]
        raise UnknownNameError(f"no {what} {name}: there are {len(names)}")
    begun = [each for each in names if each.startswith(name)] if name else []
    if not begun:
        begun = [each for each in names if each.lower().startswith(name.lower())] if name else []
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise UnknownNameError(
            f"{name!r} is the beginning of several {what}s: {', '.join(begun)}; write one of them"
        )
    raise UnknownNameError(f"no {what} {name!r}. {close_names(name, list(names))}")


def with_names(tree: T, names: Sequence[str], what: str = "variable") -> T:
    """The tree with each name as it stands among some names.

    What a variable is compared with for equality may be a category, and stays as it is where it is
    none of the names.

    Raises:
        UnknownNameError: a name means none of them, or several.
    """
    if isinstance(tree, Name):
        return replace(tree, text=resolved(tree.text, names, what))
    if isinstance(tree, Operation):
        return replace(tree, operands=tuple(with_names(o, names, what) for o in tree.operands))
    if isinstance(tree, Count):
        return replace(tree, names=tuple(resolved(n, names, what) for n in tree.names))
    if isinstance(tree, Connective):
        return replace(tree, statements=tuple(with_names(s, names, what) for s in tree.statements))
    if isinstance(tree, Membership):
        return replace(tree, term=with_names(tree.term, names, what))
    if isinstance(tree, Comparison):
        if set(tree.relations) <= {"==", "!="} and len(tree.terms) == 2:
            first, second = tree.terms
            if _is(second, names) and isinstance(first, Name) and not _is(first, names):
                return tree  # the first may be a category
            first = with_names(first, names, what)
            if isinstance(second, Name) and isinstance(first, Name):
                second = _perhaps(second, names)
            else:
                second = with_names(second, names, what)
            return replace(tree, terms=(first, second))
        return replace(tree, terms=tuple(with_names(t, names, what) for t in tree.terms))
    return tree


def _is(term: Term, names: Sequence[str]) -> bool:
    return isinstance(term, Name) and term.text in names


def _perhaps(name: Name, names: Sequence[str]) -> Name:
    return Name(name.text) if name.text in names else name


def written(name: str) -> str:
    """A name as an expression has it: in backticks unless it is a plain word.

    Example:
        >>> written("fly ash"), written("x1")
        ('`fly ash`', 'x1')
    """
    plain = _BARE.fullmatch(name) and name not in _WORDS
    return name if plain else f"`{name}`"

"""Atoms that say the same, more, or what cannot be together."""

from __future__ import annotations

from collections.abc import Sequence

from invcore.spaces.constraints.kinds import Interval, LinearInequality, Nonlinear, Values
from invcore.spaces.constraints.language.atoms import Alternatives, Atom


def merged(atoms: Sequence[Atom]) -> list[Atom] | None:
    """The atoms of a conjunction, one of each variable, sum or expression.

    Returns:
        None where no value satisfies all that are said of one.

    Example:
        >>> merged([Interval(variable="x", low=1.0), Interval(variable="x", high=2.0)])
        [Interval(kind='interval', variable='x', low=1.0, high=2.0)]
        >>> merged([Interval(variable="x", low=1.0), Values(variable="x", values=(0.0,))]) is None
        True
    """
    result: list[Atom] = []
    for atom in atoms:
        for i, known in enumerate(result):
            if _subject(known) == _subject(atom):
                both = _both(known, atom)
                if both is None:
                    return None
                result[i] = both
                break
        else:
            result.append(atom)
    return result


def without_weaker(alternatives: Alternatives) -> Alternatives:
    """The alternatives without those that say as much as another, and more."""
    kept: Alternatives = []
    for atoms in alternatives:
        if any(all(known in atoms for known in other) for other in kept):
            continue
        kept = [other for other in kept if not all(atom in other for atom in atoms)]
        kept.append(atoms)
    return kept


def _subject(atom: Atom) -> object:
    """What an atom is about."""
    if isinstance(atom, LinearInequality):
        return tuple(sorted(atom.coefficients.items()))
    return atom.expression if isinstance(atom, Nonlinear) else (atom.variable,)


def _both(first: Atom, second: Atom) -> Atom | None:
    """What both say at once, of one subject."""
    if isinstance(second, Values):
        first, second = second, first
    if isinstance(first, Values):
        if isinstance(second, Values):
            kept = tuple(value for value in first.values if value in second.values)
        else:
            assert isinstance(second, Interval)
            low, high = second.ends
            kept = tuple(value for value in first.values if low <= value <= high)
        return first.model_copy(update={"values": kept}) if kept else None
    assert not isinstance(second, Values)
    low = max(first.ends[0], second.ends[0])
    high = min(first.ends[1], second.ends[1])
    if low > high:
        return None
    ends = {"low": low if low > float("-inf") else None}
    ends |= {"high": high if high < float("inf") else None}
    if isinstance(first, Interval) and low == high:
        return Values(variable=first.variable, values=(low,))
    return first.model_copy(update=ends)

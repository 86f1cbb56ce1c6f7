"""Which constraints contradict one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from invcore.spaces.constraints.encoding import Encoding
from invcore.spaces.constraints.groups import Group, groups_of
from invcore.spaces.constraints.kinds import Constraint, LinearInequality
from invcore.spaces.constraints.language.texts import constraint_text
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.constraints.linear_sets.conflict import irreducible
from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.variable import Variable


def check_together(variables: Sequence[Variable], constraints: Sequence[Constraint]) -> None:
    """Check that some design satisfies all constraints, expressions apart.

    Raises:
        ValueError: none does. It names constraints that leave none, of which none can be spared.
    """
    found = conflict_in(tuple(variables), tuple(constraints))
    if not found:
        return
    texts = [constraint_text(constraints[k], variables) for k in found]
    if len(texts) == 1:
        raise ValueError(f"no design within the bounds satisfies {texts[0]}")
    raise ValueError(f"no design within the bounds satisfies {'; '.join(texts)} at once")


@lru_cache(maxsize=64)
def conflict_in(
    variables: tuple[Variable, ...], constraints: tuple[Constraint, ...]
) -> tuple[int, ...]:
    """The positions of constraints that together leave no design, none of which can be spared;
    empty where all leave one.
    """
    for group in groups_of(variables, constraints, every=True):
        tied = len(group.variables) > 1 and len(group.constraints) > 0
        limited = sum(isinstance(c, LinearInequality) for c in group.constraints)
        if not tied and not limited:
            continue

        def infeasible(owners: tuple[int, ...], group: Group = group) -> bool:
            return not _feasible(group, owners)

        found = irreducible(group.owners, infeasible)
        if found:
            return found
    return ()


def _feasible(group: Group, owners: tuple[int, ...]) -> bool:
    kept = [c for c, k in zip(group.constraints, group.owners, strict=True) if k in owners]
    layout = Layout.of(group.variables, kept)
    if not bool((layout.low <= layout.high).all()):
        return False
    return MixedSet(Encoding(group, owners).system).feasible

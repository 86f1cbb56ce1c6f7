"""Which constraints contradict one another: a smallest set by inclusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invcore.spaces.constraints.linear_sets.system import LinearSystem


def conflict(system: LinearSystem) -> tuple[int, ...]:
    """Owners that together leave no point, while without any one of them there is one.

    Returns:
        In order; empty if the system has a point, or if what is internal has none.
    """
    raise NotImplementedError


def irreducible(
    names: Sequence[int], infeasible: Callable[[tuple[int, ...]], bool]
) -> tuple[int, ...]:
    """The deletion filter, for callers whose rows depend on which constraints are kept.

    Args:
        names: that together are infeasible.
        infeasible: whether some of the names, in order, are; of a set, then of its supersets too.
    """
    raise NotImplementedError

"""Which constraints contradict one another: a set of which none can be spared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import LinearSystem


def conflict(system: LinearSystem) -> tuple[int, ...]:
    """Owners that together leave no point, while without any one of them there is one.

    Where the solver cannot tell whether some leave a point, they count as if they did.

    Returns:
        In order; empty if the system has a point, or if what is internal has none.

    Example:
        >>> import numpy as np
        >>> system = LinearSystem.of(  # x + y >= 3, and x - y >= 0.5, which is not to blame
        ...     [[1.0, 1.0], [1.0, -1.0]],
        ...     [3.0, 0.5],
        ...     [np.inf, np.inf],
        ...     [0.0, 0.0],
        ...     [1.0, 1.0],
        ...     low_owner=[2, 3],
        ...     high_owner=[4, 5],
        ... )
        >>> conflict(system)
        (0, 4, 5)
    """

    def infeasible(owners: tuple[int, ...]) -> bool:
        try:
            return not MixedSet(system.keeping(owners)).feasible
        except RuntimeError:
            return False

    return irreducible(system.owners, infeasible)


def irreducible(
    names: Sequence[int], infeasible: Callable[[tuple[int, ...]], bool]
) -> tuple[int, ...]:
    """The deletion filter, for callers whose rows depend on which constraints are kept.

    Names are left out in blocks, as long as the rest is still infeasible, and at last one by one.

    References:
        Chinneck and Dravnieks, Locating minimal infeasible constraint sets in linear programs,
        ORSA Journal on Computing 3, 1991.

    Args:
        names: of all constraints.
        infeasible: whether some of the names, in order, are; of a set, then of its supersets too.

    Returns:
        Empty if all together are feasible, or none is infeasible already.

    Example:
        >>> irreducible(range(10), lambda names: {2, 7} <= set(names))
        (2, 7)
    """
    kept = tuple(names)
    if not infeasible(kept):
        return ()
    at, block = 0, max(1, len(kept) // 2)
    while at < len(kept):
        rest = kept[:at] + kept[at + block :]
        if infeasible(rest):
            kept = rest
        elif block > 1 and len(kept) - at > 1:
            block = max(1, block // 2)
        else:
            at += 1
            block = max(1, (len(kept) - at) // 2)
    return kept

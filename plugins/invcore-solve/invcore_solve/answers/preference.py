"""The order of designs for a specification: by probability, and by goals where that allows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from invcore_solve.proposals.aims.specified import ACCEPTABLE

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_DIGITS = 3  # of probabilities: what is nearer is the same


def preferred(probability: Numbers, violation: Numbers, goals: Numbers) -> Places:
    """The order of designs for one specification, best first.

    Without goals it is that of the probability of meeting it, and of the expected violation where
    probabilities are alike. With goals, designs of at least ``ACCEPTABLE`` of the largest
    probability come first: by the goal, or, where there are several, those than which no other is
    better in every goal, spread along that front, and then the next ones. Designs with a goal that
    is not known come after these.

    Args:
        probability: (N,).
        violation: (N,), expected squared.
        goals: (N, G), to be made small.

    Example:
        >>> goals = np.array([[3.0], [1.0], [0.0]])
        >>> preferred(np.array([1.0, 0.95, 0.2]), np.zeros(3), goals).tolist()
        [1, 0, 2]
    """
    by_probability = np.lexsort((violation, -probability.round(_DIGITS)))
    if not goals.shape[1] or not len(probability) or not probability.max() > 0:
        return by_probability
    good = probability >= ACCEPTABLE * probability.max()
    good &= np.isfinite(goals).all(axis=1)
    first = np.flatnonzero(good)
    order = first[_by_goals(goals[first])]
    return np.concatenate([order, by_probability[~good[by_probability]]])


def true_order(met: Numbers, error: Numbers, goals: Numbers) -> Places:
    """The order of designs whose responses are known, best first.

    Those that meet the specification come first, by their goals; then the others by how much they
    violate it, and what has no response last.

    Args:
        met: (N,), 1 or 0.
        error: (N,), weighted squared violations; NaN without a response.
        goals: (N, G), to be made small.
    """
    known = np.flatnonzero(~np.isnan(error))
    order = preferred(met[known], error[known], goals[known])
    return np.concatenate([known[order], np.flatnonzero(np.isnan(error))])


def _by_goals(goals: Numbers) -> Places:
    """Front by front, each from its balanced middle to what lies farthest from those before."""
    if goals.shape[1] == 1:
        return goals[:, 0].argsort(kind="stable")
    parts: list[Places] = []
    left = np.arange(len(goals))
    while len(left):
        front = left[undominated(goals[left])]
        if not len(front):  # of those that are left nothing is known
            return np.concatenate([*parts, left])
        parts.append(front[_spread(goals[front])])
        left = np.setdiff1d(left, front)
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)


def undominated(goals: Numbers) -> npt.NDArray[np.bool_]:
    """Which rows of goals (N, G) no other row beats: it is no worse in any, and better in one.

    A row with NaN is beaten, since nobody knows how good it is.

    Example:
        >>> undominated(np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 2.0]])).tolist()
        [True, True, False]
    """
    kept: npt.NDArray[np.bool_] = np.logical_not(np.isnan(goals).any(axis=1))
    for i, row in enumerate(goals):
        if kept[i]:
            beaten = (goals >= row).all(axis=1) & (goals > row).any(axis=1)
            kept &= ~beaten
    return kept


def _spread(goals: Numbers) -> Places:
    """An order along a front (N, G): its balanced middle, then each time the farthest."""
    span = np.ptp(goals, axis=0)
    places = (goals - goals.min(axis=0)) / np.where(span > 0, span, 1.0)
    order = [int(places.max(axis=1).argmin())]
    apart = np.full(len(places), np.inf)
    for _ in range(len(places) - 1):
        apart = np.minimum(apart, np.square(places - places[order[-1]]).sum(axis=1))
        apart[order[-1]] = -1.0
        order.append(int(apart.argmax()))
    return np.array(order, dtype=np.intp)

"""What a set of goals gains: improvement of one goal, or of the volume that several dominate."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array

_CELLS = 6000  # of the grid between the front's points


class GoalGain:
    """How much goals (…, G) add to those of known rows; all are to be made small.

    For one goal the difference from the best, for several the further volume that is dominated
    below a reference point: the worst of the front, and a tenth of its range beyond.

    References:
        Emmerich, Giannakoglou, Naujoks, Single- and multiobjective evolutionary optimization
        assisted by Gaussian random field metamodels, IEEE Transactions on Evolutionary Computation
        10, 2006, https://doi.org/10.1109/TEVC.2005.859463.

    Args:
        known: (N, G), of the rows that meet all limits; N may be zero.
        spread: (G,), what goals vary by.

    Example:
        >>> gain = GoalGain(np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones(2))
        >>> gain(np.array([[0.5, 0.5], [2.0, 2.0]])).round(3).tolist()
        [0.25, 0.0]
    """

    def __init__(self, known: Array, spread: Array) -> None:
        self._count, self._spread = known.shape[1], spread
        front = _front(known)
        most = max(2, int(_CELLS ** (1 / max(1, self._count))) - 1)
        if len(front) > most:
            front = front[np.linspace(0, len(front) - 1, most).round().astype(int)]
        self.front = front
        if self._count == 1 or not len(front):
            return
        low, high = front.min(axis=0), front.max(axis=0)
        reference = high + 0.1 * np.maximum(high - low, spread)
        edges = [np.r_[-np.inf, np.unique(front[:, i]), reference[i]] for i in range(self._count)]
        lows = np.stack(np.meshgrid(*(e[:-1] for e in edges), indexing="ij"), -1)
        highs = np.stack(np.meshgrid(*(e[1:] for e in edges), indexing="ij"), -1)
        lows, highs = (part.reshape(-1, self._count) for part in (lows, highs))
        below = front[None] <= lows[:, None]
        taken = np.asarray(below.all(axis=2)).any(axis=1)
        self._lows, self._highs = lows[~taken], highs[~taken]

    def __call__(self, goals: Array) -> Array:
        """Gains (…,) of goals (…, G), in units of the spread."""
        if not len(self.front):
            return np.zeros(goals.shape[:-1])
        if self._count == 1:
            best = self.front[0, 0]
            return np.maximum(best - goals[..., 0], 0.0) / self._spread[0]
        flat = goals.reshape(-1, self._count)
        step = max(1, (1 << 21) // len(self._lows))
        parts = []
        for first in range(0, len(flat), step):
            some = flat[first : first + step, None]
            sides = np.maximum(self._highs - np.maximum(self._lows, some), 0.0) / self._spread
            parts.append(sides.prod(axis=2).sum(axis=1))
        return np.concatenate(parts).reshape(goals.shape[:-1])


def _front(goals: Array) -> Array:
    """The rows (P, G) of goals (N, G) that no other is better than, by the first goal."""
    if not len(goals):
        return goals
    order = np.lexsort(goals.T[::-1])
    kept: list[int] = []
    for place in order:
        below = np.asarray((goals[kept] <= goals[place]).all(axis=1))
        if not below.any():
            kept.append(int(place))
    return goals[kept]

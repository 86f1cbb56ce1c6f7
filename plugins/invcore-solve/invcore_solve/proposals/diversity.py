"""A few designs that differ among many that are good."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SHOWN = 10
"""How many designs are made to differ: those that people look at."""

_LEAST = 1.0  # distance, in those between rows, that shown designs keep where they can
_HALVED = 4  # how often that is halved before designs that are alike are shown


def diverse_order(
    places: Numbers, cost: Numbers, shown: int = SHOWN, *, least: float = _LEAST,
    halvings: int = _HALVED,
) -> Places:  # fmt: skip
    """An order of designs, cheapest first, whose first ones keep a distance from each other.

    The cheapest stays first. Each further one is the cheapest that is far enough from those
    before it; where there is none, half the distance will do. The others follow by cost.

    Args:
        places: (N, W), designs in units of the distance between rows.
        cost: (N,), ascending.
        shown: how many are to differ.
        least: the distance that they keep where they can.
        halvings: how often that is halved before designs that are alike are shown.

    Example:
        >>> diverse_order(np.array([[0.0], [0.1], [5.0]]), np.array([1.0, 2.0, 3.0]), 2).tolist()
        [0, 2, 1]
    """
    chosen: list[int] = [0] if len(cost) else []
    apart = np.full(len(cost), np.inf)
    for _ in range(min(shown, len(cost)) - 1):
        apart = np.minimum(apart, np.sqrt(np.square(places - places[chosen[-1]]).sum(axis=1)))
        for halved in range(halvings + 1):
            far = np.flatnonzero(apart >= least / 2**halved)
            if len(far):
                chosen.append(int(far[0]))
                break
        else:
            break
    rest = np.setdiff1d(np.arange(len(cost)), chosen)
    return np.concatenate([np.array(chosen, dtype=np.intp), rest])

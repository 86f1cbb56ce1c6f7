"""A few designs that differ among many that are good."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SHOWN = 10
"""How many designs are made to differ: those that people look at."""

_LEAST = 1.0  # distance, in those between rows, that shown designs keep where they can
_HALVED = 4  # how often that is halved before designs that are alike are shown


def diversity_note(cost: str = "") -> str:
    """What is told of designs that are chosen to differ, and what that costs."""
    return (
        f"the first {SHOWN} designs of a target are chosen to differ from each other, and are "
        f"in order, best first; so are all others, after them{cost}"
    )


def differing(
    places: Numbers, least: float, chosen: Sequence[int] = (), shown: int = SHOWN, *,
    among: Places | None = None, norm: float = 2,
) -> list[int]:  # fmt: skip
    """Further designs that keep a distance from those chosen before and from each other.

    Args:
        places: (N, W), best first.
        least: the distance that they keep.
        chosen: positions of those that are chosen already.
        shown: how many there are to be, with these.
        among: positions of those that may be chosen, in order; None: all.
        norm: of the distance: 2, or infinity for the largest difference of a column.

    Returns:
        What was chosen, then the best ones that are far enough.

    Example:
        >>> differing(np.array([[0.0], [0.1], [5.0], [9.0]]), 1.0, [3], 3)
        [3, 0, 2]
    """
    result, apart = [*chosen], np.full(len(places), np.inf)
    for place in result:
        apart = np.minimum(apart, np.linalg.norm(places - places[place], norm, axis=1))
    for place in range(len(places)) if among is None else among.tolist():
        if len(result) >= shown:
            break
        if apart[place] >= least:
            result.append(place)
            apart = np.minimum(apart, np.linalg.norm(places - places[place], norm, axis=1))
    return result


def diverse_order(
    places: Numbers, cost: Numbers, shown: int = SHOWN, *, least: float = _LEAST,
    halvings: int = _HALVED,
) -> Places:  # fmt: skip
    """An order of designs, whose first ones keep a distance from each other.

    The cheapest is among them. Each further one is the cheapest that is far enough from those
    before it; where there is none, half the distance will do. Both they and the others, which
    follow, are ordered by cost.

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
    chosen: list[int] = []
    for halved in range(halvings + 1):
        chosen = differing(places, least / 2**halved, chosen, shown)
    return first_in_order(chosen, len(cost))


def first_in_order(chosen: Sequence[int], count: int) -> Places:
    """Some positions of so many in order, and then the others in order."""
    some = np.unique(np.array([*chosen], dtype=np.intp))
    return np.concatenate([some, np.setdiff1d(np.arange(count), some)])

"""Local search: mixes of the best designs with rows and each other, judged and chosen again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from invcore.plugin import FittedJudge
from invcore_solve.proposals.aims.aim import Aim
from invcore_solve.proposals.diversity import differing
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.mixes import crossed, mixes
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

ROUNDS = (0.5, 0.25, 0.1)
"""The largest share of the way to a neighbour, round by round."""

BEYOND = (0.5, 0.5, 0.25, 0.25, 0.25, 0.1, 0.1, 0.1, 0.05, 0.05)
"""The same where better designs may lie beyond the rows, often in a corner of what is allowed."""

_APART = 1.0  # standard deviations of designs that groups keep
_PAIRED = 3  # times as many designs whose differences are steps as designs to begin from


def refine(
    judge: FittedJudge, typicality: Typicality, aim: Aim, start: Judged, best: Places,
    children: int, rng: np.random.Generator, *, owner: Places | None = None,
) -> tuple[Judged, Places]:  # fmt: skip
    """Designs near the best of each target.

    Args:
        judge: of designs.
        typicality: which designs are allowed.
        aim: what they cost for B targets.
        start: designs to begin from.
        best: (G, P), positions in ``start`` of the best of each group, best first.
        children: designs that are tried for each group in a round.
        rng: of the mixes.
        owner: (G,), the target of each group, which are searched apart; None: one for each target.

    Returns:
        Further designs, and the target that each was made for (n,).
    """
    count, parents = best.shape
    owner = np.arange(count) if owner is None else owner
    own, groups = [start.rows(best.reshape(-1))], [np.repeat(np.arange(count), parents)]
    tried = np.repeat(np.arange(count), children)
    for reach in BEYOND if aim.beyond else ROUNDS:
        pool, group = joined(own), np.concatenate(groups)
        order = _best(aim.own_costs(pool, owner[group]), group, _PAIRED * parents)  # (G, P')
        seeds = order[:, rng.integers(parents, size=children)].reshape(-1)
        made = [mixes(typicality, 0, rng, pool.x[seeds], reach=reach, beyond=aim.beyond)]
        if aim.beyond:
            pair = order[:, rng.integers(_PAIRED * parents, size=(2, children))]  # (G, 2, C)
            first, second = (pool.x[pair[:, i].reshape(-1)] for i in range(2))
            made.append(crossed(typicality, pool.x[seeds], (first, second), rng))
        for x, origin in made:
            if len(x):
                own.append(Judged.by(judge, x))
                groups.append(tried[origin])
    return joined(own[1:] or own), owner[np.concatenate(groups[1:] or groups)]


def apart_groups(places: Numbers, best: Places, count: int, size: int) -> tuple[Places, Places]:
    """Groups of good designs that lie apart, so that a search of each ends where it is best.

    Args:
        places: (N, W), of all designs.
        best: (B, K), positions of the best for each target, best first.
        count: groups of each target, where so many lie apart.
        size: designs of each, at most K.

    Returns:
        Positions (G, size), best first, and the target of each group (G,); the last design repeats
        where there are fewer.
    """
    groups, owner = [], []
    for b, own in enumerate(best):
        seeds = differing(places[own], _APART, shown=count)
        away = np.square(places[own][:, None] - places[own[seeds]][None]).sum(axis=2)
        nearest = away.argmin(axis=1)
        for i in range(len(seeds)):
            some = own[nearest == i]
            groups.append(some[np.minimum(np.arange(size), len(some) - 1)])
            owner.append(b)
    return np.stack(groups), np.array(owner)


def _best(cost: Numbers, owner: Places, count: int) -> Places:
    """For each owner the positions of its cheapest designs (G, count); the last one repeats where
    there are fewer.
    """
    order = np.lexsort((cost, owner))
    number = np.bincount(owner)
    first = np.searchsorted(owner[order], np.arange(len(number)))
    place = first[:, None] + np.minimum(np.arange(count), number[:, None] - 1)
    return order[place]

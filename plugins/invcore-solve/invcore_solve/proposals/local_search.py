"""Local search: mixes of the best designs with rows near them, judged and chosen again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from invcore.plugin import FittedJudge
from invcore_solve.proposals.aims.aim import Aim
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.mixes import mixes
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

ROUNDS = (0.5, 0.25, 0.1)
"""The largest share of the way to a neighbour, round by round."""

BEYOND = (0.5, 0.5, 0.25, 0.25, 0.1, 0.05)
"""The same where better designs may lie beyond the rows."""


def refine(
    judge: FittedJudge, typicality: Typicality, aim: Aim, start: Judged, best: Places,
    children: int, rng: np.random.Generator,
) -> tuple[Judged, Places]:  # fmt: skip
    """Designs near the best of each target.

    Args:
        judge: of designs.
        typicality: which designs are allowed.
        aim: what they cost for B targets.
        start: designs to begin from.
        best: (B, P), positions in ``start`` of the best for each target, best first.
        children: designs that are tried for each target in a round.
        rng: of the mixes.

    Returns:
        Further designs, and the target that each was made for (n,).
    """
    batch, parents = best.shape
    own = [start.rows(best.reshape(-1))]
    owner = [np.repeat(np.arange(batch), parents)]
    for reach in BEYOND if aim.beyond else ROUNDS:
        pool, target = joined(own), np.concatenate(owner)
        order = _best(pool, target, aim, parents)  # (B, P)
        seeds = order[:, rng.integers(parents, size=children)].reshape(-1)
        x, origin = mixes(typicality, 0, rng, pool.x[seeds], reach=reach, beyond=aim.beyond)
        if not len(x):
            continue
        own.append(Judged.by(judge, x))
        owner.append(np.repeat(np.arange(batch), children)[origin])
    return joined(own[1:] or own), np.concatenate(owner[1:] or owner)


def _best(pool: Judged, owner: Places, aim: Aim, count: int) -> Places:
    """For each target the positions of its cheapest designs (B, count); the last one repeats where
    there are fewer.
    """
    cost = aim.own_costs(pool, owner)
    order = np.lexsort((cost, owner))
    first = np.searchsorted(owner[order], np.arange(len(aim)))
    number = np.bincount(owner, minlength=len(aim))
    place = first[:, None] + np.minimum(np.arange(count), number[:, None] - 1)
    return order[place]

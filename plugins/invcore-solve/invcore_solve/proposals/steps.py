"""Local search in what comes in steps: the best designs with other categories and levels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import FittedJudge
from invcore.search import Neighbours, SearchLimits, discrete_search
from invcore_solve.proposals.aims.aim import Aim
from invcore_solve.proposals.judged import Judged
from invcore_solve.typicality.typicality import Typicality

Places = npt.NDArray[np.intp]

_PARENTS = 4  # of a target
_STARTS = 100  # of all targets together, but one each at least
_LIMITS = SearchLimits(rounds=8, pairs=0)


def stepped(
    judge: FittedJudge, typicality: Typicality, aim: Aim, start: Judged, owner: Places
) -> tuple[Judged, Places]:
    """Designs of better categories, levels and whole numbers than the best of each target.

    Args:
        judge: of designs.
        typicality: which designs are allowed.
        aim: what they cost for B targets.
        start: N designs to begin from.
        owner: (N,), the target of each.

    Returns:
        Further designs that are typical, and the target that each was made for; none where designs
        have neither categories nor levels.
    """
    none = start.rows(np.empty(0, dtype=np.intp)), owner[:0]
    if not Neighbours.of(typicality.designs).named:
        return none
    cost = aim.own_costs(start, owner)
    order = np.lexsort((cost, owner))
    rank = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
    parents = int(np.clip(_STARTS // len(aim), 1, _PARENTS))
    best = order[rank < parents]
    target = owner[best]

    def score(x: Tensor, rows: Tensor) -> Tensor:
        values = np.full(len(x), np.inf)
        near = np.flatnonzero(typicality.near(x.numpy()))
        if len(near):
            judged = Judged.by(judge, x.numpy()[near])
            values[near] = aim.own_costs(judged, target[rows.numpy()[near]])
        return torch.from_numpy(values)

    x, found = discrete_search(typicality.designs, torch.from_numpy(start.x[best]), score, _LIMITS)
    better = np.flatnonzero(found.numpy() < cost[best])
    if not len(better):
        return none
    return Judged.by(judge, x.numpy()[better]), target[better]

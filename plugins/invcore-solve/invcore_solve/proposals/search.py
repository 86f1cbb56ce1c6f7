"""From targets to ranked designs: one pool of mixes for all, local search, one judge for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from invcore.plugin import FittedJudge
from invcore_solve.proposals.aims.aim import Aim
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.local_search import apart_groups, refine
from invcore_solve.proposals.mixes import mixes
from invcore_solve.proposals.steps import stepped
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Preference = Callable[[Places, Numbers, Numbers], Numbers]

POOL = 8_000
_PARENTS = 8
_GROUPS = 4  # of parents that are searched apart, since one may end where another would not
_APART_UP_TO = 32  # targets; of more each has one group
_CHILDREN = 16_000  # in all targets together, in a round
_MOST = 400  # in a round, for a target
_FEWEST = 16
_PLACES = (0.25, 0.08)  # standard deviations of designs, within which one stands for others
_CELLS = 1 << 20  # of targets by designs, at once


@dataclass(frozen=True)
class Answers:
    """Designs for targets, those of one target one below the other, cheapest first.

    Args:
        designs: judged.
        target: (N,), the position of each one's target.
        cost: (N,), expected squared distance from it, in variances of the responses.
    """

    designs: Judged
    target: Places
    cost: Numbers


def pool_of_mixes(
    judge: FittedJudge, typicality: Typicality, rng: np.random.Generator, count: int = POOL
) -> Judged:
    """Different mixes of rows, judged once for all targets."""
    x, _ = mixes(typicality, count, rng)
    return Judged.by(judge, np.unique(x, axis=0))


def search(
    judge: FittedJudge, typicality: Typicality, aim: Aim, pool: Judged, count: int,
    rng: np.random.Generator, *, further: tuple[Judged, Places] | None = None,
    apart: float = 0.0, preference: Preference | None = None, refined: bool = True,
) -> Answers:  # fmt: skip
    """The best designs for each target from the pool, from local search, and from elsewhere.

    Args:
        judge: of designs.
        typicality: which designs are allowed.
        aim: what they cost for B targets.
        pool: designs for all targets.
        count: designs kept for each target.
        rng: of local search.
        further: designs that others propose, typical and judged, and the target of each.
        apart: the least distance to a measured design, in units of the distance between rows.
        preference: what counts instead of the aim's costs: of the positions of targets (N,),
            designs (N, Dx) and their costs (N,), further costs (N,).
        refined: whether local search adds to the pool.
    """
    if not aim.beyond:  # else measured rows are among the designs to begin from
        far = typicality.neighbourhood.nearest(pool.x)[0] >= apart
        pool = pool.rows(np.flatnonzero(far)) if far.any() else pool
    best = cheapest(pool, aim, min(len(pool), max(count, _PARENTS)))
    parts = [pool.rows(best.reshape(-1))]
    owners = [np.repeat(np.arange(len(aim)), best.shape[1])]
    if refined:
        children = int(np.clip(_CHILDREN // len(aim), _FEWEST, _MOST))
        groups, whose = best[:, :_PARENTS], np.arange(len(aim))
        if aim.beyond and len(aim) <= _APART_UP_TO:
            places = typicality.neighbourhood.whitening(pool.x)
            groups, whose = apart_groups(places, best, _GROUPS, _PARENTS)
            children = max(_FEWEST, children // 2)
        near, owner = refine(judge, typicality, aim, pool, groups, children, rng, owner=whose)
        more, whose = stepped(judge, typicality, aim, near, owner)
        parts += [near, more]
        owners += [owner, whose]
    if further is not None:
        parts.append(further[0])
        owners.append(further[1])
    every, target = joined(parts), np.concatenate(owners)
    kept = np.flatnonzero(typicality.neighbourhood.nearest(every.x)[0] >= apart)
    every, target = every.rows(kept), target[kept]
    cost = aim.own_costs(every, target)
    if preference is not None:
        cost = preference(target, every.x, cost)
    order = np.lexsort((cost, target))
    order = order[_distinct(every.x[order], target[order])]
    if aim.beyond:
        places = typicality.neighbourhood.whitening(every.x[order])
        order = order[_alike_last(places, target[order])]
    rank = np.arange(len(order)) - np.searchsorted(target[order], target[order])
    order = order[rank < count]
    return Answers(every.rows(order), target[order], cost[order])


def cheapest(pool: Judged, aim: Aim, count: int) -> Places:
    """For each target the positions of the cheapest designs of the pool (B, count), in order."""
    step = max(1, _CELLS // max(1, len(pool)))
    parts = []
    for start in range(0, len(aim), step):
        cost = aim.costs(pool, slice(start, min(start + step, len(aim))))
        some = np.argpartition(cost, count - 1, axis=1)[:, :count]
        order = np.take_along_axis(cost, some, axis=1).argsort(axis=1, kind="stable")
        parts.append(np.take_along_axis(some, order, axis=1))
    return np.concatenate(parts)


def _alike_last(places: Numbers, target: Places) -> Places:
    """An order of designs at places (N, W) that are sorted by target (N,) and cost.

    For each target the first design of each wide cell and of each narrow one take turns, and then
    come those that are like one.
    """
    kind = np.full(len(target), len(_PLACES))
    for i in reversed(range(len(_PLACES))):
        cells = np.c_[target, np.round(places / _PLACES[i])]
        kind[np.unique(cells, axis=0, return_index=True)[1]] = i
    order = np.lexsort((kind, target))
    group = np.c_[target, kind][order]
    begins = np.r_[True, (group[1:] != group[:-1]).any(axis=1)] if len(group) else np.zeros(0, bool)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(group)), 0))
    turn = np.empty(len(target), dtype=np.intp)
    turn[order] = np.arange(len(group)) - start
    return np.lexsort((kind, turn, kind == len(_PLACES), target))


def _distinct(x: Numbers, target: Places) -> Places:
    """Positions of the designs that repeat no earlier one of the same target, in order."""
    _, first = np.unique(np.c_[target, x], axis=0, return_index=True)
    return np.sort(first)

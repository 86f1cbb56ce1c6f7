"""From targets to ranked designs: one pool of mixes for all, local search, one judge for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from invcore.plugin import FittedJudge
from invcore_solve.proposals.aims.aim import Aim
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.local_search import refine
from invcore_solve.proposals.mixes import mixes
from invcore_solve.proposals.steps import stepped
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Preference = Callable[[Places, Numbers, Numbers], Numbers]

POOL = 8_000
_PARENTS = 8
_CHILDREN = 16_000  # in all targets together, in a round
_MOST = 400  # in a round, for a target
_FEWEST = 16
_CELL = 0.25  # standard deviations of designs, within which one stands for others
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
        near, owner = refine(judge, typicality, aim, pool, best[:, :_PARENTS], children, rng)
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
        places = np.round(typicality.neighbourhood.whitening(every.x[order]) / _CELL)
        order = np.concatenate(_alike_last(places, target[order], order))
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


def _alike_last(places: Numbers, target: Places, order: Places) -> list[Places]:
    """For each target the first design of each place (N, W), and then those that are like one."""
    _, first = np.unique(np.c_[target, places], axis=0, return_index=True)
    alike = np.ones(len(order), dtype=bool)
    alike[first] = False
    return [
        part for b in np.unique(target)
        for part in (order[(target == b) & ~alike], order[(target == b) & alike])
    ]  # fmt: skip


def _distinct(x: Numbers, target: Places) -> Places:
    """Positions of the designs that repeat no earlier one of the same target, in order."""
    _, first = np.unique(np.c_[target, x], axis=0, return_index=True)
    return np.sort(first)

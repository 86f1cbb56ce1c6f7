"""Goals as levels to reach: a little beyond what known pairs have, for each candidate its own."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.contracts.problem import GOALS, Targets
from invcore.data.pairs import flat, repeated
from invcore.learning.response_density import ResponseDensity

REACH = 1.0
"""The longest step beyond the best known pairs, in ways from their best hundredth to the best."""
FURTHER = 3.0
"""How much longer for models that take exact responses: they come less far than is asked."""
_BEST = 0.01  # of the pairs: where their tail begins
_ROWS = 100  # pairs that meet the rest, from which on their own tail says how far a step is
_NEAR = 10  # pairs that count where none meets the rest
_SHORTEST = 0.05  # step, in standard deviations
_WEIGHT = 0.05  # of a level beside the requirements that are to be met
_FIRST = 256  # rows of the best sums of goals, that most others are compared with first


def point_dim(targets: Targets) -> int:
    """How many numbers of the unit cube drive a candidate's levels: which pair, and how far."""
    goals = _goals(targets).any(dim=0).sum()
    return 2 + int(goals) if int(goals) > 1 else 2


def levels(targets: Targets, points: Tensor, density: ResponseDensity, *, exact: bool) -> Targets:
    """Each target for K candidates, whose goals have become levels to reach.

    Of the known pairs that meet the other requirements best, those count that no other surpasses in
    all goals. Each candidate starts from one of them and asks for more, in a direction of its own;
    so several goals spread over their front.

    Args:
        targets: B of them, measured in the responses' spread.
        points: (B, K, ``point_dim(targets)``), in the unit cube.
        density: holds the known pairs.
        exact: ask for the level itself, rather than for all that is at least as good.

    Returns:
        B K targets, those of a target one below the other, without goals.
    """
    count = points.shape[1]
    owner = torch.arange(len(targets)).repeat_interleave(count)
    wide = targets[owner]
    low, high, weight = wide.low.double(), wide.high.double(), wide.weight.double()
    reached = torch.full_like(low, torch.nan)
    # Each has another number of pairs to choose from
    for b in _goals(targets).any(dim=1).nonzero()[:, 0].tolist():
        rows = slice(b * count, (b + 1) * count)
        reach = REACH * FURTHER if exact else REACH
        reached[rows] = _reached(targets[b : b + 1], points[b], density, reach)
    down, up = (wide.goal == GOALS.index(name) for name in ("minimise", "maximise"))
    reached = torch.where(down | up, reached.clamp(low, high), reached)
    others = (targets.wanted & ~_goals(targets)).any(dim=1)[owner][:, None]
    weight = torch.where((down | up) & others, _WEIGHT * weight, weight)
    if exact:
        low, high = (torch.where(down | up, reached, end) for end in (low, high))
    else:
        low, high = torch.where(up, reached, low), torch.where(down, reached, high)
    goal = torch.where(down | up, GOALS.index("meet"), wide.goal)
    tolerance = torch.where(down | up, torch.nan, wide.tolerance.double())
    context = repeated(targets.context, count)
    parts = low, high, goal, weight, tolerance
    return Targets.of_parts(*parts, context=context).measured_in(targets.spread)


def _reached(target: Targets, points: Tensor, density: ResponseDensity, reach: float) -> Tensor:
    """The levels (K, Dy) of one target's candidates; NaN where a response has no goal."""
    y, spread = density.y, target.spread.double()
    own = _goals(target)[0]
    small = target.goals(y[None])[0][:, own] / spread[own]  # (M, G), to be made small
    rows = _meeting(target, density)
    some = rows if len(rows) >= _ROWS else torch.arange(len(y))
    step = _tail(small[some], density.stands_for[some])
    small, places = small[rows], rows[_unsurpassed(small[rows])]
    start = target.goals(y[None])[0][places][:, own] / spread[own]
    pick = (points[:, 0] * len(start)).long().clamp(max=len(start) - 1)
    way = torch.ones(len(points), int(own.sum()), dtype=torch.float64)
    if way.shape[1] > 1:  # evenly over all positive directions
        way = -points[:, 2 : 2 + way.shape[1]].log()
        way = way / way.amax(dim=1, keepdim=True)
    # Squared, for many short steps: of a heavy tail the longest leads beyond what a model knows
    level = start[pick] - reach * points[:, 1:2].square() * step * way
    sign = torch.where(target.goal[0, own] == GOALS.index("maximise"), -1.0, 1.0)
    reached = torch.full((len(points), y.shape[1]), torch.nan, dtype=torch.float64)
    reached[:, own] = level * spread[own] * sign
    return reached


def _meeting(target: Targets, density: ResponseDensity) -> Tensor:
    """The places of the known pairs that meet a target, or of the ten that come nearest to it."""
    y = density.y
    error = target.error(y[None])[0]
    met = target.met(y[None])[0]
    if density.context.shape[1]:  # of problems like this one
        apart = (density.context - flat(target.context, 1).double()).square()
        apart = (apart / density.context.var(dim=0).clamp(min=1e-300)).sum(dim=1)
        near = apart.argsort(stable=True)[: max(3 * _NEAR, len(y) // 10)]
        alike = torch.zeros(len(y), dtype=torch.bool)
        alike[near] = True
        error, met = torch.where(alike, error, torch.inf), met & alike
    if bool(met.any()):
        return met.nonzero()[:, 0]
    return error.argsort(stable=True)[:_NEAR]


def _tail(small: Tensor, stands_for: Tensor) -> Tensor:
    """From the best hundredth of goals (M, G) to the best: (G,)."""
    steps = []
    for column in small.unbind(dim=1):
        order = column.argsort(stable=True)
        share = stands_for[order].cumsum(0) / stands_for.sum()
        first = int(torch.searchsorted(share, torch.tensor(_BEST).double()))
        steps.append(column[order[min(first, len(order) - 1)]] - column[order[0]])
    return torch.stack(steps).clamp(min=_SHORTEST)


def _unsurpassed(small: Tensor) -> Tensor:
    """The places of the rows (M, G) than which no other is as small in all and smaller in one."""
    if small.shape[1] == 1:
        return small.argmin(dim=0)
    left = torch.arange(len(small))
    for most in (_FIRST, len(small)):  # a few good rows surpass most
        good = small[left].sum(dim=1).argsort(stable=True)[:most]
        rows, others = small[left], small[left[good]]
        step = max(1, (1 << 22) // max(1, others.numel()))
        worse = torch.cat([
            ((others <= part[:, None]).all(dim=2) & (others < part[:, None]).any(dim=2)).any(dim=1)
            for part in rows.split(step)
        ])  # fmt: skip
        left = left[~worse]
    return left


def _goals(targets: Targets) -> Tensor:
    """Which responses (B, Dy) are minimised or maximised."""
    names = torch.tensor([GOALS.index("minimise"), GOALS.index("maximise")])
    return torch.isin(targets.goal, names.to(targets.goal.device))

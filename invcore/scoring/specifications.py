"""What known responses make of specifications, and what a set of goals is worth."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from invcore.contracts.metric import Known
from invcore.contracts.problem import Targets
from invcore.scoring.expected_best import _CHUNK


def largest_error(targets: Targets, responses: Tensor) -> Tensor:
    """The largest error (B,) of each target among responses (N, Dy)."""
    parts = [part.error(y).amax(dim=1) for part, y in _beside(targets, responses)]
    return torch.cat(parts)


def known_goals(targets: Targets, responses: Tensor) -> Known:
    """What known responses (N, Dy) reach of the targets' goals.

    Example:
        >>> from invcore.plugin import Requirement, Space, Specification
        >>> responses = Space.model_validate({"variables": [{"name": "gap"}, {"name": "mass"}]})
        >>> wanted = {"gap": Requirement(low=1.0), "mass": Requirement(goal="minimise")}
        >>> targets = Targets.of([Specification.of(wanted)], responses)
        >>> known_goals(targets, torch.tensor([[0.0, 1.0], [2.0, 3.0], [1.0, 5.0]])).best.tolist()
        [[0.0, 3.0]]
    """
    best, worst = [], []
    for part, y in _beside(targets, responses):
        goals = part.goals(y)
        met = part.met(y)[..., None]
        low = torch.where(met, goals, torch.inf).amin(dim=1)
        best.append(torch.where(low.isfinite(), low, torch.nan))
        worst.append(goals.amax(dim=1))
    return Known(torch.cat(best), torch.cat(worst))


def _beside(targets: Targets, responses: Tensor) -> Iterator[tuple[Targets, Tensor]]:
    """A few targets at a time, and all responses (b, N, Dy) beside them."""
    step = max(1, _CHUNK // max(1, responses.numel()))
    for start in range(0, len(targets), step):
        part = targets[slice(start, start + step)]
        yield part, responses.expand(len(part), *responses.shape)


def hypervolume(points: Tensor, reference: Tensor) -> float:
    """The volume that points dominate below a reference point; all is to be made small.

    Args:
        points: (N, G); NaN and what is not below the reference counts for nothing.
        reference: (G,).

    Example:
        >>> hypervolume(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([2.0, 2.0]))
        3.0
    """
    points, reference = points.double(), reference.double()
    below = points[(points < reference).all(dim=1)]
    front = pareto_front(below)
    return _volume(below[front], reference)


def pareto_front(points: Tensor) -> Tensor:
    """Which points (N, G) no other is better than: their places, by the first goal.

    Of equal points one stays. What is NaN is no part of it.

    Example:
        >>> pareto_front(torch.tensor([[2.0, 2.0], [1.0, 3.0], [3.0, 2.0]])).tolist()
        [1, 0]
    """
    places = torch.arange(len(points), device=points.device)[points.isfinite().all(dim=1)]
    for goal in reversed(range(points.shape[1])):  # by the first goal, then by the second, …
        places = places[points[places, goal].argsort(stable=True)]
    if points.shape[1] == 2:
        second = points[places, 1]
        lowest = torch.cat([second.new_full((1,), torch.inf), second.cummin(0).values[:-1]])
        return places[second < lowest[: len(second)]] if len(places) else places
    kept = places[:0]
    for place in places:  # what comes later is no better in the first goal
        if not bool((points[kept] <= points[place]).all(dim=1).any()):
            kept = torch.cat([kept, place[None]])
    return kept


def _volume(front: Tensor, reference: Tensor) -> float:
    """Of points none of which dominates another, by slices along the last goal."""
    if not len(front):
        return 0.0
    if front.shape[1] == 1:
        return float(reference[0] - front.min())
    if front.shape[1] == 2:
        ordered = front[front[:, 0].argsort()]
        ends = torch.cat([ordered[1:, 0], reference[:1]])
        return float(((ends - ordered[:, 0]) * (reference[1] - ordered[:, 1])).sum())
    ordered = front[front[:, -1].argsort()]
    tops = torch.cat([ordered[1:, -1], reference[-1:]])
    total = 0.0
    for count in range(1, len(ordered) + 1):
        height = float(tops[count - 1] - ordered[count - 1, -1])
        if height > 0:
            slab = ordered[:count, :-1]
            total += height * _volume(slab[pareto_front(slab)], reference[:-1])
    return total

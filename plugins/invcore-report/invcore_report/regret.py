"""Regret: what a method leaves on the table, beside the best that any method found.

It is of runs with wishes. Of those with goals, what counts is the weighted sum of the goals, in
units of the responses' spread, among the candidates that meet the rest; a target that a method does
not meet counts as the worst training pair. Of those without, it is the smallest violation.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from invcore.plugin import Targets
from invcore_report.curves import Interval, mean_interval

_NUMBERS = 1 << 22  # held at once


def found(arrays: dict[str, Tensor], wanted: Targets) -> Tensor:
    """The best that a run found for each target (B,): small is good.

    Args:
        arrays: ``errors`` (B, K), those that are missing counted, ``resimulated`` (B, K, Dy) and,
            where there are goals, ``known.worst`` (B, Dy).
        wanted: B specifications.
    """
    if not wanted.has_goals:
        return arrays["errors"].amin(dim=1)
    weight = wanted.weight / wanted.spread
    worst = (arrays["known.worst"] * weight).sum(dim=1)
    y, best = arrays["resimulated"], []
    step = max(1, _NUMBERS // max(1, y[0].numel()))
    for start in range(0, len(wanted), step):
        rows = slice(start, start + step)
        part, own = wanted[rows], y[rows]
        sums = (part.goals(own) * weight[rows, None]).sum(dim=2)
        good = part.met(own) & sums.isfinite()
        best.append(torch.where(good, sums, torch.inf).amin(dim=1))
    reached = torch.cat(best)
    return torch.where(reached.isfinite(), reached, worst)


def regrets(values: Sequence[Tensor | None], seeds: Sequence[int]) -> list[Interval | None]:
    """The mean regret of each method, with its interval.

    Args:
        values: of each method, the best that it found for each target of all seeds; None for one
            that had other targets.
        seeds: how many of the targets belong to each seed.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return [None for _ in values]
    best = torch.stack(known).amin(dim=0)
    return [None if value is None else mean_interval(value - best, seeds) for value in values]

"""Means over targets with their bootstrap intervals, and medians."""

import torch
from torch import Tensor

from invcore.scoring.expected_best import _CHUNK


def median(values: Tensor) -> float:
    """The median, between the two middle values where their number is even; NaN is left out.

    Example:
        >>> median(torch.tensor([3.0, 1.0, torch.nan, 2.0, 10.0]))
        2.5
    """
    numbers = values[~values.isnan()].flatten()
    if len(numbers) == 0:
        return float("nan")
    ordered = numbers.sort().values  # torch.quantile refuses what a large run has
    return float(0.5 * (ordered[(len(numbers) - 1) // 2] + ordered[len(numbers) // 2]))


def bootstrap(
    values: Tensor, generator: torch.Generator, *, repeats: int = 1000, level: float = 0.95
) -> tuple[float, float, float]:
    """The mean over targets, and its percentile-bootstrap interval.

    Args:
        values: (B,); NaN is left out.
        generator: on the CPU; decides the resamples.
        repeats: resamples.
        level: of the interval.

    Returns:
        Mean, lower and upper end; all NaN where there are no values.

    Example:
        >>> bootstrap(torch.full((9,), 2.0), torch.Generator())
        (2.0, 2.0, 2.0)
    """
    numbers = values[~values.isnan()].detach().cpu().double()
    if len(numbers) == 0:
        return (float("nan"),) * 3
    step = max(1, _CHUNK // len(numbers))
    means = []
    for start in range(0, repeats, step):
        shape = (min(step, repeats - start), len(numbers))
        means.append(numbers[torch.randint(len(numbers), shape, generator=generator)].mean(dim=1))
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.cat(means).quantile(ends)
    return float(numbers.mean()), float(low), float(high)

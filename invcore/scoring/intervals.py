"""Means over targets with their bootstrap intervals, and medians."""

from collections.abc import Sequence

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
    return bootstraps([values], generator, repeats=repeats, level=level)[0]


def bootstraps(
    rows: Sequence[Tensor], generator: torch.Generator, *, repeats: int = 1000, level: float = 0.95
) -> list[tuple[float, float, float]]:
    """``bootstrap`` of several quantities of the same targets, by the same resamples.

    Resamples are drawn once for all quantities of as many numbers, which is most of the work. Each
    result is that of ``bootstrap`` with the generator as it is given.

    Args:
        rows: each (B,); NaN is left out.
        generator: on the CPU; decides the resamples.
        repeats: resamples.
        level: of the intervals.

    Returns:
        Mean, lower and upper end of each.

    Example:
        >>> bootstraps([torch.zeros(9), torch.ones(9)], torch.Generator())
        [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]
    """
    numbers = [row[~row.isnan()].detach().cpu().double() for row in rows]
    begin, found = generator.get_state(), [(float("nan"),) * 3] * len(rows)
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    for count in sorted({len(row) for row in numbers} - {0}):
        places = [place for place, row in enumerate(numbers) if len(row) == count]
        generator.set_state(begin)
        step, means = max(1, _CHUNK // count), dict[int, list[Tensor]]()
        for start in range(0, repeats, step):
            shape = (min(step, repeats - start), count)
            drawn = torch.randint(count, shape, generator=generator)
            for place in places:
                means.setdefault(place, []).append(numbers[place][drawn].mean(dim=1))
        for place in places:
            low, high = torch.cat(means[place]).quantile(ends)
            found[place] = float(numbers[place].mean()), float(low), float(high)
    return found

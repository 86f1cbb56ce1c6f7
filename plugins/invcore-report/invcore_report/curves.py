"""Expected best errors as functions of the number of candidates, of seconds and of calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from invcore.plugin import generator
from invcore.results import expected_best

LARGEST = 1000  # candidates that a curve goes up to
_PLACES = 40
_REPEATS = 1000
_LEVEL = 0.95
_CHUNK = 1 << 20  # numbers held at once by a bootstrap


@dataclass(frozen=True)
class Interval:
    """A mean over targets and its 95% bootstrap interval; NaN where nothing is known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Expected best errors at some numbers of candidates.

    Args:
        counts: the T.
        mean: (n,), over the targets of all seeds.
        low: (n,), lower ends of the 95% intervals.
        high: (n,), upper ends.
        resamples: (n, repeats), the means of the bootstrap.
    """

    counts: tuple[int, ...]
    mean: Tensor
    low: Tensor
    high: Tensor
    resamples: Tensor

    def at(self, count: int) -> Interval | None:
        """The point at T = count; None where the curve has none."""
        if count not in self.counts:
            return None
        i = self.counts.index(count)
        return Interval(float(self.mean[i]), float(self.low[i]), float(self.high[i]))


def places(candidates: int, also: Sequence[int] = ()) -> tuple[int, ...]:
    """About 40 numbers of candidates, evenly in their logarithm; 1, 50 and the largest among them.

    Args:
        candidates: K.
        also: further ones, if there are as many candidates.

    Example:
        >>> places(12, also=[11, 70])
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    """
    most = min(candidates, LARGEST)
    spread = torch.logspace(0, torch.tensor(float(most)).log10().item(), _PLACES).round().int()
    counts = {1, 50, most, *spread.tolist(), *also}
    return tuple(sorted(count for count in counts if 1 <= count <= candidates))


def by_target(
    errors: Tensor, counts: Sequence[int], *, ranked: bool, order: Tensor | None = None
) -> Tensor:
    """Expected best errors of one run, for each target.

    Args:
        errors: (B, K).
        counts: the T.
        ranked: whether the candidates' own order counts.
        order: (B, K), another order that counts instead of it, best first.

    Returns:
        (len(counts), B).
    """
    if order is None:
        return expected_best(errors, counts, ranked=ranked)
    return expected_best(errors.gather(1, order.long()), counts, ranked=True)


def pooled(counts: Sequence[int], values: Tensor, seeds: Sequence[int] = ()) -> Curve:
    """The mean over targets, with intervals.

    Of several seeds, seeds are resampled, and then the targets of each: a model that was fitted
    once may be lucky on all of its targets. All curves over as many targets and seeds are resampled
    alike, so that where the targets are the same, two curves' resamples are paired.

    References:
        Davison, Hinkley, Bootstrap methods and their application, 1997, section 3.8.

    Args:
        counts: the T.
        values: (n, B), one number a target, of all seeds; NaN is left out.
        seeds: how many of the targets belong to each seed; all to one by default.
    """
    resamples = _resample(values, tuple(seeds) or (values.shape[1],))
    ends = torch.tensor([(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], dtype=torch.float64)
    low, high = resamples.nanquantile(ends, dim=1)
    return Curve(tuple(counts), values.double().nanmean(dim=1), low, high, resamples)


def mean_interval(values: Tensor, seeds: Sequence[int] = ()) -> Interval:
    """The mean of one number a target (B,), with its interval; see ``pooled``."""
    one = pooled([1], values[None], seeds).at(1)
    assert one is not None
    return one


def median_interval(values: Tensor) -> Interval:
    """The median of one number a target (B,), with its 95% interval from order statistics.

    How many of B values lie below the median is binomial; no resampling is needed.

    Example:
        >>> median_interval(torch.arange(101.0))
        Interval(value=50.0, low=40.0, high=60.0)
    """
    numbers = values[~values.isnan()].double().sort().values
    if len(numbers) == 0:
        return Interval(*(float("nan"),) * 3)
    reach = 0.98 * len(numbers) ** 0.5
    low = max(0, round((len(numbers) - 1) / 2 - reach))
    high = min(len(numbers) - 1, round((len(numbers) - 1) / 2 + reach))
    middle = 0.5 * (numbers[(len(numbers) - 1) // 2] + numbers[len(numbers) // 2])
    return Interval(float(middle), float(numbers[low]), float(numbers[high]))


def _resample(values: Tensor, seeds: tuple[int, ...]) -> Tensor:
    """Means over seeds and targets drawn with replacement: (n, repeats)."""
    number = values.shape[1]
    mask = ~values.isnan()
    filled = torch.where(mask, values, 0.0).double().T
    weight = mask.double().T
    step = max(1, _CHUNK // max(1, number))
    parts = []
    for start in range(0, _REPEATS, step):
        times = _times(seeds)[start : start + step].double()
        # What is infinite stays so in those resamples alone that have it
        endless = (times @ filled.isinf().double()) > 0
        sums = times @ torch.where(filled.isinf(), 0.0, filled)
        parts.append(torch.where(endless, torch.inf, sums / (times @ weight)))
    return torch.cat(parts).T


@lru_cache(maxsize=1)
def _times(seeds: tuple[int, ...]) -> Tensor:
    """How often each target is drawn (repeats, B): by seed, then among the seed's targets.

    It is the same for all curves over as many targets and seeds, so it is drawn once for them.
    """
    random = generator(0, "report", sum(seeds), *(seeds if len(seeds) > 1 else ()))
    times = torch.zeros(_REPEATS, sum(seeds), dtype=torch.int16)
    counts = torch.tensor(seeds)
    starts = counts.cumsum(0) - counts
    columns = torch.arange(int(counts.max()) if len(seeds) else 0)
    for _ in seeds:
        chosen = torch.randint(len(seeds), (_REPEATS,), generator=random)
        size = counts[chosen][:, None]
        share = torch.rand(_REPEATS, len(columns), generator=random, dtype=torch.float64)
        drawn = starts[chosen][:, None] + (share * size).long()
        times.scatter_add_(1, drawn.clamp(max=sum(seeds) - 1), (columns < size).to(torch.int16))
    return times


def seconds(
    counts: Sequence[int], *, propose: float, candidates: int, ranked: bool, call: float
) -> list[float]:
    """Seconds until T candidates of one target are proposed and simulated.

    With calls in place of seconds, and ``call`` = 1, it counts simulator calls.

    Exchangeable candidates are proposed one by one; of ranked ones, all must be there before the
    first is known. Training is not counted: it is done once for all targets.

    Args:
        counts: the T.
        propose: seconds that all candidates of one target took.
        candidates: K.
        ranked: whether the order counts.
        call: seconds of a simulator call.

    Example:
        >>> seconds([1, 4], propose=8.0, candidates=4, ranked=False, call=0.5)
        [2.5, 10.0]
        >>> seconds([1, 4], propose=8.0, candidates=4, ranked=True, call=0.5)
        [8.5, 10.0]
    """
    return [(propose if ranked else propose * T / candidates) + T * call for T in counts]

"""What choosing the best does to errors: the ranking replayed on rows that were held out.

A design that is ranked first is one whose prediction looks good, so its error is larger than that
of a row at random. The quantile that is stated is therefore taken over the rows that a replayed
ranking picks, weighted by how often it does.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_TARGETS = 400  # replayed rankings
_RANKS = 3  # how many of each count
_SHOWN = 0.7  # share of the rows that a ranking chooses among
_EDGE = 0.02  # quantile of the responses beyond which no target is drawn
_JITTER = 0.05  # standard deviations around a row's response


def pick_weights(
    mean: Numbers, spread: Numbers, y: Numbers, scale: Numbers, rng: np.random.Generator
) -> Numbers:
    """How often each held-out row is picked for targets like the table's responses (N,), in sum
    one.

    Args:
        mean: (N, Dy), predictions of held-out rows.
        spread: (N, Dy), their standard deviations.
        y: (N, Dy), measured; no NaN.
        scale: (Dy,), in which violations count.
        rng: of targets and of what is on offer.
    """
    low, high = np.quantile(y, [_EDGE, 1 - _EDGE], axis=0)
    drawn = np.clip(y[rng.integers(len(y), size=_TARGETS)], low, high)
    drawn = drawn + _JITTER * y.std(axis=0) * rng.standard_normal(drawn.shape)
    own = np.square(spread / scale).sum(axis=1)
    counts = np.zeros(len(y))
    ranks = min(_RANKS, len(y))
    for target in drawn:
        cost = np.square((mean - target) / scale).sum(axis=1) + own
        cost[rng.random(len(y)) > _SHOWN] = np.inf
        counts[np.argpartition(cost, ranks - 1)[:ranks]] += 1
    return counts / counts.sum()


def weighted_quantile(values: Numbers, weights: Numbers, level: float) -> float:
    """The value that covers the share ``level`` of the weight, one more row counted as uncovered.

    Args:
        values: (N,).
        weights: (N,), in sum one.
        level: at most ``supported_level(weights)``.
    """
    effective = 1 / np.square(weights).sum()
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    wanted = min(1.0, level * (1 + 1 / effective)) - 1e-12
    return float(values[order][min(int(np.searchsorted(share, wanted)), len(values) - 1)])


def supported_level(weights: Numbers) -> float:
    """The highest level that so many rows can vouch for.

    Example:
        >>> supported_level(np.full(19, 1 / 19))
        0.95
    """
    effective = 1 / float(np.square(weights).sum())
    return math.floor(1e6 * effective / (1 + effective) + 0.5) / 1e6

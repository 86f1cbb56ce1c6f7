"""Latin hypercubes by repulsion: all points push each other away, then return to the strata."""

import math

import torch
from torch import Tensor

#: Entries of the distance block held at once: small enough to stay in a core's cache.
_BLOCK = 1 << 17
#: Step lengths, in mean spacings, and exponents of the repulsion, at the first and the last step.
_STEP = (0.4, 0.02)
_EXPONENT = (2.0, 80.0)
#: Random part of a step, relative to its length: symmetric tiny designs need one to leave a saddle.
_JITTER = 0.05
#: Share of a point's position that is drawn back to its stratum after a step.
_PULL = 0.1


def repelled_ranks(count: int, dim: int, generator: torch.Generator, *, steps: int) -> Tensor:
    """Ranks of a Latin hypercube whose points have pushed each other apart.

    Each step moves every point along the gradient of the Morris-Mitchell criterion
    `phi_q = sum 1/d^(2q)`, then replaces the coordinates by the midpoints of their ranks, which
    restores the Latin property. `q` grows from broad repulsion to little but the nearest pairs.
    The best design met on the way is returned. The distances are made in blocks: memory is
    O(count * dim), time O(steps * count^2 * dim).

    References:
        M. D. Morris, T. J. Mitchell, Exploratory designs for computational experiments, J. Stat.
        Planning and Inference 43 (1995). https://doi.org/10.1016/0378-3758(94)00035-T

    Args:
        count: number of points n, at least 2.
        dim: number of dimensions L.
        generator: a CPU generator; the only source of randomness.
        steps: number of moves of the whole design.

    Returns:
        (n, L) int64; every column is a permutation of 0..n-1.

    Example:
        >>> ranks = repelled_ranks(4, 2, torch.Generator().manual_seed(0), steps=20)
        >>> ranks.sort(dim=0).values[:, 1].tolist()
        [0, 1, 2, 3]
    """
    ranks = _ranks(torch.rand(count, dim, generator=generator))
    points = loose = _centred(ranks)
    spacing = math.sqrt(dim) * count ** (-1 / dim)
    reference = spacing**2  # the smallest squared distance, as known from the step before
    best, best_ranks = -1.0, ranks
    for step in range(steps + 1):
        progress = step / max(steps, 1)
        exponent = _EXPONENT[0] * (_EXPONENT[1] / _EXPONENT[0]) ** progress
        length = _STEP[0] * (_STEP[1] / _STEP[0]) ** progress * spacing
        push, smallest = _push(points, exponent, reference)
        if smallest > best:
            best, best_ranks = smallest, ranks
        reference = max(smallest, 1e-9)
        push /= push.norm(dim=1).max().clamp_min(1e-30)
        push += _JITTER / math.sqrt(dim) * torch.randn(count, dim, generator=generator)
        loose = (1 - _PULL) * loose + _PULL * points + length * push
        ranks = _ranks(loose)
        points = _centred(ranks)
    return best_ranks


def _push(points: Tensor, exponent: float, reference: float) -> tuple[Tensor, float]:
    """Direction of -grad phi for every point, (n, L), and the smallest squared distance."""
    count = len(points)
    squares = points.square().sum(1)
    push, smallest = torch.empty_like(points), math.inf
    # Weights under e^-60 are cut there: they change nothing, and denormals are slow on a CPU.
    ceiling = reference * math.exp(60 / (exponent + 1))
    rows = max(1, _BLOCK // count)
    for start in range(0, count, rows):
        block = points[start : start + rows]
        weights = torch.addmm(squares, block, points.T, alpha=-2)  # (rows, n) squared distances
        weights += squares[start : start + rows, None]
        weights.diagonal(start).fill_(math.inf)
        smallest = min(smallest, float(weights.min()))
        # The floor keeps a pair that has just come close from overflowing float32.
        weights.clamp_(0.5 * reference, ceiling).div_(reference)
        weights.log_().mul_(-(exponent + 1)).exp_()
        push[start : start + rows] = weights.sum(1, keepdim=True) * block - weights @ points
    return push, smallest


def _ranks(values: Tensor) -> Tensor:
    """Rank of every entry in its column; ties, which rounding can make, by row."""
    return values.argsort(dim=0, stable=True).argsort(dim=0)


def _centred(ranks: Tensor) -> Tensor:
    """Stratum midpoints about zero, where float32 distances are most exact."""
    return (ranks.float() + 0.5) / len(ranks) - 0.5

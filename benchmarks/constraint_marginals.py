"""Samples of constraint sets whose marginal distributions are known: Kolmogorov-Smirnov tests.

    python benchmarks/constraint_marginals.py [SET …] [--seeds 20] [--from 0] [--count 5000]

Prints, for each set, how many tests of single columns (or directions) have p under 0.01, where 1%
would be right, and the least p of all, times their number. Ranges differ a millionfold in every
second seed. Settings of the library were chosen on seeds from 1,000 on.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy import stats

from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import Floats, LinearSystem

Cdf = Callable[[Floats], Floats]
INF = np.inf


@dataclass(frozen=True)
class Known:
    """A set in scaled units, and the distributions of some directions in it.

    Args:
        matrix: (M, n).
        row_low: (M,).
        row_high: (M,).
        directions: (t, n).
        cdfs: t of them.
        low: of all columns.
        high: of all columns.
    """

    matrix: Floats
    row_low: Floats
    row_high: Floats
    directions: Floats
    cdfs: list[Cdf]
    low: float = 0.0
    high: float = 1.0

    def system(self, widths: Floats) -> LinearSystem:
        """In other units."""
        count = len(widths)
        ends = np.full(count, self.low) * widths, np.full(count, self.high) * widths
        return LinearSystem.of(self.matrix / widths, self.row_low, self.row_high, *ends)


def box(n: int, _: np.random.Generator) -> Known:
    """No rows."""
    none = np.zeros(0)
    return Known(np.zeros((0, n)), none, none, np.eye(n), [stats.uniform.cdf] * n)


def simplex(n: int, _: np.random.Generator) -> Known:
    """Parts of a whole."""
    one = np.ones(1)
    return Known(np.ones((1, n)), one, one, np.eye(n), [stats.beta(1, n - 1).cdf] * n)


def order(n: int, _: np.random.Generator) -> Known:
    """Values in order."""
    rows = np.eye(n)[:-1] - np.eye(n)[1:]
    cdfs = [stats.beta(i + 1, n - i).cdf for i in range(n)]
    return Known(rows, np.full(n - 1, -INF), np.zeros(n - 1), np.eye(n), cdfs)


def cross(n: int, _: np.random.Generator) -> Known:
    """A sum of absolute values of at most 1."""
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=n)))
    count = len(signs)

    def cdf(x: Floats) -> Floats:
        tail = 0.5 * (1 - np.abs(x)) ** n
        return np.where(x < 0, tail, 1 - tail)

    limits = np.full(count, -INF), np.ones(count)
    return Known(signs, *limits, np.eye(n), [cdf] * n, low=-1.0)


def skewed(n: int, g: np.random.Generator) -> Known:
    """A cube in other coordinates, far inside the bounds."""
    rows = g.standard_normal((n, n))
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    low, high = np.full(n, -0.1), np.full(n, 0.1)
    cdfs = [stats.uniform(-0.1, 0.2).cdf] * n
    return Known(rows, low, high, rows, cdfs, low=-500.0, high=500.0)


def _volume(count: int, power: int, sums: Floats) -> Floats:
    """The volume of the part of a cube where a sum is at most so much; or its integrals."""
    total = np.zeros_like(sums)
    for k in range(count + 1):
        total += (-1) ** k * math.comb(count, k) * np.maximum(sums - k, 0.0) ** power
    return total / math.factorial(power)


def _of_sum(count: int, power: int, level: float, x: Floats) -> Floats:
    x = np.clip(x, 0.0, 1.0)
    parts = [_volume(count - 1, power, np.asarray(level - v, dtype=float)) for v in (0.0, x, 1.0)]
    return (parts[0] - parts[1]) / (parts[0] - parts[2])


def cut(n: int, _: np.random.Generator, thick: float = INF) -> Known:
    """A cube, cut by a sum: below a level, between two that are close, or at one."""
    level = 0.4 * n
    cdf = partial(_of_sum, n, n if thick == INF else n - 1, level)
    low, high = np.array([level - thick]), np.array([level])
    return Known(np.ones((1, n)), low, high, np.eye(n), [cdf] * n)


SETS: dict[str, Callable[[np.random.Generator], Known]] = {
    "box 6": partial(box, 6),
    "simplex 3": partial(simplex, 3),
    "simplex 20": partial(simplex, 20),
    "order 5": partial(order, 5),
    "order 30": partial(order, 30),
    "cross 3": partial(cross, 3),
    "cross 6": partial(cross, 6),
    "skewed 3": partial(skewed, 3),
    "skewed 10": partial(skewed, 10),
    "skewed 20": partial(skewed, 20),
    "cut 4": partial(cut, 4),
    "cut 12": partial(cut, 12),
    "slab 4": partial(cut, 4, thick=1e-6),
    "slab 12": partial(cut, 12, thick=1e-6),
    "level 4": partial(cut, 4, thick=0.0),
    "level 12": partial(cut, 12, thick=0.0),
}


def tested(name: str, seeds: range, count: int) -> list[float]:
    """The p of all tests of a set."""
    results: list[float] = []
    for seed in seeds:
        generator = np.random.default_rng([22, seed])
        known = SETS[name](generator)
        spread = 3.0 if seed % 2 else 0.0
        widths = np.power(10.0, generator.uniform(-spread, spread, known.matrix.shape[1]))
        samples = MixedSet(known.system(widths)).sample(count, generator)
        values = samples.points / widths @ known.directions.T
        for column, cdf in zip(values.T, known.cdfs, strict=True):
            results.append(float(stats.kstest(column, cdf).pvalue))
    return results


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("sets", nargs="*", default=list(SETS), help='such as "cross 6"')
    options = parser.parse_args()
    for name in options.sets:
        start = time.process_time()
        p = tested(name, range(options.first, options.first + options.seeds), options.count)
        seconds = (time.process_time() - start) / options.seeds
        share = sum(value < 0.01 for value in p) / len(p)
        least = min(1.0, min(p) * len(p))
        print(f"{name:12} {len(p):5} tests  {share:6.1%}  {least:.3f}  {seconds:.2f} s a sample")


if __name__ == "__main__":
    main()

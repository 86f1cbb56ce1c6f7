"""Uniform points by hit-and-run walks, many in parallel, in coordinates where the set is round."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from invcore.spaces.constraints.linear_sets.sampling.redundancy import irredundant, met
from invcore.spaces.constraints.linear_sets.system import Floats

_ROUNDINGS = 8
_ROUND = 3.0  # the largest ratio of variances that counts as round
FEW = 20  # points for which the rounding by variances would cost more than it gains
_REFRESH = 64  # steps after which slacks are computed anew
_CHAINS = 4096  # at once
_BASES = 32  # that are drawn at once


class Walk:
    """Hit-and-run on the points z with normals z <= offsets, a bounded set that holds 0 inside.

    Walks go along one direction after another of a random orthonormal basis, to a uniform point of
    the chord. All walks take the same directions, so that a step is a few operations on arrays;
    given the directions, they are independent. Coordinates are those of the ellipsoid of the
    barrier's Hessian at the analytic centre; then a population of walks is made round by its own
    covariance, again and again, and kept. Each sample starts at a member of it and walks on.

    References:
        Smith, Efficient Monte Carlo procedures for generating points uniformly distributed over
        bounded regions, Operations Research 32, 1984. Kannan and Narayanan, Random walks on
        polytopes and an affine interior point method for linear programming, Mathematics of
        Operations Research 37, 2012.

    Args:
        normals: (m, k), of unit norm.
        offsets: (m,), positive.
    """

    def __init__(self, normals: Floats, offsets: Floats) -> None:
        self.normals, self.offsets = normals, np.maximum(offsets, 1e-15)
        self.dimension = normals.shape[1]

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """(count, k), which depend on the generator alone, not on earlier calls."""
        if count <= FEW:
            round_, start = self.ellipsoid, np.zeros((count, self.dimension))
            sweeps = sweeps_of_few(self.dimension)
        else:
            round_, population = self._rounded
            places = generator.permutation(len(population))
            start = population[places[np.arange(count) % len(places)]]
            sweeps = 10 + self.dimension // 2
        parts = [
            round_.walked(start[i : i + _CHAINS], sweeps, generator)
            for i in range(0, count, _CHAINS)
        ]
        points = np.concatenate(parts) if parts else start
        return self.centre + points @ round_.transform.T

    @cached_property
    def centre(self) -> Floats:
        """The analytic centre (k,), by Newton's method."""
        z = np.zeros(self.dimension)
        for _ in range(100):
            barrier = self.normals / (self.offsets - self.normals @ z)[:, None]
            step = _newton(barrier)
            speed = barrier @ step
            z = z + min(1.0, 0.9 / max(float(speed.max()), 1e-300)) * step
            if speed @ speed < 1e-6:
                break
        return z

    @cached_property
    def ellipsoid(self) -> Coordinates:
        """Those in which the barrier's Hessian is the identity."""
        slack = self.offsets - self.normals @ self.centre
        factor = np.linalg.qr(self.normals / slack[:, None], mode="r")
        return Coordinates(self.normals, slack, np.linalg.inv(factor))

    @cached_property
    def _rounded(self) -> tuple[Coordinates, Floats]:
        """Those in which the set is round, and points of the set."""
        generator, k = np.random.default_rng(0), self.dimension
        needed = irredundant(self.normals, self.offsets, met(self.normals, self.offsets))
        slack = (self.offsets - self.normals @ self.centre)[needed]
        round_ = Coordinates(self.normals[needed], slack, self.ellipsoid.transform)
        population = np.zeros((max(256, 6 * k), k))
        for _ in range(_ROUNDINGS):
            population = round_.walked(population, 4 + k // 4, generator)
            covariance = np.cov(population.T).reshape(k, k)
            variances = np.linalg.eigvalsh(covariance)
            factor = np.linalg.cholesky(covariance)
            round_ = replace(round_, transform=round_.transform @ factor)
            population = np.linalg.solve(factor, population.T).T
            if variances[-1] < _ROUND * variances[0]:
                break
        return round_, round_.walked(population, 8 + (3 * k) // 2, generator)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Coordinates y of points z = centre + transform y.

    Args:
        normals: (m, k), of rows for z.
        slack: (m,), of the centre.
        transform: (k, k).
    """

    normals: Floats
    slack: Floats
    transform: Floats

    def walked(self, start: Floats, sweeps: int, generator: np.random.Generator) -> Floats:
        """Where walks from points y (n, k) are after sweeps through k directions each."""
        count, k = start.shape
        normals = self.normals @ self.transform
        norm = np.linalg.norm(normals, axis=1)
        normals = normals / norm[:, None]
        limits = (self.slack / norm)[:, None]
        least, points, since = 1e-14, start.copy(), _REFRESH
        slack, ratio = np.empty((2, len(norm), count))
        moves = np.empty((k, count))
        for sweep in range(sweeps):
            if sweep % _BASES == 0:
                left = min(_BASES, sweeps - sweep)
                bases = np.linalg.qr(generator.standard_normal((left, k, k)))[0]
            basis = bases[sweep % _BASES]
            speeds, shares = normals @ basis, generator.random((k, count))
            if since >= _REFRESH:  # rounding errors add up
                slack, since = np.maximum(limits - normals @ points.T, least), 0
            for i in range(k):
                speed = speeds[:, i, None]
                np.divide(speed, slack, out=ratio)
                ahead = 1.0 / np.maximum.reduce(ratio, axis=0)
                behind = 1.0 / np.minimum.reduce(ratio, axis=0)
                move = behind + (ahead - behind) * shares[i]
                moves[i] = move
                slack -= np.multiply(speed, move, out=ratio)
                np.maximum(slack, least, out=slack)
            points += (basis @ moves).T
            since += k
        return points


def sweeps_of_few(dimension: int) -> int:
    """How long walks from the centre are."""
    return 10 + dimension


def _newton(barrier: Floats) -> Floats:
    """The step s for which barrier @ s is nearest to -1 in all rows."""
    hessian, gradient = barrier.T @ barrier, barrier.sum(axis=0)
    try:
        step = -np.linalg.solve(hessian, gradient)
    except np.linalg.LinAlgError:
        step = np.full(len(gradient), np.nan)
    wrong = np.abs(hessian @ step + gradient).max() > 1e-6 * np.abs(gradient).max()
    if wrong or not np.isfinite(step).all() or gradient @ step > 0:
        step = np.linalg.lstsq(barrier, -np.ones(len(barrier)), rcond=None)[0]
    return step

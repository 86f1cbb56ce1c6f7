"""A Gaussian process that all responses share, by the parameters that make its rows most likely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize

from invcore_closed_loop.arrays import Array, Places

Kernel = Literal["rbf", "matern"]
KERNELS: tuple[Kernel, ...] = ("rbf", "matern")

JITTER = 1e-10
_NUMBERS = 1 << 22  # of correlations that are held at once
_PRIOR_WIDTH = 1.0  # of the lengths' logarithms


@dataclass(frozen=True)
class Limits:
    """Between what lengths and the noise's share are searched, and with which kernels."""

    shortest: float = 0.03
    longest: float = 30.0
    least_noise: float = 1e-9
    most_noise: float = 1e-3
    kernels: tuple[Kernel, ...] = KERNELS


def usual_length(lengths: int) -> float:
    """The logarithm of the lengths that are expected where there are so many."""
    return float(np.log(0.5) + 0.5 * np.log(lengths))


class Process:
    """A Gaussian process of K components over F features: one kernel, a variance for each.

    Args:
        kernel: ``rbf`` or ``matern`` (with smoothness 5/2).
        x: (N, F) features.
        z: (N, K), components with mean zero.
        parameters: (G + 1,), logarithms of the lengths and of the noise's share of the variance.
        groups: (F,), the length of each feature; by default each has its own.

    References:
        Rasmussen, Williams, Gaussian processes for machine learning, MIT Press 2006, chapters 2, 5.

    Example:
        >>> x = np.linspace(0, 1, 9)[:, None]
        >>> parameters = np.array([-1.0, np.log(1e-9)])
        >>> process = Process("rbf", x, np.sin(3 * x), parameters)
        >>> bool(abs(process.mean(np.array([[0.55]]))[0, 0] - np.sin(1.65)) < 1e-4)
        True
    """

    def __init__(
        self, kernel: Kernel, x: Array, z: Array, parameters: Array, groups: Places | None = None
    ) -> None:
        self.kernel, self.x, self.z, self.parameters = kernel, x, z, parameters
        length = np.exp(parameters[:-1])
        self._length = length if groups is None else length[groups]
        self._scaled = x / self._length
        correlation = _correlations(kernel, _squares(self._scaled, self._scaled))[0]
        raised = JITTER
        while True:
            covariance = correlation.copy()
            covariance.flat[:: len(x) + 1] += np.exp(parameters[-1]) + raised
            self._factor, failed = dpotrf(covariance, lower=1, overwrite_a=1)
            if not failed:
                break
            raised *= 10
        self._weights = dpotrs(self._factor, z, lower=1)[0]
        self.variance: Array = np.maximum((z * self._weights).sum(0) / len(x), 1e-300)
        """Of each component (K,)."""
        self._moments = np.concatenate(
            [self._weights, *(x[:, j : j + 1] * self._weights for j in range(x.shape[1]))], axis=1
        )

    def _parts(self, count: int) -> list[slice]:
        step = max(1, _NUMBERS // max(1, len(self.x)))
        return [slice(first, first + step) for first in range(0, max(1, count), step)]

    def mean(self, x: Array) -> Array:
        """Means (M, K) at features (M, F)."""
        scaled = x / self._length
        parts = [
            _correlations(self.kernel, _squares(scaled[rows], self._scaled))[0] @ self._weights
            for rows in self._parts(len(x))
        ]
        return np.concatenate(parts)

    def mean_and_slopes(self, x: Array) -> tuple[Array, Array]:
        """Means (M, K) and their slopes by the features (M, K, F)."""
        scaled, count = x / self._length, self._weights.shape[1]
        means, slopes = [], []
        for rows in self._parts(len(x)):
            square = _squares(scaled[rows], self._scaled)
            correlation, slope = _correlations(self.kernel, square)
            means.append(correlation @ self._weights)
            moved = slope @ self._moments
            sums = moved[:, :count]
            own = [
                (moved[:, (j + 1) * count : (j + 2) * count] - x[rows, j : j + 1] * sums)
                / self._length[j] ** 2
                for j in range(x.shape[1])
            ]
            slopes.append(np.stack(own, axis=2))
        return np.concatenate(means), np.concatenate(slopes)

    def doubt(self, x: Array) -> Array:
        """The share of each component's variance that is left at features (M, F): (M,)."""
        scaled, parts = x / self._length, []
        for rows in self._parts(len(x)):
            cross = _correlations(self.kernel, _squares(scaled[rows], self._scaled))[0]
            half = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
            parts.append(1.0 - np.square(half).sum(axis=0))
        return np.maximum(np.concatenate(parts), 1e-14)

    def left_out(self) -> tuple[Array, Array]:
        """Errors (N, K) of each row by all others, and the share of variance expected (N,).

        References:
            Rasmussen, Williams, 2006, section 5.4.2.
        """
        inverse = dpotri(self._factor, lower=1)[0]
        own = inverse.diagonal()
        return self._weights / own[:, None], 1.0 / own


def tuned(
    kernel: Kernel, x: Array, z: Array, starts: list[Array], limits: Limits, *, steps: int = 30,
    centre: Array | float | None = None, groups: Places | None = None,
) -> tuple[float, Array]:  # fmt: skip
    """The parameters that make rows most likely, and their loss per row and component.

    The variance of the components is one number for all that follows from the rest; the lengths'
    logarithms have a weak normal prior.

    Args:
        kernel: of the process.
        x: (N, F) features.
        z: (N, K) components.
        starts: parameters to begin with.
        limits: of the search.
        steps: most iterations from each start.
        centre: of the prior of the lengths' logarithms; ``usual_length`` by default.
        groups: (F,), the length of each feature; by default each has its own.
    """
    lengths = len(starts[0]) - 1
    low = [np.log(limits.shortest)] * lengths + [np.log(limits.least_noise)]
    high = [np.log(limits.longest)] * lengths + [np.log(limits.most_noise)]
    centre = usual_length(lengths) if centre is None else centre
    loss = _Loss(kernel, x, z, centre, groups)
    ends = [
        minimize(
            loss, np.clip(start, low, high), jac=True, method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)), options={"maxiter": steps},
        )
        for start in starts
    ]  # fmt: skip
    best = min(ends, key=lambda end: float(end.fun))
    return float(best.fun), np.asarray(best.x, dtype=np.float64)


class _Loss:
    """Twice the negative log posterior per row and effective component, with its slope."""

    def __init__(
        self, kernel: Kernel, x: Array, z: Array, centre: Array | float, groups: Places | None
    ) -> None:
        self._kernel, self._x, self._z = kernel, x, z
        self._groups = groups
        sizes = np.square(z).sum(axis=0)
        # As many components as count: small ones say little
        effective = float(sizes.sum() ** 2 / (np.square(sizes).sum() + 1e-300))
        self._weight = 1.0 / (_PRIOR_WIDTH * len(x) * max(1.0, effective))
        self._centre = centre

    def __call__(self, parameters: Array) -> tuple[float, Array]:
        count = len(self._x)
        noise = np.exp(parameters[-1])
        length = np.exp(parameters[:-1])
        scaled = self._x / (length if self._groups is None else length[self._groups])
        correlation, slope = _correlations(self._kernel, _squares(scaled, scaled))
        correlation.flat[:: count + 1] += noise + JITTER
        factor, failed = dpotrf(correlation, lower=1)
        if failed:
            return 1e10, np.zeros_like(parameters)
        weights = dpotrs(factor, self._z, lower=1)[0]
        left = float((self._z * weights).sum()) + 1e-300
        value = np.log(left) + 2 * np.log(factor.diagonal()).sum() / count
        inverse = dpotri(factor, lower=1)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        pull = inverse / count - weights @ weights.T / left
        by_noise = noise * np.trace(pull)
        pull *= slope
        moved = pull @ scaled
        rows = pull.sum(axis=1)
        by_length = 2 * ((rows[:, None] * scaled - moved) * scaled).sum(axis=0)
        if self._groups is not None:
            by_length = np.bincount(self._groups, by_length, len(length))
        away = parameters[:-1] - self._centre
        value += self._weight * float(away @ away)
        return float(value), np.r_[by_length + 2 * self._weight * away, by_noise]


def _squares(a: Array, b: Array) -> Array:
    """Squared distances (M, N) of (M, F) and (N, F)."""
    square = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    result: Array = np.maximum(square, 0.0, out=square)
    return result


def _correlations(kernel: Kernel, square: Array) -> tuple[Array, Array]:
    """Correlations at squared distances, and minus twice their slopes by these."""
    if kernel == "rbf":
        correlation = np.exp(-0.5 * square)
        return correlation, correlation
    distance = np.sqrt(5.0 * square)
    decay = np.exp(-distance)
    slope = (1.0 + distance) * decay
    return slope + square * (5.0 / 3.0) * decay, (5.0 / 3.0) * slope

"""What the true responses of designs may be, and how probable it is that they are as wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from torch import Tensor

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Further = Callable[[Numbers, slice], Numbers]
"""Further responses (…, D') of responses (n, …, Dy) of the designs of a slice."""

MANY = 12
"""Responses from which on the errors of held-out rows count as they are, hardly smoothed."""

_NUMBERS = 1 << 21  # held at once
_WIDEST = 0.9  # most of an error's standard deviation that the kernel may make up
_OF_MANY = 0.1  # likewise, where there are many responses
_STEP = 1e-3  # standard deviations over which the slope of further responses is taken


@dataclass(frozen=True)
class Scenarios:
    """Predictions, and the errors that held-out rows had, each in units of a scale.

    A row's errors of all responses stay together, so that what is said is joint over responses.

    Args:
        mean: (N, Dy), predictions.
        scale: (N, Dy), which errors are multiples of.
        residuals: (R, Dy), errors of held-out rows over their scale; NaN where one is unknown.
        weights: (R,), of these rows, in sum one.
    """

    mean: Numbers
    scale: Numbers
    residuals: Numbers
    weights: Numbers

    @classmethod
    def normal(cls, mean: Numbers, std: Numbers, count: int = 400) -> Scenarios:
        """Independent normal errors, of a judge that says no more than a standard deviation."""
        drawn = np.random.default_rng(0).standard_normal((count, mean.shape[1]))
        drawn = (drawn - drawn.mean(axis=0)) / drawn.std(axis=0)
        return cls(mean, std, drawn, np.full(count, 1 / count))

    def probability(self, low: Numbers, high: Numbers, further: Further | None = None) -> Numbers:
        """The probability (N,) that every response lies in its interval, the ends among it.

        The weighted share of rows whose errors, at the design, would leave all responses within.
        Each row stands for a normal density around its errors, of the width that fits so many
        rows, while mean and variance of the errors stay as they are. Of many responses the one
        that is nearest to an end decides, with a narrow density.

        Args:
            low: (N, D), infinite where nothing limits a response.
            high: (N, D).
            further: responses that follow from the others and the design, if there are any.

        References:
            Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 4.3.
        """
        wanted: Flags = np.asarray((np.isfinite(low) | np.isfinite(high)).any(axis=0))
        if not wanted.any():
            return np.ones(len(self.mean))
        needed = (
            wanted[: self.mean.shape[1]] if further is None else np.ones_like(self.mean[0], bool)
        )
        centre, spread, residuals = self._moments(needed)
        many = int(wanted.sum()) >= MANY
        width = _OF_MANY if many else self._width(int(wanted.sum()))
        size = len(residuals) * low.shape[1]
        step = max(1, _NUMBERS // max(1, size))
        result = np.empty(len(self.mean))
        for start in range(0, len(self.mean), step):
            part = slice(start, min(start + step, len(self.mean)))
            scale = self.scale[part]
            shrunk = centre + np.sqrt(1 - width**2) * (residuals - centre)
            y = self.mean[part, None] + shrunk * scale[:, None]  # (n, R, Dy)
            kernel = width * spread * scale  # (n, Dy)
            if further is not None:
                y, kernel = _with_further(y, kernel, further, part, self.mean[part])
            ends = low[part][:, wanted], high[part][:, wanted]
            inside = _inside(y[..., wanted], kernel[:, wanted], *ends, many)
            result[part] = inside @ self.weights
        return result.clip(0.0, 1.0)

    def _moments(self, needed: Flags) -> tuple[Numbers, Numbers, Numbers]:
        """Weighted mean (Dy,) and deviation (Dy,) of the errors, and these without gaps.

        Errors that are unknown, or not needed, are those of other rows and zero.
        """
        residuals = np.where(needed, self.residuals, 0.0)
        for column in np.flatnonzero(np.isnan(residuals).any(axis=0)):
            known = np.flatnonzero(~np.isnan(residuals[:, column]))
            gaps = np.flatnonzero(np.isnan(residuals[:, column]))
            spare = residuals[known, column] if len(known) else np.zeros(1)
            residuals[gaps, column] = spare[np.arange(len(gaps)) % len(spare)]
        centre = self.weights @ residuals
        spread = np.sqrt(self.weights @ np.square(residuals - centre))
        return centre, spread, residuals

    def _width(self, responses: int) -> float:
        """Of the kernel, in standard deviations of the errors."""
        rows = 1 / float(np.square(self.weights).sum())
        power = 1 / (responses + 4)
        return min(_WIDEST, float((4 / ((responses + 2) * rows)) ** power))


def _inside(y: Numbers, kernel: Numbers, low: Numbers, high: Numbers, many: bool) -> Numbers:
    """For designs and rows (n, R) how much of the density lies within the ends."""
    width = np.maximum(kernel, np.finfo(np.float64).tiny)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        above = _ratio(y - low[:, None], width)
        below = _ratio(high[:, None] - y, width)
    if many:
        return np.asarray(ndtr(np.minimum(above, below).min(axis=2)))
    share = np.maximum(ndtr(above) + ndtr(below) - 1, 0.0)
    return np.asarray(np.where(np.isnan(y), 0.0, share).prod(axis=2))


def _ratio(away: Numbers, width: Numbers) -> Numbers:
    """Distances from an end in kernels' widths; on the end itself it is within."""
    exact = width <= np.finfo(np.float64).tiny
    return np.where(exact, np.where(away >= 0, np.inf, -np.inf), away / width)


def _with_further(
    y: Numbers, kernel: Numbers, further: Further, part: slice, mean: Numbers
) -> tuple[Numbers, Numbers]:
    """Responses (n, R, Dy) and kernels (n, Dy), and those of what follows from them beside."""
    more = further(y, part)
    square = np.zeros((len(mean), more.shape[2]))
    for i in range(mean.shape[1]):
        step = np.zeros_like(mean)
        step[:, i] = _STEP * kernel[:, i]
        ends = further(np.stack([mean - step, mean + step], axis=1), part)
        slope = np.nan_to_num((ends[:, 1] - ends[:, 0]) / (2 * _STEP))
        square += np.square(slope)
    return np.concatenate([y, more], axis=2), np.concatenate([kernel, np.sqrt(square)], axis=1)


@runtime_checkable
class Foresight(Protocol):
    """A judge that says what true responses may be, not only how far they may be off."""

    def scenarios(self, x: Tensor) -> Scenarios:
        """Of designs (N, Dx)."""

"""Responses with heavy tails, squeezed so that a few large values do not hide the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore_closed_loop.arrays import Array

_HEAVY = 6.0  # standard deviations in median absolute deviations, from which tails are heavy
_FEWEST = 8
_LARGEST = 300.0  # logarithm of what a guess may be


@dataclass(frozen=True)
class Warp:
    """sign · log1p about the median, of the responses whose tails are heavy; others stay.

    Args:
        centre: (Dy,), the medians.
        size: (Dy,), where it bends; infinite for responses that stay.

    Example:
        >>> y = np.r_[np.linspace(-1, 1, 20), 1e4][:, None]
        >>> warp = Warp.of(y)
        >>> bool(warp(y).max() < 20), bool(np.isclose(warp.back(warp(y)), y).all())
        (True, True)
    """

    centre: Array
    size: Array

    @classmethod
    def of(cls, y: Array) -> Warp:
        """From responses (N, Dy)."""
        centre = np.median(y, axis=0)
        deviation = np.median(np.abs(y - centre), axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            heavy = (len(y) >= _FEWEST) & (y.std(axis=0) > _HEAVY * deviation) & (deviation > 0)
        return cls(centre, np.where(heavy, 2.0 * deviation, np.inf))

    @classmethod
    def none(cls, responses: int) -> Warp:
        """All responses stay."""
        return cls(np.zeros(responses), np.full(responses, np.inf))

    @property
    def plain(self) -> bool:
        """Whether all responses stay as they are."""
        return bool(np.isinf(self.size).all())

    def __call__(self, y: Array) -> Array:
        """Responses (…, Dy) as the surrogate has them."""
        if self.plain:
            return y
        finite = np.isfinite(self.size)
        size = np.where(finite, self.size, 1.0)
        away = (y - self.centre) / size
        return np.where(finite, np.sign(away) * np.log1p(np.abs(away)) * size + self.centre, y)

    def back(self, y: Array) -> Array:
        """The responses (…, Dy) that the surrogate's stand for."""
        if self.plain:
            return y
        finite = np.isfinite(self.size)
        size = np.where(finite, self.size, 1.0)
        away = (y - self.centre) / size
        return np.where(
            finite,
            np.sign(away) * np.expm1(np.minimum(np.abs(away), _LARGEST)) * size + self.centre,
            y,
        )

    def slope(self, y: Array) -> Array:
        """How much the surrogate's responses change with responses (…, Dy)."""
        if self.plain:
            return np.ones_like(y)
        finite = np.isfinite(self.size)
        size = np.where(finite, self.size, 1.0)
        return np.where(finite, 1.0 / (1.0 + np.abs((y - self.centre) / size)), 1.0)

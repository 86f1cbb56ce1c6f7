"""Features of designs without correlation: the units in which rows lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import Space

Numbers = npt.NDArray[np.float64]

_EXACT = 1e-7  # variance of a direction, in columns' own, below which it is an exact relation
_LEAST = 1e-2  # variance below which a direction counts as if it had this one


@dataclass(frozen=True)
class Whitening:
    """A linear map from features to directions of unit variance.

    Args:
        designs: space of the designs.
        centre: (F,), mean of the features.
        directions: (F, W).
    """

    designs: Space
    centre: Numbers
    directions: Numbers

    @classmethod
    def of(cls, designs: Space, x: Numbers) -> Whitening:
        """From the rows (N, Dx).

        Directions along which rows lie on an exact relation are left out; those of little
        variance are not blown up beyond ten times their size.
        """
        features = _features(designs, x)
        centre, scale = _spread(features)
        z = (features - centre) / scale
        sizes, vectors = np.linalg.eigh(z.T @ z / len(z))
        kept = sizes >= _EXACT
        spread = np.sqrt(np.maximum(sizes[kept], _LEAST))
        return cls(designs, centre, vectors[:, kept] / spread / scale[:, None])

    def __call__(self, x: Numbers) -> Numbers:
        """Designs (N, Dx) in whitened units (N, W)."""
        return (_features(self.designs, x) - self.centre) @ self.directions


def in_columns(designs: Space, x: Numbers, rows: Numbers) -> Numbers:
    """Features (N, F) of designs (N, Dx) in their standard deviations among rows (M, Dx).

    A feature of one value among the rows counts for nothing.
    """
    centre, scale = _spread(_features(designs, rows))
    result: Numbers = (_features(designs, x) - centre) / scale
    return result


def _spread(features: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of features; infinite where they have one value."""
    centre, scale = features.mean(axis=0), features.std(axis=0)
    return centre, np.where(scale > 1e-12 * np.abs(centre), scale, np.inf)


def _features(designs: Space, x: Numbers) -> Numbers:
    return designs.encode(torch.from_numpy(np.ascontiguousarray(x))).numpy()

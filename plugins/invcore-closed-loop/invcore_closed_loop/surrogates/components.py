"""Responses as a few numbers: their principal components, where there are more than three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore_closed_loop.arrays import Array

_FEW = 3
_LEFT = 1e-11  # of the variance, in components that are left out


@dataclass(frozen=True)
class Components:
    """A basis of the responses' variation, orthonormal in their units.

    Args:
        centre: (Dy,), the mean.
        basis: (Dy, K), responses of the components.
        unit: (Dy,), in which responses count alike; None: they are of one kind.

    Example:
        >>> y = np.outer(np.arange(4.0), np.ones(5))
        >>> components = Components.of(y)
        >>> components.basis.shape, bool(np.allclose(components.responses(components(y)), y))
        ((5, 1), True)
    """

    centre: Array
    basis: Array
    unit: Array | None = None

    @classmethod
    def of(cls, y: Array, unit: Array | None = None) -> Components:
        """From responses (N, Dy)."""
        centre, width = y.mean(axis=0), y.shape[1]
        size = np.ones(width) if unit is None else unit
        if width <= _FEW:
            return cls(centre, np.diag(size), unit)
        values, vectors = np.linalg.svd((y - centre) / size, full_matrices=False)[1:]
        sizes = np.square(values)
        count = max(1, int((sizes > _LEFT * sizes.sum()).sum()))
        return cls(centre, size[:, None] * vectors[:count].T, unit)

    def __call__(self, y: Array) -> Array:
        """Components (…, K) of responses (…, Dy)."""
        basis = self.basis
        if self.unit is not None:
            basis = basis / np.square(self.unit)[:, None]
        parts: Array = (y - self.centre) @ basis
        return parts

    def responses(self, z: Array) -> Array:
        """Responses (…, Dy) of components (…, K)."""
        y: Array = self.centre + z @ self.basis.T
        return y

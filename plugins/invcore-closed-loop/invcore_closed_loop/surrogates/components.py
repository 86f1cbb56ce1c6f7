"""Responses as a few numbers: their principal components, where there are more than three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore_closed_loop.arrays import Array

_FEW = 3
_LEFT = 1e-11  # of the variance, in components that are left out


@dataclass(frozen=True)
class Components:
    """An orthonormal basis of the responses' variation.

    Args:
        centre: (Dy,), the mean.
        basis: (Dy, K).

    Example:
        >>> y = np.outer(np.arange(4.0), np.ones(5))
        >>> components = Components.of(y)
        >>> components.basis.shape, bool(np.allclose(components.responses(components(y)), y))
        ((5, 1), True)
    """

    centre: Array
    basis: Array

    @classmethod
    def of(cls, y: Array) -> Components:
        """From responses (N, Dy)."""
        centre, width = y.mean(axis=0), y.shape[1]
        if width <= _FEW:
            return cls(centre, np.eye(width))
        values, vectors = np.linalg.svd(y - centre, full_matrices=False)[1:]
        sizes = np.square(values)
        count = max(1, int((sizes > _LEFT * sizes.sum()).sum()))
        return cls(centre, vectors[:count].T)

    def __call__(self, y: Array) -> Array:
        """Components (…, K) of responses (…, Dy)."""
        parts: Array = (y - self.centre) @ self.basis
        return parts

    def responses(self, z: Array) -> Array:
        """Responses (…, Dy) of components (…, K)."""
        y: Array = self.centre + z @ self.basis.T
        return y

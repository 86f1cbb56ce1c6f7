"""Uniform points of a simplex, exactly."""

from __future__ import annotations

import numpy as np

from invcore.spaces.constraints.linear_sets.system import Floats

_OUTSIDE = 1e-12


class Simplex:
    """The points between k + 1 corners: sums with lower bounds, ordered values, and their like.

    Args:
        corners: (k + 1, k).

    Example:
        >>> simplex = Simplex(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
        >>> points = simplex.sample(1000, np.random.default_rng(0))
        >>> bool((points[:, 0] >= points[:, 1]).all())
        True
    """

    def __init__(self, corners: Floats) -> None:
        self.corners = corners

    @classmethod
    def of(cls, normals: Floats, offsets: Floats) -> Simplex | None:
        """The set of points z with normals z <= offsets, if it is a simplex.

        Args:
            normals: (m, k), of unit norm.
            offsets: (m,).
        """
        count, dimension = normals.shape
        if count != dimension + 1:
            return None
        others = np.array([np.delete(np.arange(count), i) for i in range(count)])
        try:
            corners = np.linalg.solve(normals[others], offsets[others][..., None])[..., 0]
        except np.linalg.LinAlgError:
            return None
        excess = corners @ normals.T - offsets
        if not np.isfinite(corners).all() or excess.max() > _OUTSIDE:
            return None
        return cls(corners) if (np.diagonal(excess) < 0).all() else None

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """(count, k): mixtures of the corners in shares that are uniform."""
        shares = generator.standard_exponential((count, len(self.corners)))
        return (shares / shares.sum(axis=1, keepdims=True)) @ self.corners

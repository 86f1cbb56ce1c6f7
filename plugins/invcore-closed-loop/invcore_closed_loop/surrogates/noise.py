"""What measurements of one design differ by."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array

_DIGITS = 9  # of coordinates that are one design
_EXACT = 1e-14  # of a response's variance: what rounding makes


def replicate_noise(u: Array, y: Array) -> Array | None:
    """The variance of each response among rows of equal designs, pooled: (Dy,).

    None where no design was measured twice; zeros where such rows agree.

    Args:
        u: (N, D), coordinates.
        y: (N, Dy), all known.

    Example:
        >>> u, y = np.array([[0.5], [0.5], [0.1]]), np.array([[1.0], [3.0], [9.0]])
        >>> replicate_noise(u, y).tolist()
        [2.0]
    """
    group, count = np.unique(u.round(_DIGITS), axis=0, return_inverse=True, return_counts=True)[1:]
    if not (count > 1).any():
        return None
    mean = np.stack([np.bincount(group.ravel(), column) for column in y.T], axis=1)
    away = y - (mean / count[:, None])[group.ravel()]
    noise: Array = np.square(away).sum(axis=0) / float((count - 1).sum())
    return np.where(noise > _EXACT * y.var(axis=0), noise, 0.0)

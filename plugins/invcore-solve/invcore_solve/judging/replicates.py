"""Rows of one design: what measurements differ by, and which rows stay together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_ENOUGH = 5  # degrees of freedom from which replicates tell the noise


def replicate_noise(design: Places, y: Numbers) -> Numbers:
    """Variance of measurements of one design (Dy,); NaN where too few rows say anything.

    Args:
        design: (N,), the number of each row's design: 0, 1, …
        y: (N, Dy), NaN where a response is unknown.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noise = replicate_noise(np.arange(200) // 2, 3 + 0.1 * rng.standard_normal((200, 1)))
        >>> bool(0.008 < noise[0] < 0.012)
        True
    """
    count = int(design.max()) + 1 if len(design) else 0
    result = np.full(y.shape[1], np.nan)
    for i, column in enumerate(y.T):
        known = ~np.isnan(column)
        number = np.bincount(design[known], minlength=count)
        total = np.bincount(design[known], column[known], minlength=count)
        mean = total / np.maximum(number, 1)
        squares = float(np.square(column[known] - mean[design[known]]).sum())
        freedom = int((number[number > 1] - 1).sum())
        if freedom >= _ENOUGH:
            result[i] = squares / freedom
    return result


def same_designs(x: Numbers) -> Places:
    """For each row (N,) of designs (N, Dx) the number of its design."""
    return np.unique(x + 0.0, axis=0, return_inverse=True)[1].reshape(-1)


def folds(groups: Places, rng: np.random.Generator) -> Places:
    """The fold of each row (N,), rows of one group together: 10 folds up to 300 rows, 5 up to
    3,000, then 3; fewer where there are fewer groups.

    Groups are dealt out one by one, so that folds have as many of them.
    """
    rows = len(groups)
    several = int(groups.max()) + 1
    count = min(10 if rows <= 300 else 5 if rows <= 3000 else 3, several)
    order = rng.permutation(several)
    fold = np.empty(several, dtype=np.intp)
    fold[order] = np.arange(several) % max(count, 2)
    return fold[groups]

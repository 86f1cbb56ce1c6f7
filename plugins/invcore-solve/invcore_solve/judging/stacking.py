"""Weights of surrogates, from predictions of rows that were held out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

Numbers = npt.NDArray[np.float64]

_RIDGE = 0.1  # towards equal weights, times the square root of the number of rows


def stacking_weights(held_out: Numbers, y: Numbers, row_weights: Numbers) -> Numbers:
    """Weights (M,) of predictions, not negative, in sum one.

    Non-negative least squares of the rows, with a ridge towards equal weights that gives way as
    rows grow in number.

    References:
        Breiman, Stacked regressions, Machine Learning 24, 1996.

    Args:
        held_out: (M, N), predictions of held-out rows.
        y: (N,), their responses.
        row_weights: (N,), in sum one.

    Example:
        >>> y = np.linspace(0, 1, 50)
        >>> wrong = np.random.default_rng(0).random(50)
        >>> bool(stacking_weights(np.stack([y, wrong]), y, np.full(50, 0.02))[0] > 0.9)
        True
    """
    members, count = held_out.shape
    mean = float(row_weights @ y)
    root = np.sqrt(row_weights * count)
    ridge = np.sqrt(_RIDGE * np.sqrt(count) * (row_weights @ np.square(y - mean)))
    matrix = np.r_[((held_out - mean) * root).T, ridge * np.eye(members)]
    wanted = np.r_[(y - mean) * root, np.full(members, ridge / members)]
    weights, _ = nnls(matrix, wanted)
    total = weights.sum()
    return weights / total if total > 0 else np.full(members, 1 / members)

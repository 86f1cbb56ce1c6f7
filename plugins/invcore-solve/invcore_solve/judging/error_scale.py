"""How far a prediction is off, from how sure the surrogates are and how far they disagree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Numbers = npt.NDArray[np.float64]

_START = (0.1, 0.5, 0.3, 0.1)  # of the mean square: a constant, variance, disagreement, size
_SHRINK = 0.02  # weight of that start, in rows' mean log likelihood


def spread_features(means: Numbers, variances: Numbers, weights: Numbers, zero: float) -> Numbers:
    """What an error may grow with (N, 3): the weighted variance of the members, their weighted
    disagreement, and the square of the response itself.

    Args:
        means: (M, N).
        variances: (M, N).
        weights: (M,), in sum one.
        zero: the code of a response of zero, where all responses are positive, so that an error
            may be a share of it; NaN elsewhere.
    """
    mean = weights @ means
    size = np.zeros_like(mean) if np.isnan(zero) else np.square(np.maximum(mean - zero, 0.0))
    return np.stack([weights @ variances, weights @ np.square(means - mean), size], axis=1)


def fit_scale(residuals: Numbers, features: Numbers, row_weights: Numbers) -> Numbers:
    """Coefficients (4,) of s² = c0 + c1 variance + c2 disagreement + c3 size, by Gaussian
    likelihood.

    They are positive, and shrunk to a start that is sensible where there are few rows.

    Args:
        residuals: (N,), of rows that were held out.
        features: (N, 3), of the same predictions.
        row_weights: (N,), in sum one.
    """
    squares = np.square(residuals)
    size = float(row_weights @ squares) + 1e-300
    means = row_weights @ features
    means = np.where(means > 0, means, 1.0)
    terms = np.c_[np.ones(len(squares)), features / means]
    start = np.log(_START)

    def loss(logs: Numbers) -> tuple[float, Numbers]:
        factors = np.exp(logs)
        variance = terms @ factors
        ratio = squares / size / variance
        away = logs - start
        value = 0.5 * row_weights @ (np.log(variance) + ratio) + _SHRINK * away @ away
        slope = 0.5 * ((row_weights * (1 - ratio) / variance) @ terms) * factors
        return float(value), slope + 2 * _SHRINK * away

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-6.0, 4.0)] * 4)
    return np.exp(found.x) * size / np.r_[1.0, means]


def scale_of(coefficients: Numbers, features: Numbers, floor: float) -> Numbers:
    """Standard deviations (N,), never under a floor, which is that of the measurements."""
    variance = coefficients[0] + features @ coefficients[1:]
    return np.sqrt(np.maximum(variance, floor**2) + 1e-300)

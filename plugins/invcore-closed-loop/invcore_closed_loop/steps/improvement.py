"""How much a design is expected to improve on the best row of a target."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array

SAMPLES = 64


def expected_log_improvement(best: Array, errors: Array, floor: float) -> Array:
    """Mean of max(0, log best - log error) over samples: (M,).

    In the logarithm, since errors fall by orders of magnitude: a sure small gain counts little, and
    a chance to come a hundred times nearer much.

    Args:
        best: (M,), the error of the best row.
        errors: (M, S), of samples.
        floor: below which errors do not differ.

    References:
        Jones, Schonlau, Welch, 1998; with common random numbers for the expectation.

    Example:
        >>> errors = np.array([[1.0, 0.1, 10.0]])
        >>> expected_log_improvement(np.ones(1), errors, 0.0).round(3).tolist()
        [0.768]
    """
    gain = np.log(best + floor)[:, None] - np.log(np.maximum(errors, 1e-300) + floor)
    result: Array = np.maximum(gain, 0.0).mean(axis=1)
    return result

"""How likely a design is to have a response, where some rows have failed."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array, Flags
from invcore_closed_loop.surrogates.process import Process, usual_length

_NOISE = 0.05
_LEAST = 0.02  # no design is given up for sure


class Chance:
    """A process over whether rows have a response: 1 or 0.

    Args:
        x: (N, F), features of the rows, whether they failed or not.
        good: (N,), which have a response.
    """

    def __init__(self, x: Array, good: Flags) -> None:
        label = good.astype(np.float64)
        # Far from all rows it is what is usual, at first sight of failures: more good than bad
        self._usual = float((label.sum() + 1.0) / (len(label) + 1.0))
        length = usual_length(x.shape[1]) - np.log(2.0)
        parameters = np.r_[np.full(x.shape[1], length), np.log(_NOISE)]
        self._process = Process("matern", x, (label - self._usual)[:, None], parameters)

    def __call__(self, x: Array) -> Array:
        """Chances (M,) of designs with features (M, F)."""
        mean = self._usual + self._process.mean(x)[:, 0]
        return np.clip(mean, _LEAST, 1.0)

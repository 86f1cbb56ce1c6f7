"""Measured rows that meet a target already: they come before all proposals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_SHARE = 0.01  # of a response's standard deviation: nearer is met
_NOISES = 0.25  # standard deviations of the measurements: nearer is met


def measured_rows(
    y: Numbers, targets: Numbers, scale: Numbers, noise: Numbers, most: int
) -> list[Places]:
    """For each target the positions of the designs that were measured to meet it, nearest first.

    A design meets a target if each response is as near to it as anybody could tell: within a
    quarter of the measurements' standard deviation, or a hundredth of the responses' own where
    that is more.

    Args:
        y: (M, Dy), measured responses of different designs, means where there are several, or what
            a judge makes of them; NaN for those that do not count.
        targets: (B, Dy).
        scale: (Dy,), standard deviation of the responses.
        noise: (Dy,), standard deviation of measurements.
        most: of each target.
    """
    width = np.maximum(_SHARE * scale, _NOISES * noise)
    found = []
    for target in targets:
        away = np.abs(y - target) / width
        meets = np.flatnonzero((away <= 1).all(axis=1))
        found.append(meets[np.square(away[meets]).sum(axis=1).argsort(kind="stable")][:most])
    return found

"""Rows of a table beside each other: replicates, their noise, and designs that nearly repeat."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from invcore.plugin import Config
from invcore_solve.judging.replicates import replicate_noise, same_designs

Numbers = npt.NDArray[np.float64]

_NEAR = 1e-4  # of each column's range: designs closer than this nearly repeat each other


class Replicates(Config):
    """Rows of one design.

    Args:
        designs: number of different designs.
        repeated: how many of them have several rows.
        rows: how many rows these have.
        contradictions: how many of them have rows with different responses.
        near: how many pairs of different designs are closer than a ten thousandth of each
            column's range.
        noise: by response, standard deviation of measurements of one design; only where five or
            more repeated rows tell.
    """

    designs: int
    repeated: int = 0
    rows: int = 0
    contradictions: int = 0
    near: int = 0
    noise: dict[str, float] = {}


def find_replicates(x: Numbers, y: Numbers, responses: tuple[str, ...]) -> Replicates:
    """Find rows of one design.

    Args:
        x: (N, Dx).
        y: (N, Dy), NaN where a response is unknown.
        responses: names.

    Example:
        >>> x = np.array([[1.0], [1.0], [2.0]])
        >>> found = find_replicates(x, np.array([[0.5], [0.7], [0.9]]), ("gap",))
        >>> found.designs, found.repeated, found.contradictions
        (2, 1, 1)
    """
    design = same_designs(x)
    count = np.bincount(design)
    several = count > 1
    order = np.argsort(design, kind="stable")
    first = np.searchsorted(design[order], np.arange(len(count)))
    low = np.fmin.reduceat(y[order], first, axis=0)
    high = np.fmax.reduceat(y[order], first, axis=0)
    differ = (high > low).any(axis=1)
    noise = replicate_noise(design, y)
    return Replicates(
        designs=len(count), repeated=int(several.sum()), rows=int(count[several].sum()),
        contradictions=int((several & differ).sum()), near=_near(np.unique(x, axis=0)),
        noise={
            name: float(np.sqrt(value))
            for name, value in zip(responses, noise, strict=True) if not np.isnan(value)
        },
    )  # fmt: skip


def _near(designs: Numbers) -> int:
    """Pairs of different designs (M, Dx) that nearly repeat each other."""
    from scipy.spatial import cKDTree  # not free, and errors of input come first

    if len(designs) < 2:
        return 0
    span = np.ptp(designs, axis=0)
    unit = designs / np.where(span > 0, span, 1.0)
    pairs = cKDTree(unit).count_neighbors(cKDTree(unit), _NEAR, p=np.inf)
    return (int(pairs) - len(designs)) // 2

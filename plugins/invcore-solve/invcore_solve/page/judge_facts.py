"""How good a judge is on rows that it did not see: its errors, its members, its coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from invcore_solve.judging.selection import supported_level, weighted_quantile

if TYPE_CHECKING:
    from invcore_solve.judging.fitted_stack import Calibration, FittedStack

Numbers = npt.NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""At which stated coverage is compared with what is achieved."""

_PARTS = 5
_TIMES = 8


@dataclass(frozen=True)
class Coverage:
    """A stated level, and what share of held-out rows it covers; None where rows are too few.

    Args:
        stated: the level.
        rows: share of all rows that are covered.
        picked: likewise, each weighted by how often a ranking picks it.
    """

    stated: float
    rows: float | None
    picked: float | None


@dataclass(frozen=True)
class Member:
    """A surrogate, its weight, and its error on held-out rows.

    Args:
        name: of the surrogate.
        weight: share of the prediction, mean over what is predicted; None for all together.
        errors: mean absolute error of each response (Dy,).
    """

    name: str
    weight: float | None
    errors: Numbers


def members_of(judge: FittedStack) -> list[Member]:
    """The surrogates, the weightiest first, and all together at the end."""
    errors, weights = judge.member_errors, judge.weights.mean(axis=1)
    order = np.argsort(-weights, kind="stable")
    own = [Member(judge.names[i], float(weights[i]), errors[i]) for i in order.tolist()]
    return [*own, Member("all together", None, errors[-1])]


def coverages(calibration: Calibration) -> list[Coverage]:
    """Stated against achieved coverage.

    The rows are dealt into five parts, eight times. Of each part it is counted how many rows lie
    within the error that the other four parts give, so that no row vouches for itself.
    """
    return [_coverage(calibration, level) for level in LEVELS]


def _coverage(calibration: Calibration, level: float) -> Coverage:
    largest, picks = calibration.largest, calibration.picks
    rng = np.random.default_rng(0)
    inside, seen = np.zeros(len(picks)), np.zeros(len(picks))
    for _ in range(_TIMES if len(picks) >= 2 * _PARTS else 0):
        part = rng.permutation(len(picks)) % _PARTS
        for i in range(_PARTS):
            rest, own = part != i, part == i
            total = picks[rest].sum()
            if not total > 0 or level > supported_level(picks[rest] / total):
                continue
            factor = weighted_quantile(largest[rest], picks[rest] / total, level)
            inside[own] += largest[own] <= factor
            seen[own] += 1
    if not (known := seen > 0).any() or not picks[known].sum() > 0:
        return Coverage(level, None, None)
    share = inside[known] / seen[known]
    return Coverage(level, float(share.mean()), float(np.average(share, weights=picks[known])))

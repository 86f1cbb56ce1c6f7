"""The probability that designs meet targets, as judges say it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import Targets
from invcore_solve.judging.probability.scenarios import Further, Scenarios

Numbers = npt.NDArray[np.float64]


def chance(
    scenarios: Scenarios, targets: Targets, each: int, further: Further | None = None
) -> Tensor:
    """The probability (B, K) that designs meet their targets.

    An interval is wider by its tolerance at both ends; an exact value without one counts as met
    within a hundredth of the responses' standard deviation. Goals and what is ignored are met by
    any value unless they have limits too.

    Args:
        scenarios: of B K designs, those of one target one after the other.
        targets: B of them.
        each: K.
        further: responses that follow from the others and the design, if there are any.
    """
    low, high = ends_of(targets)
    low, high = np.repeat(low, each, axis=0), np.repeat(high, each, axis=0)
    return torch.from_numpy(scenarios.probability(low, high, further)).view(len(targets), each)


def ends_of(targets: Targets) -> tuple[Numbers, Numbers]:
    """The intervals (B, Dy) that count as met, infinite where nothing is wanted."""
    slack = targets.slack
    ends = (targets.low - slack, targets.high + slack)
    free = ~targets.wanted
    low, high = (
        torch.where(free, limit, end.double()).cpu().numpy()
        for end, limit in zip(ends, (-torch.inf, torch.inf), strict=True)
    )
    return low, high

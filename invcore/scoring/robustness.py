"""How designs do when they are made: yields with their intervals, and the worst of what is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

WORST = 0.05
"""The share of made designs that counts as the worst."""
LEVEL = 0.95
"""Of the intervals of yields."""


@dataclass(frozen=True)
class Robustness:
    """What becomes of N designs when they are made.

    Args:
        nominal: (N,), errors of the designs as they are meant.
        worst: (N,), mean error of the worst 5% of what is made (conditional value at risk);
            infinite where some of them have no response.
        share: (N,), the yield: the share of what is made that meets the specification.
        low: (N,), lower end of the yield's 95% interval.
        high: (N,), its upper end.
    """

    nominal: Tensor
    worst: Tensor
    share: Tensor
    low: Tensor
    high: Tensor

    def __len__(self) -> int:
        return len(self.share)

    def rows(self, keep: Tensor) -> Robustness:
        """Some of the designs, by their positions."""
        return Robustness(**{name: value[keep] for name, value in vars(self).items()})


def wilson(share: Tensor, count: int, level: float = LEVEL) -> tuple[Tensor, Tensor]:
    """The interval of a probability, of which a share of ``count`` draws is known.

    Args:
        share: of successes, any shape.
        count: independent draws; of space-filling ones the interval is wider than it must be.
        level: of the interval.

    Returns:
        Its ends, of the share's shape.

    References:
        Wilson, JASA 1927, https://doi.org/10.1080/01621459.1927.10502953

    Example:
        >>> low, high = wilson(torch.tensor([0.9, 1.0], dtype=torch.float64), 100)
        >>> low.round(decimals=3).tolist(), high.round(decimals=3).tolist()
        ([0.826, 0.963], [0.945, 1.0])
    """
    z = math.sqrt(2) * float(torch.erfinv(torch.tensor(level, dtype=torch.float64)))
    shrink = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / shrink
    half = z / shrink * (share * (1 - share) / count + (z / (2 * count)) ** 2).sqrt()
    low, high = (middle - half).clamp(min=0.0), (middle + half).clamp(max=1.0)
    return torch.minimum(low, share), torch.maximum(high, share)  # rounding, at 0 and at 1


def worst_mean(errors: Tensor, share: float = WORST) -> Tensor:
    """The mean of the largest errors: the conditional value at risk.

    Args:
        errors: (…, S); what is NaN counts as infinite.
        share: of the S that count; at least one does.

    Returns:
        (…), of the errors' type.

    References:
        Rockafellar, Uryasev, Journal of Risk 2000, https://doi.org/10.21314/JOR.2000.038

    Example:
        >>> worst_mean(torch.arange(100.0))
        tensor(97.)
    """
    count = max(1, round(share * errors.shape[-1]))
    return errors.nan_to_num(torch.inf, torch.inf).topk(count, dim=-1).values.mean(dim=-1)


def simulated_robustness(nominal: Tensor, errors: Tensor, met: Tensor) -> Robustness:
    """Of designs whose made copies were simulated.

    Args:
        nominal: (N,), errors of the designs as they are meant.
        errors: (N, S), of their copies; NaN without a response.
        met: (N, S), bool, which of them meet the specification.
    """
    share = met.double().mean(dim=1)
    return Robustness(nominal, worst_mean(errors), share, *wilson(share, met.shape[1]))


def judged_robustness(nominal: Tensor, worst: Tensor, shares: Tensor, copies: int) -> Robustness:
    """Of designs whose made copies a judge knows with an error, of which there are D draws.

    The copies of a design share each draw, so that each gives one yield. Their mean is the yield
    that is expected; the interval holds the middle 95% of them, and what S copies leave open.

    Args:
        nominal: (N,), errors of the designs as they are meant.
        worst: (N, D), mean error of the worst copies, by the draw of the judge's error.
        shares: (N, D), the share of the copies that meet the specification.
        copies: S.

    Example:
        >>> shares = torch.linspace(0, 1, 101, dtype=torch.float64)[None]
        >>> found = judged_robustness(torch.zeros(1), shares, shares, 1_000_000)
        >>> [round(float(part), 2) for part in (found.share, found.low, found.high)]
        [0.5, 0.02, 0.98]
    """
    ends = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)
    low, high = shares.double().quantile(ends.to(shares.device), dim=1)
    return Robustness(
        nominal, worst.mean(dim=1), shares.double().mean(dim=1), wilson(low, copies)[0],
        wilson(high, copies)[1],
    )  # fmt: skip

"""Yields, their intervals, and the worst of what is made."""

import math

import pytest
import torch
from scipy.stats import binomtest

from invcore.scoring.robustness import (
    Robustness,
    judged_robustness,
    simulated_robustness,
    wilson,
    worst_mean,
)


@pytest.mark.parametrize(("hits", "count"), [(0, 20), (3, 50), (40, 100), (256, 256)])
def test_wilson_is_scipys(hits: int, count: int) -> None:
    share = torch.tensor(hits / count, dtype=torch.float64)
    other = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    low, high = wilson(share, count)
    assert float(low) == pytest.approx(other.low, abs=1e-12)
    assert float(high) == pytest.approx(other.high, abs=1e-12)


def test_worst_mean_is_that_of_a_normals_tail() -> None:
    level = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    normal = torch.special.ndtri(level)
    z = float(torch.special.ndtri(torch.tensor(0.95, dtype=torch.float64)))
    tail = math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / 0.05
    assert float(worst_mean(normal)) == pytest.approx(tail, rel=1e-3)


def test_of_few_the_worst_is_one_and_a_missing_response_is_infinite() -> None:
    errors = torch.tensor([[1.0, 3.0, 2.0], [1.0, torch.nan, 0.0]])
    assert worst_mean(errors).tolist() == [3.0, math.inf]


def test_simulated_yields_are_counted() -> None:
    met = torch.zeros(2, 100, dtype=torch.bool)
    met[0, :90] = True
    found = simulated_robustness(torch.zeros(2), (~met).double(), met)
    assert found.share.tolist() == [0.9, 0.0]
    assert found.worst.tolist() == [1.0, 1.0]
    assert float(found.low[0]) == pytest.approx(0.826, abs=1e-3)
    assert len(found.rows(torch.tensor([1]))) == 1


def test_a_judges_error_is_part_of_the_interval() -> None:
    """Uniform deviations of ±1 around 0, within ±2, and an error of the judge that shifts them."""
    shift = torch.linspace(-1.9, 1.9, 401, dtype=torch.float64)
    copies = (torch.arange(1000, dtype=torch.float64) + 0.5) / 500 - 1
    off = (shift[:, None] + copies)[None]  # (1, D, S)

    def judged(off: torch.Tensor) -> Robustness:
        met = (off.abs() <= 2).double().mean(dim=2)
        return judged_robustness(torch.zeros(1), worst_mean(off.square()), met, off.shape[2])

    found = judged(off)
    share = (1 - (shift.abs() - 1).clamp(min=0) / 2).mean()
    assert float(found.share) == pytest.approx(float(share), abs=1e-3)
    # 95% of the draws have a yield above that of the 2.5% on either side
    assert float(found.low) == pytest.approx(1 - (0.975 * 1.9 - 1) / 2, abs=0.04)
    assert float(found.high) == 1.0
    exact = judged(off[:, 200:201])
    assert float(exact.share) == 1.0 and float(exact.low) > 0.996

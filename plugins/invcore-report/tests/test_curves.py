"""Curves, intervals and costs, against hand and brute force."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from invcore_report.curves import (
    by_target,
    mean_interval,
    median_interval,
    places,
    pooled,
    seconds,
)

from invcore.plugin import generator
from invcore.results import bootstrap, expected_best


def test_exchangeable_curves_are_means_over_all_subsets():
    errors = torch.rand(3, 6, generator=generator(0, "e"), dtype=torch.float64)
    curve = pooled(range(1, 7), by_target(errors, range(1, 7), ranked=False))
    for i, T in enumerate(range(1, 7)):
        subsets = [errors[:, list(s)].amin(dim=1) for s in itertools.combinations(range(6), T)]
        assert float(curve.mean[i]) == pytest.approx(float(torch.stack(subsets).mean()), rel=1e-12)
        assert curve.at(T).low <= curve.at(T).value <= curve.at(T).high
    assert curve.at(7) is None


def test_ranked_and_reranked_curves_are_smallest_of_the_first():
    errors = torch.tensor([[4.0, 1.0, 3.0], [2.0, math.nan, 0.5]])
    own = by_target(errors, [1, 2, 3], ranked=True)
    assert own.tolist() == [[4.0, 2.0], [1.0, 2.0], [1.0, 0.5]]
    order = torch.tensor([[1, 0, 2], [1, 2, 0]])
    again = by_target(errors, [1, 2, 3], ranked=False, order=order)
    assert math.isinf(again[0, 1]) and again[0, 0] == 1.0
    assert again[1:].tolist() == [[1.0, 0.5], [1.0, 0.5]]


def test_curves_agree_with_the_public_function_and_its_bootstrap():
    errors = torch.rand(200, 70, generator=generator(1, "e"), dtype=torch.float64) ** 4
    counts = places(70)
    curve = pooled(counts, by_target(errors, counts, ranked=False))
    best = expected_best(errors, [50], ranked=False)[0]
    mean, low, high = bootstrap(best, generator(9, "other"))
    point = curve.at(50)
    assert point.value == pytest.approx(mean)
    assert (point.low, point.high) == pytest.approx((low, high), rel=0.1)  # two bootstraps


def test_places_are_spread_evenly_and_hold_what_is_needed():
    some = places(5000, also=[33, 9999, 2000])
    assert {1, 33, 50, 1000, 2000} <= set(some) and max(some) == 2000
    assert 30 < len(some) < 45
    assert places(1) == (1,)
    below = [T for T in some if T <= 1000]
    ratios = [b / a for a, b in itertools.pairwise(below) if a > 20]
    assert max(ratios) < 1.3


def test_resamples_are_paired():
    """Of two curves over the same targets, one twice the other, every resample says so."""
    values = torch.rand(1, 40, generator=generator(2, "v"), dtype=torch.float64)
    one, two = pooled([1], values), pooled([1], 2 * values)
    assert torch.allclose(2 * one.resamples, two.resamples)
    assert float(one.resamples.std()) > 0


def test_seeds_are_resampled_as_well_as_targets():
    """The standard error of a mean of seed means, which a bootstrap of 8 seeds knows to 1/8."""
    random = generator(6)
    luck = torch.randn(8, 1, generator=random, dtype=torch.float64)
    values = luck + 0.1 * torch.randn(8, 50, generator=random, dtype=torch.float64)
    of_seeds = pooled([1], values.flatten()[None], [50] * 8).resamples.std()
    expected = values.mean(dim=1).std(correction=0) / math.sqrt(8)
    assert float(of_seeds / expected) == pytest.approx(1.0, abs=0.1)
    of_targets = pooled([1], values.flatten()[None]).resamples.std()
    assert float(of_targets) < 0.5 * float(of_seeds), "which is what was said before"
    doubled = pooled([1], 2 * values.flatten()[None], [50] * 8).resamples
    assert torch.allclose(doubled, 2 * pooled([1], values.flatten()[None], [50] * 8).resamples)


def test_missing_targets_are_left_out():
    values = torch.tensor([1.0, math.nan, 3.0])
    found = mean_interval(values)
    assert found.value == 2.0 and found.low >= 1.0 and found.high <= 3.0
    nothing = mean_interval(torch.full((3,), math.nan))
    assert math.isnan(nothing.value) and math.isnan(nothing.low)
    assert math.isnan(median_interval(torch.full((3,), math.nan)).value)


def test_the_medians_interval_covers():
    """Of 400 samples, the interval misses the true median about one time in twenty."""
    draws = torch.randn(400, 101, generator=generator(3, "m"), dtype=torch.float64)
    found = [median_interval(row) for row in draws]
    missed = sum(not (f.low <= 0.0 <= f.high) for f in found)
    assert 6 <= missed <= 36
    even = median_interval(torch.tensor([4.0, 1.0, math.nan, 2.0, 3.0]))
    assert even.value == 2.5 and (even.low, even.high) == (1.0, 4.0)


@pytest.mark.parametrize(("ranked", "expected"), [(False, [0.35, 3.5]), (True, [2.15, 3.5])])
def test_seconds_by_hand(ranked, expected):
    # 10 candidates took 2 s; a call takes 0.15 s.
    found = seconds([1, 10], propose=2.0, candidates=10, ranked=ranked, call=0.15)
    assert found == pytest.approx(expected)

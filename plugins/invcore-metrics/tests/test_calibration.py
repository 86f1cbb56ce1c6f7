"""Calibration, modes and pace: against mathematics and by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from invcore_metrics.mode_recall import ModeRecall, ModeRecallConfig
from invcore_metrics.sbc import Sbc, SbcConfig, chi_square_p, rank_deviation
from scipy import stats

from invcore import Space, Uniform, Variable
from invcore.plugin import Config, Modes, Task, UnfitError, generator
from invcore.testing import evaluation


def calibrated(targets, count, seed, spread=1.0, move=0.0):
    """The truth of each target, and draws of its posterior, or of a wrong one."""
    centre = torch.randn(targets, 1, 2, generator=generator(seed, "centre"), dtype=torch.float64)
    noise = torch.randn(targets, count + 1, 2, generator=generator(seed), dtype=torch.float64)
    drawn = centre + noise
    wrong = centre + spread * noise[:, 1:] + move
    y = torch.zeros(targets, 1, dtype=torch.float64)
    return evaluation(y, torch.zeros(targets, count, 1), wrong, truth=drawn[:, 0])


def measured(seen, **settings):
    return {e.name: e.value for e in Sbc(SbcConfig(**settings)).measure(seen)}


# Simulation-based calibration


def test_chi_square_is_scipys():
    ranks = torch.randint(0, 20, (300,), generator=generator(0))
    observed = torch.bincount(ranks, minlength=20).numpy()
    expected = stats.chisquare(observed).pvalue
    assert chi_square_p(ranks, torch.full((300,), 19), 20) == pytest.approx(expected, rel=1e-9)


def test_bins_of_unequal_size_have_their_own_expectation():
    """Seven ranks in three bins: 3, 2 and 2 of them."""
    ranks = torch.arange(7).repeat(10)
    assert chi_square_p(ranks, torch.full((70,), 6), 3) == pytest.approx(1.0, abs=1e-12)
    odd = torch.tensor([0, 1, 2, 2, 6] * 4)
    expected = stats.chisquare([16, 0, 4], [60 / 7, 40 / 7, 40 / 7]).pvalue
    assert chi_square_p(odd, torch.full((20,), 6), 3) == pytest.approx(expected, rel=1e-9)


def test_counts_may_differ_between_targets():
    counts = torch.tensor([1, 3] * 48)
    ranks = torch.cat([torch.tensor([i % 2, i % 4]) for i in range(48)])
    assert chi_square_p(ranks, counts, 2) == pytest.approx(1.0, abs=1e-12)
    assert rank_deviation(ranks, counts) == pytest.approx(0.0, abs=1e-12)


def test_the_p_values_of_calibrated_samplers_are_uniform():
    """By the rules, a p-value is below 0.2 in a fifth of the cases, and Bonferroni keeps that."""
    values = torch.tensor([measured(calibrated(200, 19, seed))["sbc-p"] for seed in range(200)])
    share = float((values < 0.2).double().mean())
    assert 0.2 - 4 * math.sqrt(0.16 / 200) < share < 0.2 + 4 * math.sqrt(0.16 / 200)


@pytest.mark.parametrize("wrong", [{"spread": 0.5}, {"spread": 2.0}, {"move": 0.5}])
def test_wrong_posteriors_are_seen(wrong):
    good, bad = (measured(calibrated(400, 63, 1, **w)) for w in ({}, wrong))
    assert bad["sbc-p"] < 1e-6 < 0.01 < good["sbc-p"]
    assert bad["sbc-deviation"] > 2 * good["sbc-deviation"]


def test_deviation_of_a_shift_is_known():
    """Draws of N(0.5, 1) for a truth of N(0, 1): sup |P(rank) - u| = 2 Φ(0.25) - 1."""
    found = measured(calibrated(4000, 255, 2, move=0.5))["sbc-deviation"]
    expected = math.erf(0.25 / math.sqrt(2))
    assert found == pytest.approx(expected, abs=0.03)


def test_equal_values_are_ranked_at_random():
    """All candidates equal the truth: with the place drawn, the ranks are uniform."""
    seen = calibrated(400, 31, 3)
    same = replace(seen, candidates=seen.truth[:, None].expand(-1, 31, -1).clone())
    assert measured(same)["sbc-p"] > 0.01


def test_what_is_not_finite_does_not_count():
    seen = calibrated(300, 31, 4)
    x = seen.candidates.clone()
    lost = torch.rand(300, 31, generator=generator(5)) < 0.3
    x[lost] = torch.nan
    assert measured(replace(seen, candidates=x))["sbc-p"] > 0.01
    assert measured(replace(seen, truth=None)) == {}
    assert measured(calibrated(9, 31, 0)) == {}  # too few for two bins


def stratified(targets, count, seed):
    """The truth of each target, and an exact sampler's candidates at one point in each stratum."""
    strata = torch.stack(
        [torch.randperm(count, generator=generator(seed, b)) for b in range(targets)]
    )
    within = torch.rand(targets, count, generator=generator(seed, "within"), dtype=torch.float64)
    x = torch.special.ndtri((strata + within) / count)[..., None]
    truth = torch.randn(targets, 1, generator=generator(seed, "truth"), dtype=torch.float64)
    return evaluation(torch.zeros(targets, 1), torch.zeros(targets, count, 1), x, truth=truth)


@pytest.mark.parametrize("count", [10, 15, 20])
def test_an_exact_sampler_is_calibrated_whatever_points_drive_it(count):
    seen = stratified(2000, count, 6)
    assert measured(seen)["sbc-p"] < 0.01, "stratified points taken for independent ones"
    apart = replace(seen, independent=False)
    with pytest.raises(UnfitError, match="no independent draws"):
        measured(apart)
    draws = torch.randn(2000, 20, 1, generator=generator(7), dtype=torch.float64)
    assert measured(replace(apart, draws=draws))["sbc-p"] > 0.01
    assert measured(replace(apart, draws=0.5 * draws))["sbc-p"] < 1e-6, "a wrong one is seen"


# Modes


class Square(Task[Config]):
    """y = x²: two modes, or one at 0."""

    free_calls = True
    designs = Space.of(Variable(name="x", prior=Uniform(low=-1.0, high=1.0)))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return x**2

    def modes(self, targets, designs):
        count = (targets[:, 0] > 0).long() + (targets[:, 0] >= 0).long()
        return Modes(count, (designs[..., 0] > 0).long().minimum(count[:, None] - 1))


def recall(wanted, candidates, **settings):
    x = torch.tensor(candidates, dtype=torch.float64)[..., None]
    y = torch.tensor(wanted, dtype=torch.float64)[:, None]
    seen = evaluation(y, x**2, x, designs=Square.designs, task=Square())
    found = ModeRecall(ModeRecallConfig(**settings)).measure(seen)
    return {e.name: e.value for e in found}


def test_recall_counts_modes_with_a_good_candidate():
    both = recall([0.25, 0.25], [[0.5, -0.5, 0.9], [0.5, 0.5, -0.9]])
    assert both == {"mode-recall": 0.75, "modes": 2.0}
    # A target without a solution has no share; one with a single mode has a whole one.
    assert recall([-0.5, 0.0], [[0.1, 0.2], [0.0, 0.9]]) == {"mode-recall": 1.0, "modes": 1.0}
    assert recall([-0.5], [[0.1]]) == {}


def test_the_tolerance_is_in_units_of_the_variance():
    """The variance of x² is 4/45, over the prior; the error here is 0.0089² = 8.9e-4 of it."""
    x = math.sqrt(0.25 + 0.0089)
    assert recall([0.25], [[x]], tolerance=8.0e-4)["mode-recall"] == 0.0
    assert recall([0.25], [[x]], tolerance=1.0e-3)["mode-recall"] == 0.5


def test_recall_looks_at_the_first_targets():
    found = recall([0.25, 0.25], [[0.5, -0.5], [0.9, 0.9]], targets=1)
    assert found["mode-recall"] == 1.0

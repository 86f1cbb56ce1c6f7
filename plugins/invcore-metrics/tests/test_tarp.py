"""TARP's numbers: right and wrong posteriors of a normal, and runs that it cannot judge."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from invcore_metrics.tarp import Tarp, TarpConfig

from invcore.plugin import UnfitError, generator
from invcore.testing import evaluation


def sampled(targets, count, seed, *, spread=1.0, move=0.0, ignorant=False):
    """Truths N(0, 1) in two variables, responses with noise, and draws N(0.8 y, 0.2) or others."""
    z = torch.randn(targets, count + 2, 2, generator=generator(seed), dtype=torch.float64)
    truth = z[:, 0]
    y = truth + 0.5 * z[:, 1]
    x = 0.8 * y[:, None] + math.sqrt(0.2) * (spread * z[:, 2:] + move)
    x = z[:, 2:] if ignorant else x
    return evaluation(y, y[:, None].expand(-1, count, -1), x, truth=truth, seed=seed)


def measured(seen, **settings):
    return {e.name: e.value for e in Tarp(TarpConfig(**settings)).measure(seen)}


def test_p_values_of_posterior_draws_are_no_smaller_than_uniform_ones():
    """Bonferroni's is below 0.3 in at most three tenths of the cases, one kind's in as many."""
    runs = [sampled(101, 20, seed) for seed in range(200)]
    slack = 4 * math.sqrt(0.21 / 200)
    all_kinds = torch.tensor([measured(seen)["tarp-p"] for seen in runs])
    assert float((all_kinds < 0.3).double().mean()) < 0.3 + slack
    one = torch.tensor([measured(seen, references=["candidate"])["tarp-p"] for seen in runs])
    assert float((one < 0.3).double().mean()) == pytest.approx(0.3, abs=slack)


@pytest.mark.parametrize(
    ("wrong", "sign"), [({"spread": 0.6}, -1), ({"spread": 1.6}, 1), ({"move": 0.8}, -1)]
)
def test_wrong_posteriors_are_seen_and_how(wrong, sign):
    good, bad = (measured(sampled(600, 30, 1, **one)) for one in ({}, wrong))
    assert bad["tarp-p"] < 1e-4 < 0.01 < good["tarp-p"]
    assert bad["tarp-deviation"] > 1.5 * good["tarp-deviation"]
    assert sign * bad["tarp-excess"] > 0.05 > abs(good["tarp-excess"])


def test_the_excess_of_two_normals_has_its_interval():
    """In one variable, narrow draws: -asin(r) / π with r = (1 - s²) / √((1 + s²) (1 + 5 s²))."""
    seen = sampled(4000, 20, 2, spread=0.5)
    one = replace(seen, candidates=seen.candidates[..., :1], truth=seen.truth[:, :1])
    excess = next(e for e in Tarp(TarpConfig()).measure(one) if e.name == "tarp-excess")
    expected = -math.asin(0.75 / math.sqrt(1.25 * 2.25)) / math.pi
    assert excess.value == pytest.approx(expected, abs=4 * math.sqrt(1 / 12 / 4000))
    assert excess.ci_low < expected < excess.ci_high and excess.better == ""


def test_each_kind_of_points_is_blind_to_something():
    """Draws of the prior pass, but around points that go with the response."""
    prior = sampled(600, 30, 3, ignorant=True)
    assert measured(prior, references=["candidate"])["tarp-p"] > 1e-3
    assert measured(prior, references=["random"])["tarp-p"] > 1e-3
    assert measured(prior, references=["near"])["tarp-p"] < 1e-6
    assert measured(prior)["tarp-p"] < 1e-6
    assert abs(measured(prior)["tarp-excess"]) < 0.05


def test_it_says_why_it_says_nothing():
    seen = sampled(100, 20, 4)
    assert measured(replace(seen, truth=None)) == {}
    with pytest.raises(UnfitError, match="no independent draws"):
        measured(replace(seen, independent=False))
    with pytest.raises(UnfitError, match="needs 11 targets with a truth and two candidates"):
        measured(sampled(10, 20, 4))
    with pytest.raises(UnfitError, match="there are 0"):
        measured(sampled(100, 1, 4))


def test_other_draws_stand_for_candidates_of_space_filling_points():
    seen = sampled(600, 20, 5)
    apart = replace(seen, independent=False, candidates=0 * seen.candidates, draws=seen.candidates)
    assert measured(apart) == measured(seen)

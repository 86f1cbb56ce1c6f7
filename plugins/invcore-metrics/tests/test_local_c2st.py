"""Local classifier tests: their level, their power where draws are wrong, and known accuracies."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from invcore_metrics.local_c2st import LocalC2st, LocalC2stConfig, local_statistics, truth_odds
from invcore_metrics.local_features import local_features
from scipy import integrate, special, stats

from invcore.plugin import UnfitError, generator
from invcore.results import calibration_draws
from invcore.testing import evaluation


def sampled(targets, count, seed, *, spread=1.0, move=0.0, beyond=None):
    """Truths N(0, 1), responses with noise, and draws of the posterior or, beyond a response, not.

    The posterior is N(0.8 y, 0.2).
    """
    z = torch.randn(targets, count + 2, 1, generator=generator(seed), dtype=torch.float64)
    truth = z[:, 0]
    y = truth + 0.5 * z[:, 1]
    wrong = spread * z[:, 2:] + move
    if beyond is not None:
        wrong = torch.where(y[:, None] > beyond, wrong, z[:, 2:])
    x = 0.8 * y[:, None] + math.sqrt(0.2) * wrong
    return evaluation(y, y[:, None].expand(-1, count, -1), x, truth=truth, seed=seed)


def measured(seen, **settings):
    return {e.name: e.value for e in LocalC2st(LocalC2stConfig(**settings)).measure(seen)}


def test_its_level_is_kept_for_draws_of_the_posterior():
    """Over 150 runs the p-value is uniform, and a twentieth of all targets is rejected."""
    runs = [measured(sampled(60, 6, seed), features=30, trials=19) for seed in range(150)]
    p, rejected = (torch.tensor([r[k] for r in runs]) for k in ("l-c2st-p", "l-c2st-rejected"))
    assert float((p <= 0.2).double().mean()) == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 150))
    assert float(rejected.mean()) == pytest.approx(0.05, abs=4 * float(rejected.std()) / 150**0.5)


@pytest.mark.parametrize("wrong", [{"spread": 0.6}, {"spread": 1.6}, {"move": 0.6}])
def test_wrong_posteriors_are_rejected(wrong):
    good, bad = (measured(sampled(400, 20, 1, **one)) for one in ({}, wrong))
    assert bad["l-c2st-p"] == 0.01 < 0.05 < good["l-c2st-p"]
    assert bad["l-c2st-rejected"] > 0.5 and bad["l-c2st"] > 3 * good["l-c2st"]


def test_it_says_for_which_targets_draws_are_wrong():
    seen = sampled(800, 20, 2, move=1.5, beyond=1.0)
    draws = calibration_draws(seen.candidates, seen.truth, seen.targets, generator(0))
    found = local_statistics(draws, 10, LocalC2stConfig(), generator(1))
    rejected = (found >= found[:1]).double().mean(dim=0) <= 0.05
    y = seen.targets
    level = (1.0 - float(y.mean())) / float(y.std(correction=0))
    wrong = draws.conditions[:, 0] > level
    assert float(rejected[wrong].double().mean()) > 0.8
    assert float(rejected[draws.conditions[:, 0] < level - 1].double().mean()) < 0.2


@pytest.mark.parametrize("move", [0.5, 1.0])
@pytest.mark.parametrize("count", [2, 20])
def test_the_statistic_of_two_normals_is_known(move, count):
    """d = 1 / (1 + exp(m z - m² / 2)) over draws z + m, whatever the number of draws beside."""
    found = measured(sampled(4000, count, 3, move=move), targets=4000, trials=19)["l-c2st"]

    def at(z):
        d = special.expit(move**2 / 2 - move * z)
        return (d - 0.5) ** 2 * stats.norm.pdf(z, loc=move)

    assert found == pytest.approx(integrate.quad(at, -9, 9)[0], rel=0.25)


def test_what_least_squares_tend_to_gives_the_odds_back():
    p, q = torch.tensor([0.2, 1.0, 3.0]), torch.tensor([1.0, 1.0, 0.5])
    for beside in (1, 4):
        assert torch.allclose(truth_odds(beside * (p - q) / (p + beside * q), beside), p / q)


def test_features_see_principal_components_and_nothing_that_is_missing():
    x = torch.randn(40, 5, 30, generator=generator(4), dtype=torch.float64)
    x[0, 3] = torch.nan
    conditions = torch.randn(40, 50, generator=generator(5), dtype=torch.float64)
    rows = local_features(x, conditions, 10, 3, generator(6))
    assert rows.shape == (40, 5, 1 + 6 + 21 + 10)
    assert bool((rows[0, 3] == 0).all()) and bool(rows.isfinite().all())
    # Constant variables, and one that is far out, leave the others as they are
    x[..., 0], x[..., 1], x[1, 1, 2] = 7.0, 0.0, 1e9
    assert bool(local_features(x, conditions, 10, 40, generator(6)).isfinite().all())


def test_missing_draws_do_not_count():
    seen = sampled(300, 20, 7)
    x = seen.candidates.clone()
    x[:, 17:], x[3, 4:] = torch.nan, torch.inf
    found = measured(replace(seen, candidates=x))
    assert found["l-c2st-p"] > 0.01 and found["l-c2st"] < 0.01


def test_it_says_why_it_says_nothing():
    seen = sampled(100, 20, 8)
    assert measured(replace(seen, truth=None)) == {}
    with pytest.raises(UnfitError, match="no independent draws"):
        measured(replace(seen, independent=False))
    with pytest.raises(UnfitError, match="needs 10 targets with a truth and 11 candidates"):
        measured(sampled(9, 20, 8))
    with pytest.raises(UnfitError, match="there are 0"):
        measured(sampled(100, 1, 8))
    assert measured(replace(seen, independent=False, draws=seen.candidates)) == measured(seen)

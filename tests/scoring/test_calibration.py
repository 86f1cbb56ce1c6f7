"""Ranks around reference points: uniform for draws of the posterior, and known for others."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from invcore.plugin import generator
from invcore.results import REFERENCES, calibration_draws, coverage_ranks


def gaussian(targets, count, seed, *, dim=1, spread=1.0, move=0.0, noise=0.5, prior=False):
    """Truths N(0, 1), responses with noise, and draws of the posterior, or of a wrong normal."""
    slope = 0.0 if prior else 1 / (1 + noise**2)
    width = math.sqrt(1 - slope)
    random = generator(seed, "calibration-test")
    z = torch.randn(targets, count + 2, dim, generator=random, dtype=torch.float64)
    truth = z[:, 0]
    y = truth + noise * z[:, 1]
    x = slope * y[:, None] + width * (spread * z[:, 2:] + move)
    return x, truth, y


def ranked(reference, x, truth, y, seed=0):
    made = calibration_draws(x, truth, y, generator(seed, "made"))
    ranks, counts = coverage_ranks(made, reference, generator(seed, reference))
    return (ranks + 0.5) / (counts + 1)


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("dim", [1, 3])
def test_ranks_of_posterior_draws_are_uniform_and_independent(reference, dim):
    """How many of 150 targets are covered at 20% and at 50% is binomial, over 300 runs.

    Its mean says that ranks are uniform, its variance that they are independent.
    """
    count = 10 if reference == "candidate" else 9  # ten ranks
    runs = [ranked(reference, *gaussian(151, count, seed, dim=dim), seed) for seed in range(300)]
    found = torch.stack([run[:150] for run in runs])
    for level in (0.2, 0.5):
        covered = (found < level).double().sum(dim=1)
        sd = math.sqrt(150 * level * (1 - level))
        assert float(covered.mean()) == pytest.approx(150 * level, abs=4 * sd / math.sqrt(300))
        # The variance of a variance of 300 numbers that are nearly normal
        assert float(covered.var()) / sd**2 == pytest.approx(1.0, abs=4 * math.sqrt(2 / 300))


@pytest.mark.parametrize(
    ("spread", "move"), [(1.0, 0.0), (0.5, 0.0), (2.0, 0.0), (1.0, 1.0), (0.7, -0.5)]
)
def test_the_mean_rank_around_a_draw_of_ones_own_is_known(spread, move):
    """A draw is nearer than the truth with P(AB > 0) of two normal variables A and B.

    With truth z, draws m + s z1 around the point m + s z0: A = z - m - s z1 and
    B = z - m + s z1 - 2 s z0.
    """
    mean, covariance = [-move] * 2, [
        [1 + spread**2, 1 - spread**2], [1 - spread**2, 1 + 5 * spread**2],
    ]  # fmt: skip
    both = stats.multivariate_normal(mean, covariance)
    mirrored = stats.multivariate_normal([move] * 2, covariance)
    expected = both.cdf([0, 0]) + mirrored.cdf([0, 0])
    found = ranked("candidate", *gaussian(20_000, 20, 1, spread=spread, move=move))
    assert float(found.mean()) == pytest.approx(expected, abs=4 * math.sqrt(1 / 12 / 20_000))


def test_around_far_points_narrow_draws_are_right_in_the_mean_alone():
    """Points of the prior lie on either side: as many truths too near as too far."""
    found = ranked("random", *gaussian(20_000, 20, 2, spread=0.5, noise=0.02))
    assert float(found.mean()) == pytest.approx(0.5, abs=0.01)
    assert float((found - 0.5).abs().mean()) > 0.3  # 1/4 if they are uniform


def test_draws_of_the_prior_pass_but_around_points_that_go_with_the_response():
    found = {}
    for kind in REFERENCES:
        count = 20 if kind == "candidate" else 19  # twenty ranks
        found[kind] = ranked(kind, *gaussian(4000, count, 3, prior=True))
    for kind in ("candidate", "random"):
        assert stats.chisquare(torch.bincount((20 * found[kind]).long())).pvalue > 0.01
    assert float(found["near"].mean()) < 0.35


def test_a_near_point_is_the_truth_of_the_nearest_target_before():
    x, truth, y = gaussian(40, 5, 4, dim=2)
    made = calibration_draws(x, truth, y, generator(0))
    ranks, counts = coverage_ranks(made, "near", generator(1))
    assert bool((counts == 5).all())
    for i in range(1, 40):
        away = (made.conditions[:i] - made.conditions[i]).norm(dim=1)
        point = made.truth[int(away.argmin())]
        nearer = (made.draws[i] - point).norm(dim=1) < (made.truth[i] - point).norm()
        assert int(ranks[i - 1]) == int(nearer.sum())


def test_what_is_not_finite_does_not_count():
    x, truth, y = gaussian(30, 6, 5)
    x[3, :5], x[4], truth[5], y[6] = (torch.nan,) * 4
    x[7, 2] = torch.inf
    made = calibration_draws(x, truth, y, generator(0))
    assert len(made.truth) == 26  # but those with one draw, none, no truth and no response
    _, counts = coverage_ranks(made, "candidate", generator(1))
    assert sorted(counts.tolist()) == [4] + [5] * 25


def test_context_belongs_to_what_is_known():
    x, truth, y = gaussian(30, 6, 6)
    context = {"b": torch.rand(30, 2, 2), "a": torch.zeros(30)}
    made = calibration_draws(x, truth, y, generator(0), context=context)
    assert made.conditions.shape == (30, 6)
    assert bool((made.conditions[:, 1] == 0).all())  # a constant


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_order_of_targets_and_of_draws_does_not_matter(reference):
    x, truth, y = gaussian(30, 6, 7, dim=2)
    turned = torch.randperm(30, generator=generator(8))
    within = torch.randperm(6, generator=generator(9))
    first = ranked(reference, x, truth, y)
    again = ranked(reference, x[turned][:, within], truth[turned], y[turned])
    assert torch.equal(first, again)


def test_of_many_draws_chance_keeps_some():
    x, truth, y = gaussian(20, 600, 10)
    made = calibration_draws(x, truth, y, generator(0), most=50)
    unit = made.truth.std() / truth.std()
    kept = torch.isclose(made.draws, unit * x[made_from(made, y)].transpose(1, 2)).any(dim=2)
    assert made.draws.shape == (20, 50, 1) and bool(kept.all())
    low = x.median(dim=1).values[made_from(made, y)] * unit
    assert 0.4 < float((made.draws[..., 0] < low).double().mean()) < 0.6


def made_from(made, y):
    """The places of the targets, which come in an order of chance."""
    return torch.cdist(made.conditions, (y - y.mean()) / y.std(correction=0)).argmin(dim=1)


def test_no_targets_are_taken():
    x, truth, y = gaussian(20, 6, 10)
    none = calibration_draws(x[:0], truth[:0], y[:0], generator(0))
    assert none.truth.shape == (0, 1) and none.draws.shape[2] == 1

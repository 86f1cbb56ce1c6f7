"""Scoring against brute force and statistics."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats

from invcore.base.errors import ShapeError
from invcore.plugin import generator
from invcore.results import bootstrap, bootstraps, expected_best
from invcore.scoring.errors import squared_error

NAN, INF = float("nan"), float("inf")


def brute(errors, count, penalty=INF):
    """Mean over all subsets of ``count``, one target; what is missing counts as the penalty."""
    known = [e if np.isfinite(e) else penalty for e in errors]
    return float(np.mean([min(subset) for subset in combinations(known, count)]))


ROWS = {
    "plain": [3.0, 1.0, 2.0, 7.0, 0.5, 4.0],
    "ties": [1.0, 1.0, 1.0, 2.0, 2.0, 0.0],
    "one missing": [3.0, NAN, 2.0, 7.0, 0.5, 4.0],
    "one known": [NAN, NAN, NAN, 0.7, NAN, NAN],
    "infinite": [3.0, INF, 2.0, NAN, 0.5, 4.0],
    "none": [NAN] * 6,
}


@pytest.mark.parametrize("worst", [INF, 9.0, 1.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_expected_best_is_the_mean_over_all_subsets(dtype, worst):
    errors = torch.tensor(list(ROWS.values()), dtype=dtype)
    before, penalty = errors.clone(), torch.full((len(ROWS),), worst, dtype=dtype)
    found = expected_best(errors, range(1, 7), ranked=False, penalty=penalty)
    expected = [[brute(row, count, worst) for row in ROWS.values()] for count in range(1, 7)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.dtype == dtype and torch.equal(errors.nan_to_num(), before.nan_to_num())


def test_ranked_candidates_count_by_their_prefix():
    errors = torch.tensor(list(ROWS.values()))
    counts, penalty = [1, 2, 4, 6], torch.full((len(ROWS),), 8.0)
    found = expected_best(errors, counts, ranked=True, penalty=penalty)
    expected = [[brute(row[:count], count, 8.0) for row in ROWS.values()] for count in counts]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 10, 10_000, 300_000])
def test_many_candidates_keep_the_precision(count):
    # errors u = i / (K + 1): the smallest of T has the mean (K + 1) / (T + 1) / (K + 1) exactly
    errors = torch.arange(1, count + 1, dtype=torch.float64)[None] / (count + 1)
    errors = errors[:, torch.randperm(count, generator=generator(0))]
    counts = sorted({1, min(2, count), count // 3 + 1, count})
    found = expected_best(errors, counts, ranked=False)[:, 0]
    np.testing.assert_allclose(found, [1 / (t + 1) for t in counts], rtol=1e-8)


def test_ends_are_the_mean_and_the_minimum():
    errors = torch.rand(40, 500, generator=generator(1), dtype=torch.float64)
    one, all_ = expected_best(errors, [1, 500], ranked=False)
    np.testing.assert_allclose(one, errors.mean(1), rtol=1e-10)
    np.testing.assert_allclose(all_, errors.amin(1), rtol=1e-10)
    curve = expected_best(errors, range(1, 501), ranked=False)
    assert bool((curve.diff(dim=0) <= 1e-15).all())


@pytest.mark.parametrize("ranked", [False, True])
def test_many_targets_are_scored_as_few(ranked, monkeypatch):
    errors = torch.rand(50, 20, generator=generator(2))
    whole = expected_best(errors, [1, 7], ranked=ranked)
    monkeypatch.setattr("invcore.scoring.expected_best._CHUNK", 60)  # three targets at a time
    torch.testing.assert_close(expected_best(errors, [1, 7], ranked=ranked), whole)
    monkeypatch.setattr("invcore.scoring.errors._CHUNK", 120)  # likewise
    resimulated = torch.rand(50, 20, 2, generator=generator(3))
    expected = (resimulated - errors[:, None, :2]).square().mean(2)
    assert torch.equal(squared_error(resimulated, errors[:, :2]), expected)


@pytest.mark.parametrize("count", [0, -1, 7])
def test_impossible_count(count, complaint):
    message = complaint(ShapeError, expected_best, torch.rand(2, 6), [1, count], ranked=False)
    assert f"T = {count} of 6" in message


def test_squared_error_is_the_mean_over_responses():
    resimulated = torch.tensor([[[1.0, 2.0], [3.0, NAN]], [[0.0, 0.0], [5.0, 1.0]]])
    targets = torch.tensor([[1.0, 4.0], [3.0, 1.0]])
    found = squared_error(resimulated, targets)
    np.testing.assert_array_equal(found, [[2.0, NAN], [5.0, 2.0]])


@pytest.mark.parametrize(
    ("shape", "targets"),
    [((3, 4, 2), (3, 1)), ((3, 4, 2), (4, 2)), ((3, 2), (3, 2)), ((3, 4), (3,))],
)
def test_squared_error_needs_shapes_that_fit(shape, targets, complaint):
    message = complaint(ShapeError, squared_error, torch.zeros(shape), torch.zeros(targets))
    assert str(shape) in message and str(targets) in message


def test_bootstrap_agrees_with_the_normal_theory():
    values = torch.randn(400, generator=generator(4), dtype=torch.float64) * 2 + 5
    mean, low, high = bootstrap(values, generator(0), repeats=4000)
    half = stats.norm.ppf(0.975) * float(values.std(unbiased=False)) / 20
    assert mean == pytest.approx(float(values.mean()))
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=0.1 * half)


def test_bootstrap_covers_about_as_often_as_it_says():
    draws = torch.distributions.Exponential(1.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        samples = draws.sample((300, 80))
    ends = [bootstrap(s, generator(i), repeats=300) for i, s in enumerate(samples)]
    covered = sum(low <= 1.0 <= high for _, low, high in ends) / 300
    assert 0.88 < covered < 0.98


def test_bootstrap_is_deterministic_and_leaves_out_what_is_missing(monkeypatch):
    values = torch.rand(30, generator=generator(0))
    with_holes = torch.cat([values[:10], torch.tensor([NAN, NAN]), values[10:]])
    first = bootstrap(values, generator(1))
    assert bootstrap(with_holes, generator(1)) == first != bootstrap(values, generator(2))
    assert first[1] < first[0] < first[2]
    assert all(np.isnan(bootstrap(torch.tensor([NAN]), generator(0))))
    assert bootstrap(torch.tensor([2.0]), generator(0)) == (2.0, 2.0, 2.0)
    wide = bootstrap(values, generator(1), level=0.99)
    assert wide[1] < first[1] and wide[2] > first[2]
    monkeypatch.setattr("invcore.scoring.intervals._CHUNK", 90)  # three resamples at a time
    parts = bootstrap(values, generator(1))
    assert parts == pytest.approx(first, rel=1e-12)


def test_intervals_of_several_quantities_are_those_of_each():
    source = torch.Generator().manual_seed(3)
    rows = [torch.rand(40, generator=source).double() for _ in range(3)]
    rows[1][7] = torch.nan
    together = bootstraps([*rows, torch.full((4,), torch.nan)], generator(5))
    apart = [bootstrap(row, generator(5)) for row in rows]
    assert together[:3] == apart and all(math.isnan(value) for value in together[3])
    assert len(set(apart)) == 3 and all(low < mean < high for mean, low, high in apart)

"""Weights, scales and quantiles of the judge, by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from invcore_solve.judging.error_scale import fit_scale, scale_of, spread_features
from invcore_solve.judging.replicates import folds, replicate_noise, same_designs
from invcore_solve.judging.response_codes import CURVE, ResponseCodes
from invcore_solve.judging.selection import pick_weights, supported_level, weighted_quantile
from invcore_solve.judging.stacking import stacking_weights


def even(count):
    return np.full(count, 1 / count)


def test_stacking_weights_are_shares_and_go_to_who_is_right():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(200)
    good, half, bad = y + 0.1 * rng.standard_normal(200), y + rng.standard_normal(200), -y
    weights = stacking_weights(np.stack([good, half, bad]), y, even(200))
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()
    assert weights[0] > 0.9 and weights[2] < 0.02
    np.testing.assert_allclose(stacking_weights(np.stack([good, good]), y, even(200)), [0.5, 0.5])
    errors = rng.standard_normal((2, 4000))
    own = rng.standard_normal(4000)
    two = stacking_weights(own + errors, own, even(4000))
    np.testing.assert_allclose(two, [0.5, 0.5], atol=0.05)  # independent errors: halves


def test_rows_that_count_more_decide_the_weights():
    y = np.linspace(-1, 1, 100)
    left = np.where(y < 0, y, 3.0)
    right = np.where(y < 0, -3.0, y)
    share = np.where(y < 0, 0.99, 0.01)
    weights = stacking_weights(np.stack([left, right]), y, share / share.sum())
    assert weights[0] > 0.8
    assert stacking_weights(np.stack([left, right]), y, even(100))[0] == pytest.approx(
        0.5, abs=0.05
    )


def test_few_rows_keep_the_weights_near_each_other():
    y = np.linspace(-1, 1, 8)
    few = stacking_weights(np.stack([y, 0 * y]), y, even(8))
    many = np.linspace(-1, 1, 800)
    assert 0.5 < few[0] < stacking_weights(np.stack([many, 0 * many]), many, even(800))[0] <= 1


def test_the_scale_follows_what_the_errors_follow():
    rng = np.random.default_rng(0)
    features = np.c_[rng.uniform(0, 1, (3000, 2)) ** 2, np.zeros(3000)]
    true = np.sqrt(0.04 + 3.0 * features[:, 0])
    coefficients = fit_scale(true * rng.standard_normal(3000), features, even(3000))
    found = scale_of(coefficients, features, 0.0)
    assert (coefficients >= 0).all()
    off = np.abs(np.log(found / true)).mean()
    assert off < 0.2 < 0.5 < np.abs(np.log(true / true.mean())).mean(), "one size is no scale"
    np.testing.assert_allclose(scale_of(coefficients, features, 2.0).min(), 2.0)


def test_features_of_the_scale_are_variance_disagreement_and_size():
    means, variances = np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[1.0, 4.0], [2.0, 4.0]])
    weights = np.array([0.75, 0.25])
    features = spread_features(means, variances, weights, np.nan)
    np.testing.assert_allclose(features, [[1.25, 0.75, 0.0], [4.0, 0.0, 0.0]])
    sized = spread_features(means, variances, weights, -1.0)[:, 2]  # where zero has the code -1
    np.testing.assert_allclose(sized, [2.5**2, 3.0**2])


def test_the_weighted_quantile_covers_its_share_and_one_more_row():
    values = np.arange(1.0, 20.0)  # 19 rows: at 0.95 all of them
    assert weighted_quantile(values, even(19), 0.95) == 19
    assert weighted_quantile(values, even(19), 0.5) == 10
    assert weighted_quantile(values, even(19), 0.5) == np.sort(values)[int(np.ceil(0.5 * 20)) - 1]
    heavy = np.r_[0.9, np.full(18, 0.1 / 18)]
    assert weighted_quantile(values, heavy, 0.4) == 1
    shuffled = np.random.default_rng(0).permutation(19)
    assert weighted_quantile(values[shuffled], heavy[shuffled], 0.4) == 1


@pytest.mark.parametrize("count", [9, 10, 19, 99, 400])
def test_the_supported_level_is_that_of_the_last_order_statistic(count):
    level = supported_level(even(count))
    assert level == pytest.approx(count / (count + 1), abs=1e-6)
    assert weighted_quantile(np.arange(float(count)), even(count), level) == count - 1
    uneven = np.r_[0.5, np.full(count - 1, 0.5 / (count - 1))]
    assert supported_level(uneven) < level


def test_rankings_pick_what_looks_good_and_rows_nobody_wants_are_not_picked():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((200, 1))
    mean = y + 0.3 * rng.standard_normal((200, 1))
    spread = np.full((200, 1), 0.1)
    spread[:100] = 5.0
    picks = pick_weights(mean, spread, y, np.ones(1), np.random.default_rng(1))
    assert picks.sum() == pytest.approx(1) and (picks >= 0).all()
    assert picks[100:].sum() > 0.95, "who is unsure is not chosen"
    again = pick_weights(mean, spread, y, np.ones(1), np.random.default_rng(1))
    np.testing.assert_array_equal(again, picks)


def test_folds_are_even_and_keep_groups_together():
    groups = np.random.default_rng(0).integers(0, 37, 200)
    groups = np.unique(groups, return_inverse=True)[1]
    fold = folds(groups, np.random.default_rng(1))
    for group in range(groups.max() + 1):
        assert len(np.unique(fold[groups == group])) == 1
    first = np.unique(groups, return_index=True)[1]
    sizes = np.bincount(fold[first])
    assert len(sizes) == 10 and sizes.max() - sizes.min() <= 1
    for rows, count in ((301, 5), (3001, 3), (7, 7)):
        assert len(np.unique(folds(np.arange(rows), np.random.default_rng(0)))) == count


def test_designs_and_noise_of_replicates():
    x = np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 1.0], [0.0, 1.0]])
    design = same_designs(x)
    assert design[0] == design[1] == design[3] != design[2], "a negative zero is a zero"
    y = np.array([[1.0], [3.0], [9.0], [5.0]])
    assert np.isnan(replicate_noise(design, y)), "two degrees of freedom"
    many = np.repeat(np.arange(6), 2)
    pairs = np.ravel(np.stack([np.arange(6.0), np.arange(6.0) + 2], axis=1))[:, None]
    np.testing.assert_allclose(replicate_noise(many, pairs), [2.0])
    pairs[0] = np.nan
    np.testing.assert_allclose(replicate_noise(many, pairs), [2.0])


def test_codes_of_logarithms_lead_back():
    y = np.exp(np.random.default_rng(0).standard_normal((50, 2)))
    codes = ResponseCodes.of(y, np.array([True, False]))
    coded = codes.encode(y)
    np.testing.assert_allclose(coded.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(coded.std(axis=0), 1)
    np.testing.assert_allclose(codes.decode(coded), y)
    step = 1e-6
    slope = (codes.decode(coded + step) - codes.decode(coded - step)) / (2 * step)
    np.testing.assert_allclose(codes.spread(coded, 0.1 * np.ones((50, 2))), 0.1 * slope, rtol=1e-6)


def test_curves_are_few_scores_that_explain_them():
    rng = np.random.default_rng(0)
    grid = np.linspace(0, 1, 40)
    y = rng.standard_normal((60, 3)) @ np.stack([grid, np.sin(6 * grid), np.cos(6 * grid)])
    codes = ResponseCodes.of(y, np.zeros(40, dtype=bool))
    assert codes.curve and len(codes.loadings) == 3
    np.testing.assert_allclose(codes.decode(codes.encode(y)), y, atol=1e-9)
    noisy = y + 0.2 * rng.standard_normal(y.shape)
    codes = ResponseCodes.of(noisy, np.zeros(40, dtype=bool))
    assert len(codes.loadings) <= 16
    left = np.square(noisy - codes.decode(codes.encode(noisy))).mean(axis=0)
    np.testing.assert_allclose(codes.rest, left)
    np.testing.assert_allclose(
        codes.spread(codes.encode(noisy), 0 * codes.encode(noisy))[0], np.sqrt(left)
    )
    assert not ResponseCodes.of(y[:, : CURVE - 1], np.zeros(CURVE - 1, dtype=bool)).curve


def test_codes_come_back_from_their_state():
    y = np.random.default_rng(0).random((30, 20)) + 1
    codes = ResponseCodes.of(y, np.arange(20) % 2 == 0)
    again = ResponseCodes.restore(codes.state())
    np.testing.assert_array_equal(again.decode(again.encode(y)), codes.decode(codes.encode(y)))

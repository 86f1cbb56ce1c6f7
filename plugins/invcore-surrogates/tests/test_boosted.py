"""Boosted trees: as scikit-learn evaluates them, errors of held-out rows, unknown responses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_surrogates.boosted import BoostedConfig, BoostedSurrogate
from invcore_surrogates.forest import Forest
from sklearn.ensemble import GradientBoostingRegressor

from invcore.plugin import FitEnvironment, Pairs, Problem, Space, Uniform, Variable

DRAWS = torch.Generator().manual_seed(0)


def problem(designs: int, responses: int) -> Problem:
    prior = Uniform(low=0.0, high=1.0)
    space = Space.of(*(Variable(name=f"x{i}", prior=prior) for i in range(designs)))
    return Problem("rows", space, Space.of(*(Variable(name=f"y{i}") for i in range(responses))))


def rows(count: int, noise: float = 0.0) -> Pairs:
    x = torch.rand(count, 3, generator=DRAWS).double()
    y = torch.stack([(5 * x[:, 0]).sin() + x[:, 1], 100 * x[:, 2]], dim=1)
    draws = torch.randn(count, 2, generator=DRAWS).double()
    return Pairs(x, y + noise * draws * torch.tensor([1.0, 100.0]))


def test_the_total_of_trees_is_what_scikit_learn_predicts():
    x = np.random.default_rng(0).random((200, 4)).astype(np.float32)
    boosting = GradientBoostingRegressor(n_estimators=30, init="zero", random_state=0)
    boosting.fit(x[:100], np.sin(5 * x[:100, 0]))
    forest = Forest.of(boosting).scaled(boosting.learning_rate, 7.0)
    total = forest.total(torch.tensor(x))[:, 0]
    np.testing.assert_allclose(total, 7.0 + boosting.predict(x), rtol=1e-10)


def test_the_variance_is_that_of_rows_that_were_held_out():
    train, new = rows(400, noise=0.3), rows(400, noise=0.3)
    fitted = BoostedSurrogate().fit(problem(3, 2), train, FitEnvironment())
    said = fitted.predict(new.x)
    off = (said.mean - new.y).square().mean(dim=0).sqrt()
    torch.testing.assert_close(said.std[0], off, rtol=0.2, atol=0.0)


@pytest.mark.parametrize("count", [40, 200])
def test_rows_held_out_are_off_as_much_as_new_ones(count):
    pairs, new = rows(count, noise=0.1), rows(300, noise=0.1)
    surrogate, folds = BoostedSurrogate(), torch.arange(count) % 5
    said = surrogate.held_out(problem(3, 2), pairs, FitEnvironment(), folds)
    off = (said.mean - pairs.y).square().mean(dim=0).sqrt()
    fitted = surrogate.fit(problem(3, 2), pairs, FitEnvironment())
    expected = (fitted.predict(new.x).mean - new.y).square().mean(dim=0).sqrt()
    assert bool((off / expected).log().abs().max() < 0.5)
    torch.testing.assert_close(said.std.mean(dim=0), off, rtol=0.2, atol=0.0)


def test_a_row_held_out_does_not_see_itself():
    pairs = rows(60)
    y = pairs.y.clone()
    y[7] += 20 * y.std(dim=0)
    said = BoostedSurrogate().held_out(
        problem(3, 2), Pairs(pairs.x, y), FitEnvironment(), torch.arange(60) % 10
    )
    assert bool(((said.mean[7] - y[7]).abs() > 10 * pairs.y.std(dim=0)).all())


def test_unknown_responses_and_few_rows():
    pairs = rows(9)
    y = pairs.y.clone()
    y[2:, 0] = torch.nan
    surrogate = BoostedSurrogate(BoostedConfig(trees=5))
    fitted = surrogate.fit(problem(3, 2), Pairs(pairs.x, y), FitEnvironment())
    said = fitted.predict(pairs.x)
    assert bool(said.mean.isfinite().all()) and bool((said.variance > 0).all())
    assert float((said.mean[:, 0].mean() - y[:2, 0].mean()).abs()) < 1.0

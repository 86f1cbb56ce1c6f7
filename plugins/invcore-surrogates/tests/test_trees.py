"""Forests: as scikit-learn evaluates them, with unknown responses, one forest for many."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_surrogates import forest as module
from invcore_surrogates.forest import Forest
from invcore_surrogates.trees import TreesConfig, TreesSurrogate
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from invcore.plugin import FitEnvironment, Pairs, Problem, Space, Uniform, Variable

DRAWS = np.random.default_rng(0)
X, Y = DRAWS.normal(size=(200, 4)), DRAWS.normal(size=(200, 3))
NEW = np.concatenate([DRAWS.normal(size=(300, 4)), X])


@pytest.mark.parametrize("kind", [ExtraTreesRegressor, RandomForestRegressor])
@pytest.mark.parametrize("y", [Y, Y[:, 0]], ids=["several", "one"])
def test_predictions_are_those_of_scikit_learn(kind, y, monkeypatch):
    monkeypatch.setattr(module, "_NUMBERS", 1000)  # a few rows at a time
    trees = kind(12, random_state=0, bootstrap=True).fit(X, y)
    mean, variance = Forest.of(trees).predict(torch.tensor(NEW))
    each = np.stack([t.predict(NEW).reshape(len(NEW), -1) for t in trees.estimators_])
    np.testing.assert_allclose(mean, trees.predict(NEW).reshape(len(NEW), -1), rtol=1e-12)
    np.testing.assert_allclose(variance, each.var(axis=0), rtol=1e-9, atol=1e-12)


def test_rows_on_a_threshold_go_where_scikit_learn_sends_them():
    x = (np.arange(60) / 10)[:, None]  # tenths, which single precision rounds either way
    trees = RandomForestRegressor(5, random_state=0).fit(x, np.sin(x[:, 0]))
    edges = np.concatenate([t.tree_.threshold for t in trees.estimators_])[:, None]
    edges = np.concatenate([edges, np.nextafter(edges, 9), np.nextafter(edges, -9)])
    mean, _ = Forest.of(trees).predict(torch.tensor(edges))
    np.testing.assert_allclose(mean[:, 0], trees.predict(edges), rtol=1e-12)


def test_a_tree_that_is_a_single_leaf():
    trees = ExtraTreesRegressor(3, random_state=0).fit(X, np.full(200, 7.0))
    mean, variance = Forest.of(trees).predict(torch.tensor(NEW))
    assert mean.unique().tolist() == [7.0] and not variance.any()


def problem(designs: int, responses: int) -> Problem:
    prior = Uniform(low=-5.0, high=5.0)
    space = Space.of(*(Variable(name=f"x{i}", prior=prior) for i in range(designs)))
    return Problem("rows", space, Space.of(*(Variable(name=f"y{i}") for i in range(responses))))


def test_many_responses_share_a_forest_unless_some_are_unknown():
    x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)).double()
    y = torch.stack([(x[:, 0] + i * x[:, 1]).sin() for i in range(10)], dim=1)
    surrogate = TreesSurrogate(TreesConfig(trees=20))
    whole = surrogate.fit(problem(2, 10), Pairs(x, y), FitEnvironment())
    y[0, 0] = torch.nan
    parted = surrogate.fit(problem(2, 10), Pairs(x, y), FitEnvironment())
    for fitted, count in ((whole, 1), (parted, 10)):
        assert sum(name.endswith(".roots") for name in fitted.state()) == count
        off = (fitted.predict(x[1:]).mean - y[1:]).abs()
        assert fitted.predict(x).variance.shape == (60, 10)
        assert float(off.mean()) < 0.15

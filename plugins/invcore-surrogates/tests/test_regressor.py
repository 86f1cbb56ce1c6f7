"""Regressors of scikit-learn as surrogates: the contract, what is stored, what is left alone."""

from __future__ import annotations

import pytest
import torch
from invcore_surrogates import RegressorSurrogate
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVR

from invcore.configs.config import Config
from invcore.plugin import (
    DataError,
    FitEnvironment,
    Pairs,
    Problem,
    Space,
    SurrogateModel,
    Uniform,
    Variable,
)

X = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)).double()
Y = torch.stack([X[:, 0] ** 2, X.sum(dim=1)], dim=1)
SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in ("a", "b")))
PROBLEM = Problem("rows", SPACE, Space.of(Variable(name="y"), Variable(name="z")))


@pytest.mark.parametrize(
    "regressor",
    [GradientBoostingRegressor(), KNeighborsRegressor(), SVR(C=10.0), RandomForestRegressor(20)],
)  # fmt: skip
def test_a_restored_surrogate_predicts_the_same(regressor):
    surrogate = RegressorSurrogate(regressor)
    y = Y.clone()
    y[:9, 1] = torch.nan
    noise = torch.full_like(y, 1e-4)
    fitted = surrogate.fit(PROBLEM, Pairs(X, y), FitEnvironment(), weights=X[:, 0], noise=noise)
    again = RegressorSurrogate(regressor).restore(PROBLEM, fitted.state())
    first, second = fitted.predict(X), again.predict(X)
    assert torch.equal(first.mean, second.mean) and torch.equal(first.variance, second.variance)
    assert float((first.mean - Y).square().mean()) < 0.2 * float(Y.var())
    assert not hasattr(regressor, "n_features_in_")  # it is cloned


def test_the_variance_is_that_of_rows_that_were_held_out():
    draws = torch.randn(400, 1, generator=torch.Generator().manual_seed(1)).double()
    x = torch.rand(400, 2, generator=torch.Generator().manual_seed(2)).double()
    fitted = RegressorSurrogate(KNeighborsRegressor(50)).fit(
        Problem("noise", SPACE, Space.of(Variable(name="y"))), Pairs(x, 7 * draws), FitEnvironment()
    )
    assert float(fitted.predict(x[:1]).std) == pytest.approx(7.0, rel=0.1)


def test_slopes_of_a_smooth_regressor():
    fitted = RegressorSurrogate(SVR(C=100.0, epsilon=1e-3)).fit(
        PROBLEM, Pairs(X, Y), FitEnvironment()
    )
    inner = 0.2 + 0.6 * X[:20]
    slope = fitted.gradient(inner)
    torch.testing.assert_close(slope[:, 0, 0], 2 * inner[:, 0], rtol=0.2, atol=0.1)
    torch.testing.assert_close(slope[:, 1], torch.ones(20, 2).double(), rtol=0.2, atol=0.1)


def test_few_rows_are_told(complaint):
    told = complaint(
        DataError, RegressorSurrogate(SVR()).fit, PROBLEM, Pairs(X[:9], Y[:9]), FitEnvironment()
    )
    assert "10 are needed" in told


def test_it_is_a_surrogate():
    surrogate = RegressorSurrogate(SVR())
    assert isinstance(surrogate, SurrogateModel) and isinstance(surrogate.config, Config)

"""Linear models: by the formulas, and by independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_surrogates.components import partial_least_squares
from invcore_surrogates.linear import LinearConfig, LinearSurrogate
from invcore_surrogates.pls import PlsSurrogate
from invcore_surrogates.ridge import Ridge
from sklearn.cross_decomposition import PLSRegression

from invcore.plugin import DataError, FitEnvironment, Pairs, Problem, Space, Uniform, Variable

DRAWS = torch.Generator().manual_seed(0)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=DRAWS).double()


def problem(designs: int, responses: int = 1) -> Problem:
    prior = Uniform(low=-9.0, high=9.0)
    space = Space.of(*(Variable(name=f"x{i}", prior=prior) for i in range(designs)))
    return Problem("rows", space, Space.of(*(Variable(name=f"y{i}") for i in range(responses))))


def test_many_rows_give_least_squares_and_their_variance():
    x, shares = normal(400, 3), torch.rand(400, generator=DRAWS).double() + 0.5
    shares = shares / shares.mean()
    y = x @ normal(3, 2) + 5 + 0.3 * normal(400, 2) / shares.sqrt()[:, None]
    ridge = Ridge.fit(x, y, shares)
    columns = torch.cat([torch.ones(400, 1).double(), x], dim=1)
    inverse = torch.linalg.inv(columns.T @ (shares[:, None] * columns))
    expected = inverse @ columns.T @ (shares[:, None] * y)
    new = torch.cat([torch.ones(50, 1).double(), 3 * normal(50, 3)], dim=1)
    mean, variance = ridge.predict(new[:, 1:])
    torch.testing.assert_close(mean, new @ expected, rtol=0.0, atol=0.02)
    left = (shares[:, None] * (y - columns @ expected).square()).sum(0) / 396
    leverage = ((new @ inverse) * new).sum(dim=1, keepdim=True)
    torch.testing.assert_close(variance, left * (1 + leverage), rtol=0.01, atol=0.0)


def test_the_ridge_is_large_where_features_say_nothing():
    x, y = normal(30, 20), normal(30, 1)
    slope = Ridge.fit(x, y, torch.ones(30).double()).slope
    plain = torch.linalg.lstsq(x - x.mean(0), y - y.mean(0)).solution
    assert float(slope.norm()) < 0.5 * float(plain.norm())


def test_squares_and_products_come_with_rows_enough():
    x = normal(120, 3)
    y = (x[:, :1] * x[:, 1:2]) - x[:, 2:].square()
    surrogate = LinearSurrogate()
    errors = []
    for count in (12, 24, 120):  # 3, 6 and 9 terms
        fitted = surrogate.fit(problem(3), Pairs(x[:count], y[:count]), FitEnvironment())
        errors.append(int(fitted.state()["degree"]))
    assert errors == [0, 1, 2]
    assert float((fitted.predict(x).mean - y).abs().max()) < 1e-3
    straight = LinearSurrogate(LinearConfig(quadratic=False))
    fitted = straight.fit(problem(3), Pairs(x, y), FitEnvironment())
    assert float((fitted.predict(x).mean - y).square().mean()) > 0.5 * float(y.var())


def test_responses_in_several_groups_keep_their_order():
    x = normal(50, 2)
    y = torch.cat([x[:, :1], x[:, 1:], x.sum(dim=1, keepdim=True)], dim=1)
    y[:20, 1] = torch.nan
    fitted = LinearSurrogate().fit(problem(2, 3), Pairs(x, y), FitEnvironment())
    expected = torch.cat([x[:, :1], x[:, 1:], x.sum(dim=1, keepdim=True)], dim=1)
    torch.testing.assert_close(fitted.predict(x).mean, expected, rtol=1e-4, atol=1e-4)


def test_components_are_those_of_scikit_learn():
    x, y = normal(40, 12) @ normal(12, 12), normal(40)
    slopes, intercepts = partial_least_squares(x, y, torch.ones(40), 6)
    for count in (1, 3, 6):
        other = PLSRegression(count, scale=False).fit(x.numpy(), y.numpy())
        expected = other.predict(x.numpy()).reshape(-1)
        found = (x @ slopes[count - 1] + intercepts[count - 1]).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_a_row_of_weight_two_counts_as_two_rows():
    x, y = normal(30, 5), normal(30)
    shares = torch.ones(30)
    shares[0] = 2.0
    weighted = partial_least_squares(x, y, shares, 3)
    doubled = partial_least_squares(torch.cat([x[:1], x]), torch.cat([y[:1], y]), torch.ones(31), 3)
    for found, expected in zip(weighted, doubled, strict=True):
        torch.testing.assert_close(found, expected)


def test_spectra_of_few_hidden_causes_need_few_components():
    hidden = normal(60, 3)
    x = hidden @ normal(3, 50) + 0.01 * normal(60, 50)
    y = hidden @ normal(3, 1)
    pairs = Pairs(x[:40], y[:40])
    fitted = PlsSurrogate().fit(problem(50), pairs, FitEnvironment())
    wrong = fitted.predict(x[40:]).mean - y[40:]
    assert float(wrong.square().mean().sqrt()) < 0.02 * float(y.std())
    said = fitted.predict(x[40:]).std
    assert 0.3 < float(wrong.square().mean().sqrt() / said.mean()) < 3


@pytest.mark.parametrize("surrogate", [LinearSurrogate(), PlsSurrogate()])
def test_too_few_rows_are_told(surrogate, complaint):
    y = torch.full((9, 1), torch.nan).double()
    y[:1] = 1.0
    told = complaint(DataError, surrogate.fit, problem(2), Pairs(normal(9, 2), y), FitEnvironment())
    assert "1 rows" in told


def test_rows_of_one_group_cannot_be_held_out(complaint):
    groups = torch.zeros(9, dtype=torch.long)
    told = complaint(
        DataError, PlsSurrogate().fit, problem(2), Pairs(normal(9, 2), normal(9, 1)),
        FitEnvironment(), groups=groups,
    )  # fmt: skip
    assert "one group" in told

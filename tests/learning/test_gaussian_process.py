"""Gaussian processes: by the formula, with noise, unknown responses, and shared lengths."""

from __future__ import annotations

import math

import pytest
import torch

from invcore.base.errors import DataError
from invcore.learning import GaussianProcess, GaussianProcessConfig, fit_process
from invcore.learning.gaussian_process import Parameters

X = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
Y = torch.stack([(3 * X[:, 0]).sin(), X[:, 0] ** 2], dim=1)
ONES, ZEROS = torch.ones_like(Y), torch.zeros_like(Y)


def given(kernel="rbf", noise=ONES, extra=ZEROS, y=Y, length=(0.5, 0.8)):
    parameters = Parameters(
        torch.tensor([[math.log(v)] for v in length]).double(),
        torch.tensor([0.3, -0.2]).double(), torch.full((2,), -6.0).double(),
    )  # fmt: skip
    return GaussianProcess(kernel, X, y, noise, extra, parameters)


def formula(kernel, length, signal, noise, x, y, new):
    """Rasmussen and Williams, equations 2.25 and 2.26, one response, without any matrix tricks."""

    def k(a, b):
        distance = (a - b.T).abs() / length
        if kernel == "rbf":
            return signal * (-0.5 * distance**2).exp()
        scaled = math.sqrt(5) * distance
        return signal * (1 + scaled + scaled**2 / 3) * (-scaled).exp()

    inverse = torch.linalg.inv(k(x, x) + torch.diag(noise))
    mean = k(new, x) @ inverse @ y
    return mean, k(new, new).diag() - (k(new, x) @ inverse @ k(x, new)).diag()


@pytest.mark.parametrize("kernel", ["rbf", "matern"])
def test_predictions_are_those_of_the_formula(kernel):
    noise = ONES * torch.linspace(1, 2, 9)[:, None].double()
    extra = torch.full_like(Y, 0.01)
    process, new = given(kernel, noise, extra), torch.tensor([[0.13], [0.9], [3.0]]).double()
    mean, variance = process.predict(new)
    for i in (0, 1):
        own = math.exp(-6.0) * noise[:, i] + extra[:, i]
        expected = formula(kernel, (0.5, 0.8)[i], math.exp((0.3, -0.2)[i]), own, X, Y[:, i], new)
        torch.testing.assert_close(mean[:, i], expected[0], rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(variance[:, i], expected[1], rtol=1e-5, atol=1e-8)


def test_an_unknown_response_is_as_if_the_row_were_not_there():
    y = Y.clone()
    y[::2, 0] = torch.nan
    new = torch.tensor([[0.13], [0.77]]).double()
    mean, variance = given(y=y).predict(new)
    own = torch.full((4,), math.exp(-6.0)).double()
    expected = formula("rbf", 0.5, math.exp(0.3), own, X[1::2], Y[1::2, 0], new)
    torch.testing.assert_close(mean[:, 0], expected[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(variance[:, 0], expected[1], rtol=1e-5, atol=1e-6)
    whole = given().predict(new)[0]
    torch.testing.assert_close(mean[:, 1], whole[:, 1])


def test_the_noise_is_found():
    draws = torch.randn(300, 1, generator=torch.Generator().manual_seed(0)).double()
    x = torch.rand(300, 1, generator=torch.Generator().manual_seed(1)).double()
    process = fit_process(GaussianProcessConfig(), 3 * x, (9 * x).sin() + 0.1 * draws)
    assert math.exp(float(process.parameters.noise[0]) / 2) == pytest.approx(0.1, rel=0.15)


def test_a_variable_that_does_nothing_gets_a_long_length():
    x = torch.rand(80, 2, generator=torch.Generator().manual_seed(0)).double()
    process = fit_process(GaussianProcessConfig(), x, (6 * x[:, :1]).sin())
    length = process.parameters.length.exp()[0]
    assert float(length[1]) > 5 * float(length[0])


def test_many_responses_share_their_lengths():
    x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)).double()
    y = torch.stack([(4 * x[:, 0] + i / 5).sin() for i in range(12)], dim=1)
    process = fit_process(GaussianProcessConfig(), x, y)
    assert process.parameters.length.shape == (1, 2)
    new = torch.rand(20, 2, generator=torch.Generator().manual_seed(1)).double()
    mean, variance = process.predict(new)
    truth = torch.stack([(4 * new[:, 0] + i / 5).sin() for i in range(12)], dim=1)
    assert mean.shape == variance.shape == (20, 12)
    assert float((mean - truth).square().mean()) < 1e-4
    y[0, 0] = torch.nan
    assert fit_process(GaussianProcessConfig(), x, y).parameters.length.shape == (12, 2)


def test_of_too_many_rows_some_are_drawn():
    x = torch.rand(100, 1, generator=torch.Generator().manual_seed(0)).double()
    config = GaussianProcessConfig(rows=30, tuning_rows=20)
    process = fit_process(config, x, x, generator=torch.Generator().manual_seed(0))
    assert process.x.shape == (30, 1)


@pytest.mark.parametrize("y", [torch.zeros(1, 1), torch.full((3, 1), torch.nan)])
def test_what_cannot_be_learnt_from_is_told(y, complaint):
    x = torch.rand(len(y), 1)
    assert "two rows" in complaint(DataError, fit_process, GaussianProcessConfig(), x, y)

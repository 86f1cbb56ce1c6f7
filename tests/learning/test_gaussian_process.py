"""Gaussian processes: by the formula, with noise, unknown responses, and shared lengths."""

from __future__ import annotations

import math

import pytest
import torch

from invcore.base.errors import DataError
from invcore.learning import GaussianProcess, GaussianProcessConfig, fit_process
from invcore.learning.gaussian_process import Parameters
from invcore.learning.processes.likelihood import Loss
from invcore.learning.processes.parameters import Rows

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


@pytest.mark.parametrize("kernel", ["rbf", "matern"])
@pytest.mark.parametrize("shared", [False, True])
def test_the_slope_of_the_likelihood_is_that_of_differences(kernel, shared):
    draws = torch.Generator().manual_seed(0)
    x, y = (torch.randn(14, n, generator=draws).double() for n in (3, 2))
    noise, extra = torch.rand(2, 14, 1, generator=draws).double().expand(-1, -1, 2)
    if not shared:
        y[::3, 0] = torch.nan
    loss = Loss(kernel, Rows(x, y, noise, extra), 1e-8, shared)
    numbers = torch.randn(1 if shared else 2, 5, generator=draws).double()
    which = torch.arange(len(numbers))
    _, slope = loss(numbers, which)
    for i, step in enumerate(1e-6 * torch.eye(5).double()):
        expected = (loss(numbers + step, which)[0] - loss(numbers - step, which)[0]) / 2e-6
        torch.testing.assert_close(slope[:, i], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kernel", ["rbf", "matern"])
def test_rows_that_are_left_out_are_predicted_by_the_others(kernel):
    noise = ONES * torch.linspace(1, 2, 9)[:, None].double()
    y = Y.clone()
    y[4, 1] = torch.nan
    folds = torch.tensor([0, 1, 2, 0, 1, 2, 2, 2, 3])
    mean, variance = given(kernel, noise, y=y).left_out(folds)
    for fold in range(4):
        rest, out = folds != fold, folds == fold
        parameters = given().parameters
        part = GaussianProcess(kernel, X[rest], y[rest], noise[rest], ZEROS[rest], parameters)
        expected = part.predict(X[out])
        torch.testing.assert_close(mean[out], expected[0], rtol=1e-5, atol=1e-6)
        known = ~y[out].isnan()
        torch.testing.assert_close(variance[out][known], expected[1][known], rtol=1e-5, atol=1e-8)
        assert bool((variance[out] >= 0).all())


def test_rows_left_out_of_processes_that_share_their_lengths():
    x = torch.rand(20, 2, generator=torch.Generator().manual_seed(0)).double()
    y = torch.stack([(4 * x[:, 0] + i / 5).sin() for i in range(12)], dim=1)
    process = fit_process(GaussianProcessConfig(), x, y)
    mean, variance = process.left_out(torch.arange(20))
    assert mean.shape == variance.shape == (20, 12)
    part = GaussianProcess(
        "matern", x[1:], y[1:], torch.ones_like(y[1:]), torch.zeros_like(y[1:]), process.parameters
    )
    torch.testing.assert_close(mean[:1], part.predict(x[:1])[0], rtol=1e-4, atol=1e-6)
    assert process.noise.shape == (12,)


def test_parameters_to_begin_with_are_taken_as_they_are_or_tuned():
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0)).double()
    y = torch.cat([(6 * x[:, :1]).sin(), x[:, 1:] ** 2], dim=1)
    whole = fit_process(GaussianProcessConfig(), x, y)
    kept = fit_process(GaussianProcessConfig(), x[1:], y[1:], start=whole.parameters, steps=0)
    assert kept.parameters is whole.parameters
    again = fit_process(GaussianProcessConfig(), x, y, start=whole.parameters, steps=3)
    torch.testing.assert_close(again.parameters.length, whole.parameters.length, atol=0.1, rtol=0.0)
    columns = GaussianProcessConfig(kernels="shared")
    shared = fit_process(columns, x, y, start=whole.parameters, steps=3)
    assert shared.parameters.length.shape == (1, 2)
    each = fit_process(GaussianProcessConfig(), x, y, start=shared.parameters, steps=3)
    assert each.parameters.length.shape == (2, 2)


def test_each_response_is_tuned_as_if_by_itself():
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0)).double()
    y = torch.cat([(9 * x[:, :1]).sin(), x[:, 1:] ** 2], dim=1)
    both = fit_process(GaussianProcessConfig(), x, y).parameters
    for i in (0, 1):
        alone = fit_process(GaussianProcessConfig(), x, y[:, i : i + 1]).parameters
        torch.testing.assert_close(both.length[i], alone.length[0], rtol=1e-3, atol=1e-3)


def test_rows_so_near_that_rounding_makes_their_covariance_singular_are_taken():
    x = torch.cat([X, X + 1e-12, X - 1e-12])
    parameters = Parameters(*(v.double() for v in (torch.ones(1, 1) * 3, torch.zeros(1) + 8,
                                                    torch.zeros(1) - 40)))  # fmt: skip
    y = Y[:, 1:].repeat(3, 1)
    process = GaussianProcess("rbf", x, y, ONES[:, 1:].repeat(3, 1), ZEROS[:, 1:].repeat(3, 1),
                              parameters)  # fmt: skip
    assert bool(process.predict(X)[0].isfinite().all())

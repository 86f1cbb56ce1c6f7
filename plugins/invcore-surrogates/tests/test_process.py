"""The Gaussian process of surrogates: rows held out, noise, many features."""

from __future__ import annotations

import pytest
import torch
from invcore_surrogates.principal import Principal
from invcore_surrogates.process import ProcessSurrogate

from invcore.plugin import FitEnvironment, Pairs, Problem, Space, Uniform, Variable

DRAWS = torch.Generator().manual_seed(0)


def problem(designs: int, responses: int = 1) -> Problem:
    prior = Uniform(low=-9.0, high=9.0)
    space = Space.of(*(Variable(name=f"x{i}", prior=prior) for i in range(designs)))
    return Problem("rows", space, Space.of(*(Variable(name=f"y{i}") for i in range(responses))))


def rows(count: int, noise: float = 0.0) -> Pairs:
    x = torch.rand(count, 2, generator=DRAWS).double()
    draws = torch.randn(count, 2, generator=DRAWS).double()
    y = torch.stack([50 + 20 * (6 * x[:, 0]).sin(), 1e-3 * x.sum(dim=1)], dim=1)
    return Pairs(x, y + noise * draws * torch.tensor([20.0, 1e-3]))


@pytest.mark.parametrize("count", [40, 160, 320])
def test_rows_held_out_are_predicted_as_a_fit_to_the_others_does(count):
    pairs, surrogate = rows(count, noise=0.1), ProcessSurrogate()
    folds = torch.arange(count) % 4
    found = surrogate.held_out(problem(2, 2), pairs, FitEnvironment(), folds)
    out = folds == 1
    other = surrogate.fit(problem(2, 2), pairs[~out], FitEnvironment()).predict(pairs.x[out])
    scale = pairs.y.std(dim=0)
    off = ((found.mean[out] - other.mean) / scale).square().mean().sqrt()
    assert float(off) < 0.05
    ratio = (found.std[out] / other.std).log().abs().median()
    assert float(ratio) < 0.3


def test_a_row_held_out_does_not_see_itself():
    pairs, surrogate = rows(40), ProcessSurrogate()
    y = pairs.y.clone()
    y[7] += 10 * y.std(dim=0)
    pairs = Pairs(pairs.x, y)
    fitted = surrogate.fit(problem(2, 2), pairs, FitEnvironment())
    found = surrogate.held_out(
        problem(2, 2), pairs, FitEnvironment(), torch.arange(40) % 10, fitted=fitted
    )
    away = ((found.mean[7] - y[7]) / y.std(dim=0)).abs()
    assert bool((away > 2).all())


def test_unknown_responses_noise_and_weights_are_taken_along():
    pairs = rows(60, noise=0.1)
    y = pairs.y.clone()
    y[::3, 0] = torch.nan
    found = ProcessSurrogate().held_out(
        problem(2, 2), Pairs(pairs.x, y), FitEnvironment(), torch.arange(60) % 5,
        weights=torch.linspace(1, 2, 60), noise=torch.full((60, 2), 1e-8),
    )  # fmt: skip
    assert bool(found.mean.isfinite().all()) and bool((found.variance >= 0).all())


def test_the_noise_of_measurements_is_found_in_the_responses_units():
    fitted = ProcessSurrogate().fit(problem(2, 2), rows(200, noise=0.1), FitEnvironment())
    expected = torch.tensor([2.0, 1e-4]).double()
    torch.testing.assert_close(fitted.noise.sqrt(), expected, rtol=0.2, atol=0.0)


def test_known_noise_is_part_of_it():
    pairs = rows(200, noise=0.1)
    noise = torch.tensor([4.0, 1e-8]).double().expand(200, 2)
    fitted = ProcessSurrogate().fit(problem(2, 2), pairs, FitEnvironment(), noise=noise)
    expected = torch.tensor([2.0, 1e-4]).double()
    torch.testing.assert_close(fitted.noise.sqrt(), expected, rtol=0.2, atol=0.0)


def test_of_many_features_it_sees_the_components():
    hidden = torch.randn(80, 2, generator=DRAWS).double()
    x = hidden @ torch.randn(2, 60, generator=DRAWS).double()
    pairs = Pairs(x, (hidden[:, :1]).sin())
    fitted = ProcessSurrogate().fit(problem(60), pairs[:60], FitEnvironment())
    assert fitted.state()["process.x"].shape == (60, 2)
    assert float((fitted.predict(x[60:]).mean - pairs.y[60:]).abs().mean()) < 0.1
    assert fitted.gradient(x[:3]).shape == (3, 1, 60)
    again = ProcessSurrogate().restore(problem(60), fitted.state())
    assert torch.equal(again.predict(x).mean, fitted.predict(x).mean)


def test_components_have_variance_one_and_no_correlation():
    x = torch.randn(50, 30, generator=DRAWS).double() * torch.linspace(1, 9, 30).double()
    scores = Principal.of(x, 25)(x)
    torch.testing.assert_close(scores.T @ scores / 50, torch.eye(25).double(), atol=1e-8, rtol=0.0)

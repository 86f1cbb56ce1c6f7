"""The Gaussian tasks against what is known in closed form."""

import torch
from invcore_sbibm.tasks.gaussian_linear import GaussianLinear, GaussianLinearUniform
from invcore_sbibm.tasks.gaussian_mixture import GaussianMixture

from invcore.plugin import generator

COUNT = 20_000


def regression(x, y):
    """Slopes of the best linear guess of x by y, and the covariance of what is left."""
    y, x = y - y.mean(dim=0), x - x.mean(dim=0)
    slopes = torch.linalg.lstsq(y, x).solution
    return slopes, torch.cov((x - y @ slopes).T)


def test_gaussian_linear_has_the_posterior_of_the_closed_form():
    pairs = GaussianLinear().pairs(COUNT, generator(1))
    eye = torch.eye(10, dtype=torch.float64)
    torch.testing.assert_close(torch.cov(pairs.x.T), 0.1 * eye, atol=0.005, rtol=0)
    slopes, left = regression(pairs.x, pairs.y)
    torch.testing.assert_close(slopes, 0.5 * eye, atol=0.03, rtol=0)
    torch.testing.assert_close(left, 0.05 * eye, atol=0.0025, rtol=0)


def test_gaussian_linear_uniform_has_normal_noise_and_a_flat_prior():
    pairs = GaussianLinearUniform().pairs(COUNT, generator(2))
    assert float(pairs.x.abs().max()) <= 1
    third = torch.eye(10, dtype=torch.float64) / 3
    torch.testing.assert_close(torch.cov(pairs.x.T), third, atol=0.012, rtol=0)
    noise = pairs.y - pairs.x
    torch.testing.assert_close(torch.cov(noise.T), 0.3 * third, atol=0.005, rtol=0)
    assert float(torch.corrcoef(torch.cat((noise, pairs.x), dim=1).T)[:10, 10:].abs().max()) < 0.03


def test_gaussian_mixture_is_broad_or_narrow_in_both_dimensions():
    pairs = GaussianMixture().pairs(COUNT, generator(3))
    assert 9.9 < float(pairs.x.abs().max()) <= 10
    noise = pairs.y - pairs.x
    within = (noise.square().sum(dim=1) < 0.3**2).double().mean()
    # 1 - exp(-r² / 2σ²) of either component
    known = 0.5 * (1 - torch.exp(torch.tensor(-0.045))) + 0.5 * (1 - torch.exp(torch.tensor(-4.5)))
    assert abs(float(within - known)) < 0.015
    assert float(noise.var(dim=0).sub(0.505).abs().max()) < 0.03
    fourth = (noise[:, 0].square() * noise[:, 1].square()).mean()  # (1 + 0.1⁴) / 2: one for both
    assert abs(float(fourth) - 0.50005) < 0.06

"""The conditional invertible network: its density is one, and the posterior where that is known."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_cinn.config import ConditionalINNConfig
from invcore_cinn.method import ConditionalINN
from scipy import stats

from invcore import Normal, Space, Uniform, Variable
from invcore.learning import TrainingConfig
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, UnfitError, generator

NORMAL = Space.of(*(Variable(name=n, prior=Normal(mean=1.0, std=2.0)) for n in "ab"))
SQUARE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
RESPONSE = Space.of(Variable(name="y"))
NOISE = 0.5


def fitted(designs, x, y, seed=2, **config):
    training = TrainingConfig(epochs=40, batch_size=128, lr=5e-3, clip=10.0, average=0.95)
    small = {"blocks": 4, "width": 32}
    settings = {"network": small, "training": training.model_dump(), **config}
    method = ConditionalINN(ConditionalINNConfig.resolve(settings))
    pairs = Pairs(x, y)
    problem = Problem("made", designs, RESPONSE)
    return method.fit(problem, pairs[:3200], pairs[3200:], FitEnvironment(seed=seed))


def linear(count=4000):
    """y = a + b/2 + noise: the posterior of (a, b) given y is normal and known."""
    x = NORMAL.sample(count, generator(0, "x"))
    noise = NOISE * torch.randn(count, 1, generator=generator(0, "n"), dtype=torch.float64)
    return x, x[:, :1] + 0.5 * x[:, 1:] + noise


def posterior(y):
    """Mean and covariance of the exact posterior."""
    row = torch.tensor([[1.0, 0.5]], dtype=torch.float64)
    precision = torch.eye(2, dtype=torch.float64) / 4 + row.T @ row / NOISE**2
    covariance = torch.linalg.inv(precision)
    return covariance @ (torch.ones(2) / 4 + row[0] * y / NOISE**2), covariance


@pytest.fixture(scope="module")
def gaussian():
    return fitted(NORMAL, *linear())


def test_density_matches_the_posterior_of_a_linear_gaussian_task(gaussian):
    x, y = linear(5000)
    x, y = x[4000:], y[4000:]
    found = gaussian.log_density(Targets(y), x)
    exact = [
        stats.multivariate_normal(*posterior(float(t))).logpdf(row)
        for row, t in zip(x.numpy(), y, strict=True)
    ]
    gap = (torch.tensor(exact) - found).mean()  # the Kullback-Leibler divergence
    assert -0.01 < float(gap) < 0.05


def test_samples_match_the_posterior_of_a_linear_gaussian_task(gaussian):
    wanted = torch.tensor([[-1.0], [3.0]], dtype=torch.float64)
    points = torch.rand(2, 4000, 2, generator=generator(1), dtype=torch.float64)
    x = gaussian.propose(Targets(wanted), points).x
    for row, y in zip(x, wanted, strict=True):
        mean, covariance = posterior(float(y))
        torch.testing.assert_close(row.mean(0), mean, atol=0.12, rtol=0)
        torch.testing.assert_close(row.T.cov(), covariance, atol=0.2, rtol=0)


@pytest.mark.parametrize("padding", [0, 2])
def test_density_integrates_to_one(padding):
    """A ring of designs, which a Gaussian is not, on a grid that holds all of it."""
    x = SQUARE.sample(4000, generator(3))
    y = x.square().sum(1, keepdim=True)
    y = y + 0.05 * torch.randn(4000, 1, generator=generator(4), dtype=torch.float64)
    config = {"padding": padding, "training": {"epochs": 8, "batch_size": 128, "lr": 5e-3}}
    model = fitted(SQUARE, x, y, **config)
    side = torch.linspace(-3, 3, 61 if padding else 301, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    density = model.log_density(Targets(torch.full((len(grid), 1), 0.5)), grid).exp()
    assert float(density.sum() * (side[1] - side[0]) ** 2) == pytest.approx(
        1.0, abs=0.02 if padding else 0.005
    )
    assert float(density.max()) > 0.5, "and is no flat one"


def test_density_of_a_known_map_of_units():
    """Designs in other units have another density: by the units' determinant."""
    x, y = linear(1000)
    large = Space.of(*(Variable(name=n, prior=Normal(mean=100.0, std=200.0)) for n in "ab"))
    quick = {"training": {"epochs": 2, "batch_size": 128}}
    small = fitted(NORMAL, *linear(), **quick).log_density(Targets(y), x)
    scaled = [linear()[0] * 100, linear()[1]]
    big = fitted(large, *scaled, **quick).log_density(Targets(y), x * 100)
    torch.testing.assert_close(big, small - 2 * math.log(100), atol=1e-3, rtol=1e-3)


def test_restarts_keep_the_best():
    settings = {"epochs": 2, "batch_size": 256, "lr": 5e-3}
    x, y = linear()
    held = Targets(y[3200:])

    def score(seed, restarts):
        model = fitted(NORMAL, x, y, seed=seed, training={**settings, "restarts": restarts})
        return float(model.log_density(held, x[3200:]).mean())

    gains = [score(seed, 4) - score(seed, 1) for seed in (0, 1, 2)]
    assert min(gains) > -1e-3 and max(gains) > 1e-3


@pytest.mark.parametrize(
    ("task", "blocks"),
    [("sine-wave", 10), ("robotic-arm", 6), ("ballistics", 13), ("meta-material", 14)],
)
def test_published_blocks_of_each_task(task, blocks):
    assert ConditionalINNConfig.resolve({}, preset="paper", task=task).network.blocks == blocks


def test_a_stochastic_system_takes_no_pairs_of_a_surrogate():
    pairs = Pairs(*linear(100))
    problem = Problem("made", NORMAL, RESPONSE, stochastic=True)
    method = ConditionalINN(ConditionalINNConfig.resolve({"enlarge": {"times": 1}}))
    with pytest.raises(UnfitError, match=r"enlarge\.times at 0"):
        method.fit(problem, pairs, pairs, FitEnvironment())

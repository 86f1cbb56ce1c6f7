"""The conditional auto-encoder: its bound is one, and its designs are right and many."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_cvae.config import ConditionalVAEConfig, NetworkConfig
from invcore_cvae.losses import (
    VariationalLoss,
    bound,
    divergence,
    draw,
    log_likelihood,
)
from invcore_cvae.method import ConditionalVAE
from invcore_cvae.network import EncoderDecoder
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from invcore import Space, Uniform, Variable
from invcore.learning import EnlargeConfig, LossBatch, SurrogateConfig, TrainingConfig
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, generator, isolated

VARIANCE = 0.3


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed, *shape), dtype=torch.float64)


@pytest.fixture
def linear():
    """x = W z + V y + b + noise: everything is Gaussian, so log p(x | y) is known exactly.

    The columns of W are orthogonal: then the posterior of z has a diagonal covariance.
    """
    with isolated(0):
        network = EncoderDecoder(NetworkConfig(depth=0, latent=2), 3, 1).double()
    w = torch.linalg.qr(randn(3, 2)).Q * torch.tensor([1.5, 0.7])
    v, b = randn(3, 1, seed=1), randn(3, seed=2)
    decoder = network.decoder[-1]
    with torch.no_grad():
        decoder.weight.copy_(torch.cat([w, v], 1))
        decoder.bias.copy_(b)
    covariance = w @ w.T + VARIANCE * torch.eye(3)
    y = randn(6, 1, seed=3)
    exact = MultivariateNormal(y @ v.T + b, covariance)
    with isolated(1):
        x = exact.sample()
    return network, x, y, exact.log_prob(x), (w, v, b)


def to_posterior(network, w, v, b):
    """Set the encoder to the exact posterior of z."""
    size = w.square().sum(0)
    gain = (w / (size + VARIANCE)).T
    encoder = network.encoder[-1]
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[:2] = torch.cat([gain, -gain @ v], 1)
        encoder.bias[:2] = -gain @ b
        encoder.bias[2:] = (VARIANCE / (size + VARIANCE)).log()


def averaged(network, x, y, draws=20000):
    noise = randn(draws, len(x), network.latent, seed=4)
    many = x.expand(draws, -1, -1), y.expand(draws, -1, -1)
    with torch.no_grad():
        return bound(network, *many, noise, VARIANCE).mean(0)


def test_bound_is_below_the_likelihood(linear):
    network, x, y, exact, _ = linear
    assert bool((averaged(network, x, y) < exact - 0.05).all())


def test_bound_falls_short_by_the_divergence_from_the_posterior(linear):
    network, x, y, exact, parts = linear
    with torch.no_grad():
        mean, log_variance = network.encode(x, y)
        guess = Normal(mean, (0.5 * log_variance).exp())
        below = exact - averaged(network, x, y, draws=100_000)
        to_posterior(network, *parts)
        true_mean, true_log_variance = network.encode(x, y)
        truth = Normal(true_mean, (0.5 * true_log_variance).exp())
    torch.testing.assert_close(below, kl_divergence(guess, truth).sum(-1), atol=0.05, rtol=0.02)


def test_bound_is_tight_at_the_posterior(linear):
    network, x, y, exact, parts = linear
    to_posterior(network, *parts)
    many = averaged(network, x, y, draws=200_000)
    torch.testing.assert_close(many, exact, atol=0.02, rtol=0)


def test_importance_sampling_agrees_with_the_likelihood(linear):
    network, x, y, exact, _ = linear
    noise = randn(50_000, len(x), 2, seed=5)
    many = x.expand(len(noise), -1, -1), y.expand(len(noise), -1, -1)
    with torch.no_grad():
        mean, log_variance = network.encode(*many)
        wide = log_variance + math.log(4.0)  # wider than the posterior: weights stay bounded
        z = draw(mean, wide, noise)
        proposal = Normal(mean, (0.5 * wide).exp()).log_prob(z).sum(-1)
        prior = Normal(0.0, 1.0).log_prob(z).sum(-1)
        joint = log_likelihood(many[0], network.decode(z, many[1]), VARIANCE) + prior
    evidence = torch.logsumexp(joint - proposal, 0) - math.log(len(noise))
    torch.testing.assert_close(evidence, exact, atol=0.05, rtol=0)
    assert bool((averaged(network, x, y) < evidence).all())


def test_pieces_are_those_of_torch():
    mean, log_variance = randn(5, 3, seed=6), randn(5, 3, seed=7)
    normal = Normal(mean, (0.5 * log_variance).exp())
    expected = kl_divergence(normal, Normal(torch.zeros(5, 3), torch.ones(5, 3))).sum(-1)
    torch.testing.assert_close(divergence(mean, log_variance), expected)
    x = randn(5, 3, seed=8)
    expected = Normal(mean, math.sqrt(0.2)).log_prob(x).sum(-1)
    torch.testing.assert_close(log_likelihood(x, mean, 0.2), expected)


def test_loss_is_the_squared_error_and_the_weighted_divergence(linear):
    network, x, y, _, _ = linear
    network = network.float()
    x, y = x.float(), y.float()
    loss = VariationalLoss(network, 0.4, 0.0, None)
    noise = torch.randn(2, len(x), 2, generator=generator(3))
    with torch.no_grad():
        mean, log_variance = network.encode(x, y)
        decoded = network.decode(draw(mean, log_variance, noise[0]), y)
        error = (decoded - x).square().sum(-1).mean()
        expected = error + 0.4 * divergence(mean, log_variance).mean()
        torch.testing.assert_close(loss.held_out(Pairs(x, y), noise), expected)
        first, again = (loss(LossBatch(x, y, 0.5, generator(0))) for _ in range(2))
    assert torch.equal(first, again) and bool(first.isfinite())


SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
RESPONSES = Space.of(Variable(name="y"))
QUICK = TrainingConfig(epochs=60, batch_size=64, lr=0.01, average=0.9)
SMALL = {
    "network": NetworkConfig(width=32, depth=2),
    "training": TrainingConfig(epochs=60, batch_size=128, lr=0.01, average=0.95),
    "enlarge": EnlargeConfig(times=2, surrogate=SurrogateConfig(width=32, depth=2, training=QUICK)),
}


def circle(x):
    """y = a² + b²: for each y, a closed curve of designs."""
    return x.square().sum(dim=1, keepdim=True)


def fitted(**config):
    problem = Problem("toy", SPACE, RESPONSES)
    x, held = SPACE.sample(800, generator(0)), SPACE.sample(200, generator(1))
    method, log = ConditionalVAE(ConditionalVAEConfig(**SMALL | config)), []
    pairs = Pairs(x, circle(x)), Pairs(held, circle(held))
    return method, problem, method.fit(problem, *pairs, FitEnvironment(log=log.append)), log


@pytest.fixture(scope="module")
def example():
    return fitted()


Y = torch.tensor([[0.2], [0.5], [0.8]])


def points(model, count=200, seed=0):
    shape = (3, count, model.point_dim)
    return torch.rand(shape, generator=generator(seed), dtype=torch.float64)


def off_by(model):
    found = model.propose(Targets(Y), points(model)).x
    return (circle(found.flatten(0, 1)).view(3, -1) - Y.double()).square()


def test_proposals_give_what_was_wanted_from_around_the_curve(example):
    model = example[2]
    spread = float(circle(SPACE.sample(1000, generator(3))).var())
    assert float(off_by(model).mean()) < 0.02 * spread
    found = model.propose(Targets(Y), points(model)).x
    assert bool(SPACE.contains(found).all()) and found.dtype == torch.float64
    for y, row in zip(Y, found, strict=True):
        of_circle = math.sqrt(float(y) / 2)  # what draws from all of it deviate by, on each axis
        assert float(row.std(0).min()) > 0.4 * of_circle, "designs from around it, not one design"


def test_consistency_sharpens_proposals(example):
    plain = fitted(consistency=0.0)[2]
    assert float(off_by(example[2]).mean()) < 0.5 * float(off_by(plain).mean())


def test_no_surrogate_is_trained_that_is_not_asked_for(example):
    def stages(log):
        return {record["stage"] for record in log}

    assert stages(example[3]) == {"surrogate", "cvae"}
    short = TrainingConfig(epochs=1)
    assert stages(fitted(consistency=0.0, enlarge=EnlargeConfig(), training=short)[3]) == {"cvae"}


def test_restarts_are_trained_together():
    several = TrainingConfig(epochs=3, batch_size=128, restarts=3)
    batch_norm = NetworkConfig(width=16, depth=1, batch_norm=True, activation="relu")
    model = fitted(training=several, network=batch_norm, enlarge=EnlargeConfig())[2]
    assert bool(off_by(model).isfinite().all())


def test_restored_model_proposes_the_same(example):
    method, problem, model, _ = example
    state = {k: v.clone() for k, v in model.state().items()}
    before = torch.get_rng_state()
    again = method.restore(problem, state)
    assert torch.equal(torch.get_rng_state(), before)
    first, second = (m.propose(Targets(Y), points(model, 10)).x for m in (model, again))
    assert torch.equal(first, second)
    assert again.point_dim == 2 and not again.ranked


@pytest.mark.parametrize(
    ("task", "latent", "kl", "width"),
    [("", 3, 0.02, 500), ("sine-wave", 3, 0.02, 500), ("robotic-arm", 3, 1.0, 500),
     ("ballistics", 5, 0.01, 500), ("meta-material", 30, 0.005, 1000)],
)  # fmt: skip
def test_presets_resolve_for_each_task(task, latent, kl, width):
    quick, default, paper = (
        ConditionalVAEConfig.resolve({}, preset=preset, task=task)
        for preset in ("quick", "default", "paper")
    )
    assert default == ConditionalVAEConfig() and quick.training.epochs < default.training.epochs
    assert (paper.network.latent, paper.kl, paper.network.width) == (latent, kl, width)
    assert (paper.consistency, paper.enlarge.times, paper.training.restarts) == (0.0, 0, 10)


def test_a_stochastic_system_has_no_surrogate():
    problem = Problem("noise", SPACE, RESPONSES, stochastic=True)
    x, log = SPACE.sample(200, generator(0)), []
    pairs = Pairs(x, circle(x) + torch.randn(200, 1, generator=generator(1)).double())
    config = ConditionalVAEConfig(**SMALL | {"training": QUICK.model_copy(update={"epochs": 2})})
    assert config.enlarge.times and config.consistency
    env = FitEnvironment(log=log.append)
    ConditionalVAE(config).fit(problem, pairs[:150], pairs[150:], env)
    assert {line["stage"] for line in log if "epoch" in line} == {"cvae"}


def test_an_outlier_among_validation_pairs_stops_nothing():
    problem, x = Problem("far", SPACE, RESPONSES), SPACE.sample(200, generator(0))
    y = circle(x)
    y[180] = 1e6
    quick = {"training": QUICK.model_copy(update={"epochs": 2}), "enlarge": EnlargeConfig()}
    config, log = ConditionalVAEConfig(**SMALL | quick | {"consistency": 0.0}), []
    pairs = Pairs(x, y)
    env = FitEnvironment(log=log.append)
    ConditionalVAE(config).fit(problem, pairs[:150], pairs[150:], env)
    assert all(math.isfinite(line["val_loss"]) for line in log if "epoch" in line)

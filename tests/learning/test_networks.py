"""Networks that plugins share."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from invcore import Space, Uniform, Variable
from invcore.learning import (
    MLP,
    Scaling,
    Surrogate,
    SurrogateConfig,
    TrainingConfig,
    fit_surrogate,
    substate,
)
from invcore.plugin import FitEnvironment, Pairs, generator
from invcore.spaces.priors import Categorical

SPACE = Space.of(
    Variable(name="a", prior=Uniform(low=10.0, high=12.0)),
    Variable(name="k", prior=Categorical(categories=("p", "q", "r"))),
)


def pairs(count, seed):
    """y = 1000 a, plus 500 where the category is q; 0.01 a."""
    x = SPACE.sample(count, generator(seed))
    first = 1000 * x[:, 0] + 500 * (x[:, 1] == 1)
    return Pairs(x, torch.stack([first, 0.01 * x[:, 0]], dim=1))


def fitted(seed=0, **config):
    train = pairs(200, 0)
    training = TrainingConfig(epochs=150, lr=0.02, batch_size=64)
    sizes = SurrogateConfig(**{"width": 16, "depth": 1, "training": training} | config)
    scaling = Scaling.fit(SPACE, train)
    surrogate, report = fit_surrogate(
        sizes, scaling, train, pairs(50, 1), FitEnvironment(seed=seed)
    )
    return sizes, surrogate, report


@pytest.fixture(scope="module")
def example():
    return fitted()


@pytest.mark.parametrize("activation", ["silu", "relu", "gelu", "tanh"])
@pytest.mark.parametrize(("depth", "layers"), [(0, 1), (1, 2), (3, 4)])
def test_mlp_has_the_layers_asked_for(activation, depth, layers):
    net = MLP(3, 2, width=5, depth=depth, activation=activation)
    linear = [m for m in net if isinstance(m, nn.Linear)]
    sizes = [3, *[5] * depth, 2]
    assert [(m.in_features, m.out_features) for m in linear] == list(pairwise(sizes))
    assert len(linear) == layers and len(net) == layers + depth
    assert net(torch.zeros(4, 3)).shape == (4, 2)
    normed = MLP(3, 2, width=5, depth=depth, batch_norm=True)
    assert sum(isinstance(m, nn.BatchNorm1d) for m in normed) == depth


def test_surrogate_learns_in_the_responses_own_units(example):
    _, surrogate, report = example
    fresh = pairs(300, 2)
    predicted = surrogate.predict(fresh.x)
    off = (predicted - fresh.y).square().mean(0).sqrt() / fresh.y.std(0)
    assert bool((off < 0.05).all()), off
    assert predicted.dtype == torch.float64 and report.val_loss < 0.01


def test_surrogate_comes_back_frozen(example):
    _, surrogate, _ = example
    assert not surrogate.training
    assert not any(p.requires_grad for p in surrogate.parameters())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_surrogate_restores_bit_for_bit(batch_norm):
    config, surrogate, _ = fitted(
        batch_norm=batch_norm, training=TrainingConfig(epochs=3, batch_size=64, average=0.9)
    )
    state = {k: v.clone() for k, v in surrogate.state().items()}
    before = torch.get_rng_state()
    again = Surrogate.restore(config, SPACE, state)
    assert torch.equal(torch.get_rng_state(), before)
    x = SPACE.sample(100, generator(5))
    assert torch.equal(again.predict(x), surrogate.predict(x))
    assert not again.training and not any(p.requires_grad for p in again.parameters())
    assert again.state().keys() == state.keys()
    assert all(torch.equal(again.state()[k], v) for k, v in state.items())


def test_seed_decides_the_weights():
    quick = {"training": TrainingConfig(epochs=1, batch_size=64)}
    first, same, other = (fitted(seed, **quick)[1].state() for seed in (0, 0, 1))
    assert all(torch.equal(first[k], same[k]) for k in first)
    assert not torch.equal(first["network.0.weight"], other["network.0.weight"])


def test_substate():
    one = torch.ones(1)
    assert substate({"a.b": one, "a.c.d": one, "ab.c": one}, "a.").keys() == {"b", "c.d"}

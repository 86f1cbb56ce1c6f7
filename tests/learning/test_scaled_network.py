"""A frozen network with its scaling: what it stores, what comes back, and what it generates."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from invcore.learning import MLP, ScaledNetwork, Scaling, seeded_network
from invcore.learning import scaled_network as module
from invcore.plugin import FitEnvironment, Pairs, Targets, generator
from invcore.spaces.priors import Uniform
from invcore.spaces.space import Space, Variable

SPACE = Space.of(*(Variable(name=name, prior=Uniform(low=0.0, high=2.0)) for name in "ab"))
X = SPACE.sample(64, generator(0, "x"))
PAIRS = Pairs(X, X.sum(dim=1, keepdim=True), {"load": X[:, :1]})
TARGETS = Targets(PAIRS.y[:5].double(), {"load": X[:5, :1]})
SCALING = Scaling.fit(SPACE, PAIRS)


def build(scaling: Scaling) -> MLP:
    return MLP(2 + scaling.conditions, 3, width=8, depth=1, batch_norm=True)


def model(seed=0):
    env = FitEnvironment(seed=seed)
    return ScaledNetwork(seeded_network(lambda: build(SCALING), env, "mine"), SCALING)


def decode(scaled):
    return lambda z, wanted: scaled.network(torch.cat([z, wanted], dim=1))


def test_it_is_frozen():
    scaled = model()
    assert not any(m.training for m in scaled.network.modules())
    assert not any(p.requires_grad for p in scaled.network.parameters())


def test_state_comes_back_whole_and_draws_nothing():
    scaled, before = model(), torch.get_rng_state()
    state = {"other.thing": torch.zeros(1)} | scaled.state()
    again = ScaledNetwork.restore(build, SPACE, state)
    assert torch.equal(torch.get_rng_state(), before)
    assert {name.split(".")[0] for name in scaled.state()} == {"network", "scaling"}
    assert again.state().keys() == scaled.state().keys()
    assert all(torch.equal(again.state()[k], v) for k, v in scaled.state().items())
    assert not any(p.requires_grad for p in again.network.parameters())
    assert all(value.is_contiguous() for value in scaled.state().values())


def test_weights_of_another_network_are_refused():
    state = model().state() | {"network.extra": torch.zeros(1)}
    with pytest.raises(RuntimeError, match="extra"):
        ScaledNetwork.restore(build, SPACE, state)


def test_target_features_are_scaled_with_what_is_known_beside_it():
    wanted = model().target_features(TARGETS)
    assert wanted.shape == (5, 2) and wanted.dtype == torch.float32
    assert torch.equal(wanted[:, :1], SCALING.y(TARGETS.y).float())


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_each_point_gives_its_own_design_however_many_rows_at_once(rows, monkeypatch):
    scaled, points = model(), torch.rand(5, 6, 2, generator=generator(0, "points"))
    monkeypatch.setattr(module, "_ROWS", rows)
    found = scaled.generate(decode(scaled), TARGETS, points).x
    z = torch.special.ndtri(points.double()).float()
    wanted = scaled.target_features(TARGETS)
    for target in range(5):
        given = torch.cat([z[target], wanted[target].expand(6, -1)], dim=1)
        one = SCALING.decode(scaled.network(given)[:, :2])
        torch.testing.assert_close(found[target], one, rtol=1e-5, atol=1e-5)


def test_seeds_decide_the_first_weights():
    def first(seed, *names):
        network = seeded_network(lambda: nn.Linear(2, 1), FitEnvironment(seed=seed), *names)
        return network.weight.detach()

    assert torch.equal(first(0, "a"), first(0, "a"))
    assert not torch.equal(first(0, "a"), first(1, "a"))
    assert not torch.equal(first(0, "a"), first(0, "b"))
    assert not torch.equal(first(0, "a"), first(0, "a", 1))


def test_gain_is_that_of_the_first_layer():
    plain, strong = (
        seeded_network(lambda g=gain: MLP(2, 1, depth=2, gain=g), FitEnvironment(), "a")
        for gain in (1.0, 3.0)
    )
    for name, value in plain.state_dict().items():
        times = 3.0 if name.startswith("0.") else 1.0
        assert torch.equal(strong.state_dict()[name], value * times)

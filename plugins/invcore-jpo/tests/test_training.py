"""Networks that share nothing but the batch, on objectives whose minima are known."""

from __future__ import annotations

import pytest
import torch
from invcore_jpo.config import JointConfig, NetworkConfig
from invcore_jpo.network import Networks
from invcore_jpo.training import _clipped, train_jointly
from invcore_optimisers import Evaluator
from torch.nn.functional import silu

from invcore.plugin import generator, isolated

CENTRES = torch.tensor([[-1.0, 0.5], [0.3, -0.8], [1.0, 1.0], [-0.5, -0.2], [0.7, 0.1]]).double()


def valleys(z, rows):
    return (z - CENTRES[rows]).square().sum(dim=1)


def solved(objective=valleys, problems=5, **settings):
    evaluator = Evaluator(objective, 1000)
    config = JointConfig(**{"steps": 400, "lr": 1e-2, "network": {"width": 32}, **settings})
    inputs = torch.eye(5)[:problems]
    return train_jointly(evaluator, inputs, 2, config, 3)


def test_stacked_networks_are_separate_ones():
    with isolated(0):
        networks = Networks(NetworkConfig(width=6, depth=2), 3, 4, 2)
    x = torch.randn(3, 7, 4, generator=generator(0))
    together = networks(x)
    for g in range(3):
        out = x[g]
        for number, (weight, bias) in enumerate(
            zip(networks.weights, networks.biases, strict=True)
        ):
            out = out @ weight[g] + bias[g]
            out = out if number == 2 else silu(out)
        torch.testing.assert_close(together[g], out)


def test_first_designs_are_spread_over_the_problems():
    with isolated(0):
        networks = Networks(NetworkConfig(width=16), 2, 5, 3)
    inputs = torch.randn(2, 40, 5, generator=generator(0))
    networks.spread_over(inputs, torch.ones(2, 40, dtype=torch.bool), 0.5)
    first = networks(inputs).flatten(0, 1)
    torch.testing.assert_close(first.std(dim=0, unbiased=False), torch.full((3,), 0.5))
    torch.testing.assert_close(first.mean(dim=0), torch.zeros(3), atol=1e-5, rtol=0)
    alike = inputs[:1, :1].expand(1, 40, -1)
    with isolated(0):
        networks = Networks(NetworkConfig(width=16), 1, 5, 3)
    before = networks.weights[-1].clone()
    every = torch.ones(1, 40, dtype=torch.bool)
    networks.spread_over(alike, every, 0.5)
    assert torch.equal(networks.weights[-1], before) and bool((networks(alike).abs() < 1e-5).all())
    networks.spread_over(inputs[:1], every, 0.0)
    assert not networks(inputs[:1]).any(), "without a spread, all begin in the middle"


def test_problems_that_fill_up_the_last_network_do_not_count_in_the_spread():
    asked = []

    def first(z, rows):
        asked.append(z.detach().clone())
        return valleys(z, rows)

    solved(first, joint=3, steps=1)  # five problems: the last network has two
    torch.testing.assert_close(asked[0].mean(dim=0), torch.zeros(2).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(asked[0].std(dim=0, unbiased=False), torch.ones(2).double())


@pytest.mark.parametrize("settings", [{}, {"joint": 2}, {"joint": 1}, {"batch": 2}, {"clip": 0.0}])
def test_the_minima_of_all_problems_are_found(settings):
    found = solved(**settings)
    assert float((found.z - CENTRES).abs().max()) < 0.05
    assert float(found.value.max()) < 3e-3
    torch.testing.assert_close(found.value, valleys(found.z, torch.arange(5)))


def test_networks_of_other_problems_make_no_difference():
    def moved(z, rows):
        value = valleys(z, rows)
        return torch.where(rows >= 2, 5 * (z[:, 0] - 3).square() + value, value)

    plain, other = solved(joint=2, steps=50), solved(moved, joint=2, steps=50)
    assert torch.equal(plain.z[:2], other.z[:2])
    assert not torch.allclose(plain.z[2:4], other.z[2:4])


def test_problems_of_one_network_share_it():
    def moved(z, rows):
        return torch.where(rows >= 2, 5 * (z[:, 0] - 3).square(), valleys(z, rows))

    plain, other = solved(steps=50), solved(moved, steps=50)
    assert not torch.equal(plain.z[:2], other.z[:2])


def test_a_problem_without_a_value_spoils_no_other():
    def broken(z, rows):
        return valleys(z, rows) + torch.where(rows == 1, torch.nan, 0.0)

    found = solved(broken)
    others = [0, 2, 3, 4]
    assert float((found.z - CENTRES)[others].abs().max()) < 0.05
    assert bool(found.value[1].isinf())


def test_long_gradients_are_shortened():
    slope = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    torch.testing.assert_close(_clipped(slope, 1.0), torch.tensor([[0.6, 0.8], [0.3, 0.4]]))
    assert torch.equal(_clipped(slope, 0.0), slope)

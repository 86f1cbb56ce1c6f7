"""Two moons: draws against the density, written out anew."""

import math

import torch
from invcore_sbibm.tasks.two_moons import TwoMoons

from invcore.plugin import generator


def density(x, y):
    """p(y | x) of rows."""
    u = y[:, 0] + (x[:, 0] + x[:, 1]).abs() / math.sqrt(2) - 0.25
    v = y[:, 1] - (x[:, 1] - x[:, 0]) / math.sqrt(2)
    r = (u**2 + v**2).sqrt()
    normal = torch.exp(-0.5 * ((r - 0.1) / 0.01) ** 2) / (0.01 * math.sqrt(2 * math.pi))
    return torch.where(u > 0, normal / (math.pi * r), 0.0)


def grid(low, high, count):
    edge = low + (high - low) * (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return torch.cartesian_prod(edge, edge), ((high - low) / count) ** 2


def test_the_density_integrates_to_one_and_draws_follow_it():
    centre = torch.tensor([[0.2, 0.4]], dtype=torch.float64)
    draws = TwoMoons().simulate(centre + 1e-9 * torch.arange(8000.0, dtype=torch.float64)[:, None])
    points, area = grid(-0.25, 0.25, 500)
    shift = torch.tensor([[0.25 - 0.6 / math.sqrt(2), 0.2 / math.sqrt(2)]], dtype=torch.float64)
    masses = density(centre.expand(len(points), 2), points + shift) * area
    assert abs(float(masses.sum()) - 1) < 1e-3
    offset = draws - shift
    for inside in (
        lambda p: p[:, 1] > 0.05,
        lambda p: p[:, 0] > 0.08,
        lambda p: p.square().sum(dim=1) < 0.095**2,
    ):
        known, share = float(masses[inside(points)].sum()), float(inside(offset).double().mean())
        assert abs(share - known) < 4 * math.sqrt(known * (1 - known) / 8000) + 2e-3


def test_both_moons_are_there():
    x = torch.tensor([[0.3, 0.5], [-0.5, -0.3]], dtype=torch.float64)  # mirror images
    y = torch.tensor([[0.35, 0.0]], dtype=torch.float64) + torch.tensor(
        [[-0.8, 0.2]], dtype=torch.float64
    ) / math.sqrt(2)
    one, other = density(x, y.expand(2, 2))
    assert float(one) > 1 and torch.isclose(one, other)


def test_the_prior_is_flat_on_the_square():
    x = TwoMoons().pairs(10_000, generator(1)).x
    assert float(x.abs().max()) <= 1
    assert float((x.var(dim=0) - 1 / 3).abs().max()) < 0.015

"""Scalings of spaces with constraints: the box, the noise, the planes, the densities."""

from __future__ import annotations

import math

import pytest
import torch

from invcore.data.planes import Planes
from invcore.learning import Scaling
from invcore.plugin import (
    Among,
    Fixed,
    Levels,
    LinearEquality,
    LogUniform,
    Pairs,
    Periodic,
    Space,
    Uniform,
    Variable,
    generator,
)

CPU = torch.device("cpu")
SPACE = Space.of(
    *(Variable(name=name, prior=Uniform(low=0.0, high=1.0)) for name in "abc"),
    Variable(name="height", prior=Uniform(low=0.0, high=5.0)),
    Variable(name="tilt", prior=Uniform(low=0.0, high=360.0)),
    Variable(name="size", prior=LogUniform(low=0.001, high=10.0)),
    Variable(name="gap", prior=Uniform(low=0.0, high=4.0)),
    Variable(name="n", prior=Uniform(low=1.0, high=4.0)),
    constraints=[
        LinearEquality(coefficients={"a": 1.0, "b": 1.0, "c": 1.0}, value=1.0),
        Levels(variable="height", values=(0.5, 1.0, 3.0)),
        Periodic(variable="tilt", low=0.0, high=360.0),
        Fixed(variable="gap", value=2.0),
        Among(variables=("n",), designs=((1.5,), (3.4,))),
    ],
)
# Features: a b c, height, cosine and sine of tilt, logarithm of size, gap, n


@pytest.fixture(scope="module")
def scaling():
    x = SPACE.sample(400, generator(0))
    return Scaling.fit(SPACE, Pairs(x, x[:, :1]))


def test_the_box_holds_the_features(scaling):
    low, high = scaling.box(CPU)
    features = scaling.encode(SPACE.sample(400, generator(0)))
    assert bool((features >= low - 1e-5).all() and (features <= high + 1e-5).all())
    ends = scaling.x.inverse(torch.stack([low, high]).double())
    assert torch.allclose(ends[:, 4:6], torch.tensor([[-1.0], [1.0]]).double().expand(2, 2))
    assert math.exp(float(ends[0, 6])) == pytest.approx(float(scaling.designs.low[5]), rel=1e-6)


def test_only_what_is_continuous_moves_at_last(scaling):
    first, last = scaling.movable()
    assert first.tolist() == [True] * 7 + [False, True]
    assert last.tolist() == [True] * 3 + [False] + [True] * 3 + [False] * 2


def test_decode_takes_the_noise_away(scaling):
    x = SPACE.sample(300, generator(1))
    x[:, :3] = 0.5 * x[:, :3] + 1 / 6  # away from the bounds, which would bend the way back
    features = scaling.encode(x)
    noisy = scaling.dequantise(features, generator(2))
    moved = (noisy - features).abs().amax(0)
    assert bool((moved[[0, 1, 2, 3, 4, 5]] > 0.05).all()) and float(moved[6]) == 0.0
    assert torch.allclose(scaling.decode(noisy), scaling.decode(features), atol=1e-4)
    assert torch.equal(scaling.dequantise(features, generator(2)), noisy)


def test_noise_of_a_sum_is_across_its_plane(scaling):
    across = scaling.planes.across * scaling.x.scale
    width = scaling.designs.layout.width[:3]  # of the box
    assert torch.allclose(across[0, :3].abs(), width**2 / width.norm())
    assert across.shape[0] == 1 and float(across[0, 3:].abs().max()) == 0.0


def test_snapped_features_satisfy_the_constraints(scaling):
    noise = 3 * torch.randn(500, 9, generator=generator(3))
    x = scaling.decode(noise)
    assert bool(SPACE.contains(x).all()) and bool(scaling.designs.contains(x).all())
    again = Scaling.restore(SPACE, scaling.state())
    assert torch.equal(again.decode(noise), x)


def test_the_nearest_features_on_planes(scaling):
    noise = torch.randn(200, 9, generator=generator(4)).double()
    near = scaling.planes.nearest(noise, scaling.movable()[1])
    values = scaling.x.inverse(near)[:, :3]
    assert torch.allclose(values.sum(1), torch.ones(200).double(), atol=1e-12)
    own = scaling.x.inverse(noise)[:, :3]
    share = scaling.designs.layout.width[:3] ** 2
    moved = own + (1 - own.sum(1, keepdim=True)) * share / share.sum()
    assert torch.allclose(values, moved, atol=1e-12)
    assert torch.equal(near[:, 3:], noise[:, 3:])
    held = torch.tensor([False, True] + [False] * 7)
    assert torch.allclose(
        scaling.x.inverse(scaling.planes.nearest(noise, held))[:, :3].sum(1),
        torch.ones(200).double(),
    )


def test_no_plane_changes_nothing():
    x = torch.randn(5, 3, generator=generator(0))
    assert Planes.none(3).nearest(x, torch.ones(3, dtype=torch.bool)) is x
    assert Planes.none(3).across.shape == (0, 3)


def test_densities_are_those_of_designs_on_their_own_scale(scaling):
    assert scaling.log_slopes(SPACE.sample(3, generator(0))) is None
    free = Space.of(SPACE.variables[0], SPACE.variables[5])
    x = free.sample(200, generator(0))
    own = Scaling.fit(free, Pairs(x, x))
    leaf = x[:5].clone().requires_grad_()
    (slopes,) = torch.autograd.grad(own.x(own.designs.encode(leaf)).sum(), leaf)
    assert torch.allclose(own.log_slopes(x[:5]), slopes.log().sum(1))

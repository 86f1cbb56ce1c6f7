"""The shift and scale of columns: constant ones, some but for rounding; numbers of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invcore.learning import Normaliser, Scaling
from invcore.plugin import Pairs, generator
from invcore.spaces.priors import Categorical, Integers, Uniform
from invcore.spaces.space import Grid, Space, Variable


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


CONSTANT = {
    "zero": [0.0] * 7,
    "no binary fraction": [0.1] * 7,
    "large": [1e9] * 7,
    "small": [1e-9] * 7,
    "huge": [1e300] * 7,
    "tiny": [5e-324] * 7,
    "one step of rounding": [1.0, 1.0, 1 + 2**-52, 1.0, 1 - 2**-53, 1.0, 1.0],
    "a solver's tolerance": [1e6, 1e6 + 9e-7, 1e6, 1e6 - 1e-8, 1e6, 1e6, 1e6],
}


@pytest.mark.parametrize("values", CONSTANT.values(), ids=CONSTANT)
def test_a_constant_column_says_nothing_and_comes_back(values):
    normaliser = Normaliser.standard(column(*values))
    others = column(0.0, values[0], -3.5, 1e5, 1e200)
    assert normaliser(others).tolist() == [[0.0]] * 5
    assert normaliser.inverse(column(0.0, 0.01, -7.0)).tolist() == [[values[0]]] * 3
    assert bool(normaliser(column(float("nan"))).isnan())
    again = Normaliser.restore(normaliser.state("x_"), "x_")
    assert torch.equal(again(others), normaliser(others))
    assert normaliser.deviation(column(values[0] + 2)).tolist() == [[values[0] + 2 - values[0]]]


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e6, -1e6])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e5])
def test_a_small_spread_beside_a_large_offset_is_kept(offset, spread):
    values = offset + spread * torch.randn(100, 1, generator=generator(0), dtype=torch.float64)
    normaliser = Normaliser.standard(values)
    assert normaliser.varies is None and set(normaliser.state("")) == {"centre", "scale"}
    np.testing.assert_allclose(normaliser(values).std(unbiased=False), 1.0, rtol=1e-6)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-160, 1e-139, 1e139, 1e160, 1e200, 1e307])
def test_numbers_of_any_size_are_standardised(size):
    plain = torch.randn(200, 1, generator=generator(0), dtype=torch.float64).clamp(-5, 5)
    normaliser, ordinary = Normaliser.standard(plain * size), Normaliser.standard(plain)
    np.testing.assert_allclose(normaliser(plain * size), ordinary(plain), atol=1e-12)
    np.testing.assert_allclose(normaliser.inverse(ordinary(plain)), plain * size, rtol=1e-9)


def test_one_column_of_extreme_numbers_leaves_the_others_bit_for_bit():
    plain = torch.randn(200, 2, generator=generator(1), dtype=torch.float64)
    both = Normaliser.standard(torch.cat([plain, plain[:, :1] * 1e250], dim=1))
    alone = Normaliser.standard(plain)
    assert torch.equal(both.centre[:2], alone.centre) and torch.equal(both.scale[:2], alone.scale)


def test_designs_that_did_not_vary_are_seen_as_they_were():
    space = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
        Variable(name="b", prior=Uniform(low=0.0, high=1e6)),
        Variable(name="n", prior=Integers(low=0, high=9)),
        Variable(name="kind", prior=Categorical(categories=("p", "q", "r"))),
    )
    x = space.sample(50, generator(0))
    x[:, 1], x[:, 2], x[:, 3] = 5.0, 3.0, x[:, 3].clamp(max=1)
    scaling = Scaling.fit(space, Pairs(x, x[:, :1], {"c": torch.full((50,), 7.0)}))
    other = torch.tensor([[0.5, 1e6, 9.0, 2.0]], dtype=torch.float64)
    features = scaling.encode(other)
    assert features[0, 1:3].tolist() == [0.0, 0.0]
    assert scaling.decode(features)[0, 1:].tolist() == [5.0, 3.0, 2.0], "a category stays itself"
    assert [part[1:3].tolist() for part in scaling.movable()] == [[False, False]] * 2
    assert scaling.context_features({"c": torch.tensor([1e5])}, 1).tolist() == [[0.0]]
    assert bool(scaling.dequantise(features, generator(1)).isfinite().all())
    again = Scaling.restore(space, scaling.state())
    assert torch.equal(again.encode(other), features)
    assert torch.equal(torch.stack(again.movable()), torch.stack(scaling.movable()))


def test_dequantised_whole_numbers_are_even_around_their_step():
    space = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
        Variable(name="n", prior=Integers(low=0, high=40)),
        Variable(name="kind", prior=Categorical(categories=("p", "q", "r"))),
    )
    x = space.sample(20000, generator(0))
    scaling = Scaling.fit(space, Pairs(x, x[:, :1]))
    features = scaling.encode(x)
    noisy = scaling.dequantise(features, generator(1))
    assert torch.equal(noisy[:, 0], features[:, 0])
    away = (scaling.x.inverse(noisy.double()) - scaling.x.inverse(features.double()))[:, 1:]
    # of a uniform in [-1/2, 1/2]: mean 0, variance 1/12, fourth moment 1/80
    assert float(away.abs().max()) <= 0.5 + 1e-5 and float(away.abs().amax(0).min()) > 0.499
    np.testing.assert_allclose(away.mean(0), 0.0, atol=4 * (1 / 12 / 20000) ** 0.5)
    error = 4 * ((1 / 80 - 1 / 144) / 20000) ** 0.5
    np.testing.assert_allclose(away.square().mean(0), 1 / 12, atol=error)
    assert abs(np.corrcoef(away.T.numpy()) - np.eye(4)).max() < 4 / 20000**0.5
    back = scaling.decode(noisy)
    assert torch.equal(back[:, 1:], x[:, 1:]), "rounding takes the noise away"


def test_a_design_far_outside_of_the_box_counts_as_lying_near():
    space = Space.of(Variable(name="a", prior=Uniform(low=-1e9, high=1e9)))
    x = torch.linspace(0, 1, 50, dtype=torch.float64)[:, None]
    scaling = Scaling.fit(space, Pairs(x, x))
    low, high = scaling.box(torch.device("cpu"))
    width = high - low
    seen = scaling.encode(torch.tensor([[-1e9], [-1.0], [0.5], [2.0], [1e9]], dtype=torch.float64))
    assert seen[[0, 4]].flatten().tolist() == pytest.approx(
        [float(low - 2 * width), float(high + 2 * width)]
    )
    assert torch.equal(seen[1:4], scaling.x(torch.tensor([[-1.0], [0.5], [2.0]]).double()).float())


def test_a_pixel_that_is_never_lit_is_seen_when_it_is():
    pixels = (Variable(name=f"p{i}", prior=Uniform(low=0.0, high=1.0)) for i in range(4))
    space = Space.of(*pixels, grid=Grid(rows=2, columns=2))
    x = torch.rand(60, 4, generator=generator(0), dtype=torch.float64)
    x[:, 3] = 0
    scaling = Scaling.fit(space, Pairs(x, x[:, :1]))
    assert float(scaling.encode(torch.ones(1, 4, dtype=torch.float64))[0, 3]) > 0.5

"""Pairs, splits and scaling."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invcore.base.errors import DataError, ShapeError
from invcore.learning import Normaliser, Scaling
from invcore.plugin import Pairs, generator
from invcore.spaces.priors import Categorical, Integers, Normal, Uniform
from invcore.spaces.space import Space, Variable

CPU = torch.device("cpu")
MIXED = Space.of(
    Variable(name="a", prior=Uniform(low=-10.0, high=10.0)),
    Variable(name="kind", prior=Categorical(categories=("p", "q", "r"))),
    Variable(name="n", prior=Integers(low=0, high=20)),
)


def mixed_pairs(count=100, seed=0):
    x = MIXED.sample(count, generator(seed))
    x[:, 2] = x[:, 2].clamp(3, 12)
    return Pairs(x, x @ torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.5, -1.0]], dtype=torch.float64))


def numbered(x):
    """Pairs whose response is the row's number."""
    return Pairs(x, torch.arange(len(x), dtype=torch.float64)[:, None])


@pytest.mark.parametrize(
    ("count", "shares", "sizes"),
    [
        (10, (0.8,), (8, 2)),
        (30, (0.8, 0.1), (24, 3, 3)),
        (33, (0.8, 0.1), (26, 4, 3)),
        (3, (0.34, 0.33), (1, 1, 1)),
        (10_000, (0.8,), (8000, 2000)),
    ],
)
def test_split_is_a_partition_with_these_sizes(count, shares, sizes):
    pairs = numbered(torch.rand(count, 2, generator=generator(0)))
    parts = pairs.split(*shares, generator=generator(1))
    assert tuple(len(part) for part in parts) == sizes
    rows = torch.cat([part.y[:, 0] for part in parts]).long()
    assert torch.equal(rows.sort().values, torch.arange(count))
    assert torch.equal(torch.cat([part.x for part in parts]), pairs.x[rows])
    again = pairs.split(*shares, generator=generator(1))
    assert all(torch.equal(a.y, b.y) for a, b in zip(parts, again, strict=True))


def test_split_is_at_random():
    pairs = numbered(torch.rand(500, 1, generator=generator(0)))
    first, _ = pairs.split(0.5, generator=generator(1))
    other, _ = pairs.split(0.5, generator=generator(2))
    common = len(set(first.y[:, 0].tolist()) & set(other.y[:, 0].tolist()))
    assert 90 < common < 160  # hypergeometric: 125 +- 5.6
    assert abs(float(first.y.mean()) - 249.5) < 30


@pytest.mark.parametrize("seed", range(5))
def test_equal_designs_stay_together(seed):
    x = torch.randint(0, 40, (400, 1), generator=generator(seed)).double()
    parts = numbered(x).split(0.8, 0.1, generator=generator(seed))
    owners = [set(part.x[:, 0].tolist()) for part in parts]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    assert sum(map(len, parts)) == 400
    assert [len(part) for part in parts] == pytest.approx([320, 40, 40], abs=15)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.rand(2, 1), "2 rows are too few to split into 3"),
        (torch.rand(0, 1), "0 rows"),
        (torch.ones(50, 1), "50 rows with 1 different designs"),
        (torch.arange(50)[:, None] % 2, "50 rows with 2 different designs"),
    ],
)
def test_too_few_rows(x, said, complaint):
    work = numbered(x.double()).split
    assert said in complaint(DataError, work, 0.8, 0.1, generator=generator(0))


@pytest.mark.parametrize(("x", "y"), [((3, 2), (4, 1)), ((3,), (3, 1)), ((3, 2), (3,))])
def test_pairs_have_rows_in_common(x, y, complaint):
    assert str(x) in complaint(ShapeError, Pairs, torch.zeros(x), torch.zeros(y))


def test_normaliser_standardises_and_comes_back():
    values = torch.randn(500, 3, generator=generator(0), dtype=torch.float64) * 7 + 100
    normaliser = Normaliser.standard(values)
    scaled = normaliser(values)
    np.testing.assert_allclose(scaled.mean(dim=0), np.zeros(3), atol=1e-12)
    np.testing.assert_allclose(scaled.std(dim=0, unbiased=False), np.ones(3), rtol=1e-12)
    np.testing.assert_allclose(normaliser.inverse(scaled), values, rtol=1e-14)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9, -7.3e12])
def test_constant_column_keeps_its_scale(value):
    # 0.1, summed and divided, is not 0.1: a deviation of a rounding error must not be a scale
    normaliser = Normaliser.standard(torch.full((7, 1), value, dtype=torch.float64))
    assert normaliser.scale.tolist() == [1.0]
    assert normaliser(torch.tensor([[value]], dtype=torch.float64)).tolist() == [[0.0]]


def test_scaling_is_standard_on_the_training_pairs():
    pairs = mixed_pairs()
    scaling = Scaling.fit(MIXED, pairs)
    seen = scaling.pairs(pairs)
    assert seen.x.dtype == seen.y.dtype == torch.float32 and seen.x.shape == (100, 5)
    np.testing.assert_allclose(seen.x.mean(0), np.zeros(5), atol=1e-6)
    np.testing.assert_allclose(seen.y.std(0, unbiased=False), np.ones(2), rtol=1e-5)
    decoded = scaling.decode(seen.x)
    assert decoded.dtype == torch.float64
    np.testing.assert_allclose(decoded[:, 0], pairs.x[:, 0], atol=1e-5)
    assert torch.equal(decoded[:, 1:], pairs.x[:, 1:])


def test_box_is_that_of_the_training_pairs():
    pairs = mixed_pairs()
    scaling = Scaling.fit(MIXED, pairs)
    low, high = scaling.box(CPU)
    corners = torch.stack([low, high]).double() * scaling.x.scale + scaling.x.centre
    ends = [pairs.x[:, 0].min(), 0, 0, 0, 3], [pairs.x[:, 0].max(), 1, 1, 1, 12]
    np.testing.assert_allclose(corners, ends, atol=1e-5)
    seen = scaling.pairs(pairs).x
    assert bool(((seen >= low - 1e-6) & (seen <= high + 1e-6)).all())
    first, after = scaling.movable()
    assert first.tolist() == [True, False, False, False, True]
    assert after.tolist() == [True, False, False, False, False]


def test_snap_gives_features_of_allowed_designs():
    scaling = Scaling.fit(MIXED, mixed_pairs())
    noise = torch.randn(200, 5, generator=generator(3)) * 3
    snapped = scaling.snap(noise)
    x = scaling.decode(snapped)
    assert bool(scaling.designs.contains(x).all())
    assert torch.equal(scaling.snap(snapped), snapped)
    np.testing.assert_allclose(snapped, scaling.encode(x), atol=1e-6)


@pytest.mark.parametrize("inside", [True, False])
def test_decoded_designs_are_whole_where_they_must_be(inside):
    scaling = Scaling.fit(MIXED, mixed_pairs())
    x = scaling.decode(torch.randn(200, 5, generator=generator(3)) * 9, inside=inside)
    assert torch.equal(x[:, 1:], x[:, 1:].round())
    assert bool(scaling.designs.contains(x).all()) is inside


def test_scaling_state_restores_bit_for_bit():
    # a column that is constant in the training pairs keeps the (infinite) bounds of the prior, but
    # networks see it where it was
    space = Space.of(*MIXED.variables, Variable(name="c", prior=Normal(mean=0.0, std=1.0)))
    pairs = mixed_pairs()
    pairs = Pairs(torch.cat([pairs.x, torch.full((100, 1), 0.1)], dim=1), pairs.y)
    scaling = Scaling.fit(space, pairs)
    again = Scaling.restore(space, scaling.state())
    x = space.sample(50, generator(9))
    assert torch.equal(again.encode(x), scaling.encode(x))
    features = torch.randn(50, 6, generator=generator(1))
    assert torch.equal(again.decode(features), scaling.decode(features))
    assert all(map(torch.equal, again.box(CPU), scaling.box(CPU)))
    assert bool(scaling.designs.low[3].isneginf())
    assert [float(end[5]) for end in scaling.box(CPU)] == [0.0, 0.0]
    assert all(torch.equal(again.state()[k], v) for k, v in scaling.state().items())

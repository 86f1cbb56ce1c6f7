"""Embeddings of many categories: learnt from training pairs, kept with the scaling."""

import pytest
import torch

from invcore import Categorical, Space, Uniform, Variable
from invcore.data.embedding import MANY, category_embedding, embedded, has_embedding
from invcore.data.scaling import Scaling
from invcore.plugin import Pairs, generator

SIZE = torch.Generator().manual_seed(3)
LATENT = torch.randn(20, 2, generator=SIZE, dtype=torch.float64)


def space(count=20, prior=None):
    names = tuple(f"c{i:02}" for i in range(count))
    return Space.of(
        Variable(name="kind", prior=prior or Categorical(categories=names)),
        Variable(name="x", prior=Uniform(low=-1.0, high=1.0)),
        Variable(name="z", prior=Uniform(low=0.0, high=1.0)),
    )


def pairs(designs, rows=2000, seed=0):
    x = designs.sample(rows, generator(seed))
    own = LATENT[x[:, 0].long()]
    y = own[:, :1] + own[:, 1:] * x[:, 1:2] + 0.3 * x[:, 2:]
    return Pairs(x, y)


def test_few_categories_stay_one_hot():
    few = space(MANY)
    assert not has_embedding(few) and embedded(few, pairs(few)) is few
    scaling = Scaling.fit(few, pairs(few))
    assert scaling.designs.features == MANY + 2 and not any("desc" in n for n in scaling.state())


def test_many_categories_are_placed_by_what_they_do():
    designs = space()
    rows = torch.tensor(embedded(designs, pairs(designs)).variables[0].descriptors)
    assert rows.shape == (20, 2), "a constant and a slope tell the categories apart"
    # A linear map of the embedding gives the constants and slopes that made the responses
    ones = torch.cat([rows.double(), torch.ones(20, 1).double()], dim=1)
    left = LATENT - ones @ torch.linalg.lstsq(ones, LATENT).solution
    assert bool((left.square().mean(dim=0) < 0.02 * LATENT.var(dim=0)).all())


def test_an_embedding_is_deterministic_and_stored_with_the_scaling():
    designs = space()
    train = pairs(designs)
    scaling = Scaling.fit(designs, train)
    assert torch.equal(scaling.encode(train.x), Scaling.fit(designs, train).encode(train.x))
    again = Scaling.restore(designs, scaling.state())
    assert torch.equal(again.encode(train.x), scaling.encode(train.x))
    assert torch.equal(again.decode(again.encode(train.x))[:, 0], train.x[:, 0])
    assert scaling.designs.features == 4


def test_rare_unseen_and_equal_categories_stay_apart():
    codes = torch.tensor([0] * 50 + [1] * 50 + [2])
    y = torch.tensor([0.0] * 50 + [1.0] * 50 + [9.0], dtype=torch.float64)[:, None]
    rows = category_embedding(codes, 40, torch.zeros(101, 0).double(), y)
    apart = torch.cdist(rows, rows) + torch.eye(40)
    assert bool((apart > 1e-6).all())
    assert float((rows[2] - rows[1]).abs()) < 8.0, "one row says little"


def test_categories_without_any_effect_are_told_apart():
    codes = torch.arange(100) % 20
    rows = category_embedding(codes, 20, torch.zeros(100, 0).double(), torch.zeros(100, 1).double())
    assert rows.shape == (20, 1) and len(rows.unique()) == 20


def test_unknown_responses_count_for_nothing():
    designs = space()
    train = pairs(designs)
    holes = torch.where(torch.arange(2000)[:, None] % 5 == 0, torch.nan, train.y)
    rows = embedded(designs, Pairs(train.x, holes)).variables[0].descriptors
    assert bool(torch.tensor(rows).isfinite().all())


def test_descriptors_of_ones_own_are_kept():
    own = Categorical(
        categories=tuple(f"c{i:02}" for i in range(20)),
        descriptors=tuple((float(i), float(i * i)) for i in range(20)),
    )
    designs = space(prior=own)
    assert not has_embedding(designs) and embedded(designs, pairs(designs)) is designs


@pytest.mark.parametrize("rows", [3, 25])
def test_few_rows_suffice(rows):
    designs = space()
    train = pairs(designs, rows)
    scaling = Scaling.fit(designs, train)
    every = torch.zeros(20, 3, dtype=torch.float64)
    every[:, 0] = torch.arange(20)
    assert torch.equal(scaling.decode(scaling.encode(every))[:, 0], every[:, 0])

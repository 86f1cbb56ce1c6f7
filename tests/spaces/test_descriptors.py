"""Descriptors of categories: what networks see, and the way back."""

import pytest
import torch

from invcore import Categorical, Space, Uniform, Variable
from invcore.plugin import Pairs, generator
from invcore.spaces.descriptors import DescriptorTable

METALS = ("gold", "silver", "air", "glass")
NUMBERS = ((0.2, 19.3), (0.1, 10.5), (1.0, 0.0), (1.5, 2.5))
METAL = Categorical(categories=METALS, descriptors=NUMBERS)
SPACE = Space.of(
    Variable(name="metal", prior=METAL), Variable(name="x", prior=Uniform(low=0.0, high=1.0))
)


def test_networks_see_standardised_descriptors():
    x = torch.tensor([[0.0, 0.5], [1.0, 0.5], [2.0, 0.5], [3.0, 0.5]], dtype=torch.float64)
    features = SPACE.encode(x)
    assert SPACE.features == features.shape[1] == 3 and SPACE.feature_columns == (0, 0, 1)
    own = torch.tensor(NUMBERS, dtype=torch.float64)
    torch.testing.assert_close(features[:, :2], (own - own.mean(0)) / own.std(0, correction=0))
    assert torch.equal(SPACE.decode(features), x)


def test_the_nearest_category_wins():
    table = DescriptorTable(NUMBERS)
    random = generator(0)
    part = 2 * torch.randn(500, 2, generator=random, dtype=torch.float64)
    apart = (part[:, None] - table.rows).square().sum(dim=2)
    assert torch.equal(table.decode(part), apart.argmin(dim=1).double())
    assert table.decode(part.view(5, 100, 2)).shape == (5, 100)


def test_each_category_is_told_within_its_room():
    table, random = DescriptorTable(NUMBERS), generator(1)
    codes = torch.arange(4.0, dtype=torch.float64).repeat(500)
    off = 2 * torch.rand(2000, 2, generator=random, dtype=torch.float64) - 1
    moved = table.encode(codes) + 0.999 * off * table.room[codes.long()][:, None]
    assert torch.equal(table.decode(moved), codes)


@pytest.mark.parametrize(
    "descriptors, message",
    [
        (NUMBERS[:3], "expected 4 rows, one a category, got 3"),
        ((*NUMBERS[:3], (1.0,)), "category 'glass': expected 2 numbers, as the first"),
        ((*NUMBERS[:3], (float("nan"), 1.0)), "should be a finite number"),
        ((*NUMBERS[:3], NUMBERS[0]), "'gold' and 'glass' have the same descriptors"),
    ],
)
def test_descriptors_that_do_not_fit_are_refused(descriptors, message):
    with pytest.raises(ValueError, match=message):
        Categorical(categories=METALS, descriptors=descriptors)


def test_descriptors_of_any_size_are_standardised():
    table = DescriptorTable(((1e300, 1.0), (2e300, 1.0), (3e300, 1.0)))
    assert table.width == 1
    assert float(table.rows.std(correction=0)) == pytest.approx(1.0)


def test_pairs_with_categories_may_be_scaled_and_stored():
    from invcore.data.scaling import Scaling

    x = SPACE.sample(100, generator(0))
    scaling = Scaling.fit(SPACE, Pairs(x, x[:, 1:]))
    assert torch.equal(scaling.decode(scaling.encode(x))[:, 0], x[:, 0])
    again = Scaling.restore(SPACE, scaling.state())
    assert torch.equal(again.encode(x), scaling.encode(x))
    noisy = scaling.dequantise(scaling.encode(x), generator(2))
    assert not torch.equal(noisy[:, :2], scaling.encode(x)[:, :2])
    assert torch.equal(scaling.decode(noisy)[:, 0], x[:, 0])

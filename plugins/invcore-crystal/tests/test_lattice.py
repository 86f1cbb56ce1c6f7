"""Equivalent designs."""

import itertools
import math

import torch
from invcore_crystal.lattice import (
    SYMMETRIES,
    design_space,
    equivalents,
    feature_space,
    features,
)

from invcore.plugin import generator


def draw(count=20):
    return design_space().sample(count, generator(0, "lattice"))


def cell(row):
    """Cell vectors (3, 3) from lengths and angles."""
    a, b, c = row[:3].tolist()
    alpha, beta, gamma = (math.radians(v) for v in row[3:6].tolist())
    x = math.cos(beta)
    y = (math.cos(alpha) - math.cos(beta) * math.cos(gamma)) / math.sin(gamma)
    return torch.tensor(
        [
            [a, 0.0, 0.0],
            [b * math.cos(gamma), b * math.sin(gamma), 0.0],
            [c * x, c * y, c * math.sqrt(max(1 - x * x - y * y, 0.0))],
        ],
        dtype=torch.float64,
    )


def test_equivalent_designs_are_one_lattice():
    """The same set of distances: from all combinations of the cell vectors."""
    steps = torch.tensor(list(itertools.product((-1.0, 0.0, 1.0), repeat=3)), dtype=torch.float64)
    for images in equivalents(draw(5)).transpose(0, 1):
        spectra = [(steps @ cell(row)).norm(dim=1).sort().values for row in images]
        for other in spectra[1:]:
            torch.testing.assert_close(other, spectra[0])


def test_equivalents_are_eight_designs_of_the_box():
    images = equivalents(draw())
    assert images.shape == (8, 20, 7) and bool(design_space().contains(images.flatten(0, 1)).all())
    assert len(set(map(tuple, images[:, 0].tolist()))) == 8


def test_equivalents_have_features_in_another_order():
    names = feature_space().names
    orders = [list(range(9)), *([names.index(n) for n in order] for order in SYMMETRIES)]
    orders.append([orders[1][i] for i in orders[2]])
    x = draw()
    first = features(x)
    known = [first[:, order] for order in orders]
    for image in equivalents(x):
        found = features(image)
        assert any(torch.allclose(found, one) for one in known)


def test_features_lie_in_their_space():
    assert bool(feature_space().contains(features(draw(200))).all())

"""Random families, and optimised cells, are what they say."""

from __future__ import annotations

import pytest
import torch
from invcore_architecture.element import pixel_moduli
from invcore_architecture.families import FIELDS, allowed, lattice_fields, random_cells
from invcore_architecture.homogenise import effective_stiffness, youngs_modulus
from invcore_architecture.topology import Wanted, optimised_cells

from invcore.plugin import generator


@pytest.mark.parametrize("family", FIELDS)
def test_cells_have_all_porosities_and_repeat(family):
    cells = random_cells(family, 120, 32, generator(0))
    assert cells.shape == (120, 32, 32) and cells.dtype == torch.bool
    porosity = 1 - cells.double().mean(dim=(1, 2))
    assert porosity.min() >= 0.25 and porosity.max() <= 0.75
    assert porosity.min() < 0.3 and porosity.max() > 0.7
    assert 0.45 < porosity.mean() < 0.55
    few = random_cells(family, 10, 32, generator(1))
    assert torch.equal(few, random_cells(family, 10, 32, generator(1)))
    assert not torch.equal(few, cells[:10])


@pytest.mark.parametrize("family", FIELDS)
def test_cells_are_periodic(family):
    """Where the cell meets its neighbour, pixels change no more often than inside it."""
    cells = random_cells(family, 400, 16, generator(2))
    inside = (cells[:, 1:] != cells[:, :-1]).double().mean()
    across = (cells[:, 0] != cells[:, -1]).double().mean()
    assert float(across) == pytest.approx(float(inside), rel=0.15)


def test_random_fields_are_correlated_over_more_and_less():
    """The number of edges of a cell says how fine it is: far from one size for all."""
    cells = random_cells("random-field", 300, 32, generator(0))
    edges = (cells != cells.roll(1, 1)).double().mean(dim=(1, 2))
    low, high = edges.quantile(torch.tensor([0.1, 0.9], dtype=torch.float64)).tolist()
    assert high > 3 * low


def test_a_lattice_of_one_family_of_lines_is_a_laminate():
    field = lattice_fields(400, 16, generator(3))
    flat = (field.max(dim=2).values - field.min(dim=2).values).amax(dim=1) < 1e-9
    assert 3 < int(flat.sum()) < 100  # lines along x alone: equal along each row
    assert field.min() >= 0


def test_porosity_is_judged():
    cells = torch.zeros(3, 4, 4, dtype=torch.bool)
    cells[1, :, :2] = True
    cells[2] = True
    assert allowed(cells).tolist() == [False, True, False]


def test_optimised_cells_come_near_what_was_wanted():
    count, side = 10, 16
    cells = optimised_cells(count, side, generator(0, "optimised"))
    wanted = Wanted.draw(count, generator(0, "optimised"))
    stiffness = effective_stiffness(pixel_moduli(cells.double(), 1e-3, 1.0))
    missed = (youngs_modulus(stiffness) - wanted.modulus[:, 0]).abs()
    share = (cells.double().mean(dim=(1, 2)) - wanted.solid).abs()
    assert missed.median() < 0.03 and share.median() < 0.03
    chance = (wanted.modulus[:, 0] - wanted.modulus[:, 0].mean()).abs()
    assert missed.median() < 0.5 * chance.median()
    assert torch.equal(cells, optimised_cells(count, side, generator(0, "optimised")))

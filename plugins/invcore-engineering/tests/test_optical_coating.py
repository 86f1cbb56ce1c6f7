"""Coatings against Fresnel's formulas, known layers, and all designs of a coarse grid."""

from __future__ import annotations

import cmath
import itertools

import numpy as np
import pytest
import torch
from invcore_engineering.materials import MATERIALS, refractive_index
from invcore_engineering.optical_coating import (
    LIMIT,
    SPECIFICATION,
    WAVELENGTHS,
    OpticalCoating,
    OpticalCoatingConfig,
    coating_reflectance,
)

from invcore.plugin import Targets

# At 587.6 nm (the sodium line 589.3 for TiO2), as the cited papers' formulas are tabulated
INDICES = {"MgF2": 1.3777, "SiO2": 1.4585, "Al2O3": 1.7682, "TiO2": 2.6135, "BK7": 1.5168}


@pytest.mark.parametrize(("material", "index"), INDICES.items())
def test_indices(material: str, index: float) -> None:
    line = 589.3 if material == "TiO2" else 587.56
    got = refractive_index(material, torch.tensor([line])).item()
    assert got == pytest.approx(index, abs=2e-4 if material != "TiO2" else 2e-3)


def test_indices_fall_with_the_wavelength_and_rise_with_the_list() -> None:
    table = torch.stack([refractive_index(name, torch.tensor(WAVELENGTHS)) for name in MATERIALS])
    assert (table.diff(dim=0) > 0).all() and (table.diff(dim=1) < 0).all()
    assert 2.0 < float(table[3, 4]) < 2.05  # Si3N4 at 550 nm


def recursion(thicknesses: list[float], materials: list[int], wavelength: float) -> float:
    """Fresnel's reflection of each face, put together from the glass outwards (Rouard)."""
    at = torch.tensor([wavelength], dtype=torch.float64)
    indices = [refractive_index(MATERIALS[i], at).item() for i in materials]
    below, total = refractive_index("BK7", at).item(), 0j
    for thickness, index in zip(thicknesses, indices, strict=True):
        face = (index - below) / (index + below)
        total = (face + total) / (1 + face * total)
        total *= cmath.exp(-4j * cmath.pi * index * thickness / wavelength)
        below = index
    face = (1 - below) / (1 + below)
    return abs((face + total) / (1 + face * total)) ** 2


def test_fresnel_face_by_face() -> None:
    task = OpticalCoating(OpticalCoatingConfig(layers=5))
    x = task.designs.sample(20, torch.Generator().manual_seed(0))
    y = task.simulate(x)
    for row, response in zip(x.tolist(), y.tolist(), strict=True):
        materials = [int(number) for number in row[5:]]
        wanted = [recursion(row[:5], materials, nm) for nm in WAVELENGTHS]
        assert response[:-1] == pytest.approx(wanted, abs=1e-12)
        assert response[-1] == pytest.approx(sum(row[:5]))


def test_known_layers() -> None:
    at = torch.tensor([550.0], dtype=torch.float64)
    n, glass = (refractive_index(name, at).item() for name in ("MgF2", "BK7"))
    quarter = torch.tensor([550 / (4 * n), 550 / (2 * n)], dtype=torch.float64)[:, None]
    got = coating_reflectance(quarter, torch.zeros(2, 1, dtype=torch.long))[:, 4]
    wanted = ((n**2 - glass) / (n**2 + glass)) ** 2, ((1 - glass) / (1 + glass)) ** 2
    assert got.tolist() == pytest.approx(wanted, abs=1e-12)  # a half wave is as if not there


def test_neighbours_of_one_material_are_one_layer() -> None:
    task = OpticalCoating()
    x = torch.tensor([
        [30.0, 40.0, 50.0, 60.0, 4.0, 4.0, 0.0, 1.0],
        [50.0, 20.0, 50.0, 60.0, 4.0, 4.0, 0.0, 1.0],
    ]).double()  # fmt: skip
    y = task.simulate(x)
    torch.testing.assert_close(y[0], y[1], rtol=0, atol=1e-12)


def test_materials_are_rounded_and_unknown_designs_have_no_response() -> None:
    task = OpticalCoating(OpticalCoatingConfig(layers=1))
    x = torch.tensor([[50.0, 2.0], [50.0, 2.4], [50.0, 9.0], [50.0, 4.0], [torch.nan, 1.0]])
    y = task.simulate(x)
    assert torch.equal(y[0], y[1]) and torch.equal(y[2], y[3]) and y[4].isnan().all()


def test_gradient() -> None:
    task = OpticalCoating(OpticalCoatingConfig(layers=3))
    x = task.designs.sample(4, torch.Generator().manual_seed(1))
    thicknesses, materials = x[:, :3].requires_grad_(), x[:, 3:]
    assert torch.autograd.gradcheck(
        lambda d: task.simulate(torch.cat((d, materials), dim=1)), thicknesses
    )


def test_two_layers_by_brute_force() -> None:
    """The thinnest of a grid that reflects little: the task's responses lead to the same design."""
    limit, grid = 0.015, np.arange(20.0, 181.0, 10.0)
    task = OpticalCoating(OpticalCoatingConfig(layers=2))
    designs = list(itertools.product(grid, grid, range(5), range(5)))
    y = task.simulate(torch.tensor(designs, dtype=torch.float64))
    good = (y[:, :-1] <= limit).all(dim=1).nonzero().flatten().tolist()
    assert 0 < len(good) < 100
    best = min(good, key=lambda i: float(y[i, -1]))
    d1, d2, m1, m2 = designs[best]
    assert max(recursion([d1, d2], [int(m1), int(m2)], nm) for nm in WAVELENGTHS) <= limit
    thinner = [one for one in designs if one[0] + one[1] < d1 + d2]
    sample = np.random.default_rng(0).choice(len(thinner), 150, replace=False)
    for a, b, m, n in (thinner[i] for i in sample):
        assert max(recursion([a, b], [int(m), int(n)], nm) for nm in WAVELENGTHS) > limit


def test_the_specification_names_all_reflectances() -> None:
    task = OpticalCoating()
    targets = Targets.of([SPECIFICATION], task.responses)
    y = torch.full((1, 10), LIMIT, dtype=torch.float64)
    assert not targets.violation(y).any()
    assert targets.violation(2 * y)[0].tolist() == pytest.approx([LIMIT] * 9 + [0.0])

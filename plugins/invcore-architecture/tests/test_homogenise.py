"""The effective stiffness against mathematics and an independent implementation."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from invcore_architecture.element import elasticity, element_energy, pixel_moduli
from invcore_architecture.families import FIELDS, random_cells
from invcore_architecture.homogenise import effective_stiffness, youngs_modulus

from invcore import DivergedError, ShapeError
from invcore.plugin import generator

SOLVERS = ("direct", "fft")


def _reference():
    path = Path(__file__).with_name("reference.py")
    spec = importlib.util.spec_from_file_location("architecture_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(side, count=1, soft=1e-3):
    """Some two-phase cells of all families: moduli (6 count, side, side)."""
    parts = [random_cells(name, count, side, generator(0, name)) for name in FIELDS]
    return pixel_moduli(torch.cat(parts), soft, 1.0)


def close(a, b, rtol=1e-9):
    return torch.allclose(a, b, rtol=rtol, atol=rtol * float(b.abs().max()))


def test_an_element_does_no_work_when_it_moves_or_turns_as_a_whole():
    energy = element_energy(0.3)
    right = torch.tensor([1.0, 0.0] * 4 + [0.0] * 3, dtype=torch.float64)
    turned = torch.tensor([0, 0, 0, 1, -1, 1, -1, 0, 0, 0, 0], dtype=torch.float64)
    for motion in (right, turned):
        assert (energy @ motion).abs().max() < 1e-15
    assert torch.linalg.eigvalsh(energy[:8, :8])[3:].min() > 0.1  # and in no other way
    assert torch.allclose(energy[8:, 8:], elasticity(0.3))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("side", [8, 16, 32])
def test_it_agrees_with_a_sparse_factorisation(solver, side):
    moduli = cells(side)
    expected = [torch.tensor(_reference().stiffness(cell.numpy())) for cell in moduli]
    assert close(effective_stiffness(moduli, 0.3, solver), torch.stack(expected))


def test_grey_cells_of_another_material_agree_too():
    draw = torch.rand(3, 16, 16, generator=generator(1), dtype=torch.float64)
    moduli = pixel_moduli(draw, 1e-2, 2.0)
    expected = [torch.tensor(_reference().stiffness(cell.numpy(), -0.2)) for cell in moduli]
    for solver in SOLVERS:
        assert close(effective_stiffness(moduli, -0.2, solver), torch.stack(expected))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_homogeneous_cell_is_its_material(solver):
    moduli = torch.full((1, 8, 8), 0.37, dtype=torch.float64)
    found = effective_stiffness(moduli, 0.25, solver)
    assert close(found[0], 0.37 * elasticity(0.25))
    for direction in ("x", "y"):
        assert float(youngs_modulus(found, direction)) == pytest.approx(0.37, rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_layers_have_the_moduli_of_laminate_theory(solver):
    """Layers along x, of plane stress: the strain along x and the stress along y are uniform."""
    layers = torch.rand(1, 16, generator=generator(2), dtype=torch.float64) + 0.01
    poisson = 0.3
    along = layers.mean()  # one Poisson's ratio, so pulling along the layers is uniaxial
    softest = 1 / (1 / layers).mean()
    # Mean of D for the stretch along the layers; harmonic means of D22 and D33 across them.
    expected = torch.tensor(
        [
            [along + poisson**2 / (1 - poisson**2) * softest, poisson / (1 - poisson**2) * softest],
            [poisson / (1 - poisson**2) * softest, softest / (1 - poisson**2)],
        ],
        dtype=torch.float64,
    )
    lying = layers[:, :, None].expand(1, 16, 16)
    found = effective_stiffness(lying, poisson, solver)
    assert close(found[0, :2, :2], expected, 1e-8)
    assert float(found[0, 2, 2]) == pytest.approx(float(softest) / (2 * (1 + poisson)), rel=1e-8)
    assert found[0, 2, :2].abs().max() < 1e-9
    assert float(youngs_modulus(found, "x")) == pytest.approx(float(along), rel=1e-8)
    standing = effective_stiffness(lying.mT, poisson, solver)
    assert float(youngs_modulus(standing, "y")) == pytest.approx(float(along), rel=1e-8)
    assert float(youngs_modulus(standing, "x")) == pytest.approx(
        float(youngs_modulus(found, "y")), rel=1e-8
    )


def test_voigt_and_reuss_bound_every_cell():
    moduli = cells(32, 3)
    found = effective_stiffness(moduli, 0.3, "direct")
    voigt = moduli.mean(dim=(1, 2))[:, None, None] * elasticity(0.3)
    reuss = elasticity(0.3) / (1 / moduli).mean(dim=(1, 2))[:, None, None]
    for upper, lower in ((voigt, found), (found, reuss)):  # as quadratic forms
        assert torch.linalg.eigvalsh(upper - lower).min() > -1e-12
    assert torch.equal(found, found.mT) or close(found, found.mT, 1e-12)


def test_hashin_shtrikman_bounds_the_bulk_modulus_of_cells_with_square_symmetry():
    """Cells that are their own mirror images and quarter turns; bounds of the plane."""
    solid_k, soft = 1 / (2 * (1 - 0.3)), 1e-3
    solid_g, soft_k = 1 / (2 * (1 + 0.3)), soft * solid_k
    soft_g = soft * solid_g
    for name in FIELDS:
        quarter = random_cells(name, 4, 16, generator(3, name))
        quarter = quarter & quarter.mT
        cell = torch.cat([quarter, quarter.flip(1)], dim=1)
        cell = torch.cat([cell, cell.flip(2)], dim=2)
        found = effective_stiffness(pixel_moduli(cell, soft, 1.0), 0.3, "direct")
        assert close(found[:, 0, 0], found[:, 1, 1])
        bulk = (found[:, 0, 0] + found[:, 0, 1]) / 2
        share = cell.double().mean(dim=(1, 2))
        high = solid_k + (1 - share) / (1 / (soft_k - solid_k) + share / (solid_k + solid_g))
        low = soft_k + share / (1 / (solid_k - soft_k) + (1 - share) / (soft_k + soft_g))
        assert (bulk <= high * (1 + 1e-9)).all() and (bulk >= low * (1 - 1e-9)).all()
        assert bool((share > 0).all())


@pytest.mark.parametrize("solver", SOLVERS)
def test_shifts_mirrors_and_turns_change_the_stiffness_as_they_must(solver):
    moduli = cells(16)
    found = effective_stiffness(moduli, 0.3, solver)
    shifted = effective_stiffness(moduli.roll((3, 5), (1, 2)), 0.3, solver)
    assert close(shifted, found, 1e-8)
    sign = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    for way in (1, 2):
        mirrored = effective_stiffness(moduli.flip(way), 0.3, solver)
        assert close(mirrored, found * sign[:, None] * sign, 1e-8)
    swapped = effective_stiffness(moduli.mT, 0.3, solver)
    order = torch.tensor([1, 0, 2])
    assert close(swapped, found[:, order][:, :, order], 1e-8)
    turned = effective_stiffness(moduli.rot90(1, (1, 2)), 0.3, solver)
    assert close(turned, found[:, order][:, :, order] * sign[:, None] * sign, 1e-8)
    assert close(youngs_modulus(swapped, "y"), youngs_modulus(found, "x"), 1e-7)
    assert found[:, 2, :2].abs().max() > 1e-3  # the sign had something to change


def test_larger_pixels_are_stiffer():
    """A conforming mesh bounds the energy from above; a finer one of the same cell, less so."""
    coarse = cells(16)
    fine = coarse.repeat_interleave(2, 1).repeat_interleave(2, 2)
    difference = effective_stiffness(coarse) - effective_stiffness(fine)
    assert torch.linalg.eigvalsh(difference).min() > -1e-12
    assert difference.abs().max() > 1e-3


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("direction", ["x", "y"])
def test_the_gradient_is_the_slope(solver, direction):
    draw = torch.rand(2, 8, 8, generator=generator(4), dtype=torch.float64)
    moduli = (0.01 + draw).requires_grad_()

    def pull(moduli):
        return youngs_modulus(effective_stiffness(moduli, 0.3, solver), direction)

    def coupling(moduli):
        return effective_stiffness(moduli, 0.3, solver)[:, 0, 1:]

    for function in (pull, coupling):
        assert torch.autograd.gradcheck(function, (moduli,), atol=1e-7, fast_mode=True)


def test_the_gradient_of_a_large_cell_is_the_slope_along_some_ways():
    moduli = cells(32)[:2] + 0.01
    leaf = moduli.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(youngs_modulus(effective_stiffness(leaf)).sum(), leaf)
    for k in range(3):
        way = torch.rand(moduli.shape, generator=generator(k), dtype=torch.float64) - 0.5
        ahead, behind = (
            youngs_modulus(effective_stiffness(moduli + step * way)).sum() for step in (1e-5, -1e-5)
        )
        slope = float(ahead - behind) / 2e-5
        assert float((gradient * way).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_a_gradient_of_the_gradient_is_refused():
    leaf = cells(8, 1).requires_grad_()
    modulus = youngs_modulus(effective_stiffness(leaf)).square().sum()
    (gradient,) = torch.autograd.grad(modulus, leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="has no gradient itself"):
        torch.autograd.grad(gradient.square().sum() + leaf.sum(), leaf)


def test_both_solvers_give_one_gradient():
    gradients = []
    for solver in SOLVERS:
        leaf = cells(16).requires_grad_()
        modulus = youngs_modulus(effective_stiffness(leaf, 0.3, solver))
        gradients.append(torch.autograd.grad(modulus.sum(), leaf)[0])
    assert close(*gradients, 1e-5)


def test_a_cell_does_not_depend_on_how_many_there_are():
    moduli = cells(8, 4)  # 24: three chunks of the CPU
    whole = effective_stiffness(moduli)
    single = torch.cat([effective_stiffness(cell[None]) for cell in moduli])
    assert close(whole, single, 1e-12)
    assert effective_stiffness(moduli[:0]).shape == (0, 3, 3)


def test_the_iterative_solver_takes_cells_of_any_side_the_direct_one_says_which():
    moduli = torch.rand(1, 10, 10, generator=generator(5), dtype=torch.float64) + 0.1
    expected = torch.tensor(_reference().stiffness(moduli[0].numpy()))
    assert close(effective_stiffness(moduli, 0.3, "fft")[0], expected)
    with pytest.raises(ShapeError, match=r"10 by 10.*use the solver 'fft'"):
        effective_stiffness(moduli, 0.3, "direct")
    with pytest.raises(ShapeError, match=r"expected \(N, n, n\), got \(1, 8, 16\)"):
        effective_stiffness(torch.ones(1, 8, 16))


def test_no_convergence_is_said(monkeypatch):
    monkeypatch.setattr("invcore_architecture.fft._STEPS", 3)
    moduli = cells(8)
    with pytest.raises(DivergedError, match="soft phase stiffer"):
        effective_stiffness(moduli, 0.3, "fft")


def test_grey_pixels_keep_below_the_best_microstructure():
    """The claim about exponent 3: bulk and shear moduli below Hashin-Shtrikman's, plane, void."""
    density = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    modulus = pixel_moduli(density, 0.0, 3.0)
    k, g = 1 / (2 * (1 - 1 / 3)), 1 / (2 * (1 + 1 / 3))
    high_k = density * k * g / ((1 - density) * k + g)
    high_g = density * k * g / ((1 - density) * (k + 2 * g) + k)
    assert (modulus * k <= high_k * (1 + 1e-12)).all()
    assert (modulus * g <= high_g * (1 + 1e-12)).all()
    assert bool((pixel_moduli(density, 0.0, 1.5) * k > high_k).any())


def test_no_cells_have_no_stiffness_and_no_slope():
    none = torch.zeros(0, 8, 8, dtype=torch.float64, requires_grad=True)
    stiffness = effective_stiffness(none)
    assert stiffness.shape == (0, 3, 3)
    (slope,) = torch.autograd.grad(stiffness.sum(), none)
    assert slope.shape == none.shape

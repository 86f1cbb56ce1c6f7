"""The solver against physics, against the unreduced solver, against another package."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import scipy.special
import torch
from invcore_metamaterial.harmonics import blocks, harmonics
from invcore_metamaterial.layer import Layer
from invcore_metamaterial.rcwa import LIGHT, PERIOD, Material, SuperCells, jinc, reflection
from invcore_metamaterial.spectra import design_space, equivalents

_spec = importlib.util.spec_from_file_location("unreduced", Path(__file__).parent / "unreduced.py")
unreduced = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(unreduced)

LOSSLESS = Material(11.9, 0.0)
SOME = torch.tensor([0.83, 1.07, 1.31, 1.47], dtype=torch.float64)


def cells(count, seed=0):
    return design_space().sample(count, torch.Generator().manual_seed(seed)).double()


def test_agrees_with_the_unreduced_solver():
    for material in (LOSSLESS, Material()):
        for x in cells(2):
            ours = reflection(x[None], SOME, orders=3, material=material)[0]
            for value, frequency in zip(ours.tolist(), SOME.tolist(), strict=True):
                full = unreduced.reflection(
                    x[:4].numpy(), x[4:].numpy(), frequency, orders=3, permittivity=material.complex
                )
                assert abs(value - full) < 1e-8


def test_laurent_rule_agrees_with_the_unreduced_solver():
    x = cells(1)
    ours = SuperCells(x, orders=2, rule="laurent").reflect(SOME)[0]
    for value, frequency in zip(ours.tolist(), SOME.tolist(), strict=True):
        full = unreduced.reflection(
            x[0, :4].numpy(), x[0, 4:].numpy(), frequency,
            orders=2, permittivity=Material().complex, normal=False,
        )  # fmt: skip
        assert abs(value - full) < 1e-8


def test_lossless_cells_conserve_energy():
    power = SuperCells(cells(3), orders=4, material=LOSSLESS).power(SOME)
    assert torch.allclose(power.reflected + power.transmitted, torch.ones(3, 4).double(), atol=1e-8)


def test_lossy_cells_absorb():
    power = SuperCells(cells(3), orders=4).power(SOME)
    absorbed = 1 - power.reflected - power.transmitted
    assert (absorbed > 0.01).all() and (absorbed < 1).all()
    assert (power.reflected > 0).all() and (power.transmitted > 0).all()


def test_below_the_first_diffraction_order_all_reflection_is_specular():
    below = torch.tensor([0.9, 1.2, 1.4], dtype=torch.float64)  # the first order opens at 1.4276
    made = SuperCells(cells(2), orders=3)
    assert torch.allclose(made.power(below).reflected, made.reflect(below).abs() ** 2, atol=1e-10)
    above = torch.tensor([1.45], dtype=torch.float64)
    assert (made.power(above).reflected > made.reflect(above).abs() ** 2 + 1e-6).all()


def test_reciprocity():
    """The straight transmission is the same from below."""
    made = SuperCells(cells(2), orders=4)
    down = made.power(SOME).straight
    made._stack.reverse()
    assert torch.allclose(made.power(SOME).straight, down, atol=1e-9)
    assert not torch.allclose(made.reflect(SOME), reflection(cells(2), SOME, orders=4), atol=1e-3)


def test_moving_the_lattice_changes_nothing():
    x = cells(2)
    spectra = [reflection(same, SOME, orders=3).abs() for same in equivalents(x)]
    for other in spectra[1:]:
        assert torch.allclose(other, spectra[0], atol=1e-9)
    other = x[:, [0, 2, 1, 3, 4, 6, 5, 7]]  # a mirror plane along the diagonal turns E
    assert not torch.allclose(reflection(other, SOME, orders=3).abs(), spectra[0], atol=1e-3)


@pytest.mark.parametrize("depth", [0.0, 0.3, 6.0, 45.0])
def test_a_uniform_layer_is_a_thin_film(depth):
    """Airy's formula, through both ways of carrying an admittance."""
    own = harmonics(3, PERIOD)
    eps = 11.9 * (1 - 0.05j)
    even, odd = own.sizes
    upright = torch.eye(own.bases["z"].shape[1], dtype=torch.complex128) / eps
    right, down = upright @ own.ky.mH, -upright @ own.kx.mH
    p0 = blocks(own.kx @ right, own.kx @ down, own.ky @ right, own.ky @ down)
    nothing = torch.zeros(odd, even, dtype=p0.dtype)
    q1 = blocks(
        nothing, eps * torch.eye(odd) + 0 * nothing[:, :1], -eps * torch.eye(even), nothing.mT
    )
    made = SuperCells(cells(1), orders=3)
    made._stack = [(Layer(own, p0[None], q1[None]), torch.tensor([depth], dtype=torch.float64))]
    index = np.sqrt(eps)
    phase = 2 * np.pi * SOME.numpy() / LIGHT * index * depth
    edge = (1 - index) / (1 + index)
    turn = np.exp(-2j * phase)
    film = edge * (1 - turn) / (1 - edge**2 * turn)
    assert np.allclose(made.reflect(SOME)[0].numpy(), film, atol=1e-10)


def test_long_waves_see_a_film_of_the_posts_polarisability():
    """Posts of a share f reflect like a film of ε = 1 + 2fα / (1 - fα), α = (ε - 1)/(ε + 1)."""
    height, radius, permittivity, frequency = 400.0, 20.0, 1.3, 0.03
    x = torch.tensor([[height] * 4 + [radius] * 4], dtype=torch.float64)
    found = complex(
        reflection(x, torch.tensor([frequency]), orders=8, material=Material(permittivity, 0.0))[
            0, 0
        ]
    )
    share = 4 * np.pi * radius**2 / PERIOD**2
    pull = share * (permittivity - 1) / (permittivity + 1)
    index = np.sqrt(1 + 2 * pull / (1 - pull))
    edge = (1 - index) / (1 + index)
    turn = np.exp(-4j * np.pi * frequency / LIGHT * index * height)
    film = edge * (1 - turn) / (1 - edge**2 * turn)
    assert abs(found - film) < 0.01 * abs(film)


def test_gradients_agree_with_differences():
    def value(design):
        return (reflection(design, SOME, orders=2).abs() ** 2).sum()

    x = cells(1, seed=3).requires_grad_()
    (slope,) = torch.autograd.grad(value(x), x)
    for column in range(8):
        step = torch.zeros(1, 8, dtype=torch.float64)
        step[0, column] = 1e-5
        difference = (value(x.detach() + step) - value(x.detach() - step)) / 2e-5
        assert abs(float(slope[0, column] - difference)) < 1e-6


def test_equal_heights_have_finite_gradients():
    x = torch.tensor([[40.0] * 4 + [45.0] * 4], dtype=torch.float64, requires_grad=True)
    reflection(x, SOME, orders=2).abs().sum().backward()
    assert x.grad.isfinite().all() and (x.grad[:, :4].abs() > 0).any()


def test_a_batch_is_its_rows():
    x = cells(3)
    each = torch.cat([reflection(row[None], SOME, orders=3) for row in x])
    assert torch.allclose(reflection(x, SOME, orders=3), each, atol=1e-10)


def test_agrees_with_torcwa_in_its_own_rule():
    import torcwa  # a second to import

    x = cells(1, seed=1)[0]
    orders, grid = 3, 600
    place = (torch.arange(grid, dtype=torch.float64) + 0.5) / grid * PERIOD
    ours = SuperCells(x[None], orders=orders, rule="laurent").reflect(SOME)[0]
    heights, order = x[:4].sort()
    centres = torch.tensor([(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)]) * PERIOD
    for value, frequency in zip(ours.tolist(), SOME.tolist(), strict=True):
        sim = torcwa.rcwa(
            freq=frequency / LIGHT, order=[orders, orders], L=[PERIOD, PERIOD],
            dtype=torch.complex128, device=torch.device("cpu"),
        )  # fmt: skip
        sim.add_input_layer(eps=1.0)
        sim.add_output_layer(eps=1.0)
        sim.set_incident_angle(inc_ang=0.0, azi_ang=0.0)
        for layer in (3, 2, 1, 0):
            inside = torch.zeros(grid, grid, dtype=torch.bool)
            for cylinder in order[layer:].tolist():
                dx = (place - centres[cylinder, 0] + PERIOD / 2) % PERIOD - PERIOD / 2
                dy = (place - centres[cylinder, 1] + PERIOD / 2) % PERIOD - PERIOD / 2
                inside |= dx[:, None] ** 2 + dy[None, :] ** 2 < x[4 + cylinder] ** 2
            eps = torch.ones(grid, grid, dtype=torch.complex128)
            eps[inside] = Material().complex.conjugate()  # e^{-iωt} there
            below = heights[layer - 1] if layer else torch.zeros(())
            sim.add_layer(thickness=float(heights[layer] - below), eps=eps)
        sim.solve_global_smatrix()
        theirs = sim.S_parameters(
            orders=[0, 0], direction="forward", port="reflection", polarization="xx"
        )
        assert abs(abs(complex(theirs)) - abs(value)) < 5e-3  # their discs are made of pixels


def test_jinc_is_bessels():
    t = np.linspace(0.05, 90, 997)
    assert np.abs(jinc(torch.tensor(t)).numpy() - 2 * scipy.special.j1(t) / t).max() < 1e-14

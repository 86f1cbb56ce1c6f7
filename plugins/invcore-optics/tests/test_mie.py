"""Layered spheres against series, linear systems and pymiediff that know nothing of this code."""

from __future__ import annotations

import math

import numpy as np
import pymiediff
import pytest
import torch
from invcore_optics.mie import scattering_efficiency, values_suffice, wiscombe
from invcore_optics.nanoshell import Nanoshell, shell_wavelengths, titania
from scipy.special import spherical_jn, spherical_yn

from invcore.plugin import generator

NM = torch.tensor([400.0, 470.0, 633.0, 800.0], dtype=torch.float64)
SILICA, TITANIA, WATER = torch.tensor(2.04, dtype=torch.float64), titania(NM), 1.77
IN_TURN = [SILICA, TITANIA] * 4


def designs(rows, shells=8, low=30.0, high=70.0):
    unit = torch.rand(rows, shells, generator=generator(0, "mie"), dtype=torch.float64)
    return low + (high - low) * unit


def riccati(n, z):
    """ψ, ψ', ξ, ξ' with ξ = z h_n^(1)."""
    j, dj = spherical_jn(n, z), spherical_jn(n, z, derivative=True)
    h, dh = j + 1j * spherical_yn(n, z), dj + 1j * spherical_yn(n, z, derivative=True)
    return z * j, j + z * dj, z * h, h + z * dh


def series(x, a, b):
    """Scattering and extinction efficiency from coefficients of the orders 1, 2, ..."""
    n = np.arange(1, len(a) + 1)
    scattered = 2 / x**2 * ((2 * n + 1) * (abs(a) ** 2 + abs(b) ** 2)).sum()
    return scattered, 2 / x**2 * ((2 * n + 1) * (a + b).real).sum()


def homogeneous(radius, nm, inside, medium):
    """The textbook's series for one sphere (Bohren and Huffman, 4.53)."""
    x, m = 2 * math.pi * radius * math.sqrt(medium) / nm, math.sqrt(inside / medium)
    n = np.arange(1, wiscombe(x) + 6)
    p, dp, s, ds = riccati(n, x)
    q, dq, _, _ = riccati(n, m * x)
    a = (m * q * dp - p * dq) / (m * q * ds - s * dq)
    b = (q * dp - m * p * dq) / (q * ds - m * s * dq)
    return series(x, a, b)


def linear_system(thickness, nm, inside, medium, orders):
    """All boundary conditions of each multipole solved at once, in complex numbers."""
    radius, index = np.cumsum(thickness), np.sqrt(np.append(inside, medium))
    k = 2 * math.pi / nm
    count, found = len(radius), ([], [])
    for n in range(1, orders + 1):
        for electric in (True, False):
            system = np.zeros((2 * count, 2 * count), dtype=complex)
            right = np.zeros(2 * count, dtype=complex)
            for s in range(count):  # unknowns: ψ of the core, ψ and χ of each shell, -ξ outside
                for side, medium_index in ((1, index[s]), (-1, index[s + 1])):
                    z = k * medium_index * radius[s]
                    j, dj, h, dh = riccati(n, z)
                    scale = 1 / medium_index if electric else medium_index
                    inner = s if side == 1 else s + 1
                    if inner == count:
                        system[2 * s : 2 * s + 2, -1] = np.array([h, dh * scale])
                        right[2 * s : 2 * s + 2] = np.array([j, dj * scale])
                        continue
                    first = max(2 * inner - 1, 0)
                    system[2 * s : 2 * s + 2, first] = side * np.array([j, dj * scale])
                    if inner:
                        terms = side * np.array([h.imag, dh.imag * scale])
                        system[2 * s : 2 * s + 2, first + 1] = terms
            columns = abs(system).max(axis=0)
            solved = np.linalg.solve(system / columns, right) / columns
            found[not electric].append(solved[-1])
    return series(k * math.sqrt(medium) * radius[-1], *map(np.array, found))


@pytest.mark.parametrize("shells", [1, 2, 8])
def test_equal_shells_are_one_sphere(shells):
    x = designs(3, shells)
    got = scattering_efficiency(x, NM, [TITANIA] * shells, WATER)
    for row, total in enumerate(x.sum(dim=1).tolist()):
        for at, nm in enumerate(NM.tolist()):
            scattered, lost = homogeneous(total, nm, TITANIA[at].item(), WATER)
            assert got[row, at].item() == pytest.approx(scattered, rel=1e-10)
            assert got[row, at].item() == pytest.approx(lost, rel=1e-10)  # nothing is absorbed


def test_eight_shells_as_a_linear_system():
    x = designs(2)
    got = scattering_efficiency(x, NM, IN_TURN, WATER)
    for row in range(len(x)):
        for at, nm in enumerate(NM.tolist()):
            inside = [float(SILICA), TITANIA[at].item()] * 4
            wanted = linear_system(x[row].numpy(), nm, inside, WATER, 20)
            assert wanted[0] == pytest.approx(wanted[1], rel=1e-9)  # extinction is scattering
            assert got[row, at].item() == pytest.approx(wanted[0], rel=1e-9)


@pytest.mark.parametrize("shells", [2, 8])
def test_pymiediff(shells):
    """Its ``multishell.cross_sections``: two shells by its scipy backend too, and eight."""
    x = designs(4, shells)
    inside = [p.expand_as(NM) for p in IN_TURN[:shells]]
    got = scattering_efficiency(x, NM, IN_TURN[:shells], WATER)
    for backend in ("pena", "scipy")[: 3 - shells // 4]:
        wanted = pymiediff.multishell.cross_sections(
            2 * math.pi / NM,
            r_layers=x.cumsum(dim=1),
            eps_layers=torch.stack(inside).expand(len(x), -1, -1),
            eps_env=torch.tensor(WATER, dtype=torch.float64),
            backend=backend,
        )
        assert torch.allclose(got, wanted["q_sca"].to(got), rtol=1e-7)
        assert torch.allclose(got, wanted["q_ext"].to(got), rtol=1e-7)


def test_splitting_a_shell_changes_nothing():
    x = designs(5)
    whole = scattering_efficiency(x, NM, IN_TURN, WATER)
    for at in (0, 3, 7):
        parts = torch.cat((x[:, :at], 0.3 * x[:, [at]], 0.7 * x[:, [at]], x[:, at + 1 :]), dim=1)
        materials = [*IN_TURN[: at + 1], IN_TURN[at], *IN_TURN[at + 1 :]]
        split = scattering_efficiency(parts, NM, materials, WATER)
        assert torch.allclose(split, whole, rtol=1e-10)


def test_a_shell_of_no_thickness_and_one_of_water_are_not_there():
    x = designs(5, 3)
    bare = scattering_efficiency(x, NM, IN_TURN[:3], WATER)
    zero = torch.cat((x[:, :2], torch.zeros(5, 1), x[:, 2:]), dim=1)
    assert torch.allclose(
        scattering_efficiency(zero, NM, [SILICA, TITANIA, TITANIA, SILICA], WATER), bare
    )
    coated = torch.cat((x, torch.full((5, 1), 40.0)), dim=1)
    water = scattering_efficiency(coated, NM, [*IN_TURN[:3], torch.tensor(WATER)], WATER)
    area = (x.sum(dim=1) / coated.sum(dim=1)).square()[:, None]
    assert torch.allclose(water, bare * area)


def test_rayleigh():
    """A small sphere: 8/3 x⁴ ((m² - 1)/(m² + 2))²."""
    radius = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    x = 2 * math.pi * math.sqrt(WATER) * radius / NM
    ratio = (TITANIA - WATER) / (TITANIA + 2 * WATER)
    got = scattering_efficiency(radius, NM, [TITANIA], WATER, largest=2.0)
    assert torch.allclose(got, 8 / 3 * x**4 * ratio**2, rtol=5e-3)


def test_a_clear_sphere_of_large_size_tends_to_two():
    """Anomalous diffraction: 2 - 4/ρ sin ρ + 4/ρ² (1 - cos ρ), for an index near 1."""
    x = torch.tensor([[10_000.0]], dtype=torch.float64)
    got = scattering_efficiency(x, NM, [torch.tensor(1.02**2)], 1.0, largest=10_000.0)
    rho = 2 * 2 * math.pi * 10_000.0 / NM * 0.02
    wanted = 2 - 4 / rho * rho.sin() + 4 / rho**2 * (1 - rho.cos())
    assert torch.allclose(got[0], wanted, rtol=0.05)


def test_more_multipoles_change_nothing_at_the_largest():
    x = torch.full((1, 8), 70.0, dtype=torch.float64)
    got = scattering_efficiency(x, NM, IN_TURN, WATER)
    more = scattering_efficiency(x, NM, IN_TURN, WATER, largest=800.0)
    assert torch.allclose(got, more, rtol=1e-12)


def test_gradient():
    x = designs(2).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v: scattering_efficiency(v, NM, IN_TURN, WATER), x, eps=1e-4, atol=1e-8, rtol=1e-6
    )


def test_rows_without_a_response_and_their_neighbours():
    x = designs(6)
    wanted = scattering_efficiency(x, NM, IN_TURN, WATER)
    x[1, 3], x[2, 0], x[3], x[4, 5] = -1.0, 0.5, 71.0, torch.nan
    x.requires_grad_()
    got = scattering_efficiency(x, NM, IN_TURN, WATER)
    lost = got.isnan()
    assert lost.all(dim=1).tolist() == lost.any(dim=1).tolist() == [False, *[True] * 4, False]
    assert torch.allclose(got[[0, 5]], wanted[[0, 5]], rtol=1e-12)
    (slope,) = torch.autograd.grad(got[[0, 5]].sum(), x)
    assert slope.isfinite().all() and (slope[1:5] == 0).all()


# torch's own forward mode calls what torch has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_torch_func():
    def maths(v):
        return scattering_efficiency(v, NM[:2], [SILICA, TITANIA[:2], SILICA], WATER, 210.0)

    x = designs(2, 3)
    assert torch.allclose(torch.vmap(maths)(x), maths(x))
    reverse = torch.vmap(torch.func.jacrev(maths))(x)
    _, forward = torch.func.jvp(maths, (x,), (torch.ones_like(x),))
    assert torch.allclose(forward, reverse.sum(dim=2))
    twice = torch.vmap(torch.func.jacfwd(torch.func.jacrev(maths)))(x)
    assert torch.allclose(twice, torch.vmap(torch.func.jacrev(torch.func.jacrev(maths)))(x))


def test_the_task_is_that_sphere():
    task = Nanoshell()
    x = task.designs.sample(3, generator(0))
    nm = shell_wavelengths()
    assert nm[[0, 1, -1]].tolist() == [400.0, 402.0, 800.0]
    inside = [SILICA.expand_as(nm), titania(nm)] * 4
    wanted = pymiediff.multishell.cross_sections(
        2 * math.pi / nm,
        r_layers=x.cumsum(dim=1),
        eps_layers=torch.stack(inside).expand(3, -1, -1),
        eps_env=torch.tensor(1.77, dtype=torch.float64),
    )
    assert torch.allclose(task.simulate(x), wanted["q_sca"], rtol=1e-7)


@pytest.mark.parametrize("shells", [1, 2, 5, 8])
@pytest.mark.parametrize("medium", [1.0, 1.77])
def test_compiled_loops_give_what_torch_gives(shells, medium):
    unit = torch.rand(40, shells, generator=generator(1, "compiled"), dtype=torch.float64)
    thickness = 1.0 + unit**3 * 80
    wavelength = torch.linspace(300, 900, 33, dtype=torch.float64)
    matter = [1.0 + 8 * torch.rand(33, dtype=torch.float64) for _ in range(shells)]

    def spectra(x):
        return scattering_efficiency(x, wavelength, matter, medium, largest=81.0 * shells)

    assert values_suffice(thickness)
    compiled = spectra(thickness)
    followed = spectra(thickness.clone().requires_grad_())
    torch.testing.assert_close(compiled, followed.detach(), rtol=1e-10, atol=1e-13)
    alone = torch.cat([spectra(row[None]) for row in thickness])
    assert torch.equal(compiled, alone)  # whatever stands beside a row


def test_compiled_loops_refuse_what_torch_refuses():
    thickness = torch.tensor([[50.0, 20.0], [0.5, 20.0], [50.0, -1.0], [500.0, 100.0]])
    found = scattering_efficiency(thickness, torch.tensor([500.0]), [torch.tensor(2.25)] * 2)
    assert (
        found.isnan()[:, 0].tolist() == [False, True, True, True] and found.dtype == torch.float32
    )
    batches = scattering_efficiency(
        thickness[:1].expand(2, 3, 2), torch.tensor([500.0]), [torch.tensor(2.25)] * 2
    )
    assert batches.shape == (2, 3, 1) and bool((batches == found[0]).all())


def test_derivatives_go_through_torch():
    x = torch.tensor([[50.0, 20.0]], dtype=torch.float64)

    def spectrum(x):
        return scattering_efficiency(x, torch.tensor([500.0]), [torch.tensor(2.25)] * 2)

    one = torch.func.jvp(spectrum, (x,), (torch.ones_like(x),))[1]
    two = torch.func.vmap(torch.func.jacrev(spectrum))(x)[0].sum()
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        three = torch.autograd.forward_ad.unpack_dual(spectrum(dual)).tangent
    torch.testing.assert_close(one.squeeze(), two)
    torch.testing.assert_close(one, three)

"""Graphene's conductivity against the integrals that it stands for."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_optics.graphene import BOLTZMANN, PHOTON, graphene_conductivity, sheet_index
from scipy import constants
from scipy.integrate import quad
from scipy.special import expit

NM = torch.tensor([240.0, 500.0, 1000.0, 2000.0], dtype=torch.float64)
ENDLESS = 1e12  # fs: no scattering within a band


def fermi(energy, potential, heat):
    return expit((potential - energy) / heat)


def kubo(wavelength, potential, temperature):
    """Both parts without scattering by quadrature, in units of e²/4ħ."""
    photon, heat = PHOTON / wavelength, BOLTZMANN * temperature

    def filled(energy):
        return fermi(-energy, potential, heat) - fermi(energy, potential, heat)

    def slope(energy):  # of what the carriers of both signs weigh
        up, down = fermi(energy, potential, heat), fermi(energy, -potential, heat)
        return energy * (up * (1 - up) + down * (1 - down)) / heat

    def between(energy):
        return (filled(energy) - filled(photon / 2)) / (photon**2 - 4 * energy**2)

    weight = quad(slope, 0, potential + 60 * heat, points=[potential], limit=200)[0]
    below = quad(between, 0, photon / 2, points=[potential], limit=500)[0]
    above = quad(between, photon / 2, 30 * photon, limit=1000)[0]
    drude = 4 / math.pi * weight * 1j / photon
    return drude, filled(photon / 2) + 1j * 4 * photon / math.pi * (below + above)


@pytest.mark.parametrize("potential", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("temperature", [150.0, 300.0])
def test_the_integrals(potential, temperature):
    got = graphene_conductivity(NM, potential, temperature, ENDLESS)
    for wavelength, value in zip(NM.tolist(), got.tolist(), strict=True):
        drude, between = kubo(wavelength, potential, temperature)
        assert value.real == pytest.approx((drude + between).real, abs=1e-7)
        assert value.imag == pytest.approx((drude + between).imag, abs=0.05)


def test_the_default_is_within_what_the_docstring_says():
    got = graphene_conductivity(NM, relaxation_time=ENDLESS)
    wanted = [sum(kubo(wavelength, 0.1, 300.0)) for wavelength in NM.tolist()]
    assert (got - torch.tensor(wanted, dtype=torch.complex128)).abs().max() < 0.012


def test_visible_light_sees_the_universal_conductivity():
    got = graphene_conductivity(NM[:2])
    assert (got - 1).abs().max() < 5e-3


def test_doping_blocks_the_transitions_between_bands():
    """2μ above ħω: what remains is the response within a band, with the Drude weight 4μ/π."""
    nm = torch.tensor([4000.0], dtype=torch.float64)
    energy = PHOTON / nm
    got = graphene_conductivity(nm, 1.0, 30.0, 100.0)
    drude = 4 / math.pi * 1j / (energy + 1j * 0.6582119569 / 100.0)
    between = -torch.log((energy + 2) / (2 - energy)) / math.pi
    assert torch.allclose(got, drude + 1j * between, atol=1e-4)
    assert got.real.item() < 0.1


def test_heat_at_the_edge_halves_the_absorption():
    nm = torch.tensor([PHOTON / 0.8], dtype=torch.float64)
    assert graphene_conductivity(nm, 0.4, 300.0, ENDLESS).real.item() == pytest.approx(
        0.5, abs=1e-3
    )


def test_the_index_in_si_units():
    conductivity = graphene_conductivity(NM, 0.3, 300.0, 50.0)
    omega = 2 * math.pi * constants.c / (NM * 1e-9)
    sheet = conductivity * constants.e**2 / (4 * constants.hbar)
    wanted = 1 + 1j * sheet / (constants.epsilon_0 * omega * 0.35e-9)
    index = sheet_index(NM, conductivity)
    assert torch.allclose(index**2, wanted, rtol=1e-8)
    assert (index.imag > 0).all()

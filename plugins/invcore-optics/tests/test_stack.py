"""Plane layers against the package tmm, and against energy."""

from __future__ import annotations

import math

import pytest
import tmm
import torch
from invcore_optics.stack import stack_fluxes

from invcore.plugin import generator

NM = torch.tensor([240.0, 400.0, 555.0, 1200.0, 2000.0], dtype=torch.float64)


def stack(seed, layers, loss=1.0):
    rng = generator(seed, "stack")
    thickness = 1 + 300 * torch.rand(layers, generator=rng, dtype=torch.float64)
    real = 1 + 2.5 * torch.rand(layers, len(NM), generator=rng, dtype=torch.float64)
    lost = loss * torch.rand(layers, len(NM), generator=rng, dtype=torch.float64)
    return list(thickness), list(torch.complex(real, lost))


@pytest.mark.parametrize("layers", [0, 1, 2, 5, 12])
@pytest.mark.parametrize("media", [(1.0, 1.46), (1.46, 1.0), (1.0, 1.0), (2.3, 3.5)])
def test_tmm(layers, media):
    thickness, index = stack(layers, layers, loss=0.3)
    got = stack_fluxes(thickness, index, NM, *media)
    for at, nm in enumerate(NM.tolist()):
        n = [media[0], *(complex(i[at]) for i in index), media[1]]
        wanted = tmm.coh_tmm("s", n, [math.inf, *map(float, thickness), math.inf], 0, nm)
        assert got.reflectance[at].item() == pytest.approx(wanted["R"], abs=1e-10)
        assert got.transmittance[at].item() == pytest.approx(wanted["T"], abs=1e-10)
        lost = 1 - wanted["R"] - wanted["T"]
        assert got.absorptance[at].item() == pytest.approx(lost, abs=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_energy(seed):
    got = stack_fluxes(*stack(seed, 8), NM, 1.0, 1.46)
    assert (sum(got) - 1).abs().max() < 1e-12
    assert all(((part >= 0) & (part <= 1)).all() for part in got)


@pytest.mark.parametrize("seed", range(5))
def test_without_losses_nothing_is_absorbed(seed):
    thickness, index = stack(seed, 8, loss=0.0)
    for n in (index, [i.real for i in index]):
        assert stack_fluxes(thickness, n, NM, 1.0, 1.46).absorptance.abs().max() < 1e-12


def test_reciprocity():
    """From the other side as much comes through, and without losses as much is reflected."""
    thickness, index = stack(3, 6)
    there = stack_fluxes(thickness, index, NM, 1.0, 1.46)
    back = stack_fluxes(thickness[::-1], index[::-1], NM, 1.46, 1.0)
    assert torch.allclose(there.transmittance, back.transmittance, atol=1e-13)
    assert (there.reflectance - back.reflectance).abs().max() > 1e-3


def test_fresnel_and_half_waves():
    bare = stack_fluxes([], [], NM, 1.0, 1.5)
    assert torch.allclose(bare.reflectance, torch.full_like(NM, 0.04))
    half = stack_fluxes([NM / 2 / 2.2], [torch.tensor(2.2)], NM, 1.0, 1.5)
    assert torch.allclose(half.reflectance, bare.reflectance)


def test_as_many_indices_as_layers():
    with pytest.raises(ValueError, match="zip"):
        stack_fluxes([NM], [], NM)


def test_a_dispersive_medium_behind_is_that_of_each_wavelength() -> None:
    wavelength = torch.tensor([400.0, 500.0, 700.0], dtype=torch.float64)
    back = torch.tensor([1.6, 1.55, 1.5], dtype=torch.float64)
    layer, index = torch.tensor([80.0]), torch.tensor([1.38])
    got = stack_fluxes([layer], [index], wavelength, back=back)
    for i, behind in enumerate(back.tolist()):
        one = stack_fluxes([layer], [index], wavelength[i : i + 1], back=behind)
        for part, wanted in zip(got, one, strict=True):
            torch.testing.assert_close(part[i : i + 1], wanted, rtol=1e-14, atol=1e-16)


def test_the_public_name_is_the_function() -> None:
    import invcore_optics

    assert invcore_optics.stack_fluxes is stack_fluxes

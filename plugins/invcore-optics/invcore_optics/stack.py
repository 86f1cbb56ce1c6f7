"""Plane layers in light at normal incidence: what they reflect, let through and absorb."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Fluxes(NamedTuple):
    """Shares of the light's power, each (..., W)."""

    reflectance: Tensor
    transmittance: Tensor
    absorptance: Tensor


def stack_fluxes(
    thicknesses: Sequence[Tensor],
    indices: Sequence[Tensor],
    wavelength: Tensor,
    front: float = 1.0,
    back: float | Tensor = 1.0,
) -> Fluxes:
    """Compute where the power of light goes that falls on plane layers at normal incidence.

    The electric field E and the magnetic one H (over the free space's admittance) are carried from
    the medium behind the stack, where only the transmitted wave is, through each layer of index n
    and phase δ = 2πnd/λ to its front: E ← E cos δ - iH sin δ / n, H ← H cos δ - inE sin δ. The
    absorbed power is the difference between the fluxes Re(E H*) at the stack's front and back, so
    that it is not 1 - R - T by construction.

    References:
        Born, Wolf, Principles of Optics, section 1.6;
        Byrnes, Multilayer optical calculations, https://arxiv.org/abs/1603.02720

    Args:
        thicknesses: of each layer, in the order that light meets them; broadcast with (..., W), nm.
        indices: of each layer, real or complex with a positive imaginary part; broadcast too.
        wavelength: in vacuum (W,), nm.
        front: real index of the half space that light comes from.
        back: real index of the half space behind, a number or (W,).

    Example:
        >>> wavelength = torch.tensor([500.0, 600.0])
        >>> layer, index = torch.tensor([62.5]), torch.tensor([2.0])  # a quarter wave at 500 nm
        >>> stack_fluxes([layer], [index], wavelength, back=1.46).reflectance
        tensor([0.2164, 0.2064], dtype=torch.float64)
    """
    wavenumber = 2 * math.pi / wavelength.to(torch.float64)
    electric = torch.ones_like(wavenumber, dtype=torch.complex128)
    magnetic = back * electric
    for thickness, index in zip(reversed(thicknesses), reversed(indices), strict=True):
        wide = index.to(torch.complex128 if index.is_complex() else torch.float64)
        phase = wide * wavenumber * thickness.to(torch.float64)
        cosine, sine = torch.cos(phase), -1j * torch.sin(phase)
        electric, magnetic = (
            cosine * electric + sine / wide * magnetic,
            cosine * magnetic + sine * wide * electric,
        )
    incoming = _square(front * electric + magnetic) / (4 * front)
    reflected = _square(front * electric - magnetic) / (4 * front)
    entering = electric.real * magnetic.real + electric.imag * magnetic.imag
    return Fluxes(reflected / incoming, back / incoming, (entering - back) / incoming)


def _square(field: Tensor) -> Tensor:
    return field.real**2 + field.imag**2

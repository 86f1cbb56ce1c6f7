"""Scattering of light by spheres of concentric shells, without absorption."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from invcore_optics.riccati import RiccatiBessel

_LEAST = 1.0  # nm: the smallest core, so that nothing overflows


def wiscombe(size: float) -> int:
    """How many multipoles a sphere of a size parameter needs: x + 4.05 x^(1/3) + 2, rounded up.

    References:
        Wiscombe, Applied Optics 19, 1505 (1980), https://doi.org/10.1364/AO.19.001505

    Example:
        >>> wiscombe(11.7)
        23
    """
    return math.ceil(size + 4.05 * size ** (1 / 3) + 2)


def scattering_efficiency(
    thickness: Tensor,
    wavelength: Tensor,
    permittivities: Sequence[Tensor],
    medium: float = 1.0,
    largest: float = 560.0,
) -> Tensor:
    """Compute a layered sphere's scattering cross-section over its geometric one.

    For each multipole and polarisation, the radial function u and its slope u' are carried from
    the core outwards, as the pair and not as their ratio: without absorption u has zeros, at which
    the logarithmic derivative has poles, and the pair has none. Within a shell of index m, from
    the argument z1 to z2, with ψ and χ of Riccati and Bessel:

        u(z2) = (χ u' - χ' u)(z1) ψ(z2) + (ψ' u - ψ u')(z1) χ(z2)

    and u' with the slopes at z2. At a boundary u goes on, and so does u'/m for the electric
    multipoles, u'm for the magnetic ones. At the surface, with p = uψ' - u'ψ and q = uχ' - u'χ,
    |a_n|² = p² / (p² + q²): real numbers suffice, and what is scattered is all of what is lost.
    The efficiency is 2/x² times the sum of (2n + 1)(|a_n|² + |b_n|²), x = 2π R sqrt(medium)/λ.

    Where nothing asks for a derivative, on a CPU, the same is done by compiled loops.

    References:
        Bohren, Huffman, Absorption and Scattering of Light by Small Particles, sections 4.4, 8.1;
        Yang, Applied Optics 42, 1710 (2003), https://doi.org/10.1364/AO.42.001710

    Args:
        thickness: of the shells, the core's radius first (..., L), nm; the core at least 1 nm.
        wavelength: in vacuum (W,), nm.
        permittivities: of each shell, positive, relative to vacuum; each (W,) or one number.
        medium: the surroundings' permittivity.
        largest: outer radius that the number of multipoles is chosen for (nm).

    Returns:
        (..., W), in thickness's dtype, from float64. A row of NaN where a thickness is negative,
        the core too small, or the sphere larger than ``largest`` (up to rounding).

    Example:
        >>> glass = torch.tensor(2.25)
        >>> scattering_efficiency(torch.tensor([[50.0, 50.0]]), torch.tensor([500.0]), [glass] * 2)
        tensor([[0.4542]])
    """
    wide = thickness.to(torch.float64)
    outer = wide.sum(dim=-1, keepdim=True)
    sound = (wide >= 0).all(dim=-1, keepdim=True) & (wide[..., :1] >= _LEAST)
    sound = sound & (outer <= largest * (1 + 1e-6))
    radius = torch.where(sound, wide, _LEAST).cumsum(dim=-1)[..., None]  # (..., L, 1)
    wavenumber = 2 * math.pi / wavelength.to(torch.float64)
    index = torch.stack([p.to(wavenumber).expand_as(wavenumber) for p in permittivities]).sqrt()
    outside = math.sqrt(medium)
    most = float(wavenumber.max()) * largest
    order = wiscombe(most * outside)

    if values_suffice(thickness):
        from invcore_optics.compiled_mie import scattering_spectra

        rows = radius[..., 0].flatten(end_dim=-2)
        found = scattering_spectra(rows.numpy(), wavenumber.numpy(), index.numpy(), outside, order)
        spectra = torch.from_numpy(found).unflatten(0, radius.shape[:-2])
        return torch.where(sound, spectra, torch.nan).to(thickness.dtype)
    reach = radius * wavenumber  # (..., L, W)
    value, grade = _values(reach[..., 0, :] * index[0], order)[:2]
    pairs = [(value, grade), (value, grade)]  # u and u' of the electric and magnetic multipoles
    for shell in range(1, len(index)):
        pairs = _crossed(pairs, index[shell] / index[shell - 1])
        ends = reach[..., shell - 1 : shell + 1, :] * index[shell]
        near, far = zip(*(v.unbind(-2) for v in _values(ends, order)), strict=True)
        pairs = [_carried(*pair, near, far) for pair in pairs]
    size = reach[..., -1, :] * outside
    psi, dpsi, chi, dchi = _values(size, order)
    weight = 2 * torch.arange(1, order + 1, dtype=size.dtype, device=size.device) + 1
    total = torch.zeros_like(size)
    for value, grade in _crossed(pairs, outside / index[-1]):
        p = (value * dpsi - grade * psi).square()
        q = (value * dchi - grade * chi).square()
        total = total + (weight.reshape(-1, *[1] * size.ndim) * (p / (p + q))).sum(dim=0)
    return torch.where(sound, 2 / size**2 * total, torch.nan).to(thickness.dtype)


def values_suffice(x: Tensor) -> bool:
    """Whether an operation on a tensor is asked for its values alone, on the CPU: no derivative of
    any kind is followed, and no transformation such as ``torch.vmap`` is under way.

    Example:
        >>> x = torch.zeros(2, requires_grad=True)
        >>> values_suffice(x), values_suffice(x.detach())
        (False, True)
    """
    if x.device.type != "cpu" or (x.requires_grad and torch.is_grad_enabled()):
        return False
    if torch._C._functorch.is_functorch_wrapped_tensor(x):  # torch has no public name for it
        return False
    return torch.autograd.forward_ad.unpack_dual(x).tangent is None


def _values(z: Tensor, order: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """ψ, ψ', χ, χ' of the orders 1 to ``order``, (order, ...) each."""
    psi, chi = RiccatiBessel.apply(z, order)
    orders = torch.arange(1, order + 1, dtype=z.dtype, device=z.device)
    ratio = orders.reshape(-1, *[1] * z.ndim) / z
    dpsi = torch.addcmul(psi[:-1], ratio, psi[1:], value=-1)
    dchi = torch.addcmul(chi[:-1], ratio, chi[1:], value=-1)
    return psi[1:], dpsi, chi[1:], dchi


def _crossed(pairs: list[tuple[Tensor, Tensor]], ratio: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The pairs beyond a boundary, to a medium whose index is ``ratio`` times as large."""
    (value, grade), (other, slant) = pairs
    return [(value, grade * ratio), (other, slant / ratio)]


def _carried(
    value: Tensor, grade: Tensor, near: tuple[Tensor, ...], far: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """The pair at the other end of a shell; the Wronskian of ψ and χ is -1."""
    psi, dpsi, chi, dchi = near
    regular = torch.addcmul(chi * grade, dchi, value, value=-1)
    irregular = torch.addcmul(dpsi * value, psi, grade, value=-1)
    psi, dpsi, chi, dchi = far
    return (
        torch.addcmul(regular * psi, irregular, chi),
        torch.addcmul(regular * dpsi, irregular, dchi),
    )

"""Rigorous coupled-wave analysis of a 2x2 super-cell of cylinders, batched and differentiable.

The cell stands in air: four cylinders on one plane, each with its own radius and height, so that up
to four layers are uniform in z. In a layer the transverse fields obey E' = -P H, H' = -Q E (z in
units of 1/k0, H the magnetic field in units that make it as large as E), hence E'' = M E with
M = PQ. The admittance Y in H = Y E is carried from the air below through each layer to the top.

No eigenvalue problem is solved. With Ω² = M and thickness d, cosh Ωd and its relatives come from a
short series at d / 2^s and double-angle formulas. They carry the admittance through a thin layer
straight; a thick one, where they would overflow, is known by C = Ω coth Ωd and S = Ω / sinh Ωd
(-E' is C E - S E_far at its near side), doubled by C ← C - S', S ← S' with S' = S (2C)⁻¹ S. Each
step is a matrix product or a linear system, which cost less than eigenvectors, can't meet a
defective matrix, have derivatives everywhere, and batch well on a GPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from invcore_metamaterial.harmonics import Harmonics, Sector, blocks, harmonics
from invcore_metamaterial.layer import Carried, Layer, at

LIGHT = 299.792458  # µm THz
PERIOD = 210.0  # µm
Rule = Literal["normal-vector", "laurent"]
"""How ε E is factorised: with Li's inverse rule across the walls, or with Laurent's everywhere."""
_NUMBERS = 1 << 16  # complex numbers in a batch of matrices: 1 MiB


@dataclass(frozen=True)
class Material:
    """What the cylinders are made of.

    The default is moderately doped silicon: a loss tangent of 0.05 keeps resonances about as wide
    as the grid of frequencies can show.

    Args:
        permittivity: its real part.
        loss_tangent: minus the imaginary part over the real one, for fields e^{+iωt}.
    """

    permittivity: float = 11.9
    loss_tangent: float = 0.05

    @property
    def complex(self) -> complex:
        """The relative permittivity as a complex number."""
        return self.permittivity * (1.0 - 1j * self.loss_tangent)


def reflection(
    x: Tensor,
    frequencies: Tensor,
    *,
    orders: int = 5,
    material: Material | None = None,
    period: float = PERIOD,
) -> Tensor:
    """Compute the complex zeroth-order reflection of cells at normal incidence, E along x.

    References:
        Moharam et al., J. Opt. Soc. Am. A 12, 1068 (1995); Li, J. Opt. Soc. Am. A 13, 1870 (1996);
        Schuster et al., J. Opt. Soc. Am. A 24, 2880 (2007), on the rule for the permittivity.

    Args:
        x: cells (N, 8): the four heights, then the four radii, µm; cylinders at (0, 0), (L/2, 0),
            (0, L/2), (L/2, L/2).
        frequencies: (F,) or (N, F), THz.
        orders: m, plane waves -m to m in each direction.
        material: of the cylinders.
        period: L, µm.

    Returns:
        (N, F), complex128; the phase refers to the plane of the highest cylinder's top.

    Example:
        >>> flat = torch.tensor([[30.0, 30.0, 30.0, 30.0, 1e-6, 1e-6, 1e-6, 1e-6]])
        >>> bool(reflection(flat, torch.tensor([1.0]), orders=2).abs() < 1e-9)
        True
    """
    return SuperCells(x, orders=orders, material=material, period=period).reflect(frequencies)


class SuperCells:
    """Cells ready to be solved at any frequency; see ``reflection`` for the arguments.

    ``rule="laurent"`` is for comparison with packages that have no better one: at this contrast it
    is still far off with m = 13.
    """

    def __init__(
        self,
        x: Tensor,
        *,
        orders: int = 5,
        material: Material | None = None,
        period: float = PERIOD,
        rule: Rule = "normal-vector",
    ) -> None:
        wide = x.to(torch.float64)
        own = harmonics(orders, period, str(x.device))
        heights, order = wide[:, :4].sort(dim=1)
        depths = torch.diff(heights, dim=1, prepend=torch.zeros_like(heights[:, :1]))
        layers = _Layers(wide[:, 4:], order, own, (material or Material()).complex, rule)
        self._own = own
        self._count = len(x)
        self._stack = [(layers.layer(number), depths[:, number]) for number in range(4)]
        self._learns = x.requires_grad

    def reflect(self, frequencies: Tensor) -> Tensor:
        """Compute the reflection (N, F) at frequencies (F,) or (N, F)."""
        light = frequencies.to(self._stack[0][1]).expand(self._count, -1)
        light = light * (2.0 * math.pi / LIGHT)  # k0
        # Few matrices at a time stay in the cache, and bound the memory of gradients.
        width = max(1, _NUMBERS // (self._count * sum(self._own.sizes) ** 2))
        parts = light.split(width, dim=1)
        if self._learns and torch.is_grad_enabled():
            done = [checkpoint(self._reflect, part, use_reentrant=False) for part in parts]
        else:
            done = [self._reflect(part) for part in parts]
        return torch.cat(done, dim=1)

    def _reflect(self, light: Tensor) -> Tensor:
        air = _air(self._own, light)
        admittance = air
        for layer, depth in self._stack:
            admittance = layer.carry(depth, light, admittance).admittance
        # The constant function, the incident wave, comes first among the even ones.
        return torch.linalg.solve(air + admittance, (air - admittance)[..., 0])[..., 0]

    def power(self, frequencies: Tensor) -> Power:
        """Compute where the light goes, diffraction orders included."""
        light = frequencies.to(self._stack[0][1]).expand(self._count, -1)
        light = light * (2.0 * math.pi / LIGHT)
        air = _air(self._own, light)
        carried = [Carried(air, air, None)]
        for layer, depth in self._stack:
            carried.append(layer.carry(depth, light, carried[-1].admittance))
        top = carried[-1].admittance
        back = torch.linalg.solve(air + top, (air - top)[..., 0])
        incident = torch.zeros_like(back)
        incident[..., 0] = 1.0
        field = incident + back
        for one in carried[:0:-1]:
            field = one.far(field)
        flux = [_flux(self._own, air, part) for part in (incident, back, field)]
        return Power(flux[1] / flux[0], flux[2] / flux[0], field[..., 0])


@dataclass(frozen=True)
class Power:
    """Where the light goes.

    Args:
        reflected: the share (N, F) of all orders together.
        transmitted: the same below the cell.
        straight: (N, F), complex amplitude of the zeroth order below the cell.
    """

    reflected: Tensor
    transmitted: Tensor
    straight: Tensor


def _flux(own: Harmonics, air: Tensor, field: Tensor) -> Tensor:
    """The power (N, F) that leaving waves of a field (N, F, n) in air carry away."""
    magnetic = (air @ field[..., None])[..., 0]
    # H is in units of i times the electric field's: the part in phase is the imaginary one
    return (field.conj() * (magnetic @ own.turn.mT)).sum(dim=-1).imag


class _Layers:
    """The layers' matrices, by the factorisation rule with normal vectors."""

    def __init__(
        self, radii: Tensor, order: Tensor, own: Harmonics, permittivity: complex, rule: Rule
    ) -> None:
        self._rule = rule
        self._own = own
        self._permittivity = permittivity
        shapes = disc_coefficients(radii, own.orders, own.period)  # (N, 4, 4m+1, 4m+1)
        # In the order of the heights: layer l holds the cylinders l to 3.
        shapes = shapes.gather(1, order[:, :, None, None].expand_as(shapes))
        filled = shapes.flip(1).cumsum(1).flip(1)
        parts: tuple[Sector, ...] = ("even", "odd", "z")
        self._filled = {part: own.sector(filled, part) for part in parts}

    def layer(self, layer: int) -> Layer:
        own, contrast = self._own, self._permittivity - 1.0
        direct: dict[Sector, Tensor] = {}
        inverse: dict[Sector, Tensor] = {}
        for part, filled in self._filled.items():
            shape = filled[:, layer]
            unit = torch.eye(shape.shape[-1], dtype=shape.dtype, device=shape.device)
            direct[part] = unit + contrast * shape
            inverse[part] = torch.linalg.inv(unit + (1.0 / self._permittivity - 1.0) * shape)
            if self._rule == "laurent":
                inverse[part] = direct[part]
        jump = {part: direct[part] - inverse[part] for part in own.normal_xx}
        along = {
            part: (jump[part] @ normal + normal @ jump[part]) / 2
            for part, normal in own.normal_xx.items()
        }
        across = (jump["even"] @ own.normal_xy + own.normal_xy @ jump["odd"]) / 2
        upright = torch.linalg.inv(direct["z"])
        from_x, from_y = upright @ own.ky.mH, -upright @ own.kx.mH
        p0 = blocks(own.kx @ from_x, own.kx @ from_y, own.ky @ from_x, own.ky @ from_y)
        q1 = blocks(
            -across.mT, inverse["odd"] + along["odd"], along["even"] - direct["even"], across
        )
        return Layer(own, p0, q1)


def disc_coefficients(radii: Tensor, orders: int, period: float) -> Tensor:
    """Fourier coefficients of the four discs' indicator functions.

    Args:
        radii: (N, 4), µm; discs at (0, 0), (L/2, 0), (0, L/2), (L/2, L/2).
        orders: m.
        period: L, µm.

    Returns:
        (N, 4, 4m + 1, 4m + 1), real.
    """
    order = torch.arange(-2 * orders, 2 * orders + 1, dtype=radii.dtype, device=radii.device)
    wave = torch.hypot(order[:, None], order[None, :]) * (2.0 * math.pi / period)
    sign = 1.0 - 2.0 * (order % 2)  # e^{-iGL/2} of order p: (-1)^p
    one = torch.ones_like(sign)
    places = torch.stack(
        [one[:, None] * one, sign[:, None] * one, one[:, None] * sign, sign[:, None] * sign]
    )
    area = math.pi * radii**2 / period**2
    return area[:, :, None, None] * jinc(radii[:, :, None, None] * wave) * places


def jinc(phase: Tensor) -> Tensor:
    """2 J1(t) / t to rounding, by Poisson's integral of cos(t cos θ) sin² θ.

    torch's own J1 is good to 4e-7 alone. The integrand is periodic, so equal weights converge
    faster than any power of their number.

    Example:
        >>> value, zero = jinc(torch.tensor([0.0, 3.8317059702075123], dtype=torch.float64))
        >>> round(float(value), 12), round(abs(float(zero)), 12)
        (1.0, 0.0)
    """
    count = 32 + int(phase.detach().abs().max())
    angle = (torch.arange(count, dtype=phase.dtype, device=phase.device) + 0.5) * math.pi / count
    weight = angle.sin() ** 2 * (2.0 / count)
    return torch.cos(phase[..., None] * angle.cos()) @ weight


def _air(own: Harmonics, light: Tensor) -> Tensor:
    """The admittance (N, F, n, n) of waves that leave into air."""
    k2 = light[..., None] ** 2  # (N, F, 1)
    decay = {}
    for part, (x, y) in own.squares.items():
        excess = ((x + y) / k2 - 1.0).to(torch.complex128)
        decay[part] = torch.where(excess.real > 0.0, excess.sqrt(), 1j * (-excess).sqrt())
    column = torch.cat([decay["even"], decay["odd"]], dim=-1)[..., None, :]
    vacuum = -own.turn.mT  # Q1 of air: [[0, 1], [-1, 0]]
    return at(own.curl, vacuum, light) / column

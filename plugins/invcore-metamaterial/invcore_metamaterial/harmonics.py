"""Plane-wave bases of a 2x2 super-cell with cylinders at its quadrants' centres.

Every such cell is its own mirror image in the planes x = 0 and y = 0 through a cylinder's axis. At
normal incidence with the electric field along x, a field component is therefore even or odd in x
and in y: E_x and H_y are even in both, E_y and H_x odd in both, E_z odd in x and even in y. Each
needs only the cosines or sines of its own parity, a quarter of the plane waves.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

Sector = Literal["even", "odd", "z"]
_GRID = 256  # samples of a period, for the Fourier series of the normal vectors


@dataclass(frozen=True)
class Harmonics:
    """What depends on the number of plane waves and the period alone.

    Args:
        orders: m; plane waves -m to m are kept in each direction.
        period: of the super-cell, µm.
        bases: for each parity, the (plane waves, functions) matrix of its cosines and sines.
        kx: the derivative along x over i, from the z sector to the even one, 1/µm.
        ky: that along y, from the z sector to the odd one.
        normal_xx: for each parity, multiplication by the square of the normals' x component.
        normal_xy: multiplication by the product of the normals' components, odd to even.
        squares: (kx², ky²) of the even and the odd functions, 1/µm².
        curl: Q0 of Q = Q0/k0² + Q1, from (E_x even, E_y odd) to (H_x odd, H_y even).
        turn: P1 of P = P0/k0² + P1, from (H_x, H_y) to (E_x, E_y).
    """

    orders: int
    period: float
    bases: Mapping[Sector, Tensor]
    kx: Tensor
    ky: Tensor
    normal_xx: Mapping[Sector, Tensor]
    normal_xy: Tensor
    squares: Mapping[Sector, tuple[Tensor, Tensor]]
    curl: Tensor
    turn: Tensor

    @property
    def sizes(self) -> tuple[int, int]:
        """How many even and how many odd functions there are."""
        return (self.orders + 1) ** 2, self.orders**2

    def sector(self, coefficients: Tensor, parity: Sector) -> Tensor:
        """The matrix that multiplies a function of this parity by one that is even in x and y.

        Args:
            coefficients: (..., 4m + 1, 4m + 1), the real Fourier coefficients of the factor.
            parity: of the functions.

        Returns:
            (..., functions, functions), complex128 (of zero imaginary part).
        """
        base = self.bases[parity]
        return base.mH @ (toeplitz(coefficients, self.orders).to(base.dtype) @ base)


def toeplitz(coefficients: Tensor, orders: int) -> Tensor:
    """The convolution matrix (..., (2m+1)², (2m+1)²) of Fourier coefficients (..., 4m+1, 4m+1)."""
    wave = torch.arange(2 * orders + 1, device=coefficients.device)
    apart = wave[:, None] - wave[None, :] + 2 * orders
    square = coefficients[..., apart[:, None, :, None], apart[None, :, None, :]]
    return square.reshape(*coefficients.shape[:-2], len(wave) ** 2, len(wave) ** 2)


@lru_cache(maxsize=16)
def harmonics(orders: int, period: float, device: str = "cpu") -> Harmonics:
    """Compute the bases for ``orders`` plane waves on each side of the zeroth.

    References:
        Li, J. Opt. Soc. Am. A 20, 655 (2003), on crossed gratings' symmetries; Schuster et al.,
        J. Opt. Soc. Am. A 24, 2880 (2007), on normal vectors.

    Example:
        >>> harmonics(3, 210.0).sizes
        (16, 9)
    """
    cosine, sine = _cosines_and_sines(orders)
    bases: dict[Sector, Tensor] = {
        "even": torch.kron(cosine, cosine),
        "odd": torch.kron(sine, sine),
        "z": torch.kron(sine, cosine),
    }
    wave = 2.0 * math.pi / period * torch.arange(-orders, orders + 1, dtype=torch.float64)
    across = wave.repeat_interleave(2 * orders + 1)
    along = wave.repeat(2 * orders + 1)

    def between(left: Sector, diagonal: Tensor, right: Sector) -> Tensor:
        return bases[left].mH @ (diagonal[:, None] * bases[right])

    normal_xx, normal_xy = _normal_vectors(orders)
    kx, ky = between("even", across, "z"), between("odd", along, "z")
    parts: tuple[Sector, Sector] = ("even", "odd")
    squares: dict[Sector, tuple[Tensor, Tensor]] = {}
    for part in parts:
        both = (between(part, across**2, part), between(part, along**2, part))
        squares[part] = (both[0].diagonal().real.clone(), both[1].diagonal().real.clone())
    even, odd = (orders + 1) ** 2, orders**2
    twice = ky @ kx.mH  # kx ky, from even to odd
    curl = blocks(twice, -_diagonal(squares["odd"][0]), _diagonal(squares["even"][1]), -twice.mH)
    turn = blocks(
        torch.zeros(even, odd, dtype=curl.dtype), _diagonal(torch.ones(even)),
        -_diagonal(torch.ones(odd)), torch.zeros(odd, even, dtype=curl.dtype),
    )  # fmt: skip
    return Harmonics(
        orders,
        period,
        {part: base.to(device) for part, base in bases.items()},
        kx.to(device),
        ky.to(device),
        {part: (bases[part].mH @ normal_xx @ bases[part]).to(device) for part in parts},
        (bases["even"].mH @ normal_xy @ bases["odd"]).to(device),
        {part: (x.to(device), y.to(device)) for part, (x, y) in squares.items()},
        curl.to(device),
        turn.to(device),
    )


def blocks(first: Tensor, second: Tensor, third: Tensor, fourth: Tensor) -> Tensor:
    """The matrix [[first, second], [third, fourth]]."""
    upper, lower = torch.cat([first, second], dim=-1), torch.cat([third, fourth], dim=-1)
    return torch.cat([upper, lower], dim=-2)


def _diagonal(values: Tensor) -> Tensor:
    return torch.diag(values.to(torch.complex128))


def _cosines_and_sines(orders: int) -> tuple[Tensor, Tensor]:
    """Orthonormal cosines (2m+1, m+1) and sines (2m+1, m) in plane waves."""
    cosine = torch.zeros(2 * orders + 1, orders + 1, dtype=torch.float64)
    sine = torch.zeros(2 * orders + 1, orders, dtype=torch.float64)
    cosine[orders, 0] = 1.0
    for order in range(1, orders + 1):
        for sign in (1, -1):
            cosine[orders + sign * order, order] = math.sqrt(0.5)
            sine[orders + sign * order, order - 1] = sign * math.sqrt(0.5)
    return cosine.to(torch.complex128), -1j * sine


def _normal_vectors(orders: int) -> tuple[Tensor, Tensor]:
    """Multiplication by n_x² and n_x n_y, n pointing away from the nearest cylinder's axis.

    The field depends on neither radius nor height, so it serves every cell.
    """
    place = (torch.arange(_GRID, dtype=torch.float64) + 0.5) / _GRID  # in periods
    offset = torch.remainder(place + 0.25, 0.5) - 0.25
    dx, dy = torch.meshgrid(offset, offset, indexing="ij")
    order = torch.arange(-2 * orders, 2 * orders + 1)
    shift = torch.exp(-1j * math.pi * order.to(torch.float64) / _GRID)
    matrices = []
    for values in (dx * dx, dx * dy):
        series = torch.fft.fft2(values / (dx**2 + dy**2)) / _GRID**2
        block = series[order % _GRID][:, order % _GRID] * shift[:, None] * shift[None, :]
        matrices.append(toeplitz(block, orders))
    return matrices[0], matrices[1]

"""The iterative solver: conjugate gradients for all cells at once, preconditioned by FFT."""

from functools import lru_cache

import torch
from torch import Tensor

from invcore.plugin import DivergedError
from invcore_architecture.element import CASES, DOFS, element_energy

_CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # of a pixel: columns, rows from its first node
_TOLERANCE = 1e-7  # of the preconditioned residual; the stiffness is good to its square
_STEPS = 4000


def solve_fft(moduli: Tensor, poisson: float, *, fields: bool) -> tuple[Tensor, Tensor | None]:
    """Solve the cell problems of periodic homogenisation by conjugate gradients.

    The preconditioner is the exact inverse for a homogeneous cell, a product of 2 × 2 matrices
    with the Fourier coefficients. The number of steps grows like the square root of the ratio of
    the largest to the smallest modulus, whatever the number of pixels. The energy is stationary
    at the solution, so the stiffness is good to the square of the fields' error.

    References:
        Moulinec, Suquet, Computer Methods in Applied Mechanics and Engineering 157, 1998,
        https://doi.org/10.1016/S0045-7825(97)00218-1;
        Leute et al., Journal of Computational Physics 453, 2022,
        https://doi.org/10.1016/j.jcp.2021.110931 (with finite elements)

    Args:
        moduli: Young's modulus of each pixel (N, n, n), float64, positive.
        poisson: Poisson's ratio.
        fields: whether the displacements are wanted too.

    Returns:
        As ``solve_direct``.

    Raises:
        DivergedError: no convergence in 4,000 steps.
    """
    device = moduli.device
    energy = element_energy(poisson).to(device)
    inverse = _inverse(moduli.shape[-1], poisson, device)
    weight = moduli[:, None, :, :, None]  # (N, 1, n, n, 1)
    load = _scatter(weight * energy[DOFS:, :DOFS][None, :, None, None, :])
    stiff = energy[:DOFS, :DOFS]
    u = torch.zeros_like(load)
    residual = -load
    step = _precondition(residual, inverse)
    size = _dot(residual, step)
    goal = _TOLERANCE**2 * size.amax(dim=1, keepdim=True).clamp(min=torch.finfo(size.dtype).tiny)
    for _ in range(_STEPS):
        if bool((size <= goal).all()):
            break
        moved = _scatter((_gather(step) @ stiff) * weight)
        # A case that has converged stands still: further steps would only add rounding errors.
        length = torch.where(size > goal, size / _dot(step, moved), 0.0)
        u = u + length * step
        residual = residual - length * moved
        better = _precondition(residual, inverse)
        new = _dot(residual, better)
        step = better + torch.where(size > goal, new / size, 0.0) * step
        size = torch.where(size > goal, new, size)
    else:
        raise DivergedError(
            f"conjugate gradients: no convergence in {_STEPS} steps; make the soft phase stiffer, "
            f"or use the solver 'direct'"
        )
    strains = torch.eye(CASES, dtype=u.dtype, device=device)[:, None, None, :]
    strains = strains.expand(len(u), -1, *moduli.shape[1:], -1)
    whole = torch.cat((_gather(u), strains), dim=-1)  # (N, 3, n, n, 11)
    moved = (whole @ energy) * weight
    stiffness = torch.einsum("narcv,nbrcv->nab", whole, moved) / moduli[0].numel()
    return stiffness, whole.permute(0, 2, 3, 4, 1) if fields else None


@lru_cache(maxsize=8)
def _inverse(side: int, poisson: float, device: torch.device) -> Tensor:
    """Inverse of the stiffness of a homogeneous cell, by wave: (n, n // 2 + 1, 2, 2), complex."""
    energy = element_energy(poisson)
    wave = 2 * torch.pi * torch.fft.fftfreq(side, dtype=torch.float64)
    along_y, along_x = torch.meshgrid(wave, wave, indexing="ij")
    matrix = torch.zeros(side, side, 2, 2, dtype=torch.complex128)
    for a, (right_a, up_a) in enumerate(_CORNERS):
        for b, (right_b, up_b) in enumerate(_CORNERS):
            phase = along_x * (right_b - right_a) + along_y * (up_b - up_a)
            part = energy[2 * a : 2 * a + 2, 2 * b : 2 * b + 2]
            matrix += torch.exp(1j * phase)[..., None, None] * part
    matrix[0, 0] = torch.eye(2)
    inverse = torch.linalg.inv(matrix)
    inverse[0, 0] = 0  # the cell as a whole stays where it is
    return inverse[:, : side // 2 + 1].to(device)


def _gather(u: Tensor) -> Tensor:
    """Displacements of nodes (N, 3, n, n, 2) to those of each pixel's corners (…, 8)."""
    return torch.cat([u.roll((-up, -right), (2, 3)) for right, up in _CORNERS], dim=-1)


def _scatter(forces: Tensor) -> Tensor:
    """Sum the forces at each pixel's corners (N, 3, n, n, 8) at the nodes: (N, 3, n, n, 2)."""
    parts = forces.split(2, dim=-1)
    total = parts[0]
    for part, (right, up) in zip(parts[1:], _CORNERS[1:], strict=True):
        total = total + part.roll((up, right), (2, 3))
    return total


def _precondition(residual: Tensor, inverse: Tensor) -> Tensor:
    waves = torch.fft.rfft2(residual, dim=(2, 3))
    waves = (inverse @ waves[..., None])[..., 0]
    return torch.fft.irfft2(waves, s=residual.shape[2:4], dim=(2, 3))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=(2, 3, 4), keepdim=True)

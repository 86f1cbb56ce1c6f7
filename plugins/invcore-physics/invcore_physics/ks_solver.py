"""The Kuramoto-Sivashinsky equation by a pseudo-spectral method, every row with its own."""

import math

import torch
from torch import Tensor

from invcore_physics.marching import Coefficients, march

_CONTOUR = 16  # points on half a circle; by symmetry they stand for 32


def etdrk4_weights(exponent: Tensor) -> Coefficients:
    """Compute the weights of exponential time differencing with Runge-Kutta of order four.

    For z = exponent: e^z, e^(z/2), and, each to be multiplied by the time step,

        Q  = (e^(z/2) - 1) / z
        f1 = (-4 - z + e^z (4 - 3z + z²)) / z³
        f2 = (2 + z + e^z (z - 2)) / z³
        f3 = (-4 - 3z - z² + e^z (4 - z)) / z³

    All four are entire, but cancel near z = 0. They are averaged over a circle of radius one
    around z, which is exact up to rounding, and so is the derivative.

    References:
        Kassam, Trefethen, SIAM J. Sci. Comput. 26, 1214 (2005),
        https://doi.org/10.1137/S1064827502410633;
        Cox, Matthews, J. Comput. Phys. 176, 430 (2002), https://doi.org/10.1006/jcph.2002.6995

    Args:
        exponent: z = step * rate (...), real, float64.

    Returns:
        e^z, e^(z/2), Q, f1, f2, f3, each (...).

    Example:
        >>> [round(float(w), 6) for w in etdrk4_weights(torch.zeros((), dtype=torch.float64))]
        [1.0, 1.0, 0.5, 0.166667, 0.166667, 0.166667]
    """
    angle = math.pi * (torch.arange(_CONTOUR, dtype=torch.float64) + 0.5) / _CONTOUR
    circle = torch.polar(torch.ones_like(angle), angle).to(exponent.device)
    z = exponent[..., None] + circle
    full, half = z.exp(), (z / 2).exp()
    cube = z**3
    f1 = (-4 - z + full * (4 - 3 * z + z**2)) / cube
    f2 = (2 + z + full * (z - 2)) / cube
    f3 = (-4 - 3 * z - z**2 + full * (4 - z)) / cube
    means = [w.real.mean(dim=-1) for w in ((half - 1) / z, f1, f2, f3)]
    return (exponent.exp(), (exponent / 2).exp(), *means)


def _packed(v: Tensor) -> Tensor:
    """Modes (..., M) as real numbers (..., 2 M - 1); the mean's has no imaginary part."""
    return torch.cat([v.real, v.imag[..., 1:]], dim=-1)


def _unpacked(v: Tensor, modes: int) -> Tensor:
    """The other way round."""
    real, imaginary = v[..., :modes], v[..., modes:]
    return torch.complex(real, torch.cat([torch.zeros_like(real[..., :1]), imaginary], dim=-1))


def solve_ks(initial: Tensor, strengths: Tensor, length: float, time: float, steps: int) -> Tensor:
    """Solve u_t + a u u_x + b u_xx + c u_xxxx = 0 on a periodic interval.

    Fourier modes in space, of which those above two thirds of the grid's are dropped (de-aliasing);
    in time ETDRK4, whose linear part is exact: of order four. The mean of u is conserved.

    References:
        Kassam, Trefethen, SIAM J. Sci. Comput. 26, 1214 (2005),
        https://doi.org/10.1137/S1064827502410633;
        Orszag, J. Atmos. Sci. 28, 1074 (1971), for the rule of two thirds

    Args:
        initial: u at time 0 on the grid (N, G), float64.
        strengths: a, b, c of each row (N, 3), float64, finite, c positive.
        length: of the interval.
        time: when the solution is wanted.
        steps: how many time steps.

    Returns:
        u at ``time`` (N, G); what is not finite where the solution blew up.

    Example:
        >>> x = 2 * torch.pi * torch.arange(8, dtype=torch.float64)[None] / 8
        >>> strengths = torch.tensor([[0.0, 2.0, 1.0]], dtype=torch.float64)
        >>> late = solve_ks(x.cos(), strengths, length=2 * torch.pi, time=0.5, steps=2)
        >>> torch.allclose(late, 0.5**0.5 * 2**0.5 * torch.tensor(0.5).exp() * x.cos())
        True
    """
    grid, step = initial.shape[1], time / steps
    modes = (grid - 1) // 3 + 1  # 0 ... the largest below a third of the grid
    wave = 2 * math.pi / length * torch.arange(modes, dtype=torch.float64, device=initial.device)
    # Transforms of so few points are quicker as real matrices, with the slopes in one of them
    every = torch.fft.rfft(torch.eye(grid).to(wave))[:, :modes]
    to_modes, advect = _packed(every), _packed(-0.5j * step * wave * every)
    to_grid = torch.fft.irfft(_unpacked(torch.eye(2 * modes - 1).to(wave), modes), n=grid)

    def prepare(knobs: Tensor) -> Coefficients:
        a, b, c = knobs[:, :, None].unbind(1)
        full, half, *weights = etdrk4_weights(step * (b * wave**2 - c * wave**4))
        each = (full, half, *(a * w for w in weights))
        return tuple(torch.cat([w, w[:, 1:]], dim=1) for w in each)

    def change(v: Tensor) -> Tensor:
        return (v @ to_grid).square() @ advect

    def advance(v: Tensor, coefficients: Coefficients) -> Tensor:
        full, half, q, f1, f2, f3 = coefficients
        calm = half * v
        n0 = change(v)
        v1 = calm + q * n0
        n1 = change(v1)
        n2 = change(calm + q * n1)
        n3 = change(half * v1 + q * (2 * n2 - n0))
        return full * v + f1 * n0 + 2 * f2 * (n1 + n2) + f3 * n3

    return march(prepare, advance, steps, initial @ to_modes, strengths) @ to_grid

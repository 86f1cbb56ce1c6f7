"""Incompressible flow on a periodic square by a pseudo-spectral method, in vorticity form."""

import math
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from invcore_physics.marching import Coefficients, march


class FlowSolver:
    """The Navier-Stokes equations in two dimensions, on a periodic square of side one.

    In vorticity form, w = v_x - u_y:

        w_t + u w_x + v w_y = nu (w_xx + w_yy)

    Fourier modes in space, of which those above two thirds of the grid's are dropped in each
    direction (de-aliasing). Advection is written with products of velocities alone (Basdevant),
    w_t = (d²/dy² - d²/dx²) uv + d²/dxdy (u² - v²) + ..., which takes four transforms. In time the
    classical Runge-Kutta method of order four, on w times an integrating factor, so that viscosity
    is exact. The velocity follows from the vorticity and is free of divergence; its mean is zero.

    Vorticities are kept as the modes (..., M, m) of ``torch.fft.rfft2`` over the axes (x, y) that
    are not dropped, over the number of grid points: free of the grid.

    References:
        Canuto, Hussaini, Quarteroni, Zang, Spectral Methods: Evolution to Complex Geometries and
        Applications to Fluid Dynamics, 2007, chapter 3;
        Basdevant, J. Comput. Phys. 50, 209 (1983), https://doi.org/10.1016/0021-9991(83)90064-5;
        Orszag, J. Atmos. Sci. 28, 1074 (1971), for the rule of two thirds

    Args:
        grid: G, how many points in each direction.
        viscosity: nu, in side² / time.
        device: of the states.

    Example:
        >>> solver = FlowSolver(grid=16, viscosity=0.01)
        >>> place = torch.tensor([[[0.5, 0.5]]])
        >>> vortex = solver.vortices(place, torch.tensor([[1.0]]), radius=0.1)
        >>> u, v = solver.velocity(solver.evolve(vortex, time=1.0, steps=20))
        >>> bool(v[0, 12, 8] > 0), bool(v[0, 4, 8] < 0)  # anticlockwise
        (True, True)
    """

    def __init__(self, grid: int, viscosity: float, device: torch.device | str = "cpu") -> None:
        self.grid, self.viscosity, self.device = grid, viscosity, torch.device(device)
        self.most = (grid - 1) // 3  # the largest wave number that is kept

    @cached_property
    def waves(self) -> tuple[Tensor, Tensor]:
        """Angular wave numbers of the modes along x (M, 1) and along y (1, m)."""
        upwards = torch.arange(self.most + 1, dtype=torch.float64, device=self.device)
        both = torch.cat([upwards, -upwards[1:].flip(0)])
        return 2 * math.pi * both[:, None], 2 * math.pi * upwards[None, :]

    @cached_property
    def squared(self) -> Tensor:
        """The wave numbers' squared length (M, m)."""
        kx, ky = self.waves
        return kx**2 + ky**2

    @cached_property
    def per_vorticity(self) -> Tensor:
        """What makes both components of a velocity from a vorticity (2, M, m), imaginary."""
        kx, ky = self.waves
        inverse = torch.where(self.squared > 0, 1 / self.squared.clamp(min=1.0), 0.0)
        return torch.stack([1j * ky * inverse, -1j * kx * inverse])

    def vortices(self, places: Tensor, strengths: Tensor, radius: float) -> Tensor:
        """The vorticity of Gaussian vortices and of all their periodic images, with mean zero.

        One vortex is strength / (2 pi radius²) exp(-distance² / (2 radius²)). The sum over its
        images has the modes strength * exp(-k² radius² / 2 - i k place), exactly; the mode k = 0
        is left out, which is a uniform counter-rotation, as a periodic flow must have.

        Args:
            places: x and y of each vortex (N, V, 2), any real numbers.
            strengths: circulations (N, V).
            radius: standard deviation of the Gaussian.

        Returns:
            Modes (N, M, m), complex128.
        """
        kx, ky = self.waves
        x, y = places.to(torch.float64)[..., None, None].unbind(2)
        along_x = torch.polar(torch.ones_like(kx * x), -kx * x)  # (N, V, M, 1)
        along_y = torch.polar(torch.ones_like(ky * y), -ky * y)  # (N, V, 1, m)
        weighted = along_x * strengths.to(along_x)[..., None, None]
        total = weighted.squeeze(-1).mT @ along_y.squeeze(-2)  # (N, M, m), summed over V
        shape = torch.where(self.squared > 0, (-self.squared * (radius**2 / 2)).exp(), 0.0)
        return total * shape

    def evolve(self, vorticity: Tensor, time: float, steps: int) -> Tensor:
        """The vorticity after some time, in ``steps`` equal steps: modes (N, M, m) to (N, M, m)."""
        step = time / steps
        half = (-self.viscosity * step / 2 * self.squared).exp().to(vorticity)
        full = half**2

        def advance(w: Tensor, _: Coefficients) -> Tensor:
            first, calm, still = self._advection(w), half * w, full * w
            second = self._advection(torch.addcmul(calm, half, first, value=step / 2))
            third = self._advection(torch.add(calm, second, alpha=step / 2))
            fourth = self._advection(torch.addcmul(still, half, third, value=step))
            inner = torch.addcmul(fourth, half, second + third, value=2)
            return torch.add(still, torch.addcmul(inner, full, first), alpha=step / 6)

        nothing = vorticity.real.new_zeros(len(vorticity), 0)
        return march(lambda _: (), advance, steps, vorticity, nothing)

    @cached_property
    def _per_product(self) -> Tensor:
        """What makes an advection from the modes of uv and of u² - v² (2, M, m)."""
        kx, ky = self.waves
        return torch.stack([kx**2 - ky**2, -kx * ky])

    @cached_property
    def _share(self) -> Tensor:
        """The weights of modes in the transforms' adjoints (m,): G², twice where ky > 0.

        Such a mode stands for its mirror image also.
        """
        share = torch.full((self.most + 1,), 2.0, dtype=torch.float64, device=self.device)
        share[0] = 1.0
        return self.grid**2 * share

    def _advection(self, w: Tensor) -> Tensor:
        result: Tensor = _Advection.apply(w, self)
        return result

    def enstrophy(self, vorticity: Tensor) -> Tensor:
        """The mean square (N,) of a vorticity (N, M, m): no flow without forces increases it."""
        size = vorticity.real.square() + vorticity.imag.square()
        return (size * self._share).sum(dim=(1, 2)) / self.grid**2

    def velocity(self, vorticity: Tensor) -> tuple[Tensor, Tensor]:
        """Both components on the grid (N, G, G), axes x and y, of a vorticity (N, M, m)."""
        u, v = self.values(self.per_vorticity * vorticity[:, None]).unbind(1)
        return u, v

    def values(self, modes: Tensor) -> Tensor:
        """On the grid: modes (..., M, m) to real values (..., G, G)."""
        keep, grid = self.most, self.grid
        tall = modes.new_zeros(*modes.shape[:-2], grid, keep + 1)
        tall[..., : keep + 1, :] = modes[..., : keep + 1, :]
        tall[..., grid - keep :, :] = modes[..., keep + 1 :, :]
        # one direction after the other, so that columns of zeros need no transform
        half = torch.fft.ifft(tall, dim=-2, norm="forward")
        return torch.fft.irfft(half, n=grid, norm="forward")

    def modes(self, values: Tensor) -> Tensor:
        """Those modes (..., M, m) of values on the grid (..., G, G) that are kept."""
        keep = self.most
        half = torch.fft.rfft(values, norm="forward")[..., : keep + 1]
        tall = torch.fft.fft(half, dim=-2, norm="forward")
        return torch.cat([tall[..., : keep + 1, :], tall[..., self.grid - keep :, :]], dim=-2)


class _Advection(torch.autograd.Function):
    """-(u w_x + v w_y) of a vorticity's modes, with its adjoint written out.

    The way back then takes four transforms, as the way there; torch's own takes half as long again.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, solver: FlowSolver) -> Tensor:
        both = solver.values(solver.per_vorticity * w[:, None])
        ctx.save_for_backward(both)
        ctx.solver = solver
        u, v = both.unbind(1)
        products = torch.stack([u * v, (u - v) * (u + v)], dim=1)
        return _sum(solver._per_product * solver.modes(products))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        (both,), solver = ctx.saved_tensors, ctx.solver
        per_mode = solver._per_product / solver._share
        by_crossed, by_sheared = solver.values(per_mode * slope[:, None]).unbind(1)
        u, v = both.unbind(1)
        by_velocity = torch.stack(
            [v * by_crossed + 2 * u * by_sheared, u * by_crossed - 2 * v * by_sheared], dim=1
        )
        per_value = solver.per_vorticity.conj() * solver._share
        return _sum(per_value * solver.modes(by_velocity)), None


def _sum(pair: Tensor) -> Tensor:
    return pair[:, 0] + pair[:, 1]

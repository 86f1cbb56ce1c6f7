"""The kuramoto-sivashinsky task: an equation's parameters from a late state."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from invcore.numerics import differentiable_once
from invcore.plugin import Config, DataError, Field, ShapeError, Space, Task, Uniform, Variable
from invcore_physics.ks_solver import solve_ks
from invcore_physics.marching import rows_on
from invcore_physics.spectral_drawing import draw_states

_ROWS = 256  # at a time on the CPU: a gradient takes about 0.3 MB a row
_WAVES, _AMPLITUDE = 4, 0.5  # of initial states: near what the equation itself keeps up
_LARGEST = 1e6  # parameters beyond it overflow
_KEPT, _BEYOND = 4.0, 3.0  # largest |u| of a = b = c = 1; more than so many times it is blown up
_GROWTH = 20.0  # a mode that grows by more than e^20 in one step is not resolved


class KuramotoSivashinskyConfig(Config):
    """The interval, the time of the late state, and how finely both are resolved."""

    grid: int = Field(48, ge=16, le=512, description="Points of the grid; a third are modes.")
    length: float = Field(22.0, gt=0, le=400, description="Length of the periodic interval.")
    time: float = Field(25.0, gt=0, le=1000, description="When the late state is seen.")
    steps: int = Field(125, ge=1, le=100_000, description="Time steps until then.")
    noise: float = Field(
        0.0, ge=0, description="Standard deviation of the noise in what is measured of targets."
    )


class KuramotoSivashinsky(Task[KuramotoSivashinskyConfig]):
    """Kuramoto-Sivashinsky: three strengths to the state that a known initial one comes to.

        u_t + a u u_x + b u_xx + c u_xxxx = 0,    periodic in x

    The context ``initial`` (grid,) is u at time 0, known of each problem: the sum of the waves 1 to
    4 with normal amplitudes. The response is u at ``time``. Solved in float64 by ``solve_ks``, 256
    rows at a time; a gradient keeps the square root of the number of steps and has no gradient
    itself. A solution that blows up, beyond three times what the equation can keep up, is a row of
    NaN with a gradient of zero, and so is a design with c not positive, which has no solution.

    References:
        Kuramoto, Tsuzuki, Prog. Theor. Phys. 55, 356 (1976), https://doi.org/10.1143/PTP.55.356;
        Sivashinsky, Acta Astronautica 4, 1177 (1977),
        https://doi.org/10.1016/0094-5765(77)90096-0;
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119

    Example:
        >>> task = KuramotoSivashinsky()
        >>> context = task.contexts(1, torch.Generator().manual_seed(0))
        >>> task.simulate(torch.tensor([[1.0, 1.0, 1.0]]), context).shape
        torch.Size([1, 48])
    """

    Config = KuramotoSivashinskyConfig
    designs = Space.of(
        Variable(name="a", prior=Uniform(low=0.5, high=1.5), description="strength of advection"),
        Variable(
            name="b", prior=Uniform(low=0.7, high=1.3), description="strength of anti-diffusion"
        ),
        Variable(
            name="c", prior=Uniform(low=0.7, high=1.3), description="strength of hyper-diffusion"
        ),
    )
    differentiable = True
    reference = "bfgs"
    free_calls = True

    @cached_property
    def responses(self) -> Space:
        """The state at each point of the grid."""
        return Space.of(
            *(
                Variable(name=f"u{i + 1}", description=f"late state at x = {x:.4g}")
                for i, x in enumerate(self.places.tolist())
            )
        )

    @property
    def context_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The initial state, on the grid."""
        return {"initial": (self.config.grid,)}

    @property
    def noise_floor(self) -> float:
        """The variance of the noise."""
        return self.config.noise**2

    @property
    def places(self) -> Tensor:
        """The points of the grid (grid,), float64."""
        own = self.config
        return torch.arange(own.grid, dtype=torch.float64) * (own.length / own.grid)

    def contexts(self, count: int, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Draw initial states; one generator gives the same functions on every grid."""
        drawn = torch.randn(count, 2, _WAVES, generator=generator, dtype=torch.float64)
        waves = torch.arange(1, _WAVES + 1, dtype=torch.float64)
        phase = waves[:, None] * self.places * (2 * math.pi / self.config.length)
        even, odd = (_AMPLITUDE * drawn).unbind(1)
        return {"initial": even @ phase.cos() + odd @ phase.sin()}

    def observe(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """Late states (N, grid) with independent normal noise at each point."""
        if self.config.noise == 0:
            return y
        noise = torch.randn(y.shape, generator=generator, dtype=torch.float64)
        return y + self.config.noise * noise.to(y)

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute late states (N, grid) of designs (N, 3) and the context ``initial`` (N, grid).

        Raises:
            ShapeError: x has another number of columns, or ``initial`` another shape.
            DataError: there is no context.
        """
        self.designs.check(x)
        own = self.config
        if context is None or "initial" not in context:
            raise DataError(
                "kuramoto-sivashinsky: the context is missing; give simulate the initial states, "
                f"context={{'initial': (N, {own.grid})}}, as contexts or pairs draw them"
            )
        initial = context["initial"].to(x.device, torch.float64)
        if initial.shape != (len(x), own.grid):
            raise ShapeError(
                f"kuramoto-sivashinsky: expected the context 'initial' ({len(x)}, {own.grid}), "
                f"got {tuple(initial.shape)}"
            )
        wide, initial = differentiable_once(x).to(torch.float64), differentiable_once(initial)
        a, b, c = wide.detach().unbind(1)
        sane = (wide.detach().abs() <= _LARGEST).all(dim=1) & (c > 0)
        sane &= own.time / own.steps * b.clamp(min=0) ** 2 <= 4 * _GROWTH * c
        safe = torch.where(sane[:, None], wide, 1.0)
        rows = rows_on(x.device, _ROWS)
        states = [
            solve_ks(start, strengths, own.length, own.time, own.steps)
            for start, strengths in zip(initial.split(rows), safe.split(rows), strict=True)
        ]
        y = torch.cat(states).to(x.dtype)
        # What the equation saturates at, by its scales, and what it begins with
        scale = _KEPT * b.clamp(min=0) ** 1.5 / (a.abs() * c.clamp(min=0) ** 0.5)
        most = _BEYOND * (scale + initial.detach().abs().amax(dim=1)).nan_to_num(
            torch.inf, torch.inf
        )
        size = y.detach().abs().amax(dim=1)
        sound = sane & size.isfinite() & (size <= most)
        return torch.where(sound[:, None], y, torch.nan)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the initial state, the wanted late one, and those of the best five candidates."""
        initial = None if context is None else context["initial"][0]
        return draw_states(axes, self.places, target, responses, initial)

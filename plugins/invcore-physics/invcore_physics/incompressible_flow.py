"""The incompressible-flow task: initial vortices to velocities at sensors."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from invcore.numerics import differentiable_once
from invcore.plugin import Config, Field, Space, Task, Uniform, Variable
from invcore_physics.flow_solver import FlowSolver
from invcore_physics.marching import rows_on
from invcore_physics.spectral_drawing import draw_flow

VORTICES = 2
SENSORS = 4  # in each direction
_ROWS = 128  # at a time on the CPU: a gradient takes about 1 MB a row
_LARGEST = 1e6  # designs beyond it overflow
_GROWTH = 0.01  # of a mean square that cannot grow: more is a flow too fast for its steps


class IncompressibleFlowConfig(Config):
    """The fluid, the vortices' size, and how finely the flow is resolved."""

    grid: int = Field(
        24, ge=16, le=256, multiple_of=8, description="Points of the grid in each direction."
    )
    time: float = Field(0.8, gt=0, le=100, description="When the sensors measure.")
    steps: int = Field(20, ge=1, le=100_000, description="Time steps until then.")
    viscosity: float = Field(3e-3, ge=0, description="Kinematic viscosity, side² / time.")
    radius: float = Field(
        0.1, gt=0, le=0.5, description="Standard deviation of a vortex, in sides of the square."
    )
    noise: float = Field(
        0.0, ge=0, description="Standard deviation of the noise in what is measured of targets."
    )


class IncompressibleFlow(Task[IncompressibleFlowConfig]):
    """Incompressible flow: two vortices to the velocities at 16 sensors some time later.

        w_t + u w_x + v w_y = viscosity (w_xx + w_yy),    w = v_x - u_y

    on a periodic square of side one, at first the sum of two Gaussian vortices (and of their
    images, less the mean). The response is u, then v, at a lattice of 4 x 4 sensors. Solved in
    float64 by ``FlowSolver``, 128 rows at a time; a gradient keeps the square root of the number of
    steps and has no gradient itself. A flow that is too fast for its time steps blows up, and its
    vorticity, whose mean square cannot grow, does: a row of NaN with a gradient of zero. No draw of
    the prior does so.

    References:
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119

    Example:
        >>> task = IncompressibleFlow()
        >>> task.simulate(torch.tensor([[0.25, 0.5, 0.75, 0.5, 1.0, 1.0]])).shape
        torch.Size([1, 32])
    """

    Config = IncompressibleFlowConfig
    designs = Space.of(
        *(
            Variable(
                name=f"{axis}{i}",
                prior=Uniform(low=0.2, high=0.8),
                unit="side",
                description=f"{axis} of vortex {i}'s middle at first",
            )
            for i in range(1, VORTICES + 1)
            for axis in "xy"
        ),
        *(
            Variable(
                name=f"s{i}",
                prior=Uniform(low=-1.5, high=1.5),
                unit="side²/time",
                description=f"circulation of vortex {i}, positive if anticlockwise",
            )
            for i in range(1, VORTICES + 1)
        ),
    )
    responses = Space.of(
        *(
            Variable(name=f"{name}{i}{j}", description=f"{name} at sensor {i}, {j} of x, y")
            for name in "uv"
            for i in range(1, SENSORS + 1)
            for j in range(1, SENSORS + 1)
        )
    )
    differentiable = True
    reference = "bfgs"
    free_calls = True

    @property
    def noise_floor(self) -> float:
        """The variance of the noise."""
        return self.config.noise**2

    @cached_property
    def sensors(self) -> Tensor:
        """Places of the sensors (16, 2), float64: x and y are 1/8, 3/8, 5/8, 7/8 each."""
        line = (torch.arange(SENSORS, dtype=torch.float64) + 0.5) / SENSORS
        return torch.cartesian_prod(line, line)

    def observe(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """Velocities (N, 32) with independent normal noise at each sensor."""
        if self.config.noise == 0:
            return y
        noise = torch.randn(y.shape, generator=generator, dtype=torch.float64)
        return y + self.config.noise * noise.to(y)

    def vorticity(self, x: Tensor) -> tuple[FlowSolver, Tensor, Tensor]:
        """The solver; the vorticity's modes (N, M, m) at 0 and at ``time``, of designs (N, 6)."""
        own = self.config
        solver = FlowSolver(own.grid, own.viscosity, x.device)
        places = x[:, : 2 * VORTICES].unflatten(1, (VORTICES, 2))
        initial = solver.vortices(places, x[:, 2 * VORTICES :], own.radius)
        return solver, initial, solver.evolve(initial, own.time, own.steps)

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute velocities (N, 32) of designs (N, 6).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        wide = differentiable_once(x).to(torch.float64)
        sane = (wide.detach().abs() <= _LARGEST).all(dim=1)
        safe = torch.where(sane[:, None], wide, 0.0)
        parts = safe.split(rows_on(x.device, _ROWS))
        y = torch.cat([self._velocities(part) for part in parts]).to(x.dtype)
        sound = sane & y.detach().isfinite().all(dim=1)
        return torch.where(sound[:, None], y, torch.nan)

    def _velocities(self, x: Tensor) -> Tensor:
        solver, initial, late = self.vorticity(x)
        every = self.config.grid // SENSORS
        both = torch.stack(solver.velocity(late), dim=1)
        most = (1 + _GROWTH) * solver.enstrophy(initial.detach())
        sound = solver.enstrophy(late.detach()) <= most  # false of NaN
        velocities = both[:, :, every // 2 :: every, every // 2 :: every].flatten(1)
        return torch.where(sound[:, None], velocities, torch.nan)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the best candidate's vorticity, and the velocities wanted and proposed."""
        first = responses.isfinite().all(dim=1).nonzero().flatten()[:1]
        if len(first) == 0:
            return draw_flow(axes, self.sensors, target)
        with torch.no_grad():
            solver, _, late = self.vorticity(designs[first].to(torch.float64))
            field = solver.values(late)[0]
        return draw_flow(axes, self.sensors, target, responses[first][0], field)

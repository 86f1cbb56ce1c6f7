"""The ballistics task: where a ball thrown into air with linear drag comes down.

With the drag time τ = m/k, lengths in gτ², speeds in gτ and times in τ, the height is
Y(s) = H + (1 + V)(1 - e^-s) - s, where H is the start height and V the upward speed. Three facts
make the landing easy to find exactly:

* A throw with V ≥ 0 rises for a = log(1 + V), by φ(-a), and then falls from rest, through φ(r)
  in the time r, where φ(r) = e^-r - 1 + r. A throw with V < 0 falls at once, with w = -V. So
  every landing solves g(r) = φ(r) + w(1 - e^-r) = fall height, with g increasing from g(0) = 0.
* g is convex for w ≤ 1 and concave for w ≥ 1. Newton's method on a convex increasing function
  from above the root, or on a concave one from below it, can never overshoot: it needs no
  bisection to be safe. The starts below are such bounds.
* Lambert's W would solve g in closed form, but torch has no W, an implementation iterates as
  well, and near its branch point (short hops) its argument has lost half of the digits.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from invcore.plugin import (
    ClippedNormal,
    Config,
    Field,
    Normal,
    Poisson,
    Space,
    Task,
    Uniform,
    Variable,
)
from invcore_classic.drawing import draw_flights, spread

# Upward throws of any speed need 3 to reach rounding error, those straight down at v m/s about
# log(v). A fixed number lets vmap batch it.
_STEPS = 14
_SMALL = 1e-2  # below it φ cancels, and its series up to r^8 is exact to rounding
_FLOOR = 1e-150  # its square is still a normal number, so that no gradient is 0/0


def _phi(r: Tensor) -> Tensor:
    """e^-r - 1 + r, accurate near 0 too."""
    near = r.abs() < _SMALL
    small = torch.where(near, r, 0.0)  # an overflow not taken would still spoil gradients
    series = torch.ones_like(r)
    for order in range(8, 2, -1):
        series = 1.0 - series * small / order
    large = torch.where(near, 1.0, r)
    return torch.where(near, 0.5 * small * small * series, torch.expm1(-large) + large)


def _newton_step(r: Tensor, height: Tensor, w: Tensor) -> Tensor:
    """One step towards g(r) = height."""
    fallen = -torch.expm1(-r)
    slope = fallen + w * (1.0 - fallen)
    return r - (_phi(r) + w * fallen - height) / slope.clamp(min=_FLOOR)


def _fall_time(height: Tensor, w: Tensor) -> Tensor:
    """Solve φ(r) + w(1 - e^-r) = height ≥ 0 for r ≥ 0, with derivatives."""
    known_height, known_w = height.detach(), w.detach()
    # φ(r) ≥ r²/(2 + r) gives the bound from above, g(r) ≤ wr for w ≥ 1 and g(r) ≤ r - 1 + w those
    # from below.
    above = 0.5 * (known_height + known_height.sqrt() * (known_height + 8.0).sqrt())
    below = torch.maximum(known_height / known_w.clamp(min=1.0), known_height - known_w + 1.0)
    r = torch.where(known_w > 1.0, below.clamp(min=0.0), above)
    for _ in range(_STEPS):
        r = _newton_step(r, known_height, known_w)
    # The implicit function theorem, as code: at a root held constant, one differentiable Newton
    # step moves nothing but has dr = (dheight - g_w dw) / g'. A second step makes second
    # derivatives exact as well, since each Newton step doubles the correct Taylor orders.
    r = _newton_step(r, height, w)
    return _newton_step(r, height, w)


def landing_position(
    x: Tensor, gravity: float = 9.81, drag: float = 0.25, mass: float = 0.2
) -> Tensor:
    """Compute where a thrown ball lands: its horizontal position when its height falls to 0.

    The ball obeys m v' = -k v - (0, m g). The landing is the root of the height on the falling
    part of the flight (after the apex), however late it is, to rounding error in float64.

    There is no landing, and the response is NaN with gradient 0, if and only if the ball starts
    below the ground (x2 < 0) and its apex stays below it, or the design is not finite. Starting on
    the ground (x2 = 0) without rising, the ball has landed already: the response is x1.

    First and second derivatives are exact (implicit function theorem), through ``backward``,
    ``torch.func`` and ``vmap``. Warning: they do not exist where the ball only grazes the ground
    (an apex of height 0); with x2 = 0 and speed 0, this gives the gradient (1, 0, 0, 0).

    References:
        Kruse et al., 2021, https://arxiv.org/abs/2101.10763;
        Ren, Padilla, Malof, NeurIPS 2020 (task D1), https://arxiv.org/abs/2009.12919

    Args:
        x: designs (..., 4): start position (m), start height (m), angle above the horizontal
            (rad), speed (m/s). Any real number is fine: a negative angle throws downwards, a
            negative speed backwards.
        gravity: g (m/s²).
        drag: k (kg/s).
        mass: m (kg).

    Returns:
        Landing positions (..., 1) (m) in x's dtype, computed in float64.

    Example:
        >>> landing_position(torch.tensor([[0.0, 1.5, 0.7, 15.0], [0.0, -1.0, 0.7, 0.0]]))
        tensor([[8.1916],
                [   nan]])
    """
    wide = x.to(torch.float64)
    finite = wide.isfinite().all(dim=-1)
    # Substitute before computing: a where() at the end alone would leave NaN in the gradients.
    wide = torch.where(finite[..., None], wide, 0.0)
    start, height, angle, speed = wide.unbind(-1)
    tau = mass / drag
    up = speed * torch.sin(angle) / (gravity * tau)
    # Not clamp(): where up is exactly 0, one of the two has to pass the gradient, and only one.
    rise_time = torch.log1p(torch.where(up >= 0.0, up, 0.0))
    w = torch.where(up >= 0.0, 0.0, -up)
    fall_height = height / (gravity * tau**2) + _phi(-rise_time)
    lands = finite & (fall_height >= 0.0) & fall_height.isfinite()
    # Below the ground and falling, fall_height is negative: the same test sees it.
    fall_time = _fall_time(torch.where(lands, fall_height, 1.0), w)
    reach = -torch.expm1(-(rise_time + fall_time))
    landing = start + speed * torch.cos(angle) * tau * reach
    return torch.where(lands, landing, torch.nan)[..., None].to(x.dtype)


def flight_path(
    x: Tensor, gravity: float = 9.81, drag: float = 0.25, mass: float = 0.2, *, points: int = 80
) -> Tensor:
    """Compute where a thrown ball is at equal steps of time, from the throw to the landing.

    Args:
        x: designs (..., 4), see ``landing_position``; a path of NaN where the ball never lands.
        gravity: g (m/s²).
        drag: k (kg/s).
        mass: m (kg).
        points: how many places.

    Returns:
        Positions (..., points, 2), horizontal and height (m), float64.

    Example:
        >>> path = flight_path(torch.tensor([0.0, 1.5, 0.7, 15.0]), points=3)
        >>> path[0].tolist(), bool(path[-1, 1].abs() < 1e-9)
        ([0.0, 1.5], True)
    """
    wide = x.to(torch.float64)
    start, height, angle, speed = wide[..., None, :].unbind(-1)
    tau = mass / drag
    up = speed * torch.sin(angle) / (gravity * tau)
    time = _flight_time(up, height / (gravity * tau**2))
    time = time * torch.linspace(0.0, 1.0, points, dtype=torch.float64)
    reach = -torch.expm1(-time)
    across = start + speed * torch.cos(angle) * tau * reach
    return torch.stack([across, height + gravity * tau**2 * ((1 + up) * reach - time)], dim=-1)


def _flight_time(up: Tensor, height: Tensor) -> Tensor:
    """The time in τ from the throw to the landing; NaN where there is none."""
    rise_time = torch.log1p(up.clamp(min=0.0))
    fall_height = height + _phi(-rise_time)
    lands = (fall_height >= 0.0) & fall_height.isfinite()
    fall_time = _fall_time(torch.where(lands, fall_height, 1.0), (-up).clamp(min=0.0))
    return torch.where(lands, rise_time + fall_time, torch.nan)


def _designs(speed: Literal["whole", "any"]) -> Space:
    return Space.of(
        Variable(
            name="x1", prior=Normal(mean=0.0, std=0.5), unit="m", description="start position"
        ),
        Variable(
            name="x2",
            prior=ClippedNormal(mean=1.5, std=0.5, low=0.0),
            unit="m",
            description="start height",
        ),
        Variable(
            name="x3",
            prior=Uniform(low=math.radians(9.0), high=math.radians(81.0)),
            unit="rad",
            description="angle above the horizontal, 9° to 81°",
        ),
        Variable(
            name="x4",
            prior=Poisson(rate=15.0, relaxed=speed == "any"),
            unit="m/s",
            description="speed",
        ),
    )


class BallisticsConfig(Config):
    """Physical constants; the defaults are the benchmark's."""

    gravity: float = Field(9.81, gt=0, description="Acceleration of gravity, m/s².")
    drag: float = Field(0.25, gt=0, description="Drag coefficient k in the force -k v, kg/s.")
    mass: float = Field(0.2, gt=0, description="Mass of the ball, kg.")
    speed: Literal["whole", "any"] = Field(
        "whole",
        description="Which speeds may be proposed: whole numbers, as the prior draws them, or any, "
        "as in the published comparisons.",
    )


class Ballistics(Task[BallisticsConfig]):
    """Ballistics: start, angle and speed of a throw to the place where the ball lands.

    Simulated in float64; the gradient is exact and counts as one call. Every design of the prior
    has a response; ``landing_position`` says which others have none. The speed's prior is whole
    numbers, but any real speed can be simulated.

    References:
        Kruse et al., 2021, https://arxiv.org/abs/2101.10763;
        Ren, Padilla, Malof, NeurIPS 2020 (task D1), https://arxiv.org/abs/2009.12919

    Example:
        >>> Ballistics().simulate(torch.tensor([[0.5, 1.5, 0.7, 0.0]]))
        tensor([[0.5000]])
    """

    Config = BallisticsConfig
    free_calls = True
    responses = Space.of(Variable(name="y", unit="m", description="where the ball lands"))
    differentiable = True

    @cached_property
    def designs(self) -> Space:
        """Start position and height, angle, and speed: its steps are a setting."""
        return _designs(self.config.speed)

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute landing positions (N, 1) of designs (N, 4), in m; NaN without a landing.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        own = self.config
        return landing_position(x, own.gravity, own.drag, own.mass)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw up to 30 flights to the landing, and the wanted landing place.

        Candidates that never land are left out.
        """
        own = self.config
        landing = designs[responses.isfinite().all(dim=1)]
        paths = flight_path(spread(landing), own.gravity, own.drag, own.mass)
        return draw_flights(axes, paths, target, len(designs))

"""The billiards task: how to push the cue ball for another ball to come to rest where it shall."""

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Self

import torch
from pydantic import model_validator
from torch import Tensor

from invcore.numerics import differentiable_once, in_chunks
from invcore.plugin import (
    Config,
    DataError,
    Field,
    Pairs,
    ShapeError,
    Space,
    Task,
    Uniform,
    Variable,
)
from invcore_physics.drawing import draw_table
from invcore_physics.layouts import crowded, draw_layouts
from invcore_physics.rolling import Table, itinerary, roll

CUE, OBJECT = 0, 1  # which ball is which; the others are in the way
_ROWS = 4096
_TRIES, _MORE = 40, 3  # rounds of draws, each of so many times what is missing
_ENOUGH = 1000  # draws after which it is plain that too few are kept
_SLACK = 1e-6  # of a radius, in which layouts may overlap by rounding


class BilliardsConfig(Config):
    """The table, its balls, and how hard the cue ball may be pushed."""

    balls: int = Field(3, ge=2, le=8, description="How many balls, with the cue ball.")
    length: float = Field(2.0, gt=0, description="Length of the table, m.")
    width: float = Field(1.0, gt=0, description="Width of the table, m.")
    radius: float = Field(0.08, gt=0, description="Radius of a ball, m.")
    gap: float = Field(0.04, gt=0, description="Least room between two balls at the start, m.")
    deceleration: float = Field(
        0.25, gt=0, description="What rolling friction takes from a ball's speed, m/s²."
    )
    speed: float = Field(
        1.5, gt=0, description="Largest velocity of the cue ball along x, and along y, m/s."
    )
    events: int = Field(
        64,
        ge=1,
        le=1000,
        description="The most events (collisions, with walls too, and stops) in a response.",
    )

    @model_validator(mode="after")
    def _room(self) -> Self:
        if crowded(self.balls, self.length, self.width, self.radius, self.gap):
            raise ValueError(
                f"{self.balls} balls of radius {self.radius} m crowd a table of "
                f"{self.length} m x {self.width} m: fewer or smaller ones, please"
            )
        return self


class Billiards(Task[BilliardsConfig]):
    """Billiards: the cue ball's velocity to the place where the object ball comes to rest.

    Known of each problem is where the balls lie. Collisions without loss, between balls of equal
    mass and with the walls, at their exact times; rolling friction as a constant deceleration
    along each ball's velocity; no spin. Simulated in float64; the gradient is exact and counts as
    one call. Where the object ball is not hit, the response is its own place, the gradient zero.
    Rows of NaN are those of designs that are not finite or set off more than ``events`` events,
    and of layouts with overlaps.

    ``pairs`` (and so the targets) are draws of the prior that move the object ball: any miss would
    solve a target that is the object ball's own place.

    References:
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119

    Example:
        >>> balls = torch.tensor([[[0.4, 0.5], [1.0, 0.5], [1.5, 0.2]]])
        >>> Billiards().simulate(torch.tensor([[0.6, 0.0]]), {"balls": balls})
        tensor([[1.2800, 0.5000]])
    """

    Config = BilliardsConfig
    responses = Space.of(
        Variable(name="x", unit="m", description="where the object ball ends, along the table"),
        Variable(name="y", unit="m", description="where the object ball ends, across the table"),
    )
    differentiable = True
    reference = "bfgs"
    free_calls = True

    @cached_property
    def designs(self) -> Space:
        """The cue ball's velocity: no direction is special, and a push of zero is smooth."""
        prior = Uniform(low=-self.config.speed, high=self.config.speed)
        return Space.of(
            *(
                Variable(
                    name=name, prior=prior, unit="m/s", description=f"cue ball's velocity {way}"
                )
                for name, way in (("vx", "along the table"), ("vy", "across the table"))
            )
        )

    @cached_property
    def context_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Where the balls' centres are, m: first the cue ball, then the object ball."""
        return {"balls": (self.config.balls, 2)}

    @property
    def table(self) -> Table:
        """The table that the config describes."""
        own = self.config
        return Table(own.length, own.width, own.radius, own.deceleration)

    def contexts(self, count: int, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Draw layouts: uniform, without overlaps."""
        own = self.config
        shape = (own.balls, own.length, own.width, own.radius, own.gap)
        return {"balls": draw_layouts(count, *shape, generator)}

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute final places of the object ball (N, 2), in m, of designs (N, 2), in m/s.

        Raises:
            ShapeError: x has another number of columns, or the layouts have another shape.
            DataError: the context is missing.
        """
        self.designs.check(x)
        places = self._layouts(len(x), context).to(x.device, torch.float64)
        play = partial(_final, table=self.table, events=self.config.events)
        return in_chunks(play, _ROWS, differentiable_once(x), differentiable_once(places))

    def _layouts(self, count: int, context: Mapping[str, Tensor] | None) -> Tensor:
        if context is None or "balls" not in context:
            raise DataError("billiards: the context is missing: where the balls lie, as 'balls'")
        balls, expected = context["balls"], (count, self.config.balls, 2)
        if balls.shape != expected:
            raise ShapeError(
                f"billiards: expected context 'balls' {expected}, got {tuple(balls.shape)}"
            )
        return balls

    def pairs(self, count: int, generator: torch.Generator) -> Pairs:
        """Draw pairs from the prior, of which those are kept that move the object ball.

        Raises:
            DataError: hardly any draw does.
        """
        parts: list[Pairs] = []
        missing, tried, lost = count, 0, 0
        for _ in range(_TRIES):
            many = _MORE * missing + 1
            x, context = self.designs.sample(many, generator), self.contexts(many, generator)
            drawn = Pairs(x, self.simulate(x, context), context)
            moved = (drawn.y != context["balls"][:, OBJECT]).any(dim=1)
            ended = drawn.y.isfinite().all(dim=1)
            parts.append(drawn[moved & ended][:missing])
            missing -= len(parts[-1])
            tried, lost = tried + many, lost + int((~ended).sum())
            if missing == 0 or (tried > _ENOUGH and missing > 0.9 * count):
                break
        if missing:
            raise DataError(
                f"billiards: {missing} of {count} pairs are missing after {tried} draws: "
                + (
                    f"most of them take more than events={self.config.events}; more events, less "
                    "speed, or more deceleration"
                    if 2 * lost > tried
                    else "the cue ball hardly ever reaches the object ball; more speed, or less "
                    "deceleration"
                )
            )
        places = [part.context["balls"] for part in parts if part.context]
        return Pairs(
            torch.cat([part.x for part in parts]),
            torch.cat([part.y for part in parts]),
            {"balls": torch.cat(places)},
        )

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the table, the best candidate's paths, and where the object ball ends by others."""
        places = self._layouts(1, context).cpu().double()
        mask = responses.isfinite().all(dim=1)
        paths = None
        if bool(mask.any()):
            first = designs[mask][:1].cpu().double()
            paths = itinerary(places, _pushed(first, places), self.table, self.config.events)[:, 0]
        return draw_table(axes, self.table, places[0], target, responses[mask], paths)


def _pushed(x: Tensor, places: Tensor) -> Tensor:
    """Velocities (N, n, 2): the cue ball has the design, the others none."""
    still = torch.zeros_like(places[:, 1:])
    return torch.cat([x[:, None], still], dim=1)


def _final(x: Tensor, places: Tensor, table: Table, events: int) -> Tensor:
    """Final places of the object ball (N, 2) in x's type; NaN where there is none."""
    mask = (x.isfinite().all(dim=1) & _lie_well(places.detach(), table))[:, None]
    # Substitute before computing: a where() at the end alone would leave NaN in the gradients.
    push = torch.where(mask, x, 0.0).to(torch.float64)
    ends = roll(places, _pushed(push, places), table, events)[:, OBJECT]
    # Adding nothing: a ball that nothing can reach depends on the design too, with gradient zero.
    return torch.where(mask, ends + 0.0 * push, torch.nan).to(x.dtype)


def _lie_well(places: Tensor, table: Table) -> Tensor:
    """Which layouts (N, n, 2) have all balls on the table and none in another."""
    slack = _SLACK * table.radius
    low = table.radius - slack
    high = places.new_tensor([table.length, table.width]) - low
    inside = ((places >= low) & (places <= high)).all(dim=2).all(dim=1)
    one, two = torch.triu_indices(places.shape[1], places.shape[1], 1, device=places.device)
    far = (places[:, one] - places[:, two]).norm(dim=2) >= 2 * low
    return inside & far.all(dim=1)

"""Tiny tasks for the kit: their forward systems cost nothing, and their units are awkward."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.base.seeding import generator
from invcore.base.types import Context
from invcore.configs.config import Config
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.task import Modes, Task
from invcore.data.pairs import Splits, rows_of
from invcore.spaces.constraints.kinds import Constraint, Levels, LinearEquality, Periodic
from invcore.spaces.priors import (
    Categorical,
    Integers,
    LogUniform,
    Prior,
    TruncatedNormal,
    Uniform,
)
from invcore.spaces.space import Grid, Space, Variable

EDGE = 2.0**-33
"""How near points come to the faces of the unit cube."""


def space(
    grid: Grid | None = None, constraints: Sequence[Constraint] = (), /,
    **priors: Prior | tuple[float, float] | None,
) -> Space:  # fmt: skip
    """A space from its variables' priors, by name; two numbers are the ends of a uniform one."""
    variables = []
    for name, value in priors.items():
        prior = Uniform(low=value[0], high=value[1]) if isinstance(value, tuple) else value
        variables.append(Variable(name=name, prior=prior))
    return Space.of(*variables, grid=grid, constraints=constraints)


class Bowl(Task[Config]):
    """Two designs to one response: y = 20 + 6 (x1 - 0.5)² + 2 x2, with two branches in x1."""

    free_calls = True
    designs = space(x1=(-1.0, 2.0), x2=TruncatedNormal(mean=0.0, std=0.5, low=-1.0, high=1.0))
    responses = space(y=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """The bowl."""
        return 20 + 6 * (x[:, :1] - 0.5).square() + 2 * x[:, 1:]


class Twist(Task[Config]):
    """Three designs to two responses whose scales are a thousand apart."""

    free_calls = True
    designs = space(angle=(0.0, 3.0), radius=(10.0, 20.0), shift=(-0.001, 0.001))
    responses = space(u=None, v=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """A point on a circle, and its shift."""
        angle, radius, shift = x.unbind(dim=1)
        return torch.stack([radius * angle.cos(), 0.001 * angle.sin() + shift], dim=1)

    def modes(self, targets: Tensor, designs: Tensor) -> Modes:
        """One curve each: along it, angle and shift are monotone functions of the radius."""
        finite = designs.isfinite().all(dim=2)
        return Modes(torch.ones(len(targets), dtype=torch.long), finite.long() - 1)


class Mixed(Task[Config]):
    """A length, a number of layers and a material to a thickness."""

    free_calls = True
    designs = space(
        length=(0.5, 2.0),
        layers=Integers(low=1, high=4),
        material=Categorical(categories=("air", "glass", "gold")),
    )
    responses = space(y=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Length times layers, and an offset of the material."""
        return x[:, :1] * x[:, 1:2] + 3 * x[:, 2:]


class Line(Task[Config]):
    """One design to one response, growing."""

    free_calls = True
    designs = space(x=(-2.0, 2.0))
    responses = space(y=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """A cubic."""
        return x + 0.2 * x**3


class Tiles(Task[Config]):
    """Images of 8 × 8 pixels to the mean product of pixels side by side, wherever they are cut."""

    free_calls = True
    designs = space(
        Grid(rows=8, columns=8, periodic=True, mirrors=True),
        **{f"r{i // 8}c{i % 8}": (0.0, 1.0) for i in range(64)},
    )
    responses = space(y=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """The mean product."""
        images = x.unflatten(1, (8, 8))
        return (images * images.roll(1, 2)).mean((1, 2))[:, None]


class Blend(Task[Config]):
    """Shares of a whole, a size with levels, an angle and a length of any magnitude to a colour."""

    free_calls = True
    designs = space(
        None, (
            LinearEquality(coefficients={"red": 1.0, "green": 1.0, "blue": 1.0}, value=1.0),
            Levels(variable="size", values=(0.5, 1.0, 3.0)),
            Periodic(variable="angle", low=0.0, high=360.0),
        ),
        red=(0.0, 1.0), green=(0.0, 1.0), blue=(0.0, 1.0), size=(0.0, 4.0), angle=(0.0, 360.0),
        length=LogUniform(low=0.01, high=10.0),
    )  # fmt: skip
    responses = space(y=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """A colour, with a hue of the angle and a gloss of the length."""
        red, green, _, size, angle, length = x.unbind(dim=1)
        hue = torch.deg2rad(angle).cos()
        return (2 * red - green + 0.3 * size + 0.5 * hue + 0.2 * length.log())[:, None]


class Limited(Task[Config]):
    """Two lengths and three parts, of which some sums, combinations and counts are not allowed."""

    free_calls = True
    designs = Space.of(
        *space(a=(0.0, 1.0), b=(0.0, 2.0), p=(0.0, 1.0), q=(0.0, 1.0), r=(0.0, 1.0)).variables,
        Variable(name="kind", prior=Categorical(categories=("plain", "rough"))),
        constraints=[
            "a + b <= 1.5", "if kind == rough then a >= 0.5 and b <= 0.8", "at most 2 of p, q, r",
        ],
    )  # fmt: skip
    responses = space(y=None)

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """A sum with a product."""
        a, b, p, q, r, kind = x.unbind(dim=1)
        return (2 * a - b + p + 0.5 * q * r + 0.3 * kind)[:, None]


class Known(Task[Config]):
    """One response that a known offset shifts, and a known pair of numbers that does nothing."""

    free_calls = True
    designs = space(x1=(-1.0, 1.0), x2=(-1.0, 1.0))
    responses = space(y=None)
    context_shapes = {"offset": (), "idle": (1, 2)}

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """A sum."""
        if context is None:
            raise DataError("kit-known: the context is missing")
        return (x[:, 0] + 0.2 * x[:, 1] + context["offset"].to(x))[:, None]

    def contexts(self, count: int, generator: torch.Generator) -> Context:
        """Uniform numbers."""
        draws = 2 * torch.rand(count, 3, generator=generator, dtype=torch.float64) - 1
        return {"offset": draws[:, 0], "idle": draws[:, None, 1:]}


@dataclass(frozen=True)
class Case(Splits):
    """A task with its data: the responses of ``test`` are the targets."""

    name: str
    task: Task[Any]

    @property
    def problem(self) -> Problem:
        """What a method may know."""
        task = self.task
        return Problem(
            f"kit-{self.name}", task.designs, task.responses, task.differentiable, task.stochastic
        )

    def designs_inside(self, count: int) -> Tensor:
        """Designs of the test part, moved away from the bounds a little."""
        unit = self.task.designs.to_unit(self.test.x[:count])
        return self.task.designs.from_unit(0.1 + 0.8 * unit)

    def targets(self, count: int) -> Targets:
        """The first test responses."""
        return Targets(self.test.y[:count].clone(), rows_of(self.test.context, slice(count)))


_SMALL = {"train": 12, "val": 3}
_TASKS: dict[str, Callable[[], Task[Any]]] = {"small": Bowl} | {
    task.__name__.lower(): task for task in (Bowl, Twist, Mixed, Line, Tiles, Known, Blend, Limited)
}


def case(name: str) -> Case:
    """``bowl``, ``twist``, ``mixed``, ``line``, ``tiles``, ``known``, ``blend``, ``limited``, or
    ``small``: a bowl of 12 + 3 pairs; or ``parted``: a line of whose pairs none has a response near
    zero.
    """
    # Drawn anew each time: a bad plugin that writes into its pairs spoils its own alone.
    parted = name == "parted"
    task = Line() if parted else _TASKS[name]()
    sizes = {"train": 240, "val": 60, "test": 24} | (_SMALL if name == "small" else {})
    train, val, test = (
        task.pairs(count, generator(7, "kit", name, part)) for part, count in sizes.items()
    )
    if parted:
        train, val = (part[part.y[:, 0].abs() > 0.25] for part in (train, val))
    return Case(train, val, test, name, task)


def unit_points(targets: int, count: int, dim: int, seed: int = 0) -> Tensor:
    """Points in the open unit cube: (targets, count, dim), float64."""
    shape, source = (targets, count, dim), generator(seed, "kit-points")
    return torch.rand(shape, generator=source, dtype=torch.float64).clamp(EDGE, 1 - EDGE)

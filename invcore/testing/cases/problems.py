"""Tiny tasks for the kit: their forward systems cost nothing, and their units are awkward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.base.seeding import generator
from invcore.base.types import Context
from invcore.configs.config import Config
from invcore.contracts.method import Problem, Targets
from invcore.contracts.task import Modes, Task
from invcore.data.pairs import Pairs, rows_of
from invcore.spaces.priors import Categorical, Integers, TruncatedNormal, Uniform
from invcore.spaces.space import Grid, Space, Variable


class Bowl(Task[Config]):
    """Two designs to one response: y = 20 + 6 (x1 - 0.5)² + 2 x2, with two branches in x1."""

    designs = Space.of(
        Variable(name="x1", prior=Uniform(low=-1.0, high=2.0)),
        Variable(name="x2", prior=TruncatedNormal(mean=0.0, std=0.5, low=-1.0, high=1.0)),
    )
    responses = Space.of(Variable(name="y"))

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """The bowl."""
        return 20 + 6 * (x[:, :1] - 0.5).square() + 2 * x[:, 1:]


class Twist(Task[Config]):
    """Three designs to two responses whose scales are a thousand apart."""

    designs = Space.of(
        Variable(name="angle", prior=Uniform(low=0.0, high=3.0)),
        Variable(name="radius", prior=Uniform(low=10.0, high=20.0)),
        Variable(name="shift", prior=Uniform(low=-0.001, high=0.001)),
    )
    responses = Space.of(Variable(name="u"), Variable(name="v"))

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

    designs = Space.of(
        Variable(name="length", prior=Uniform(low=0.5, high=2.0)),
        Variable(name="layers", prior=Integers(low=1, high=4)),
        Variable(name="material", prior=Categorical(categories=("air", "glass", "gold"))),
    )
    responses = Space.of(Variable(name="y"))

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Length times layers, and an offset of the material."""
        return x[:, :1] * x[:, 1:2] + 3 * x[:, 2:]


class Line(Task[Config]):
    """One design to one response, growing."""

    designs = Space.of(Variable(name="x", prior=Uniform(low=-2.0, high=2.0)))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """A cubic."""
        return x + 0.2 * x**3


class Tiles(Task[Config]):
    """Images of 8 × 8 pixels to the mean product of pixels side by side, wherever they are cut."""

    designs = Space.of(
        *(
            Variable(name=f"r{row}c{column}", prior=Uniform(low=0.0, high=1.0))
            for row in range(8)
            for column in range(8)
        ),
        grid=Grid(rows=8, columns=8, periodic=True, mirrors=True),
    )
    responses = Space.of(Variable(name="y"))

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """The mean product."""
        images = x.unflatten(1, (8, 8))
        return (images * images.roll(1, 2)).mean((1, 2))[:, None]


class Known(Task[Config]):
    """One response that a known offset shifts, and a known pair of numbers that does nothing."""

    designs = Space.of(
        Variable(name="x1", prior=Uniform(low=-1.0, high=1.0)),
        Variable(name="x2", prior=Uniform(low=-1.0, high=1.0)),
    )
    responses = Space.of(Variable(name="y"))
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
class Case:
    """A task with its data.

    Args:
        name: for messages.
        task: the forward system.
        train: to learn from.
        val: to choose a checkpoint with.
        test: whose responses are the targets.
    """

    name: str
    task: Task[Any]
    train: Pairs
    val: Pairs
    test: Pairs

    @property
    def problem(self) -> Problem:
        """What a method may know."""
        return Problem(
            f"kit-{self.name}",
            self.task.designs,
            self.task.responses,
            self.task.differentiable,
        )

    def targets(self, count: int) -> Targets:
        """The first test responses."""
        return Targets(self.test.y[:count].clone(), rows_of(self.test.context, slice(count)))


_TASKS: dict[str, Callable[[], Task[Any]]] = {
    "bowl": Bowl,
    "twist": Twist,
    "mixed": Mixed,
    "line": Line,
    "tiles": Tiles,
    "small": Bowl,
    "known": Known,
}


def case(name: str) -> Case:
    """``bowl``, ``twist``, ``mixed``, ``line``, ``tiles``, ``known``, or ``small``: a bowl of
    12 + 3 pairs.
    """
    # Drawn anew each time: a bad plugin that writes into its pairs spoils its own alone.
    task = _TASKS[name]()
    train, val = (12, 3) if name == "small" else (240, 60)
    draws = [
        task.pairs(count, generator(7, "kit", name, part))
        for part, count in (("train", train), ("val", val), ("test", 24))
    ]
    return Case(name, task, *draws)


def unit_points(targets: int, count: int, dim: int, seed: int = 0) -> Tensor:
    """Points in the open unit cube: (targets, count, dim), float64."""
    shape = (targets, count, dim)
    points = torch.rand(shape, generator=generator(seed, "kit-points"), dtype=torch.float64)
    return points.clamp(2.0**-33, 1 - 2.0**-33)

"""The cases of ``kinds.py``: wishes, constraints, and the task that constraints are asked of."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import torch
from torch import Tensor

from invcore import (
    Categorical,
    Component,
    Integers,
    Periodic,
    Requirement,
    Space,
    Specification,
    Uniform,
    Variable,
    hookimpl,
)
from invcore.plugin import Config, Field, Task, generator

TARGETS = 40

CONSTRAINTS: dict[str, tuple[Any, ...]] = {
    "none": (),
    "sum": ("a + b + c + d == 1.6",),
    "inequality": ("a + 2*b <= 1",),
    "order": ("a <= b <= c <= d",),
    "fixed": ("c == 0.3",),
    "levels": ("a in {0, 0.25, 0.5, 1}", "b in {0.1, 0.9}"),
    "list": ("(a == 0.2 and b == 0.8) or (a == 0.7 and b == 0.1) or (a == 0.9 and b == 0.9)",),
    "periodic": (Periodic(variable="phi", low=0.0, high=360.0),),
    "categories": ("kind in {A, C}",),
    "integers": ("n >= 3",),
    "condition": ("if kind == B then 0.2 <= a <= 0.4",),
    "forbidden": ("not (kind == A and n >= 3)",),
    "few non-zero": ("at most 2 of a, b, c, d",),
    "nonlinear": ("a*b + c^2 <= 0.3",),
    "several": (
        "a + b + c + d == 1",
        "at most 3 of a, b, c, d",
        "a <= b",
        "if n > 3 then d >= 0.2",
    ),
}


class MachineConfig(Config):
    """Which constraints its designs have."""

    constraint: str = Field("none", description="A kind: see CONSTRAINTS.")


class Machine(Task[MachineConfig]):
    """A smooth function of four settings, an angle, a count and a kind, made up for this."""

    Config = MachineConfig
    responses = Space.of(Variable(name="y1"), Variable(name="y2"))
    free_calls = True

    @property
    def designs(self) -> Space:
        """With the constraints of the config."""
        parts = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abcd"]
        return Space.of(
            *parts,
            Variable(name="phi", prior=Uniform(low=0.0, high=360.0)),
            Variable(name="n", prior=Integers(low=1, high=6)),
            Variable(name="kind", prior=Categorical(categories=("A", "B", "C"))),
            constraints=CONSTRAINTS[self.config.constraint],
        )

    def simulate(self, x: Tensor, context: Any = None) -> Tensor:
        """Responses (N, 2) of designs (N, 7)."""
        a, b, c, d, phi, n, kind = x.unbind(1)
        turn, shift = torch.deg2rad(phi), torch.stack([0 * kind, kind * 0.7, kind.square() * 0.2])
        shift = shift.gather(0, kind.round().long().clamp(0, 2)[None])[0]
        first = (a + shift - 0.5).square() + b * torch.sin(3 * c + turn) + 0.1 * n
        second = torch.exp(-d) * (1 + a * b) + 0.3 * torch.cos(turn) * c + 0.2 * shift
        return torch.stack([first, second], dim=1)


def plugins() -> Any:
    """The installed ones, and this file's task."""
    from invcore.registry.loader import Plugins

    module: Any = types.ModuleType("kinds_tasks")
    module.API_VERSION, module.Machine = 1, Machine
    components = [Component("machine", "Made up, with constraints.", "kinds_tasks:Machine")]
    module.invcore_tasks = hookimpl(lambda: components)
    sys.modules["kinds_tasks"] = module
    own = EntryPoint("kinds", "kinds_tasks", "invcore")
    return Plugins([*entry_points(group="invcore"), own])


@cache
def truths(task: str, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Fresh test responses of a task (B, Dy), many of its responses, and their deviations."""
    from invcore.registry.loader import installed

    own = Machine() if task == "machine" else installed().registry.load("task", task)()
    fresh = own.pairs(TARGETS, generator(seed, "kinds", "targets")).y
    many = own.pairs(4000, generator(seed, "kinds", "many")).y
    return fresh, many, many.std(dim=0)


def wishes(seed: int) -> dict[str, tuple[str, list[Specification]]]:
    """The specifications of each kind, and the task that they are asked of."""
    fresh, many, spread = truths("robotic-arm", seed)
    s = spread.tolist()

    def rows(make: Callable[[float, float], dict[str, Requirement]]) -> list[Specification]:
        return [Specification.of(make(*row)) for row in fresh.tolist()]

    def near(value: float, width: float) -> Requirement:
        return Requirement(low=value - width, high=value + width)

    best, _, width = truths("machine", seed)
    w = width.tolist()

    def goals(make: Callable[[float, float], dict[str, Requirement]]) -> list[Specification]:
        return [Specification.of(make(*row)) for row in best.tolist()]

    level = many.quantile(torch.tensor([0.005, 0.95], dtype=many.dtype), dim=0).tolist()
    arm = "robotic-arm"
    return {
        "exact": (arm, rows(lambda a, b: {"y1": Requirement.exact(a), "y2": Requirement.exact(b)})),
        "between": (arm, rows(lambda a, b: {"y1": near(a, s[0] / 10), "y2": near(b, s[1] / 10)})),
        "between, no row": (
            arm, rows(lambda a, b: {"y1": near(a, s[0] / 100), "y2": near(b, s[1] / 100)})
        ),
        "one free": (arm, rows(lambda a, b: {"y2": near(b, s[1] / 100)})),
        "at least": (
            arm, rows(lambda a, b: {"y2": Requirement(low=level[1][1]), "y1": near(a, 2 * s[0])})
        ),
        "at most": (
            arm, rows(lambda a, b: {"y1": Requirement(high=level[0][0]), "y2": near(b, s[1])})
        ),
        "weights, tolerances": (
            arm,
            rows(lambda a, b: {
                "y1": Requirement(low=a, high=a, tolerance=s[0] / 20, weight=4.0),
                "y2": Requirement(low=b, tolerance=s[1] / 5),
            }),
        ),
        "minimise": ("machine", goals(lambda a, b: {"y1": Requirement(goal="minimise"),
                                                    "y2": near(b, w[1] / 4)})),
        "maximise": ("machine", goals(lambda a, b: {"y2": Requirement(goal="maximise"),
                                                    "y1": near(a, w[0] / 2)})),
        "two goals": ("machine", goals(lambda a, b: {"y1": Requirement(goal="minimise"),
                                                     "y2": Requirement(goal="maximise")})),
        "envelope": ("thin-film", envelopes(seed)),
    }  # fmt: skip


def envelopes(seed: int) -> list[Specification]:
    """Masks of a tenth of a standard deviation on a fifth of each test spectrum."""
    from invcore.registry.loader import installed

    fresh, _, spread = truths("thin-film", seed)
    names = installed().registry.load("task", "thin-film")().responses.names
    width, found = len(names) // 5, []
    for row, curve in enumerate(fresh.tolist()):
        first = (37 * row) % (len(names) - width)
        found.append(Specification.of({
            names[i]: Requirement(low=curve[i] - float(spread[i]) / 10,
                                  high=curve[i] + float(spread[i]) / 10)
            for i in range(first, first + width)
        }))  # fmt: skip
    return found

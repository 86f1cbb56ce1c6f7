"""Runs that do nothing: a task, a method and a sampler whose own work costs nearly no time.

What a bench of them takes is what invcore itself takes for a run: plan, identity, pairs, metrics,
store, record, events and manifest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from invcore import Component, Space, Uniform, Variable, hookimpl
from invcore.plugin import (
    Candidates,
    Config,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Needs,
    Problem,
    Simulator,
    Targets,
    Task,
    installed,
)
from invcore.registry.loader import Plugins

API_VERSION = 1
_NAME = "trivial"


class Sum(Task[Config]):
    """y = a + b."""

    designs = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
        Variable(name="b", prior=Uniform(low=0.0, high=1.0)),
    )
    responses = Space.of(Variable(name="y"))
    free_calls = True

    def simulate(self, x: Tensor, context: Any = None) -> Tensor:
        """The sum."""
        return x.sum(dim=1, keepdim=True)


class Setting(Config):
    """What tells runs of one bench apart."""

    number: int = 0


class Half(InverseMethod[Setting]):
    """Two designs of the same value, moved apart by the points."""

    Config = Setting
    needs = Needs.PAIRS
    trains = False

    def fit(self, problem: Problem, train: Any, val: Any, env: FitEnvironment) -> InverseModel:
        """Nothing is learnt."""
        return HalfModel()

    def restore(self, problem: Problem, state: Any, files: Any = None) -> InverseModel:
        """The same."""
        return HalfModel()


class HalfModel(InverseModel):
    """See ``Half``."""

    point_dim, ranked = 1, False

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment | None = None,
    ) -> Candidates:  # fmt: skip
        """(B, K, 2)."""
        middle = targets.y[:, None, :].double() / 2
        shift = (points - 0.5) * torch.minimum(middle, 1 - middle)
        return Candidates(torch.cat([middle - shift, middle + shift], dim=2))

    def state(self) -> dict[str, Tensor]:
        """A number, since a model has some."""
        return {"nothing": torch.zeros(1)}


@hookimpl
def invcore_tasks() -> list[Component]:
    """The task."""
    return [Component(_NAME, "The sum of two numbers.", f"{__name__}:Sum")]


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [Component(_NAME, "Half and half.", f"{__name__}:Half")]


def plugins() -> Plugins:
    """Those installed, and this one."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules.setdefault("trivial_runs", sys.modules[__name__])
    own = EntryPoint(_NAME, "trivial_runs", "invcore")
    return Plugins([*entry_points(group="invcore"), own])


def bench_text(seeds: Iterable[int], methods: int = 1, judged: Iterable[str] = ("r_T",)) -> str:
    """A bench's file: so many methods with these seeds.

    Args:
        seeds: of the runs.
        methods: that differ in a setting.
        judged: the metrics; others would take longer than all the rest.
    """
    entries = "".join(
        f'[[methods]]\nname = "{_NAME}"\nlabel = "half {n}"\nnumber = {n}\n' for n in range(methods)
    )
    names = {entry.name for entry in installed().registry.entries("metric")} - set(judged)
    left_out = "".join(f"{name} = false\n" for name in sorted(names))
    return (
        f'name = "{_NAME}"\nseeds = {list(seeds)}\nsamplers = ["random"]\ntasks = ["{_NAME}"]\n'
        f'targets = 20\ncandidates = 50\npairs = 100\ndevice = "cpu"\n{entries}'
        f"[metrics]\n{left_out}"
    )

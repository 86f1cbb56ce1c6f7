"""A task and a method that do nothing; `trivial_runs` names them, and is listed without torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore import Space, Uniform, Variable
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
)


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

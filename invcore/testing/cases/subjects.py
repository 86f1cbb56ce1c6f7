"""What the checks look at: a component, its settings, and what has been computed of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from invcore.base.kinds import Kind
from invcore.base.seeding import generator
from invcore.contracts.candidates import Candidates
from invcore.contracts.configurable import Configurable
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseMethod, InverseModel, Needs, Targets
from invcore.contracts.simulator import Simulator
from invcore.pipeline.parts import configured
from invcore.testing.cases.evaluations import Example
from invcore.testing.cases.problems import Case, case
from invcore.testing.check import CheckFailed, require


@dataclass(frozen=True)
class Subject:
    """A component under test.

    Args:
        kind: what it is.
        name: of the component.
        component: its class.
        settings: to make it quick; over the preset.
        preset: ``quick``.
        examples: hand-computed values of a metric; None where nobody was asked for them.
    """

    kind: Kind
    name: str
    component: type[Configurable[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    preset: str = "quick"
    examples: tuple[Example, ...] | None = None
    memory: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, kind: Kind, name: str, component: type[Any], **more: Any) -> Subject:
        """The subject that the checks of this kind expect."""
        return (MethodSubject if kind == "method" else Subject)(kind, name, component, **more)

    def build(self, task: str = "") -> Any:
        """The component, with its settings."""
        where = f"{self.kind} {self.name!r}"
        return configured(self.component, where, self.settings, preset=self.preset, task=task)

    def points(self, count: int, dim: int, seed: int = 0) -> Tensor:
        """A sampler's points, computed once for each argument: (count, dim)."""
        key = ("points", count, dim, seed)
        if key not in self.memory:
            points = self.build().sample(count, dim, generator(seed, "kit"))
            require(isinstance(points, Tensor), f"sample gives {type(points).__name__}")
            self.memory[key] = points
        return self.memory[key].clone()


class MethodSubject(Subject):
    """An inverse method under test; a fit is made once for each case and seed."""

    def fit(self, known: Case, env: FitEnvironment | None = None) -> InverseModel:
        """A new fit."""
        method = self.build(known.problem.name)
        require(isinstance(method, InverseMethod), f"{self.name} is no InverseMethod")
        model = method.fit(known.problem, known.train, known.val, env or FitEnvironment(0))
        if not isinstance(model, InverseModel):
            raise CheckFailed(f"fit gives {type(model).__name__}, expected an InverseModel")
        return model

    def fitted(self, name: str) -> tuple[Case, InverseModel]:
        """A case by name, and its model."""
        if name not in self.memory:
            self.memory[name] = self.fit(case(name))
        return case(name), self.memory[name]

    @property
    def uses_simulator(self) -> bool:
        """Whether the method says that it needs the simulator when it proposes."""
        needs: Needs = self.component.needs  # type: ignore[attr-defined]
        return bool(needs & (Needs.SIMULATOR | Needs.GRADIENT))

    def candidates(
        self, known: Case, model: InverseModel, targets: Targets, points: Tensor
    ) -> Candidates:
        """What the model proposes, with a simulator if the method needs one."""
        simulator = Simulator(known.task) if self.uses_simulator else None
        found = model.propose(targets, points, simulator=simulator)
        if not isinstance(found, Candidates):
            raise CheckFailed(f"propose gives {type(found).__name__}, expected Candidates")
        return found

    def designs(self, known: Case, model: InverseModel, targets: Targets, points: Tensor) -> Tensor:
        """The proposed designs as the runner keeps them: (B, K, Dx), float64, on the CPU."""
        x = self.candidates(known, model, targets, points).x
        expected = (len(targets), points.shape[1], known.task.designs.dim)
        require(
            tuple(x.shape) == expected,
            f"candidates have shape {tuple(x.shape)}, expected (B, K, Dx) = {expected}",
        )
        require(x.is_floating_point(), f"candidates have type {x.dtype}, expected floating")
        return x.detach().cpu().to(torch.float64)

"""What the checks look at: a component, its settings, and what has been computed of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from invcore.base.component_kinds import Kind
from invcore.base.types import Context, Files
from invcore.configs.configurable import Configurable
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseMethod, InverseModel, Needs
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.pipeline.components import configured
from invcore.testing.cases.comparison import same_sets
from invcore.testing.cases.evaluations import Example
from invcore.testing.cases.fresh_process import prepare
from invcore.testing.cases.problems import Case, case, unit_points
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


class MethodSubject(Subject):
    """An inverse method under test; a fit is made once for each case and seed."""

    def fit(
        self, example: Case, env: FitEnvironment | None = None, *, method: Any = None
    ) -> InverseModel:
        """A new fit, by a new instance of the method unless one is given."""
        method = method or self.build(example.problem.name)
        require(isinstance(method, InverseMethod), f"{self.name} is no InverseMethod")
        model = method.fit(example.problem, example.train, example.val, env or FitEnvironment(0))
        if not isinstance(model, InverseModel):
            raise CheckFailed(f"fit gives {type(model).__name__}, expected an InverseModel")
        return model

    def fitted(self, name: str) -> InverseModel:
        """The model of a case, by the case's name; a fit that failed fails again, at once."""
        if not self.memory:
            prepare(self.component)  # it is ready by the time that it is asked
        if name not in self.memory:
            try:
                self.memory[name] = self.fit(case(name))
            except Exception as error:
                self.memory[name] = error
                raise
        model = self.memory[name]
        if isinstance(model, Exception):
            raise model
        return model

    @property
    def uses_simulator(self) -> bool:
        """Whether the method says that it needs the simulator when it proposes."""
        needs: Needs = self.component.needs  # type: ignore[attr-defined]
        return bool(needs & (Needs.SIMULATOR | Needs.GRADIENT))

    def ask(
        self, name: str, targets: int, count: int, model: InverseModel | None = None
    ) -> Question:
        """``count`` candidates for the first targets of a case; of the fitted model by default."""
        model, example = self.fitted(name) if model is None else model, case(name)
        points = unit_points(targets, count, model.point_dim)
        return Question(self, example, model, example.targets(targets), points)

    def ask_both(self, targets: int, count: int) -> Iterator[Question]:
        """The question of one response, and that of two."""
        for name in ("bowl", "twist"):
            yield self.ask(name, targets, count)


@dataclass(frozen=True)
class Question:
    """What a model is asked: B targets of a case, points (B, K, L). Each look asks it anew."""

    subject: MethodSubject
    case: Case
    model: InverseModel
    targets: Targets
    points: Tensor

    def propose(self, simulator: Simulator | None = None) -> Candidates:
        """What the model proposes, with a simulator if the method needs one or one is given."""
        if simulator is None and self.subject.uses_simulator:
            simulator = Simulator(self.case.task)
        answer = self.model.propose(
            self.targets, self.points, simulator=simulator, env=FitEnvironment()
        )
        if not isinstance(answer, Candidates):
            raise CheckFailed(f"propose gives {type(answer).__name__}, expected Candidates")
        return answer

    def log_density(self, designs: Tensor) -> Tensor | None:
        """What the model says of a design for each target: (B,) of (B, Dx); None without one."""
        return self.model.log_density(self.targets, designs)

    def designs(self) -> Tensor:
        """The proposed designs as the runner keeps them: (B, K, Dx), float64, on the CPU."""
        x = self.propose().x
        shape = tuple(x.shape)
        expected = (len(self.targets), self.points.shape[1], self.case.task.designs.dim)
        fault = f"candidates have shape {shape}, expected (B, K, Dx) = {expected}"
        require(shape == expected, fault)
        require(x.is_floating_point(), f"candidates have type {x.dtype}, expected floating")
        return x.detach().cpu().to(torch.float64)

    def allowed(self, x: Tensor) -> Tensor:
        """Which of the proposed designs are allowed: (B, K)."""
        return self.case.task.designs.contains(x)

    def responses(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Those of the proposed designs: (B, K, Dy)."""
        return self.case.task.simulate(x.flatten(0, 1), context).unflatten(0, x.shape[:2])

    def rows(self, rows: Tensor | slice) -> Question:
        """The question of some targets alone; without a context."""
        some = self.targets[rows]
        parts = (getattr(some, name) for name in Targets.parts)
        plain = Targets(some.low) if some.exact else Targets.of_parts(*parts)
        return replace(self, targets=plain.measured_in(some.spread), points=self.points[rows])

    def restored(self, state: Mapping[str, Tensor], files: Files | None = None) -> Question:
        """The same question to the model that the method restores from a state, and its files."""
        problem = self.case.problem
        method = self.subject.build(problem.name)
        files = dict(self.model.files()) if files is None else files
        return replace(self, model=method.restore(problem, dict(state), files))

    def require(self, condition: bool | Tensor, message: str) -> None:
        """Fail the check unless the condition holds; the message begins with the case's name."""
        require(condition, f"{self.case.name}: {message}")

    def same_sets(self, a: Tensor, b: Tensor, message: str) -> None:
        """Fail the check unless two answers have nearly the same candidates."""
        same_sets(self.case.task.designs, a, b, f"{self.case.name}: {message}")

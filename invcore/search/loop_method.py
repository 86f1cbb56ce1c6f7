"""Any loop is an inverse method: here it is driven on the counted simulator."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from invcore.base.types import Files
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.loop import Loop, Results, StartedLoop, no_pairs
from invcore.contracts.method import InverseMethod, InverseModel, Needs
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs, rows_of
from invcore.search.on_simulator import search_in_batches

_PAIRS = "pairs."


class LoopMethod(InverseMethod[Any]):
    """A loop as a method: a fit keeps how responses scale, and the pairs if the loop learns."""

    trains = False
    loop: ClassVar[type[Loop[Any]]]

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> LoopModel:
        """Take the responses' variances, in which errors are measured, and what is known."""
        variance = train.y.double().var(dim=0, correction=0)
        state = {"variance": variance}
        if Needs.PAIRS in self.needs:
            state |= {f"{_PAIRS}x": train.x, f"{_PAIRS}y": train.y}
            context = train.context or {}
            state |= {f"{_PAIRS}context.{name}": value for name, value in context.items()}
        return self.restore(problem, {name: value.to(env.device) for name, value in state.items()})

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> LoopModel:
        """The loop with what its fit has kept; of earlier versions, the mean variance alone."""
        if "variance" not in state and "scale" in state:
            state = {"variance": state["scale"].reshape(1)}
        return LoopModel(self.loop(self.config), problem, state)


class LoopModel(InverseModel):
    """A loop with what is known of the responses; candidates are sorted by simulated errors."""

    ranked = True

    def __init__(self, loop: Loop[Any], problem: Problem, state: dict[str, Tensor]) -> None:
        self._loop, self._problem, self._state = loop, problem, state
        self.point_dim, self.answers = loop.point_dim(problem), loop.answers
        self.joint = loop.joint

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Search from every point; ``predicted`` are the simulated responses.

        Raises:
            ConfigError: no simulator is given.
            ShapeError: sizes do not match.
        """
        self.check_sizes(targets, points, self._problem.responses.dim)
        device, variance = self._state["variance"].device, self._state["variance"].cpu()

        def answer(targets: Targets, points: Tensor, simulator: Simulator) -> Candidates:
            loop = self._loop.start(
                self._problem, targets, self._pairs, points, env, variance=variance
            )
            drive(loop, simulator, targets.to(device))
            return _repeated(loop.best(points.shape[1]))

        return search_in_batches(
            type(self._loop).__name__, answer, targets, points, simulator,
            numbers=self._loop.numbers(self._problem),
        )  # fmt: skip

    @property
    def _pairs(self) -> Pairs:
        if f"{_PAIRS}x" not in self._state:
            return no_pairs(self._problem)
        begin = f"{_PAIRS}context."
        context = {
            name.removeprefix(begin): value.cpu()
            for name, value in self._state.items()
            if name.startswith(begin)
        }
        x, y = (self._state[f"{_PAIRS}{part}"].cpu() for part in "xy")
        return Pairs(x, y, context or None)

    def state(self) -> dict[str, Tensor]:
        """The responses' variances, and the pairs if the loop learns from them."""
        return dict(self._state)


def _repeated(best: Candidates) -> Candidates:
    """The same, the best design in the place of those that a search with few calls lacks."""
    lacking = best.x.isnan().any(dim=2, keepdim=True)
    predicted = best.predicted
    if predicted is not None:
        predicted = torch.where(lacking, predicted[:, :1], predicted)
    return replace(best, x=torch.where(lacking, best.x[:, :1], best.x), predicted=predicted)


@torch.no_grad()
def drive(loop: StartedLoop, simulator: Simulator, targets: Targets) -> None:
    """Simulate what a loop asks for until it asks for no more.

    Args:
        loop: at work on ``targets``.
        simulator: told for which of the targets each row is.
        targets: B of them, where the simulator works.

    Raises:
        BudgetError: the simulator's budget has ended.
    """
    device = targets.low.device
    while len(requests := loop.ask()):
        whose = requests.target
        context = None if whose is None else rows_of(targets.context, whose)
        y = simulator(requests.designs.to(device), context, whose).to(requests.designs)
        loop.tell(Results(requests.id, requests.designs, y, ~y.isfinite().all(dim=1)))


@cache
def method_of(loop: type[Loop[Any]]) -> type[LoopMethod]:
    """The inverse method that a loop is.

    Example:
        >>> from invcore.plugin import installed
        >>> method_of(installed().registry.load("loop", "random-search")).needs
        <Needs.SIMULATOR: 2>
    """
    facts = {
        "loop": loop, "Config": loop.Config, "needs": loop.needs,
        "answers": loop.answers, "uses_context": loop.uses_context, "__doc__": loop.__doc__,
        "__module__": loop.__module__,
    }  # fmt: skip
    return type(loop.__name__, (LoopMethod,), facts)


def mean_variance(variance: Tensor | None) -> float:
    """The responses' mean variance, in which loops measure errors; 1 where it is of no use."""
    value = 1.0 if variance is None else float(variance.double().mean())
    return value if math.isfinite(value) and value > 0 else 1.0

"""What the six methods share: nothing is learnt, and starts are moved on the simulator itself."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, TypeVar

import torch
from torch import Tensor

from invcore.plugin import (
    SILENT,
    BudgetError,
    Candidates,
    Config,
    ConfigError,
    Files,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Needs,
    Pairs,
    Problem,
    Simulator,
    Targets,
)
from invcore_optimisers.evaluation import Objective
from invcore_optimisers.minimum import Minimum
from invcore_optimisers.problem import Problems, Result

C = TypeVar("C", bound=Config)
B = TypeVar("B", bound=Config)
_NUMBERS = 1 << 25  # that the state of a batch of problems may hold


class Search(InverseMethod[C]):
    """A method that moves each start on the simulator; a fit takes the responses' scale alone."""

    needs = Needs.SIMULATOR
    trains = False
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> SearchModel:
        """Take the mean variance of the responses, in which errors are measured."""
        variance = float(train.y.double().var(dim=0, correction=0).mean())
        usable = math.isfinite(variance) and variance > 0
        scale = torch.tensor(variance if usable else 1.0, dtype=torch.float64)
        return SearchModel(self, problem, scale.to(env.device))

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> SearchModel:
        """Rebuild the model from its scale."""
        return SearchModel(self, problem, state["scale"])

    def numbers(self, dim: int) -> int:
        """How many numbers the state of one problem of ``dim`` variables holds."""
        return 16 * (dim + 1)

    @abstractmethod
    def search(
        self, simulator: Simulator, problem: Problem, targets: Targets, points: Tensor, scale: float
    ) -> Result:
        """Look for the best design of each target from each point.

        Args:
            simulator: of the task.
            problem: its spaces.
            targets: B of them.
            points: (B, K, Dx), in the unit cube.
            scale: the responses' mean variance.

        Returns:
            Of N = B K problems, one below the other.
        """


class GradientSearch(Search[B]):
    """A search that follows the simulator's gradient from each point's design."""

    needs = Needs.SIMULATOR | Needs.GRADIENT

    @abstractmethod
    def minimise(self, objective: Objective, start: Tensor) -> Minimum:
        """Minimise from all starts (N, D)."""

    def search(
        self, simulator: Simulator, problem: Problem, targets: Targets, points: Tensor, scale: float
    ) -> Result:
        """Move all starts in one batch."""
        space = problem.designs
        problems = Problems(simulator, space, targets, space.from_unit(points), scale=scale)
        if not len(problems.movable):
            return problems.result(problems.start)
        return problems.result(self.minimise(problems, problems.start).x)


class SearchModel(InverseModel):
    """A method with the responses' scale; candidates are sorted by their simulated errors."""

    ranked = True

    def __init__(self, method: Search[Any], problem: Problem, scale: Tensor) -> None:
        self._method, self._problem, self._scale = method, problem, scale
        self.point_dim = problem.designs.dim

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
        if simulator is None:
            raise ConfigError(
                f"{type(self._method).__name__} searches on the simulator, and none was given: "
                "it works on tasks, not on tables"
            )
        each, dim = points.shape[1:]
        step = max(1, _NUMBERS // max(1, each * self._method.numbers(dim)))
        parts, there = [], targets.to(self._scale.device)
        for begin in range(0, max(1, len(targets)), step):
            rows = slice(begin, begin + step)
            context = there.context and {k: v[rows] for k, v in there.context.items()}
            part, scale = Targets(there.y[rows], context), float(self._scale)
            parts.append(self._answers(simulator.part(rows), part, points[rows].double(), scale))
        shape = (len(targets), each)
        x, y = (torch.cat([getattr(p, n) for p in parts]).unflatten(0, shape) for n in "xy")
        order = torch.cat([p.error for p in parts]).view(shape).argsort(dim=1, stable=True)
        order = order[..., None]
        return Candidates(x.take_along_dim(order, 1), y.take_along_dim(order, 1))

    def _answers(
        self, simulator: Simulator, targets: Targets, points: Tensor, scale: float
    ) -> Result:
        """What the search finds for some targets; where a budget ends, the best it has simulated.

        Raises:
            BudgetError: a budget ends, and the simulator keeps no designs.
        """
        try:
            return self._method.search(simulator, self._problem, targets, points, scale)
        except BudgetError:
            designs = simulator.best_designs()
            if designs is None:
                raise
            count, dim = points.shape[1], self._problem.responses.dim
            x = torch.full((len(targets), count, designs.shape[2]), torch.nan).double()
            x[:, : designs.shape[1]] = designs[:, :count]
            flat = x.flatten(0, 1)  # best first; that order is kept
            place = torch.arange(count, dtype=torch.float64).repeat(len(targets))
            return Result(flat, torch.full((len(flat), dim), torch.nan).double(), place)

    def state(self) -> dict[str, Tensor]:
        """The responses' scale."""
        return {"scale": self._scale}

"""What the six methods share: nothing is learnt, and starts are moved on the simulator itself."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, TypeVar

import torch
from torch import Tensor

from invcore.plugin import (
    SILENT,
    Answers,
    Candidates,
    Config,
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
from invcore.search import search_in_batches
from invcore_optimisers.evaluation import Objective
from invcore_optimisers.minimum import Minimum
from invcore_optimisers.problem import Problems, Result

C = TypeVar("C", bound=Config)
B = TypeVar("B", bound=Config)


class Search(InverseMethod[C]):
    """A method that moves each start on the simulator; a fit takes the responses' scale alone."""

    needs = Needs.SIMULATOR
    answers = Answers.INTERVALS
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

    answers = Answers.INTERVALS
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
        device, scale = self._scale.device, float(self._scale)

        def answer(targets: Targets, points: Tensor, simulator: Simulator) -> Candidates:
            found = self._method.search(simulator, self._problem, targets.to(device), points, scale)
            x, y, error = (
                part.unflatten(0, points.shape[:2]) for part in (found.x, found.y, found.error)
            )
            order = error.argsort(dim=1, stable=True)[..., None]
            return Candidates(x.take_along_dim(order, 1), y.take_along_dim(order, 1))

        return search_in_batches(
            type(self._method).__name__, answer, targets, points, simulator,
            numbers=self._method.numbers(points.shape[2]),
        )  # fmt: skip

    def state(self) -> dict[str, Tensor]:
        """The responses' scale."""
        return {"scale": self._scale}

"""Forward systems of known mathematics, which remember the rows that they were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.contracts.task import Task
from invcore.search import Refined, refine
from invcore.spaces.priors import Uniform
from invcore.spaces.space import Space, Variable


def unit(*names: str, constraints: Sequence[Any] = ()) -> Space:
    """Variables from 0 to 1."""
    prior = Uniform(low=0.0, high=1.0)
    return Space.of(*(Variable(name=n, prior=prior) for n in names), constraints=constraints)


class Formula(Task[Any]):
    """A function as a task."""

    def __init__(
        self, designs: Space, width: int, function: Callable[[Tensor], Tensor],
        shapes: dict[str, tuple[int, ...]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.designs, self.function = designs, function
        self.responses = Space.of(*(Variable(name=f"y{i}") for i in range(width)))
        self.context_shapes = shapes or {}
        self.asked: list[Tensor] = []

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Responses, and take note of the rows."""
        self.asked.append(x.detach().clone())
        y = self.function(x)
        return y if context is None else y * context["factor"]

    @property
    def rows(self) -> Tensor:
        """All rows that were asked for."""
        return torch.cat(self.asked)


def refined(
    task: Formula, targets: Any, candidates: Any, slopes: Any, calls: int, **more: Any
) -> Refined:
    """A refinement of candidates (B, K, Dx), by slopes: a function, or one matrix (Dy, Dx)."""
    wanted = targets if isinstance(targets, Targets) else Targets(float64(targets))
    problem = Problem("formula", task.designs, task.responses)
    simulator = Simulator(task, targets=wanted)

    def given(x: Tensor, context: Context | None) -> Tensor:
        if callable(slopes):
            return slopes(x, context)  # type: ignore[no-any-return]
        return float64(slopes).expand(len(x), -1, -1)

    return refine(
        problem, wanted, float64(candidates), given, simulator, calls, variance=1.0, **more
    )


def float64(values: Any) -> Tensor:
    """Numbers as a tensor, to all their digits."""
    return torch.as_tensor(values, dtype=torch.float64)

"""A task's simulator as a method may use it: counted, in chunks, within a budget."""

from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import BudgetError, ShapeError
from invcore.base.types import Context
from invcore.contracts.task import Task
from invcore.data.pairs import rows_of

_CHUNK = 1 << 18  # rows a simulator sees at once: bounds memory for a million candidates


class Simulator:
    """A task's simulator as a method may use it: every row is counted, a budget is enforced.

    Args:
        task: whose simulator.
        budget: the most rows that may be simulated; None for no limit.

    Raises:
        BudgetError: by the call that would pass the budget; nothing of it is simulated.
    """

    def __init__(self, task: Task[Any], budget: int | None = None) -> None:
        self._task = task
        self.budget = budget
        self.calls = 0
        self.differentiable = task.differentiable

    def __call__(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Simulate designs (N, Dx), in chunks: responses (N, Dy)."""
        self._task.designs.check(x)
        cost = len(x) * (1 + (self._task.gradient_calls if x.requires_grad else 0))
        if self.budget is not None and self.calls + cost > self.budget:
            raise BudgetError(
                f"{self.calls + cost} simulator calls asked for, the budget is {self.budget}"
            )
        self.calls += cost
        parts = []
        for start in range(0, max(len(x), 1), _CHUNK):
            rows = slice(start, start + _CHUNK)
            parts.append(self._task.simulate(x[rows], rows_of(context, rows)))
        y = torch.cat(parts)
        if y.shape != (len(x), self._task.responses.dim):
            raise ShapeError(
                f"simulate of {type(self._task).__name__}: expected "
                f"({len(x)}, {self._task.responses.dim}), got {tuple(y.shape)}"
            )
        return y

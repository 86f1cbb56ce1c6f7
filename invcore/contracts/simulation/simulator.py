"""A task's simulator as a method may use it: counted, in chunks, within budgets."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import BudgetError, PluginError, ShapeError
from invcore.base.types import Context
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.call_record import CallRecord, History
from invcore.contracts.task import Task
from invcore.data.pairs import rows_of

_CHUNK = 1 << 18  # rows a simulator sees at once: bounds memory for a million candidates
_ROUNDING = 1e-9  # of a share of a call


@dataclass(frozen=True)
class Budget:
    """What a search may spend on each target; None is no limit.

    Args:
        calls: simulator calls; a row that is given for all targets counts its share for each.
        seconds: wall time, the targets' together.
    """

    calls: int | None = None
    seconds: float | None = None


@dataclass
class _Counts:
    """What a simulator and its parts share."""

    budget: int | None
    calls: int = 0


class Simulator:
    """A task's simulator as a method may use it: every row is counted, budgets are enforced.

    Where it knows the targets, it writes the history of the search itself: say whose row is whose.

    Args:
        task: whose simulator.
        budget: the most rows that may be simulated in all; None for no limit.
        targets: what is wanted, as (B, Dy) where that are exact responses; None where no history is
            wanted. Errors are those of ``Targets.error``.
        scale: the responses' variance, mean over Dy, for the history's levels of exact targets.
        each: what may be spent on each target.
        keep: designs of each target to remember, the best ones.

    Raises:
        BudgetError: by the call that would pass ``budget``, of which nothing is simulated; by one
            when no target has calls, or seconds, of ``each`` left.
    """

    def __init__(
        self, task: Task[Any], budget: int | None = None, *,
        targets: Tensor | Targets | None = None, scale: float = 1.0, each: Budget | None = None,
        keep: int = 0,
    ) -> None:  # fmt: skip
        self._task = task
        self._counts = _Counts(budget)
        self.differentiable = task.differentiable
        self.record = None if targets is None else CallRecord(targets, scale)
        self._each = each or Budget()
        if self.record is not None:
            self.record.keep = keep

    def __call__(
        self, x: Tensor, context: Context | None = None, target: Tensor | None = None
    ) -> Tensor:
        """Simulate designs (N, Dx), in chunks: responses (N, Dy).

        Args:
            x: designs.
            context: what is known of each row's problem.
            target: (N,), the place of each row's target among those that ``propose`` was given;
                None for rows that are for all targets alike.

        Returns:
            Responses. A row whose target has no calls left is not simulated, and has none.
        """
        return self._answer(x, context, target)

    def as_made(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Simulate designs (N, Dx) that are what they are: nobody asks whether they are allowed.

        What is made with a tolerance may be a little outside the bounds, or between the levels.
        Rows are counted as ever.
        """
        self._task.designs.check(x)
        self._count(len(x))
        return self._simulate(x, context)

    def _answer(
        self, x: Tensor, context: Context | None, target: Tensor | None, view: Tensor | None = None
    ) -> Tensor:
        """Responses of the rows that budgets allow; ``view``: the targets that are worked on."""
        self._task.designs.check(x)
        if self._task.constrained and len(x):
            good = self._task.feasible(x.detach(), context)
            if not bool(good.all()):  # what cannot be made is not simulated, and costs nothing
                return self._partly(good, x, context, target, view)
        cost = 1 + (self._task.gradient_calls if x.requires_grad else 0)
        granted = self._granted(len(x), target, cost, view)
        if granted is None:
            self._count(len(x) * cost)
            y = self._simulate(x, context)
            self._note(x, y, target, cost)
            return y
        y = x.new_full((len(x), self._task.responses.dim), torch.nan)
        if len(granted):
            self._count(len(granted) * cost)
            some = granted.to(x.device)
            part = self._simulate(x[some], rows_of(context, some))
            self._note(x[some], part, None if target is None else target.cpu()[granted], cost)
            y = y.to(part).index_copy(0, some.to(part.device), part)
        return y

    def _partly(
        self, good: Tensor, x: Tensor, context: Context | None, target: Tensor | None,
        view: Tensor | None,
    ) -> Tensor:  # fmt: skip
        """Responses of the rows that can be made, in the place of all."""
        some = good.nonzero()[:, 0]
        whose = None if target is None else target.to(some.device)[some]
        y = x.new_full((len(x), self._task.responses.dim), torch.nan)
        if not len(some):
            return y
        part = self._answer(x[some], rows_of(context, some), whose, view)
        return y.to(part).index_copy(0, some.to(part.device), part)

    def _note(self, x: Tensor, y: Tensor, target: Tensor | None, cost: int) -> None:
        if self.record is not None:
            self.record.add(y, target, cost=cost, x=x)

    def judge(self) -> Simulator:
        """The same simulator without budgets, its calls counted apart; the history goes on."""
        judge = Simulator(self._task)
        judge.record = self.record
        return judge

    def part(self, rows: slice | Tensor) -> Simulator:
        """The same simulator for some of the targets, whose places begin at 0.

        Args:
            rows: which, (T,) or a slice; a target may be there several times.
        """
        return self if self.record is None else _Part(self, rows)

    def best_designs(self) -> Tensor | None:
        """The best designs that were simulated for each target (B, keep, Dx), NaN for those that
        were not; None where none are kept.
        """
        if self.record is None or not self.record.keep:
            return None
        designs = self.record.designs()
        if designs is None:  # a budget ended before the first call
            shape = (len(self.record.best), self.record.keep, self._task.designs.dim)
            designs = torch.full(shape, torch.nan, dtype=torch.float64)
        return designs

    def history(self) -> History | None:
        """What the calls have brought each target; None where no targets are known."""
        return None if self.record is None else self.record.history()

    @property
    def budget(self) -> int | None:
        """The most rows that may be simulated in all; None for no limit."""
        return self._counts.budget

    @budget.setter
    def budget(self, budget: int | None) -> None:
        self._counts.budget = budget

    @property
    def calls(self) -> int:
        """How many rows were simulated, gradients counted."""
        return self._counts.calls

    @calls.setter
    def calls(self, calls: int) -> None:
        self._counts.calls = calls

    @property
    def calls_left(self) -> int | None:
        """How many rows may still be simulated in all; None for any number."""
        return None if self.budget is None else max(0, self.budget - self.calls)

    def _count(self, calls: int) -> None:
        if self.budget is not None and self.calls + calls > self.budget:
            raise BudgetError(
                f"{self.calls + calls} simulator calls asked for, the budget is {self.budget}"
            )
        self.calls += calls

    def _granted(
        self, rows: int, target: Tensor | None, cost: int, view: Tensor | None
    ) -> Tensor | None:
        """The rows that the targets' budgets allow; None for all of them.

        Raises:
            BudgetError: none of the targets that are worked on has anything left.
        """
        record, each = self.record, self._each
        if record is None or not rows:
            return None
        count = len(record.best)
        if each.seconds is not None and record.seconds > each.seconds * count:
            raise BudgetError(f"the budget of {each.seconds:g} seconds for each target is spent")
        if each.calls is None:
            return None
        left = each.calls - record.own - record.shared / count + _ROUNDING  # (B,)
        if target is None:
            good = torch.arange(min(rows, max(0, int(left.sum() // cost))))
        else:
            owner = target.cpu()
            order = owner.argsort(stable=True)
            sizes = torch.bincount(owner, minlength=count)
            place = torch.empty_like(owner)  # of each row among those of its target
            place[order] = torch.arange(rows) - (sizes.cumsum(0) - sizes)[owner[order]]
            good = (cost * (place + 1) <= left[owner]).nonzero()[:, 0]
        if not len(good) and not bool((left if view is None else left[view]).ge(cost).any()):
            raise BudgetError(f"the budget of {each.calls} simulator calls a target is spent")
        return None if len(good) == rows else good

    def _simulate(self, x: Tensor, context: Context | None) -> Tensor:
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


class _Part(Simulator):
    """A simulator for some of the targets: all is counted and recorded by the whole one."""

    def __init__(self, whole: Simulator, rows: slice | Tensor) -> None:
        self._whole, self._task, self._counts = whole, whole._task, whole._counts
        self.record = whole.record
        assert whole.record is not None
        self._rows = torch.arange(len(whole.record.best))[rows]
        self.differentiable = whole.differentiable

    def __call__(
        self, x: Tensor, context: Context | None = None, target: Tensor | None = None
    ) -> Tensor:
        if target is not None:
            target = self._rows[target.cpu()]
        return self._whole._answer(x, context, target, self._rows)

    def judge(self) -> Simulator:
        raise PluginError("judge is for whoever judges a run: call the simulator itself")

    def part(self, rows: slice | Tensor) -> Simulator:
        whole = copy.copy(self)
        whole._rows = self._rows[rows]
        return whole

    def best_designs(self) -> Tensor | None:
        designs = self._whole.best_designs()
        return None if designs is None else designs[self._rows]

    def history(self) -> History | None:
        return self._whole.history()


def counted_task(task: Task[Any], simulate: Callable[..., Tensor]) -> Task[Any]:
    """The same task, all of whose simulations go by a counted simulator.

    What a task computes by its own ``simulate``, such as ``pairs`` or ``modes``, is counted too.
    """
    shallow = copy.copy(task)
    shallow.simulate = simulate  # type: ignore[method-assign]
    return shallow

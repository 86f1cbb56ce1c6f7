"""The data of a run, with the simulator calls that they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.contracts.method import Needs
from invcore.contracts.simulation.simulator import Simulator, counted_task
from invcore.contracts.task import Task
from invcore.data.pairs import Pairs, Splits
from invcore.numerics.largest_difference import largest_squared_difference
from invcore.runs.plan import Plan

FEW = 10
"""Pairs that show how responses scale, to a method that does not learn from any."""


@dataclass(frozen=True)
class RunData:
    """Pairs and targets of a run.

    Args:
        splits: of pairs; the test part for scoring alone.
        training_calls: simulator calls for the pairs that the method learns from, redrawn ones
            included; of a table, its rows.
    """

    splits: Splits
    training_calls: int

    @property
    def variance(self) -> Tensor:
        """Of all responses that the run has: (Dy,)."""
        return self._responses.var(dim=0, correction=0)

    @property
    def penalty(self) -> Tensor:
        """What a candidate without a response counts as (B,): the error of the worst response.

        It is the largest mean squared difference between a target and the other responses that the
        run has, of its test and training pairs.
        """
        return largest_squared_difference(self.splits.test.y, self._responses)

    @property
    def _responses(self) -> Tensor:
        parts = (self.splits.train.y, self.splits.val.y, self.splits.test.y)
        return torch.cat([part.cpu().double() for part in parts])


def draw_data(plan: Plan) -> RunData:
    """Draw pairs and targets from a run's task; all methods get the same targets.

    A method that does not learn from pairs gets a few, unless the simulator may be called freely.
    """
    config, task = plan.config, plan.task
    learns = Needs.PAIRS in plan.method.needs or config.rerank
    count = config.pairs if learns or task.free_calls else min(config.pairs, FEW)
    simulator = Simulator(task)
    counting = _CountingTask(task, simulator)
    splits = counting.task.dataset(count, config.targets, config.seed)
    calls = counting.first if counting.first is not None else simulator.calls
    if not simulator.calls:
        calls = len(splits.train) + len(splits.val)
    return RunData(splits, 0 if task.free_calls and not learns else calls)


class _CountingTask:
    """A task whose simulations are counted, those of its first draw of pairs apart."""

    def __init__(self, task: Task[Any], simulator: Simulator) -> None:
        self.task = counted_task(task, simulator)
        self.first: int | None = None
        draw = self.task.pairs

        def pairs(count: int, generator: torch.Generator) -> Pairs:
            drawn = draw(count, generator)
            self.first = simulator.calls if self.first is None else self.first
            return drawn

        self.task.pairs = pairs  # type: ignore[method-assign]

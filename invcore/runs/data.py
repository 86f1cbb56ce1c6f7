"""The data of a run, with the simulator calls that they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.configs.run_config import OF_TASK
from invcore.contracts.method import Needs
from invcore.contracts.metric import Known
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.simulator import Simulator, counted_task
from invcore.contracts.task import Task
from invcore.data.pairs import Pairs, Splits
from invcore.numerics.largest_difference import largest_squared_difference
from invcore.registry.code import code_of
from invcore.registry.versions import versions_of
from invcore.runs.plan import Plan
from invcore.scoring.specifications import known_goals, largest_error
from invcore.storage.cache import Cache

_PARTS = ("train", "val", "test")
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
    def spread(self) -> Tensor:
        """The standard deviation of all responses that the run has: (Dy,)."""
        return self.variance.sqrt()

    def penalty(self, targets: Targets) -> Tensor:
        """What a candidate without a response counts as (B,): the error of the worst response.

        It is the largest error of the responses that the run has, of its test and training pairs;
        if none of them has any, one.
        """
        if targets.exact:
            return largest_squared_difference(targets.y, self._responses)
        worst = largest_error(targets, self._responses)
        return torch.where(worst > 0, worst, 1.0)

    def known(self, targets: Targets) -> Known | None:
        """What training pairs reach of the targets' goals; None where there are no goals."""
        parts = [part.whole().y.double() for part in (self.splits.train, self.splits.val)]
        return known_goals(targets, torch.cat(parts)) if targets.has_goals else None

    @property
    def _responses(self) -> Tensor:
        splits = self.splits
        parts = (splits.train.whole(), splits.val.whole(), splits.test)
        return torch.cat([part.y.cpu().double() for part in parts])


def run_data(plan: Plan, cache: Cache) -> RunData:
    """The pairs and targets of a run; all methods get the same targets.

    What a simulator that may not be called freely has answered is kept in the cache: the methods of
    a bench share one draw. Each counts it all the same.
    """
    task, request = plan.task, plan.request
    if task.free_calls:
        return draw_data(plan)
    entry = plan.parts["task"].entry
    versions, code = versions_of([entry]), code_of([entry])
    key = {
        **{name: request.resolved[name] for name in ("task", "seed", "targets")},
        **{n: v for n, v in request.resolved.items() if n in OF_TASK},
        "pairs": pairs_of(plan),
        "versions": versions | {"torch": torch.__version__},
        "code": code,
    }

    def drawn() -> dict[str, Tensor]:
        data = draw_data(plan)
        parts = {"training_calls": torch.tensor(data.training_calls)}
        for name in _PARTS:
            pairs: Pairs = getattr(data.splits, name)
            parts |= {f"{name}.x": pairs.x, f"{name}.y": pairs.y}
            context = pairs.context or {}
            parts |= {f"{name}.context.{key}": value for key, value in context.items()}
        return {name: value.detach().cpu() for name, value in parts.items()}

    parts = cache.tensors("pairs", key, drawn)
    splits = (_stored_pairs(parts, f"{name}.") for name in _PARTS)
    return RunData(Splits(*splits), int(parts["training_calls"]))


def _stored_pairs(parts: dict[str, Tensor], prefix: str) -> Pairs:
    begin = f"{prefix}context."
    context = {name.removeprefix(begin): v for name, v in parts.items() if name.startswith(begin)}
    return Pairs(parts[f"{prefix}x"], parts[f"{prefix}y"], context or None)


def pairs_of(plan: Plan) -> int:
    """How many pairs a run draws; a method that does not learn from any gets a few, unless the
    simulator may be called freely.
    """
    config = plan.config
    learns = Needs.PAIRS in plan.method.needs or config.rerank
    return config.pairs if learns or plan.task.free_calls else min(config.pairs, FEW)


def draw_data(plan: Plan) -> RunData:
    """Draw pairs and targets from a run's task."""
    config, task = plan.config, plan.task
    learns = Needs.PAIRS in plan.method.needs or config.rerank
    simulator = Simulator(task)
    counting = _CountingTask(task, simulator)
    splits = counting.task.dataset(pairs_of(plan), config.targets, config.seed)
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


def targets_of(plan: Plan, data: RunData) -> Targets:
    """The targets of a run: its test responses, or what is wanted of them."""
    test = data.splits.test
    if plan.wanted is None:
        return Targets(test.y, test.context)
    return plan.wanted.targets(test.y, data.spread, test.context)

"""What metrics read of a run, as it is stored: so that it can be judged again, and later."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore.contracts.metric import Evaluation
from invcore.contracts.simulation.call_record import History
from invcore.contracts.simulation.simulator import Simulator, counted_task
from invcore.contracts.task import Task
from invcore.spaces.space import Space
from invcore.storage.cache import Cache
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

SHARE = 0.1
"""Of the calls that judge a run: what metrics may make of a simulator that is not free."""
_TENSORS = (
    "targets", "candidates", "resimulated", "errors", "order", "predicted", "truth", "log_density",
    "penalty", "variance", "draws",
)  # fmt: skip
_HISTORY = tuple(History.__dataclass_fields__)


def stored_tensors(evaluation: Evaluation) -> dict[str, Tensor]:
    """What ``candidates.safetensors`` holds: all tensors of an evaluation."""
    tensors = {name: value for name in _TENSORS if (value := getattr(evaluation, name)) is not None}
    tensors["independent"] = torch.tensor(evaluation.independent)
    tensors |= {f"context.{name}": value for name, value in (evaluation.context or {}).items()}
    history = evaluation.history
    return tensors | {f"history.{k}": v for k, v in (vars(history) if history else {}).items()}


def stored_evaluation(
    store: Store, record: RunRecord, designs: Space, task: Task[Any] | None
) -> Evaluation:
    """The evaluation of a stored run.

    Args:
        store: where.
        record: of the run.
        designs: space of x.
        task: that it was run on, as it was; None where that is not here.

    Raises:
        StoreError: the tensors are damaged.
    """
    tensors = store.tensors(record.id, "candidates")
    facts: dict[str, Any] = {name: tensors[name] for name in _TENSORS if name in tensors}
    independent = tensors.get("independent")
    facts["independent"] = independent is not None and bool(independent.all())
    context = {
        name.removeprefix("context."): value
        for name, value in tensors.items()
        if name.startswith("context.")
    }
    return Evaluation(
        designs=designs, **facts, ranked=record.ranked, timings=record.timings.model_dump(),
        simulator_calls=record.simulator_calls, search_calls=record.search_calls,
        training_calls=record.training_calls, parameters=record.parameters, seed=record.seed,
        history=history_of(tensors), context=context or None, cache=Cache(store.cache),
        **bounded(task, len(facts["targets"]) * facts["candidates"].shape[1]),
    )  # fmt: skip


def history_of(tensors: dict[str, Tensor]) -> History | None:
    """The history among a run's tensors; None of a run that has none, or one of earlier times."""
    parts = {name: tensors.get(f"history.{name}") for name in _HISTORY}
    whole = {name: value for name, value in parts.items() if value is not None}
    return History(**whole) if len(whole) == len(_HISTORY) else None


def bounded(task: Task[Any] | None, judged: int) -> dict[str, Any]:
    """The task for metrics, whose simulations are counted: ``task`` and ``calls_left``.

    Args:
        task: as it is.
        judged: how many calls judge the run.
    """
    if task is None:
        return {"task": None}
    simulator = Simulator(task, None if task.free_calls else int(SHARE * judged))
    return {
        "task": counted_task(task, simulator), "calls_left": lambda: simulator.calls_left
    }  # fmt: skip

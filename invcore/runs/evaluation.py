"""What metrics read of a run, as it is stored: so that it can be judged again, and later."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.contracts.metric import Evaluation, Known
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.call_record import History
from invcore.contracts.simulation.simulator import Simulator, counted_task
from invcore.contracts.task import Task
from invcore.spaces.space import Space
from invcore.storage.cache import Cache, Say, silent
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

SHARE = 0.1
"""Of the calls that judge a run: what metrics may make of a simulator that is not free."""
_TENSORS = (
    "targets", "candidates", "resimulated", "errors", "order", "predicted", "truth", "log_density",
    "penalty", "variance", "draws",
)  # fmt: skip
_HISTORY = tuple(History.__dataclass_fields__)
_CLOCK = "history.seconds"  # in a file of its own: candidates have the same bytes at any speed
_CANDIDATES, _TIMINGS = "candidates", "timings"


def stored_tensors(evaluation: Evaluation) -> dict[str, dict[str, Tensor]]:
    """All tensors of an evaluation, by file: what the clock has said is apart from the rest."""
    tensors = {name: value for name in _TENSORS if (value := getattr(evaluation, name)) is not None}
    tensors["independent"] = torch.tensor(evaluation.independent)
    tensors |= {f"context.{name}": value for name, value in (evaluation.context or {}).items()}
    if (wanted := evaluation.specification) is not None:
        for name in (*Targets.parts, "spread"):
            tensors[f"specification.{name}"] = getattr(wanted, name)
    if evaluation.known is not None:
        tensors |= {f"known.{name}": part for name, part in evaluation.known._asdict().items()}
    if evaluation.history is None:
        return {_CANDIDATES: tensors}
    tensors |= {f"history.{name}": value for name, value in vars(evaluation.history).items()}
    return {_TIMINGS: {_CLOCK: tensors.pop(_CLOCK)}, _CANDIDATES: tensors}


def stored_evaluation(
    store: Store, record: RunRecord, designs: Space, task: Task[Any] | None,
    responses: Space | None = None, *, say: Say = silent,
) -> Evaluation:  # fmt: skip
    """The evaluation of a stored run.

    Args:
        store: where.
        record: of the run.
        designs: space of x.
        task: that it was run on, as it was; None where that is not here.
        responses: space of y.
        say: is told of what metrics share and was damaged, and so is computed again.

    Raises:
        StoreError: the tensors are damaged.
    """
    tensors = store.tensors(record.id, _CANDIDATES)
    if f"{_TIMINGS}.safetensors" in record.files:
        tensors |= store.tensors(record.id, _TIMINGS)
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
        history=history_of(tensors), context=context or None, cache=Cache(store.cache, say),
        responses=responses, specification=specification_of(tensors, context or None),
        known=_known_of(tensors),
        **bounded(task, len(facts["targets"]) * facts["candidates"].shape[1]),
    )  # fmt: skip


def history_of(tensors: dict[str, Tensor]) -> History | None:
    """The history among a run's tensors; None of a run that has none, or one of earlier times."""
    parts = {name: tensors.get(f"history.{name}") for name in _HISTORY}
    whole = {name: value for name, value in parts.items() if value is not None}
    return History(**whole) if len(whole) == len(_HISTORY) else None


def specification_of(tensors: dict[str, Tensor], context: Context | None = None) -> Targets | None:
    """What is wanted, from a run's tensors; None of a run whose targets are exact."""
    names = [f"specification.{name}" for name in (*Targets.parts, "spread")]
    if not all(name in tensors for name in names):
        return None
    *parts, spread = (tensors[name] for name in names)
    return Targets.of_parts(*parts, context=context).measured_in(spread)


def exact_responses(targets: Targets) -> Tensor:
    """The responses (B, Dy) that are wanted exactly; NaN where none is."""
    if targets.exact:
        return targets.y
    return torch.where(targets.low == targets.high, targets.low, torch.nan)


def _known_of(tensors: dict[str, Tensor]) -> Known | None:
    parts = [tensors.get(f"known.{name}") for name in Known._fields]
    return None if any(part is None for part in parts) else Known(*parts)  # type: ignore[arg-type]


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

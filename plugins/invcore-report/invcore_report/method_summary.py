"""From runs to what is known of a method on a task; one run's tensors in memory at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from invcore.plugin import StoreError
from invcore.results import Store
from invcore_report.collect import Collection, Run
from invcore_report.curves import (
    Curve,
    Interval,
    by_target,
    mean_interval,
    median_interval,
    places,
    pooled,
)

if TYPE_CHECKING:
    from invcore.results import RunRecord


@dataclass(frozen=True)
class Summary:
    """What is known of one method on one task, over all its seeds.

    Args:
        task: its label.
        method: its label, with the sampler where there are several.
        name: label of the method alone.
        records: of its runs, one a seed.
        targets: stands for the targets of all seeds: equal where they are equal.
        raw: expected best errors, in the method's own order if it has one.
        reranked: in the order of the common surrogate; None where a run has none.
        median: of the error of the first candidate.
        failed: share of candidates without a response.
    """

    task: str
    method: str
    name: str
    records: tuple[RunRecord, ...]
    targets: str
    raw: Curve
    reranked: Curve | None
    median: Interval
    failed: Interval

    @property
    def ranked(self) -> bool:
        """Whether the method puts its candidates in an order of its own."""
        return any(record.ranked for record in self.records)

    @property
    def candidates(self) -> int:
        """How many there are for each target."""
        return min(record.candidates for record in self.records)

    def mean(self, of: Callable[[RunRecord], float]) -> float:
        """The mean over seeds of a number of their records."""
        return math.fsum(map(of, self.records)) / len(self.records)

    @property
    def propose_s(self) -> float:
        """Seconds that all candidates of one target took."""
        return self.mean(lambda r: r.timings.propose_s / r.targets)

    @property
    def propose_calls(self) -> float:
        """Simulator calls that the proposal of all candidates of one target took."""
        return self.mean(lambda r: max(0.0, r.simulator_calls / r.targets - r.candidates))

    @property
    def call_s(self) -> float:
        """Measured seconds of a simulator call, many in one batch."""
        return self.mean(lambda r: r.timings.simulate_s / (r.targets * r.candidates))


def tensors(store: Store, run: str, *names: str, target: int | None = None) -> dict[str, Tensor]:
    """Some of a run's tensors of ``candidates``; those that it does not have are left out.

    Args:
        store: where.
        run: its id.
        names: of the tensors.
        target: read what belongs to this target alone; None for all.

    Raises:
        StoreError: the file is missing or damaged.
    """
    path = store.path(run) / "candidates.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            keys = [name for name in names if name in set(file.keys())]
            if target is None:
                return {name: file.get_tensor(name) for name in keys}
            return {name: file.get_slice(name)[target : target + 1][0] for name in keys}
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{path}: cannot be read ({error})".replace("\n", " ")) from None


def summaries(
    collection: Collection, store: Store, also: dict[str, list[int]], step: Callable[[], None]
) -> list[Summary]:
    """Measure every method on every task; what cannot be read is left out, and said to be.

    Args:
        collection: which runs.
        store: where they are.
        also: by the label of a task, numbers of candidates that must be among the curves'.
        step: called after each run.
    """
    result = []
    for task, runs in collection.tasks().items():
        for method in sorted({run.method for run in runs}):
            mine = [run for run in runs if run.method == method]
            summary = _summary(mine, collection, store, also.get(task, []), step)
            if summary is not None:
                result.append(summary)
    return result


def _summary(
    runs: Sequence[Run],
    collection: Collection,
    store: Store,
    also: Sequence[int],
    step: Callable[[], None],
) -> Summary | None:
    counts = places(min(run.record.candidates for run in runs), also)
    records, raw, reranked, failed, targets = [], [], [], [], []
    for run in sorted(runs, key=lambda run: (run.record.seed, run.record.id)):
        record = run.record
        try:
            arrays = tensors(store, record.id, "errors", "order", "targets")
            errors = arrays["errors"]
            if errors.shape != (record.targets, record.candidates) or not errors.numel():
                raise StoreError(f"its errors have shape {tuple(errors.shape)}")
        except (StoreError, KeyError) as error:
            why = str(error) if isinstance(error, StoreError) else f"it holds no {error}"
            collection.omit(f"{run.task}, {run.method}, seed {record.seed} (run {record.id})", why)
            continue
        finally:
            step()
        records.append(record)
        raw.append(by_target(errors, counts, ranked=record.ranked))
        failed.append(errors.isnan().double().mean(dim=1))
        if "order" in arrays:
            reranked.append(by_target(errors, counts, ranked=True, order=arrays["order"]))
        if "targets" in arrays:
            targets.append(arrays["targets"])
    if not records:
        return None
    values = torch.cat(raw, dim=1)
    whole = len(reranked) == len(records)
    return Summary(
        task=runs[0].task,
        method=runs[0].method,
        name=runs[0].name,
        records=tuple(records),
        targets=_stamp(targets),
        raw=pooled(counts, values),
        reranked=pooled(counts, torch.cat(reranked, dim=1)) if whole else None,
        median=median_interval(values[counts.index(1)]),
        failed=mean_interval(torch.cat(failed)),
    )


def _stamp(targets: Sequence[Tensor]) -> str:
    digest = hashlib.sha256()
    for part in targets:
        digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()

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

from invcore.numerics import largest_squared_difference
from invcore.plugin import StoreError, Targets
from invcore.results import (
    History,
    Store,
    best_within_calls,
    counted,
    history_of,
    specification_of,
)
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
from invcore_report.regret import found

if TYPE_CHECKING:
    from invcore.results import RunRecord

SPECIFICATION = tuple(f"specification.{name}" for name in (*Targets.parts, "spread"))
"""The tensors of a run that say what was wanted; none where that is exact responses."""
CALLS = (10, 100, 1000)
"""Simulator calls a target at which methods are compared."""


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
        answered: share of targets with a candidate that has one.
        within: errors within numbers of simulator calls a target; those alone that all runs made.
        found: (B,), the best that was found for each target of all seeds, where wishes are
            answered; see ``invcore_report.regret``.
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
    answered: Interval
    within: dict[int, Interval]
    found: Tensor | None = None

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
        return self.mean(lambda r: search_calls(r) / r.targets)

    @property
    def call_s(self) -> float:
        """Measured seconds of a simulator call, many in one batch."""
        return self.mean(lambda r: r.timings.simulate_s / (r.targets * r.candidates))


def search_calls(record: RunRecord) -> int:
    """Simulator calls that the method made; of earlier records, those that judged nothing."""
    if record.search_calls or not record.outdated:
        return record.search_calls
    return max(0, record.simulator_calls - record.targets * record.candidates)


def counted_errors(arrays: dict[str, Tensor]) -> Tensor:
    """Errors (B, K) in which a candidate without a response counts as the run's penalty.

    A run of an earlier invcore has none: there it is that of the other targets.
    """
    errors, penalty = arrays["errors"], arrays.get("penalty")
    if penalty is None and not bool(errors.isfinite().all()) and "targets" in arrays:
        penalty = largest_squared_difference(arrays["targets"], arrays["targets"])
    return counted(errors, penalty)


def within_calls(store: Store, record: RunRecord, errors: Tensor) -> Tensor:
    """Errors of each target (n, B) within each of ``CALLS``; NaN for more than the run made.

    Args:
        store: where the run is.
        record: of the run.
        errors: (B, K), those that are missing counted.
    """
    search = None
    if search_calls(record):
        names = [f"history.{name}" for name in History.__dataclass_fields__]
        search = history_of(tensors(store, record.id, *names))
        if search is None:
            return torch.full((len(CALLS), len(errors)), torch.nan, dtype=errors.dtype)
    worst = errors.amax(dim=1)  # a search has judged what it was not given
    return best_within_calls(errors, CALLS, ranked=record.ranked, penalty=worst, search=search).to(
        errors
    )


def tensors(store: Store, run: str, *names: str, target: int | None = None) -> dict[str, Tensor]:
    """Some of a run's tensors about candidates; those that it does not have are left out.

    Args:
        store: where.
        run: its id.
        names: of the tensors.
        target: read what belongs to this target alone; None for all.

    Raises:
        StoreError: the file is missing or damaged.
    """
    folder, found = store.path(run), dict[str, Tensor]()
    timed = folder / "timings.safetensors"  # of a search; earlier ones have all in one file
    for path in (folder / "candidates.safetensors", *([timed] if timed.exists() else ())):
        try:
            with safe_open(path, framework="pt") as file:
                for name in set(names) & set(file.keys()):
                    if target is None:
                        found[name] = file.get_tensor(name)
                    else:
                        found[name] = file.get_slice(name)[target : target + 1][0]
        except (OSError, SafetensorError) as error:
            raise StoreError(f"{path}: cannot be read ({error})".replace("\n", " ")) from None
    return found


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
    records, raw, reranked, failed, answered, targets, within = [], [], [], [], [], [], []
    best: list[Tensor] = []
    for run in sorted(runs, key=lambda run: (run.record.seed, run.record.id)):
        record = run.record
        try:
            arrays = tensors(store, record.id, "errors", "order", "targets", "penalty")
            missing = ~arrays["errors"].isfinite()
            if missing.shape != (record.targets, record.candidates) or not missing.numel():
                raise StoreError(f"its errors have shape {tuple(missing.shape)}")
            errors = counted_errors(arrays)
            within.append(within_calls(store, record, errors))
            wanted = specification_of(tensors(store, record.id, *SPECIFICATION))
            if wanted is not None:
                more = tensors(store, record.id, "resimulated", "known.worst")
                best.append(found({**more, "errors": errors}, wanted))
        except (StoreError, KeyError) as error:
            why = str(error) if isinstance(error, StoreError) else f"it holds no {error}"
            collection.omit(f"{run.task}, {run.method}, seed {record.seed} (run {record.id})", why)
            continue
        finally:
            step()
        records.append(record)
        raw.append(by_target(errors, counts, ranked=record.ranked))
        failed.append(missing.double().mean(dim=1))
        answered.append(1.0 - missing.all(dim=1).double())
        if "order" in arrays:
            reranked.append(by_target(errors, counts, ranked=True, order=arrays["order"]))
        if "targets" in arrays:
            targets.append(arrays["targets"])
        if wanted is not None:
            targets += [getattr(wanted, name) for name in Targets.parts]
    if not records:
        return None
    values = torch.cat(raw, dim=1)
    whole = len(reranked) == len(records)
    seeds = [record.targets for record in records]
    by_calls = torch.cat(within, dim=1)
    return Summary(
        task=runs[0].task,
        method=runs[0].method,
        name=runs[0].name,
        records=tuple(records),
        targets=_stamp(targets),
        raw=pooled(counts, values, seeds),
        reranked=pooled(counts, torch.cat(reranked, dim=1), seeds) if whole else None,
        median=median_interval(values[counts.index(1)]),
        failed=mean_interval(torch.cat(failed), seeds),
        answered=mean_interval(torch.cat(answered), seeds),
        within={
            calls: mean_interval(row, seeds)
            for calls, row in zip(CALLS, by_calls, strict=True)
            if not bool(row.isnan().any())
        },
        found=torch.cat(best) if len(best) == len(records) else None,
    )


def _stamp(targets: Sequence[Tensor]) -> str:
    digest = hashlib.sha256()
    for part in targets:
        digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()

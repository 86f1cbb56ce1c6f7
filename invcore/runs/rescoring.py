"""Rescoring: new numbers for stored runs, without running them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from invcore.base.errors import DataError, InvcoreError
from invcore.base.progress import Progress
from invcore.contracts.metric import Metric
from invcore.contracts.task import Task
from invcore.pipeline.components import Part, rebuild
from invcore.registry.code import code_of
from invcore.registry.loader import Plugins
from invcore.registry.registry import Entry
from invcore.registry.versions import versions_of
from invcore.runs.constrained_task import with_constraints
from invcore.runs.derived_task import with_responses
from invcore.runs.evaluation import stored_evaluation
from invcore.runs.scoring import Settings, measured, merged, metric_parts, stale
from invcore.spaces.space import Space
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

_CORE = "invcore"


@dataclass(frozen=True)
class Rescoring:
    """What became of a run.

    Args:
        record: with its new numbers.
        metrics: that judged it now.
        notes: what was left out, and why.
    """

    record: RunRecord
    metrics: tuple[str, ...]
    notes: tuple[str, ...] = ()


def rescore(
    store: Store, run: str, *, plugins: Plugins, metrics: Iterable[str] = (),
    settings: Settings | None = None, force: bool = False, progress: Progress | None = None,
) -> Rescoring:  # fmt: skip
    """Bring the numbers of a stored run up to date: those of new, changed or reset metrics.

    Args:
        store: where it is.
        run: its id.
        plugins: where metrics are looked up.
        metrics: only these; all that apply by default.
        settings: of metrics, over those that the run was asked with; false leaves one out.
        force: also those whose numbers are up to date.
        progress: shows what goes on.

    Raises:
        DataError: it has no candidates, or was written before metrics' inputs were stored.
        StoreError: it is damaged, or cannot be written.
        UnknownNameError: no such metric.
        ConfigError: a wrong setting.
    """
    record = store.read(run)
    if record.kind != "run":
        raise DataError(f"run {run} is a fitted model without candidates: it has no metrics")
    if record.status != "ok":
        raise DataError(f"run {run} did not end well ({record.status}): it has nothing to judge")
    if record.outdated:
        raise DataError(
            f"run {run} was written by an earlier invcore, without what metrics read: run it again"
        )
    task, why = _task_of(record, plugins)
    asked = {**record.config.get("metrics", {}), **(settings or {})}
    names = tuple(metrics)
    for name in names:
        plugins.registry.load("metric", name)
        if asked.get(name) is False:
            asked[name] = True
    parts, problems = metric_parts(
        plugins, asked, task, preset=record.config.get("preset", "default"), task_name=record.task
    )
    if task is None:  # one that applies to some tasks alone cannot tell
        whole = {n: p for n, p in parts.items() if type(p.component).applies is Metric.applies}
        lost = [name for name in parts if name not in whole]
        wanted = [name for name in lost if name in record.scoring or name in names]
        problems += [f"metric {name} left out: {why}" for name in wanted]
        parts = whole
    parts = {name: part for name, part in parts.items() if not names or name in names}
    if not force:
        parts = {name: parts[name] for name in stale(record, parts)}
    record = record.model_copy(update={"config": {**record.config, "metrics": asked}})
    notes: list[str] = [*problems]
    if parts:
        record = score_again(store, record, parts, task, progress=progress, notes=notes)
    return Rescoring(record, tuple(parts), tuple(notes))


def score_again(
    store: Store, record: RunRecord, metrics: Mapping[str, Part], task: Task[Any] | None, *,
    progress: Progress | None = None, notes: list[str] | None = None,
) -> RunRecord:  # fmt: skip
    """A stored run's record with new numbers of some metrics, in the store too.

    Args:
        store: where it is.
        record: of the run.
        metrics: by name, built.
        task: that it was run on; None where that is not here, or is another one now.
        progress: shows what goes on.
        notes: what was left out is added to it.

    Raises:
        StoreError: a file is damaged, or cannot be written.
    """
    problem = store.json(record.id, "model")["problem"]
    designs, responses = (Space.model_validate(problem[n]) for n in ("designs", "responses"))
    said: list[str] = [] if notes is None else notes
    evaluation = stored_evaluation(store, record, designs, task, responses, say=said.append)
    with (progress or Progress()).stage("scoring", len(metrics)) as bar:
        for name, part in metrics.items():
            numbers, scoring = measured({name: part}, evaluation, said.append)
            record = merged(record, numbers, scoring)
            bar.advance(1)
    store.update(record)
    return record


def _task_of(record: RunRecord, plugins: Plugins) -> tuple[Task[Any] | None, str]:
    """The task of a run as it was then; or None, and why."""
    settings = {
        k: v for k, v in record.config.get("task", {}).items() if k not in ("name", "fingerprint")
    }
    try:
        part = rebuild(plugins, "task", record.task, settings, where=f"task {record.task!r}")
    except InvcoreError as error:
        return None, f"the run's task is not here ({error})"
    if not _same_code(record, part.entry):
        return None, f"the code of the task's plugin {part.entry.plugin} has changed since"
    if part.component.fingerprint != record.config.get("task", {}).get("fingerprint", ""):
        return None, "the data that the task stands on have changed since"
    task = with_constraints(part.component, record.config.get("constraints", ()))
    return with_responses(task, record.config.get("responses", ())), ""


def _same_code(record: RunRecord, entry: Entry) -> bool:
    """Whether what a component is made by, the core left out, is what a run was made by."""
    for then, now in ((record.versions, versions_of([entry])), (record.code, code_of([entry]))):
        if any(then.get(name) != value for name, value in now.items() if name != _CORE):
            return False
    return True

"""A run as a job: plain data that any worker anywhere can do, and what is kept if it is lost."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from invcore.base.errors import PluginError, UnknownNameError
from invcore.base.process.signs import sign
from invcore.base.progress import Progress, Stage
from invcore.configs.limits import Limits
from invcore.configs.run_config import RunConfig
from invcore.contracts.executor import Executor, Job, Record
from invcore.pipeline.components import build
from invcore.pipeline.record import begin_record, reason_of
from invcore.registry.loader import Plugins, installed
from invcore.runs.plan import Plan
from invcore.runs.runner import run_planned
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

PROCESSES = "processes"
_EVERY_S = 1.0  # between signs of one stage


def job_of(
    run_id: str, config: RunConfig, store: Store, *, bench: str = "", limits: Limits | None = None,
    force: bool = False,
) -> Job:  # fmt: skip
    """A run as plain data."""
    return {
        "id": run_id, "config": config.model_dump(mode="json"),
        "store": str(store.root.absolute()), "bench": bench, "force": force,
        **(limits or Limits()).job,
    }  # fmt: skip


def do_run(job: Job, plugins: Plugins | None = None) -> Record:
    """Do one run, here; executors call it wherever they are. It does not raise.

    Args:
        job: ``id``, ``config`` (of the run), ``store`` (a path), ``bench`` (its name) and
            ``force`` (whether a stored one is done again).
        plugins: where names are looked up; those installed.

    Returns:
        ``id``, ``status``, ``reason``, ``seconds``, ``metrics``, ``answered``, and ``stored``:
        whether the store has a record of it.
    """
    start = time.perf_counter()
    try:
        sign("import")
        config = RunConfig.parse(job["config"], where=f"run {job['id']}")
        plugins = plugins or installed()
        plan = Plan.of(config, plugins)  # a worker's first run imports much
        if plan.id != job["id"]:
            raise PluginError("the code of a plugin, or a version, changed since the bench began")
        start = time.perf_counter()
        record = run_planned(
            plan, store=Store(job["store"]), plugins=plugins, progress=_Signs(),
            bench=job.get("bench", ""), force=bool(job.get("force")),
        )  # fmt: skip
    except (Exception, SystemExit) as error:  # what ends the process at import ends its run alone
        outcome: dict[str, Any] = {"status": "error", "reason": reason_of(error), "stored": False}
    else:
        metrics = [metric.model_dump(mode="json") for metric in record.metrics]
        outcome = {
            "status": record.status, "reason": why_not(record), "metrics": metrics, "stored": True,
            "answered": record.answered_share,
        }  # fmt: skip
    return {"id": job["id"], **outcome, "seconds": time.perf_counter() - start}


def do_runs(
    configs: Sequence[RunConfig], *, store: Store | None = None, plugins: Plugins | None = None,
    executor: Executor[Any] | None = None, limits: Limits | None = None, force: bool = False,
) -> Iterator[RunRecord]:  # fmt: skip
    """Do runs by an executor, each in a process that may hang, die or grow: it has failed then.

    Args:
        configs: what to run.
        store: where runs are kept, and looked for; None keeps nothing.
        plugins: where names are looked up; those installed.
        executor: who does them; one worker process of this machine.
        limits: what each may take.
        force: do those again that the store has.

    Yields:
        The records, in the order in which the runs end; those that were stored come first.

    Raises:
        InvcoreError: a wrong name, setting or device, or a store that cannot be written: before
            anything is computed.
        UnknownNameError: the executor ``processes`` is not installed.

    Example:
        >>> import invcore
        >>> config = invcore.RunConfig.resolve(
        ...     {"targets": 20, "candidates": 4, "pairs": 200,
        ...      "method": {"name": "na", "surrogate": {"training": {"epochs": 2}}}})
        >>> [record.status for record in do_runs([config], limits=Limits.of("5min", "8G"))]
        ['ok']
    """
    plugins = plugins or installed()
    plans = {plan.id: plan for plan in (Plan.of(config, plugins) for config in configs)}
    executor = executor or _processes(plugins)
    with _place(store) as kept:
        kept.check_writable()
        for run_id, plan in [*plans.items()]:
            record = None if force else kept.get(run_id)
            if record is not None and record.status == "ok":
                del plans[run_id]
                yield run_planned(plan, store=kept, plugins=plugins)  # its numbers made new
        jobs = [
            job_of(run_id, plan.config, kept, limits=limits, force=force)
            for run_id, plan in plans.items()
        ]
        for outcome in executor.map(do_run, jobs):
            plan = plans.pop(str(outcome.get("id")))
            if not outcome.get("stored"):
                keep_lost(plan, kept, str(outcome.get("reason", "")))
            yield kept.read(plan.id)
        for plan in plans.values():
            yield keep_lost(plan, kept, "the executor gave no record of it")


def _processes(plugins: Plugins) -> Executor[Any]:
    try:
        executor: Executor[Any] = build(plugins, "executor", PROCESSES, {"workers": 1}).component
    except UnknownNameError:
        message = f"this needs the executor {PROCESSES!r}: pip install invcore-executors"
        raise UnknownNameError(message) from None
    return executor


def keep_lost(plan: Plan, store: Store, reason: str) -> RunRecord:
    """Keep the record of a run that was lost with its worker."""
    update = {"status": "error", "reason": " ".join(reason.split()) or "nobody says why it failed"}
    return store.write(begin_record(plan.request).model_copy(update=update), log=[])


def why_not(record: RunRecord) -> str:
    """Why a run is not ok; of one that is, what was left out of it."""
    return record.reason or "; ".join(record.notes)


@contextmanager
def _place(store: Store | None) -> Iterator[Store]:
    """A store: the given one, or one for as long as the block lasts."""
    if store is not None:
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="invcore-") as folder:
        yield Store(Path(folder))


class _Signs(Progress):
    """Progress as signs of life, for who watches a worker."""

    @contextmanager
    def stage(self, label: str, total: int | None = None) -> Iterator[Stage]:
        """Say how far a stage is, not too often."""
        sign(label)
        yield _Told(label, total)


class _Told(Stage):
    def __init__(self, label: str, total: int | None) -> None:
        self._label, self._total, self._done, self._last = label, total, 0, time.monotonic()

    def advance(self, steps: int = 1, **facts: float) -> None:
        self._done += steps
        now = time.monotonic()
        if now - self._last >= _EVERY_S:
            self._last = now
            sign(f"{self._label} {self._done}" + (f"/{self._total}" if self._total else ""))

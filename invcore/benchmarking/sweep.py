"""A sweep: all runs of a bench, those that are done left out, each failure a record."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from invcore.base.errors import StoreError
from invcore.benchmarking.file import AXES, BenchFile
from invcore.benchmarking.grid import Cell, State, Values, cells_of, unique
from invcore.benchmarking.manifest import (
    FAILED,
    Bench,
    BenchCell,
    Components,
    bench_names,
    manifest_path,
    read_bench,
    write_bench,
)
from invcore.contracts.executor import Executor, Job, Record
from invcore.contracts.limits import Limits
from invcore.registry.loader import Plugins, installed
from invcore.registry.metric_code import old_metrics
from invcore.runs.job import do_run, job_of, keep_lost, why_not
from invcore.runs.plan import Plan
from invcore.storage.locks import holding
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store


class Watcher:
    """Is told how a sweep goes on; this one is silent."""

    def started(self, cell: Cell) -> None:
        """A cell was given to the executor."""

    def said(self, cell: Cell, text: str) -> None:
        """What the worker of a lost cell printed last: for screens, since it may be a secret."""

    def ended(self, cell: Cell, state: State) -> None:
        """A cell is ok, or failed."""


class Sweep:
    """The cells of a bench, and how far each is.

    Args:
        file: the bench.
        store: where runs are kept and looked for.
        plugins: where names are looked up; those installed.
        retry: do failed cells again.
        limits: of each run; those of the file.

    Raises:
        ConfigError: a wrong name or setting; with file and line.
    """

    def __init__(
        self, file: BenchFile, store: Store, *, plugins: Plugins | None = None, retry: bool = False,
        limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self.file, self.store = file, store
        self.limits = limits or file.limits
        self.plugins = plugins or installed()
        self.cells = cells_of(file, self.plugins)
        self._created = datetime.now(UTC).isoformat(timespec="seconds")
        self.remarks: list[str] = []
        """What was found damaged, and is made anew."""
        spent = self._earlier()
        self.states: dict[str, State] = {}
        self.stored: dict[str, str] = {}
        """When the runs were made that are done already, by their ids."""
        self.old_scores: set[str] = set()
        """Stored runs with numbers of another version of a metric than is installed."""
        for run_id in dict.fromkeys(cell.id for cell in self.cells):
            record = store.get(run_id)
            if record is None and (damage := store.damage(run_id)):
                self.remarks.append(f"a run is done again: {damage}")
            if record is None or (retry and record.status in FAILED):
                self.states[run_id] = State()
            else:
                self.states[run_id] = _state(record, spent.get(run_id))
                if record.status == "ok":
                    self.stored[run_id] = record.created
                if old_metrics(record, self.plugins):
                    self.old_scores.add(run_id)

    def _earlier(self) -> dict[str, float]:
        """What the cells took when they were done, if a manifest still knows."""
        name = self.file.grid.name
        if name not in bench_names(self.store):
            return {}
        try:
            bench = read_bench(self.store, name)
        except StoreError as error:
            self.remarks.append(error.message)
            return {}
        self._created = bench.created
        return {cell.id: cell.seconds for cell in bench.cells if cell.seconds is not None}

    def waiting(self) -> list[Cell]:
        """The cells that are to be done; of those that are the same run, the first."""
        return [c for c in unique(self.cells) if self.states[c.id].status == "waiting"]

    def go(self, executor: Executor[Any] | None = None, watcher: Watcher | None = None) -> Bench:
        """Do all cells that wait.

        Args:
            executor: how; None: one after another, in this process.
            watcher: is told how it goes on.

        Returns:
            The manifest, which is in the store too.

        Raises:
            StoreError: the store cannot be written.
        """
        watcher = watcher or Watcher()
        self.store.check_writable()
        self._write()
        with holding(manifest_path(self.store, self.file.grid.name).parent):
            return self._go(executor, watcher)

    def _go(self, executor: Executor[Any] | None, watcher: Watcher) -> Bench:
        cells = {cell.id: cell for cell in self.waiting()}
        jobs = self._jobs(list(cells.values()), watcher)
        here = (do_run(job, self.plugins) for job in jobs)
        records: Iterable[Record] = here if executor is None else executor.map(do_run, jobs)
        try:
            for record in records:
                cell = cells.pop(str(record.get("id")), None)
                if cell is not None:
                    self._end(cell, record, watcher)
            for cell in cells.values():
                self._end(cell, {"reason": "the executor gave no record of it"}, watcher)
        finally:
            # Workers end now, not when they are collected
            getattr(records, "close", lambda: None)()
            for run_id, state in self.states.items():
                if state.status == "running":
                    self.states[run_id] = State()
            bench = self._write()
        return bench

    def _jobs(self, cells: list[Cell], watcher: Watcher) -> Iterable[Job]:
        """The jobs; a cell is running once the executor has taken its job."""
        for cell in cells:
            self.states[cell.id] = State("running", since=time.monotonic())
            self._write()
            watcher.started(cell)
            yield job_of(
                cell.id, cell.config, self.store, bench=self.file.grid.name, limits=self.limits
            )

    def _end(self, cell: Cell, record: Record, watcher: Watcher) -> None:
        self.states[cell.id] = self._take(cell, record)
        if record.get("said"):
            watcher.said(cell, str(record["said"]))
        watcher.ended(cell, self.states[cell.id])
        self._write()

    def _take(self, cell: Cell, record: Record) -> State:
        """What became of a cell; a failure that the store does not know goes there."""
        reason = " ".join(str(record.get("reason", "")).split())
        if record.get("stored"):
            values = {(m["name"], m["T"]): m["value"] for m in record["metrics"]}
            share = record.get("answered")
            return State(record["status"], reason, record["seconds"], values or None, share)
        stored_record = self.store.get(cell.id)
        if stored_record is not None and stored_record.status == "ok":  # its worker died just after
            return _state(stored_record, None)
        lost = State("error", reason or "the executor says no reason", record.get("seconds"))
        keep_lost(Plan.of(cell.config, self.plugins), self.store, lost.reason)
        return lost

    def bench(self) -> Bench:
        """The manifest, as things are now."""
        grid = self.file.grid
        names = {axis: {e.label: e.name for e in getattr(grid, axis)} for axis in AXES}
        facts = [{**vars(cell), **vars(self.states[cell.id])} for cell in self.cells]
        return Bench(
            name=grid.name, title=grid.title, created=self._created,
            cells=tuple(BenchCell.parse({k: f[k] for k in BenchCell.model_fields}) for f in facts),
            components=Components.parse(names), published=grid.published,
            ablations=grid.ablations, file=self.file.source.text,
        )  # fmt: skip

    def _write(self) -> Bench:
        bench = self.bench()
        write_bench(self.store, bench)
        return bench


def _state(record: RunRecord, seconds: float | None) -> State:
    times = record.timings
    if seconds is None and record.status == "ok":
        seconds = times.fit_s + times.propose_s + times.simulate_s
    values: Values = {(m.name, m.T): m.value for m in record.metrics}
    return State(record.status, why_not(record), seconds, values or None, record.answered_share)

"""A sweep: all runs of a bench, those that are done left out, each failure a record."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from invcore.base.errors import StoreError
from invcore.benchmarking.cell import Cell, State, unique
from invcore.benchmarking.file import AXES, BenchFile
from invcore.benchmarking.kept_cells import planned_cells
from invcore.benchmarking.manifest import (
    FAILED,
    Bench,
    BenchCell,
    Components,
    bench_names,
    journal_path,
    manifest_path,
    read_bench,
    write_bench,
)
from invcore.benchmarking.state_journal import StateJournal
from invcore.configs.limits import Limits
from invcore.contracts.executor import Executor, Job, Record
from invcore.registry.loader import Plugins, installed
from invcore.registry.metric_code import InstalledMetrics
from invcore.storage.index.listed_run import TIMES, ListedRun, listed
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
        checked: read all files of the runs that are done, so that damaged ones are done again;
            off: take what the store's listing says of them, and the cells as they were planned
            last where nothing has changed since.

    Raises:
        ConfigError: a wrong name or setting; with file and line.
    """

    def __init__(
        self, file: BenchFile, store: Store, *, plugins: Plugins | None = None,
        retry: bool = False, limits: Limits | None = None, checked: bool = True,
    ) -> None:  # fmt: skip
        self.file, self.store = file, store
        self.limits = limits or file.limits
        self.plugins = plugins or installed()
        self.cells = planned_cells(file, None if checked else store, self.plugins)
        self._created = datetime.now(UTC).isoformat(timespec="seconds")
        self.remarks: list[str] = []
        """What was found damaged, and is made anew."""
        self._journal: StateJournal | None = None
        self._cells_of = Counter(cell.id for cell in self.cells)
        self.counts: Counter[str] = Counter()
        """How many cells have a status."""
        self.states: dict[str, State] = {}
        self.stored: dict[str, str] = {}
        """When the runs were made that are done already, by their ids."""
        self.old_scores: set[str] = set()
        """Stored runs with numbers of another version of a metric than is installed."""
        self._take_stock(retry, checked)

    def _take_stock(self, retry: bool, checked: bool) -> None:
        """See which cells are done."""
        spent, metrics = self._earlier(), InstalledMetrics(self.plugins)
        for cell in unique(self.cells):
            self._set(cell.id, State())
        runs = map(self._found, self.states) if checked else self.store.listing(details=True)
        for run in runs:
            known = listed(run) if isinstance(run, RunRecord) else run
            if known is None or known.problem or known.id not in self.states:
                continue
            if retry and known.status in FAILED:
                continue
            self._set(known.id, _state(known, spent.get(known.id)))
            if known.status == "ok":
                self.stored[known.id] = known.facts["created"]
            if metrics.old(known.facts["codes"]):
                self.old_scores.add(known.id)

    def _found(self, run: str) -> RunRecord | None:
        """The record of a run, whose damage is remarked on."""
        record = self.store.get(run)
        if record is None and (damage := self.store.damage(run)):
            self.remarks.append(f"a run is done again: {damage}")
        return record

    def _set(self, run: str, state: State) -> None:
        """Note how far a run is."""
        if run in self.states:
            self.counts[self.states[run].status] -= self._cells_of[run]
        self.counts[state.status] += self._cells_of[run]
        self.states[run] = state
        if self._journal is not None:
            try:
                self._journal.add(run, state.status, state.reason, state.seconds)
            except OSError as error:
                folder = manifest_path(self.store, self.file.grid.name).parent
                raise StoreError(f"{folder}: cannot be written ({error.strerror})") from None

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
        write_bench(self.store, self.bench())
        with holding(manifest_path(self.store, self.file.grid.name).parent):
            return self._go(executor, watcher)

    def _go(self, executor: Executor[Any] | None, watcher: Watcher) -> Bench:
        from invcore.runs.job import do_run  # here, and below: a dry run needs no torch

        cells = {cell.id: cell for cell in self.waiting()}
        self._begin_journal(write_bench(self.store, self.bench()))
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
            for run_id in [run for run, state in self.states.items() if state.status == "running"]:
                self._set(run_id, State())
            bench = self.bench()
            try:
                write_bench(self.store, bench)
            except StoreError:
                self._end_journal(remove=False)  # what it says is all that there is
                raise
            self._end_journal(remove=True)
        return bench

    def _begin_journal(self, manifest: bytes) -> None:
        path = journal_path(manifest_path(self.store, self.file.grid.name))
        try:
            self._journal = StateJournal(path, manifest)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from None

    def _end_journal(self, *, remove: bool) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close(remove=remove)

    def _jobs(self, cells: list[Cell], watcher: Watcher) -> Iterable[Job]:
        """The jobs; a cell is running once the executor has taken its job."""
        from invcore.runs.job import job_of

        for cell in cells:
            self._set(cell.id, State("running", since=time.monotonic()))
            watcher.started(cell)
            yield job_of(
                cell.id, cell.config, self.store, bench=self.file.grid.name, limits=self.limits
            )

    def _end(self, cell: Cell, record: Record, watcher: Watcher) -> None:
        self._set(cell.id, self._take(cell, record))
        if record.get("said"):
            watcher.said(cell, str(record["said"]))
        watcher.ended(cell, self.states[cell.id])

    def _take(self, cell: Cell, record: Record) -> State:
        """What became of a cell; a failure that the store does not know goes there."""
        from invcore.runs.job import keep_lost
        from invcore.runs.plan import Plan

        reason = " ".join(str(record.get("reason", "")).split())
        if record.get("stored"):
            values = {(m["name"], m["T"]): m["value"] for m in record["metrics"]}
            share = record.get("answered")
            return State(record["status"], reason, record["seconds"], values or None, share)
        stored_record = self.store.get(cell.id)
        if stored_record is not None and stored_record.status == "ok":  # its worker died just after
            return _state(listed(stored_record), None)
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


def _state(run: ListedRun, seconds: float | None) -> State:
    facts = run.facts
    if seconds is None and run.status == "ok":
        seconds = sum(facts[name] for name in TIMES)
    reason = run.reason or "; ".join(facts["notes"])
    return State(run.status, reason, seconds, ListedValues(run), facts["answered"])


class ListedValues(Mapping[tuple[str, int | None], float | None]):
    """The numbers of a run by metric and number of candidates; read when they are asked for."""

    def __init__(self, run: ListedRun) -> None:
        self._run = run

    @cached_property
    def _values(self) -> dict[tuple[str, int | None], float | None]:
        return {(m.name, m.T): m.value for m in self._run.numbers}

    def __getitem__(self, key: tuple[str, int | None]) -> float | None:
        return self._values[key]

    def __iter__(self) -> Iterator[tuple[str, int | None]]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

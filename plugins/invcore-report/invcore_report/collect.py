"""Reading a store: which runs the report can show, what they are called, what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from invcore.plugin import StoreError
from invcore.results import Ablation, Bench, BenchCell, Published, Store, bench_names, read_bench
from invcore_report.labels import method_labels, task_labels
from invcore_report.slim_records import SlimRecords

if TYPE_CHECKING:
    from invcore.results import RunRecord

    Records = dict[str, "RunRecord | StoreError"]


@dataclass(frozen=True)
class LeftOut:
    """Something that the report does not show, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Run:
    """A run that the report shows.

    Args:
        record: of the run.
        task: label of its task.
        method: label of its method and, if there are several, sampler.
        name: label of its method alone.
    """

    record: RunRecord
    task: str
    method: str
    name: str


@dataclass
class Collection:
    """What a store, or one benchmark of it, has.

    Args:
        title: of the report.
        bench: name of the benchmark; empty for a whole store.
        runs: those that ended well.
        left_out: all others.
        published: figures from papers.
        ablations: methods to look at side by side.
    """

    title: str
    bench: str = ""
    runs: list[Run] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    published: tuple[Published, ...] = ()
    ablations: tuple[Ablation, ...] = ()

    def tasks(self) -> dict[str, list[Run]]:
        """The runs by the label of their task: in the order of the bench, or of the labels."""
        tasks: dict[str, list[Run]] = {}
        for run in self.runs:
            tasks.setdefault(run.task, []).append(run)
        return tasks if self.bench else dict(sorted(tasks.items()))

    def omit(self, what: str, why: str) -> None:
        """Say that something is left out."""
        self.left_out.append(LeftOut(what, " ".join(why.split()) or "no reason is recorded"))


def collect(store: Store, bench: str | None = None) -> Collection:
    """Read the records of a store.

    Args:
        store: where.
        bench: name of a benchmark; None takes the one of the store if there is just one, and
            all runs otherwise.

    Raises:
        StoreError: there is nothing to report, or the manifest is damaged.
    """
    benches = bench_names(store)
    name = bench if bench is not None else benches[0] if len(benches) == 1 else None
    manifest = read_bench(store, name) if name is not None else None
    if manifest is None and not store.ids():
        there = f"{store.root} has none" if store.root.is_dir() else f"{store.root} does not exist"
        raise StoreError(
            f"no runs to report: {there}; begin with `invcore run`",
            remedy="store=FOLDER names another",
        )
    records = _records(store, manifest)
    result = _of_store(store, records) if manifest is None else _of_bench(manifest, store, records)
    if not result.runs and not result.left_out:
        raise StoreError(
            f"no runs to report: {store.root} holds nothing but fitted models of `invcore solve`; "
            "begin with `invcore run`",
            remedy="store=FOLDER names another",
        )
    if manifest is None and len(benches) > 1:
        result.omit("benchmarks", f"several here; choose one: {', '.join(benches)}")
    return result


def _records(store: Store, manifest: Bench | None) -> Records:
    """Every run's record, or what is wrong with it; the newest last.

    Of a benchmark, its own runs are read, all their files checked; others are named alone.
    """
    records: Records = {}
    slim = SlimRecords()
    own = None if manifest is None else {cell.id for cell in manifest.cells}
    for run in store.ids():
        if own is not None and run not in own:
            continue
        try:
            record = store.read(run)
        except StoreError as error:
            records[run] = error
        else:
            if record.kind == "run":  # fitted models of `solve` have no candidates to judge
                records[run] = slim(record)
    return records


def _of_store(store: Store, records: Records) -> Collection:
    result = Collection(title=f"Runs in {store.root.name or store.root}")
    good = []
    for run, record in records.items():
        if isinstance(record, StoreError):
            result.omit(f"run {run}", str(record))
        elif record.status != "ok":
            result.omit(
                f"{record.task}, {record.method}, seed {record.seed} (run {run})",
                f"{record.status}: {record.reason}",
            )
        else:
            good.append(record)
    tasks = task_labels(good)
    newest: dict[tuple[str, str, int], Run] = {}
    for record, task, method in zip(good, tasks, method_labels(good, tasks), strict=True):
        older = newest.get((task, method, record.seed))
        if older is not None:
            result.omit(
                f"{task}, {method}, seed {record.seed} (run {older.record.id})",
                f"run {record.id} has the same settings and is newer",
            )
        newest[task, method, record.seed] = Run(record, task, method, method)
    result.runs = list(newest.values())
    return result


def _of_bench(bench: Bench, store: Store, records: Records) -> Collection:
    result = Collection(
        title=bench.title or bench.name,
        bench=bench.name,
        published=bench.published,
        ablations=bench.ablations,
    )
    ids: set[str] = set()
    samplers = len({cell.sampler for cell in bench.cells}) > 1
    for cell in bench.cells:
        method = f"{cell.method} · {cell.sampler}" if samplers else cell.method
        record, why = _of_cell(cell, store, records)
        if record is None:
            at = f" (run {cell.id})" if cell.id else ""
            result.omit(f"{cell.task}, {method}, seed {cell.seed}{at}", why)
        elif record.id in ids:
            result.omit(f"{cell.task}, {method}, seed {cell.seed}", "the manifest names it twice")
        else:
            ids.add(record.id)
            result.runs.append(Run(record, cell.task, method, cell.method))
    cells = {cell.id for cell in bench.cells}
    others = [run for run in store.listing()
              if run.id not in cells and (run.problem or run.facts["kind"] == "run")]  # fmt: skip
    if others:
        result.omit(f"{len(others)} other runs of the store", f"not part of bench {bench.name}")
    return result


def _of_cell(cell: BenchCell, store: Store, records: Records) -> tuple[RunRecord | None, str]:
    """The record of a cell; or None, and why there is none to show."""
    record = records.get(cell.id or "")
    if isinstance(record, StoreError):
        return None, str(record)
    if record is None:
        if cell.status == "ok":
            return None, f"the run is missing in {store.root}; run the benchmark again"
        return None, f"{cell.status}: {cell.reason or ''}".rstrip(": ")
    if record.status != "ok":
        return None, f"{record.status}: {record.reason}"
    return record, ""

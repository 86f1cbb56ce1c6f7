"""What ``invcore bench`` shows: a live table or lines while it runs, and a table in the end."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from invcore.base.text import counted, number, safe
from invcore.benchmarking.cell import Cell, State, time_left, unique
from invcore.benchmarking.file import AXES
from invcore.benchmarking.manifest import FAILED, manifest_path
from invcore.benchmarking.sweep import Sweep, Watcher
from invcore.cli import text_table
from invcore.cli.console import stderr, stdout, table
from invcore.cli.views.run_rows import moment, percent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from invcore.contracts.executor import Executor, WorkerState

_ENDED = ("ok", "skipped", *FAILED)
_SHOWN = 6  # running cells by name
_SHOWN_WORKERS = 16
_SILENT_S = 20.0  # a worker is heard every five seconds
_CALLS = (10, 100)  # at which methods are shown at equal simulator calls
_MET: dict[str, int | None] = {"met_1": 1, "met": None}
_MEANING = "met_1, met: targets whose wishes the first candidate, or one of all, meets"
_COLUMNS = (
    "r_1, r_50: at equal proposals; calls: at equal simulator calls a target, pairs to learn from "
    "left out"
)


@contextmanager
def watcher(sweep: Sweep, workers: int, executor: Executor[Any] | None = None) -> Iterator[Watcher]:
    """What shows how it goes on: a table on a terminal, lines elsewhere; on standard error."""
    console = stderr()
    if not console.is_terminal:
        click.echo(counts(sweep), err=True)
        yield Lines(sweep)
        return
    from rich.live import Live

    view = Table(sweep, workers, console, executor)
    with Live(get_renderable=view.render, console=console, refresh_per_second=2, transient=True):
        yield view


class Lines(Watcher):
    """A line for each cell that has ended."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep

    def said(self, cell: Cell, text: str) -> None:
        """Print what its worker printed last, which is not kept."""
        click.echo(f"{named(self.sweep, cell)}: its worker said: {safe(text)}", err=True)

    def ended(self, cell: Cell, state: State) -> None:
        """Print what became of it."""
        click.echo(line(self.sweep, cell, state), err=True)


class Table(Watcher):
    """A row for each method, a column for each task, and what is running."""

    def __init__(
        self, sweep: Sweep, workers: int, console: Console, executor: Executor[Any] | None = None
    ) -> None:
        self.sweep, self.workers, self.console = sweep, workers, console
        self.executor = executor
        self.began = time.monotonic()

    def said(self, cell: Cell, text: str) -> None:
        """Print what its worker printed last, which is not kept."""
        said = f"{named(self.sweep, cell)}: its worker said: {safe(text)}"
        self.console.print(said, markup=False)

    def ended(self, cell: Cell, state: State) -> None:
        """Print a failure above the table."""
        if state.status != "ok":
            self.console.print(line(self.sweep, cell, state), markup=False)

    def render(self) -> RenderableType:
        """The table as it is now."""
        from rich.console import Group
        from rich.text import Text

        sweep, states = self.sweep, self.sweep.states
        tasks, methods, _ = map(sweep.file.grid.labels, AXES)
        groups = defaultdict(list)
        for c in sweep.cells:
            groups[c.method, c.task].append(states[c.id].status)
        rows = table("method", *map(safe, tasks))
        for method in methods:
            rows.add_row(safe(method), *(_done(groups[method, task]) for task in tasks))
        running = [
            f"{named(sweep, c)} ({duration(time.monotonic() - states[c.id].since)})"
            for c in unique(sweep.cells)
            if states[c.id].status == "running"
        ]
        more = f" and {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
        left = time_left(sweep.cells, states, self.workers)
        clock = f"{duration(time.monotonic() - self.began)} so far"
        clock += "" if left is None else f", about {duration(left)} left"
        now = [Text(f"running: {', '.join(running[:_SHOWN])}{more}")] if running else []
        states_now = self.executor.workers() if self.executor is not None else []
        cells = {cell.id: named(sweep, cell) for cell in sweep.cells} if states_now else {}
        lines = [Text(worker_line(s, cells.get(s.job, s.job))) for s in states_now[:_SHOWN_WORKERS]]
        return Group(rows, *(lines or now), Text(clock))


def worker_line(state: WorkerState, job: str) -> str:
    """What a worker does, and whether it still gives signs of life."""
    if not job:
        return f"worker {safe(state.name)}: waits"
    now = time.monotonic()
    line = f"worker {safe(state.name)}: {safe(job)} {safe(state.stage)}".rstrip()
    silent = now - state.heard
    quiet = f", no sign of life for {duration(silent)}" if silent > _SILENT_S else ""
    return f"{line} ({duration(now - state.since)}{quiet})"


def _done(statuses: list[str]) -> str:
    """How many of some cells have ended, and failed."""
    ended, failed = (sum(s in group for s in statuses) for group in (_ENDED, FAILED))
    return f"{ended}/{len(statuses)}" + (f" {failed} failed" if failed else "")


def named(sweep: Sweep, cell: Cell) -> str:
    """A cell in words; the sampler where there are several."""
    sampler = f"{cell.sampler} " if len(sweep.file.grid.samplers) > 1 else ""
    return safe(f"{cell.task} {cell.method} {sampler}seed {cell.seed}")


def line(sweep: Sweep, cell: Cell, state: State) -> str:
    """What became of a cell, and how many have ended."""
    ended = sum(sweep.counts[status] for status in _ENDED)
    outcome = safe(state.reason)
    if state.status == "ok":
        outcome = f"r_1 {number(state.r(1))}  answered {percent(state.answered)}"
    took = "" if state.seconds is None else f"  {duration(state.seconds)}"
    where = f"[{ended}/{len(sweep.cells)}]"
    return f"{where} {state.status}  {named(sweep, cell)}  {outcome}{took}"


def counts(sweep: Sweep) -> str:
    """How many cells are how far."""
    groups = {
        "ok": ("ok",), "skipped": ("skipped",), "failed": FAILED, "to do": ("waiting", "running")
    }  # fmt: skip
    totals = {name: sum(sweep.counts[s] for s in group) for name, group in groups.items()}
    parts = [f"{n} {name}" for name, n in totals.items() if n or name in ("ok", "to do")]
    if sweep.stored:
        days = sorted({moment(created)[:10] for created in sweep.stored.values()})
        since = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        parts.append(f"{len(sweep.stored)} stored before ({since})")
    return f"{sweep.file.grid.name}: {len(sweep.cells)} runs, {', '.join(parts)}"


def duration(seconds: float) -> str:
    """A time for people.

    Example:
        >>> duration(0.25), duration(61), duration(4000), duration(12000)
        ('0.2 s', '61 s', '67 min', '3 h 20 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def document(sweep: Sweep) -> dict[str, Any]:
    """The bench as ``--json`` prints it."""
    bench = sweep.bench()
    states = [sweep.states[cell.id] for cell in bench.cells]
    return {
        "name": bench.name, "title": bench.title,
        "path": str(manifest_path(sweep.store, bench.name)),
        "cells": [
            {
                **cell.model_dump(mode="json"), "r_1": state.r(1), "r_50": state.r(50),
                "answered": state.answered,
            }
            for cell, state in zip(bench.cells, states, strict=True)
        ],
        "summary": summary(sweep), "stored": len(sweep.stored),
        "old_scores": sorted(sweep.old_scores),
    }  # fmt: skip


def summary(sweep: Sweep) -> list[dict[str, Any]]:
    """For each task, method and sampler: means over the seeds, and how many runs went how."""
    groups = defaultdict(list)
    for cell in sweep.cells:
        groups[cell.task, cell.method, cell.sampler].append(sweep.states[cell.id])
    wished = any(cell.config.want or cell.config.want_file for cell in sweep.cells)
    wishes = _MET if wished else {}
    return [
        {
            **dict(zip(AXES.values(), key, strict=True)),
            "r_1": _mean(state.r(1) for state in states),
            "r_50": _mean(state.r(50) for state in states),
            **{f"within_{n}_calls": _mean(state.within(n) for state in states) for n in _CALLS},
            **({name: _mean(state.met(T) for state in states) for name, T in wishes.items()}),
            "answered": _mean(state.answered for state in states), "runs": len(states),
            **{s: sum(state.status == s for state in states) for s in _ENDED},
        }
        for key, states in groups.items()  # the cells of the first seed have them all, in order
    ]  # fmt: skip


def _mean(values: Iterable[float | None]) -> float | None:
    """Over the seeds that have the number."""
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def show_summary(sweep: Sweep) -> None:
    """The means as a table, and below it why some runs have failed."""
    names = ["task", "method", "sampler"][: 3 if len(sweep.file.grid.samplers) > 1 else 2]
    lines = summary(sweep)
    budgets = [n for n in _CALLS if any(row[f"within_{n}_calls"] is not None for row in lines)]
    within = [f"{n} calls" for n in budgets]
    met = [name for name in _MET if any(row.get(name) is not None for row in lines)]
    failures = [sum(row[status] for status in FAILED) for row in lines]
    right = (
        *met,
        "r_1",
        "r_50",
        *within,
        "answered",
        "ok",
        *(("failed",) if any(failures) else ()),
    )
    rows = table(*names, *right, right=right)
    for row, failed in zip(lines, failures, strict=True):
        means = [row["r_1"], row["r_50"], *(row[f"within_{n}_calls"] for n in budgets)]
        ends = [percent(row["answered"]), f"{row['ok']}/{row['runs']}"]
        ends += [str(failed or "")] if any(failures) else []
        shares = [percent(row[name]) for name in met]
        rows.add_row(*(safe(row[name]) for name in names), *shares, *map(number, means), *ends)
    stdout().print(rows)
    _show_rest(sweep)
    if within:
        stdout().print(_COLUMNS)
    if refine := sweep.file.shared.get("refine"):
        stdout().print(f"refined: the best candidates, by at most {refine:,} calls a target")
    if met:
        stdout().print(_MEANING)


def show_cells(sweep: Sweep) -> None:
    """All cells as a table; nothing is run."""
    names = ("task", "method", "sampler")
    rows = []
    for cell in sweep.cells:
        status = sweep.states[cell.id].status
        labels = [safe(getattr(cell, name)) for name in names]
        shown = "to do" if status == "waiting" else status
        rows.append([cell.id, *labels, str(cell.seed), shown])
    text_table.show(("id", *names, "seed", "status"), rows, wrapped=[1, 2, 3], right=[])
    _show_rest(sweep)


def _show_rest(sweep: Sweep) -> None:
    """Below a table: why some cells are not well, and the counts."""
    console, states = stdout(), sweep.states
    console.print()
    for cell in unique(sweep.cells):
        state = states[cell.id]
        if state.reason:
            text = f"{cell.id} {named(sweep, cell)} {state.status}: {safe(state.reason)}"
            console.print(text, soft_wrap=True)
    if any(state.reason and state.status in FAILED for state in states.values()):
        console.print("failed runs are done again with --retry")
    console.print(counts(sweep))
    if sweep.old_scores:
        console.print(
            f"{counted(len(sweep.old_scores), 'stored run')} with numbers of other versions of "
            f"their metrics: invcore rescore --bench {sweep.file.grid.name}"
        )

"""What ``invcore bench`` shows: a live table or lines while it runs, and a table in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from invcore.base.text import number, safe
from invcore.benchmarking.grid import Cell, State, time_left
from invcore.benchmarking.manifest import FAILED
from invcore.benchmarking.sweep import Sweep, Watcher
from invcore.cli.console import add_row, stderr, stdout, table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ENDED = ("ok", "skipped", *FAILED)
_SHOWN = 6  # running cells by name


@contextmanager
def watcher(sweep: Sweep, workers: int) -> Iterator[Watcher]:
    """What shows how it goes on: a table on a terminal, lines elsewhere; on standard error."""
    console = stderr()
    if not console.is_terminal:
        click.echo(counts(sweep), err=True)
        yield Lines(sweep)
        return
    from rich.live import Live

    shown = Table(sweep, workers, console)
    with Live(get_renderable=shown.render, console=console, refresh_per_second=2, transient=True):
        yield shown


class Lines(Watcher):
    """A line for each cell that has ended."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep

    def ended(self, cell: Cell, state: State) -> None:
        """Print what became of it."""
        click.echo(line(self.sweep, cell, state), err=True)


class Table(Watcher):
    """A row for each method, a column for each task, and what is running."""

    def __init__(self, sweep: Sweep, workers: int, console: Console) -> None:
        self.sweep, self.workers, self.console = sweep, workers, console
        self.began = time.monotonic()

    def ended(self, cell: Cell, state: State) -> None:
        """Print a failure above the table."""
        if state.status != "ok":
            self.console.print(line(self.sweep, cell, state), markup=False)

    def render(self) -> RenderableType:
        """The table as it is now."""
        from rich.console import Group
        from rich.text import Text

        grid, states = self.sweep.file.grid, self.sweep.states
        rows = table("method", *map(safe, grid.labels("tasks")))
        for method in grid.labels("methods"):
            texts = []
            for task in grid.labels("tasks"):
                of = [
                    states[c.id].status
                    for c in self.sweep.cells
                    if (c.task, c.method) == (task, method)
                ]
                failed = sum(status in FAILED for status in of)
                done = f"{sum(status in _ENDED for status in of)}/{len(of)}"
                texts.append(done + (f" {failed} failed" if failed else ""))
            add_row(rows, safe(method), *texts)
        running = [
            f"{named(self.sweep, c)} ({duration(time.monotonic() - states[c.id].since)})"
            for c in {c.id: c for c in self.sweep.cells}.values()
            if states[c.id].status == "running"
        ]
        more = f" and {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
        left = time_left(self.sweep.cells, states, self.workers)
        clock = f"{duration(time.monotonic() - self.began)} so far"
        clock += "" if left is None else f", about {duration(left)} left"
        now = [Text(f"running: {', '.join(running[:_SHOWN])}{more}")] if running else []
        return Group(rows, *now, Text(clock))


def named(sweep: Sweep, cell: Cell) -> str:
    """A cell in words; the sampler where there are several."""
    several = len(sweep.file.grid.samplers) > 1
    sampler = f"{cell.sampler} " if several else ""
    return safe(f"{cell.task} {cell.method} {sampler}seed {cell.seed}")


def line(sweep: Sweep, cell: Cell, state: State) -> str:
    """What became of a cell, and how many have ended."""
    ended = sum(sweep.states[c.id].status in _ENDED for c in sweep.cells)
    best = number((state.values or {}).get(("r_T", 1)))
    found = f"r_1 {best}" if state.status == "ok" else safe(state.reason)
    took = "" if state.seconds is None else f"  {duration(state.seconds)}"
    what = f"{state.status}  {named(sweep, cell)}  {found}{took}"
    return f"[{ended}/{len(sweep.cells)}] {what}"


def counts(sweep: Sweep) -> str:
    """How many cells are how far."""
    statuses = [sweep.states[c.id].status for c in sweep.cells]
    parts = [
        f"{sum(s in group for s in statuses)} {name}"
        for name, group in (
            ("ok", ("ok",)), ("skipped", ("skipped",)), ("failed", FAILED),
            ("to do", ("waiting", "running")),
        )
        if name in ("ok", "to do") or any(s in group for s in statuses)
    ]  # fmt: skip
    return f"{sweep.file.grid.name}: {len(statuses)} runs, {', '.join(parts)}"


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


def summary(sweep: Sweep) -> list[dict[str, Any]]:
    """For each task, method and sampler: means over the seeds, and how many runs went how."""
    groups: dict[tuple[str, str, str], list[State]] = {}
    grid = sweep.file.grid
    for task in grid.labels("tasks"):
        for method in grid.labels("methods"):
            for sampler in grid.labels("samplers"):
                groups[task, method, sampler] = []
    for cell in sweep.cells:
        groups[cell.task, cell.method, cell.sampler].append(sweep.states[cell.id])
    return [
        {
            "task": key[0], "method": key[1], "sampler": key[2],
            "r_1": _mean(states, 1), "r_50": _mean(states, 50), "runs": len(states),
            **{s: sum(state.status == s for state in states) for s in _ENDED},
        }
        for key, states in groups.items()
    ]  # fmt: skip


def _mean(states: list[State], T: int) -> float | None:
    """Over the seeds that have the number."""
    found = [(state.values or {}).get(("r_T", T)) for state in states]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


def show_summary(sweep: Sweep) -> None:
    """The means as a table, and below it why some runs have failed."""
    several = len(sweep.file.grid.samplers) > 1
    columns = ["task", "method", *(["sampler"] if several else []), "r_1", "r_50", "ok", "failed"]
    rows = table(*columns)
    for column in rows.columns[-4:]:
        column.justify = "right"
    for row in summary(sweep):
        failed = sum(row[status] for status in FAILED)
        middle = [row["sampler"]] if several else []
        names = [safe(name) for name in (row["task"], row["method"], *middle)]
        means = [number(row["r_1"]), number(row["r_50"])]
        ok = f"{row['ok']}/{row['runs']}"
        add_row(rows, *names, *means, ok, str(failed) if failed else "")
    console = stdout()
    console.print(rows)
    console.print()
    _show_reasons(sweep)
    console.print(counts(sweep), markup=False)


def show_cells(sweep: Sweep) -> None:
    """All cells as a table; nothing is run."""
    rows = table("id", "task", "method", "sampler", "seed", "status")
    for cell in sweep.cells:
        status = sweep.states[cell.id].status
        names = [safe(name) for name in (cell.task, cell.method, cell.sampler)]
        add_row(rows, cell.id, *names, str(cell.seed), "to do" if status == "waiting" else status)
    console = stdout()
    console.print(rows)
    console.print()
    _show_reasons(sweep)
    console.print(counts(sweep), markup=False)


def _show_reasons(sweep: Sweep) -> None:
    console, some = stdout(), False
    for cell in {c.id: c for c in sweep.cells}.values():
        state = sweep.states[cell.id]
        if state.reason:
            said = f"{cell.id} {named(sweep, cell)} {state.status}: {safe(state.reason)}"
            console.print(said, markup=False, soft_wrap=True)
            some = some or state.status in FAILED
    if some:
        console.print("failed runs are done again with --retry", markup=False)

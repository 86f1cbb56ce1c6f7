"""``invcore results``: list, show and export the runs of a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from invcore.base.text import safe
from invcore.cli.options import component_option, json_option, store_option

if TYPE_CHECKING:
    from invcore.cli.views.run_rows import Row

_STATUSES = ("ok", "diverged", "skipped", "error", "damaged")
_WIDE = 110  # cells that all columns take
_REASONS = 5  # why runs are not well, the newest


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--task``, ``--method``, ``--status`` and ``--store``."""
    for option in (
        store_option,
        click.option("--status", type=click.Choice(_STATUSES), help="Only runs that ended so."),
        component_option("method", None, "Only runs of this method."),
        component_option("task", None, "Only runs on this task."),
    ):
        command = option(command)
    return command


@click.group()
def results() -> None:
    """List, show and export stored runs."""


@results.command("list")
@_filters
@json_option
def list_(
    store_path: str, task: str | None, method: str | None, status: str | None, as_json: bool
) -> None:
    """List the runs, the newest last.

    A damaged run is listed as such, with what is wrong with it.
    """
    from invcore.cli.console import emit_json
    from invcore.cli.views.run_rows import absence, read, summary
    from invcore.storage.store import Store

    store = Store(store_path)
    rows = read(store, task=task, method=method, status=status)
    if as_json:
        emit_json([summary(row) for row in rows])
    elif rows:
        _show(rows)
    else:
        click.echo(absence(store))


@results.command()
@click.argument("run_id", metavar="ID")
@store_option
@json_option
def show(run_id: str, store_path: str, as_json: bool) -> None:
    """Show a run as `invcore run` does.

    The first characters of its id will do.
    """
    from invcore.cli.commands import run
    from invcore.cli.console import emit_json
    from invcore.storage.store import Store

    store = Store(store_path)
    record = store.read(store.find(run_id))
    if as_json:
        emit_json(run.document(record, store))
    else:
        run.show(record, store)


@results.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--wide", is_flag=True, help="One row a run, its metrics as columns.")
@_filters
@json_option
def export(
    file: str,
    wide: bool,
    store_path: str,
    task: str | None,
    method: str | None,
    status: str | None,
    as_json: bool,
) -> None:
    """Export the runs as a table: .csv, .tsv or .parquet.

    One row a run and metric; a run without metrics has one row, so that failures are not lost.
    Damaged runs are left out, and said to be.
    """
    from invcore.base.errors import DataError
    from invcore.cli.console import emit_json, warn
    from invcore.cli.views.run_rows import absence, by_metric, by_run, read
    from invcore.data.tables.write import write_table
    from invcore.storage.store import Store

    store = Store(store_path)
    rows = read(store, task=task, method=method, status=status)
    records = [row.record for row in rows if row.record is not None]
    damaged = [row.id for row in rows if row.record is None]
    for row in rows:
        if row.record is None:
            warn(f"left out {row.id}: {safe(row.reason)}")
    if not records:
        raise DataError(f"nothing to export: {absence(store)}")
    columns = by_run(records) if wide else by_metric(records)
    write_table(file, list(columns), columns)
    count = len(columns["id"])
    if as_json:
        emit_json({"path": file, "rows": count, "runs": len(records), "left_out": damaged})
    else:
        click.echo(f"{count} rows of {len(records)} runs in {file}")


def _show(rows: list[Row]) -> None:
    """The runs as a table, and below it why some are not well."""
    from rich.text import Text

    from invcore.base.text import number
    from invcore.cli.console import stdout, table
    from invcore.cli.views.run_rows import summary, task_label

    console, facts = stdout(), [summary(row) for row in rows]
    for row, one in zip(rows, facts, strict=True):
        one["task"] = task_label(row.record) if row.record else None
    titles = {"candidates": "K", "targets": "B", "created": "when"}
    names = ["id", "created", "task", "method", "sampler", "candidates", "targets", "seed"]
    if console.width < _WIDE:
        names = ["id", "task", "method", "sampler", "seed"]
    errors = [name for name in ("r_1", "r_50") if any(one[name] is not None for one in facts)]
    shown = table(*(titles.get(name, name) for name in names), "status", *errors)
    for column in shown.columns:
        if column.header in ("K", "B", "seed", "r_1", "r_50"):
            column.justify = "right"
        if column.header not in ("task", "method", "sampler"):  # what is copied stays in one piece
            column.no_wrap = True
    for one in facts:
        cells = [_cell(one[name]) for name in names]
        metrics = [number(one[name]) for name in errors]
        shown.add_row(*map(Text, [*cells, one["status"], *metrics]))
    console.print(shown)
    unwell = [row for row in rows if row.reason]
    for row in unwell[-_REASONS:]:
        console.print(f"{row.id} {row.status}: {safe(row.reason)}", markup=False)
    if len(unwell) > _REASONS:
        console.print(f"and {len(unwell) - _REASONS} more: --json has all reasons", markup=False)


def _cell(value: Any) -> str:
    """A fact as a cell; of a time, the date and minutes."""
    text = "" if value is None else safe(str(value))
    return text[:16].replace("T", " ") if text[10:11] == "T" else text

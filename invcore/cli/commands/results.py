"""``invcore results``: list, show and export the runs of a store."""

from collections.abc import Callable
from typing import Any

import click

from invcore.base.text import safe
from invcore.cli.options import RunId, component_option, json_option, store_option

_STATUSES = ("ok", "diverged", "skipped", "error", "damaged")


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
def list_(store_path: str, as_json: bool, **filters: Any) -> None:
    """List the runs, the newest last.

    A damaged run is listed as such, with what is wrong with it.
    """
    from invcore.cli.console import emit_json
    from invcore.cli.views.run_rows import absence, read, show_rows, summary
    from invcore.storage.store import Store

    store = Store(store_path)
    rows = list(read(store, **filters))
    if as_json:
        emit_json([summary(row) for row in rows])
    elif rows:
        show_rows(rows)
    else:
        click.echo(absence(store))


@results.command()
@click.argument("run_id", metavar="ID", type=RunId())
@store_option
@json_option
def show(run_id: str, store_path: str, as_json: bool) -> None:
    """Show a run as `invcore run` does.

    The first characters of its id will do.
    """
    from invcore.cli.console import emit_json
    from invcore.cli.views import run_record
    from invcore.registry.loader import installed
    from invcore.storage.store import Store

    store = Store(store_path)
    record = store.read(store.find(run_id))
    if as_json:
        emit_json(run_record.document(record, store, installed()))
    else:
        run_record.show(record, store, installed())


@results.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--wide", is_flag=True, help="One row a run, its metrics as columns.")
@_filters
@json_option
def export(file: str, wide: bool, store_path: str, as_json: bool, **filters: Any) -> None:
    """Export the runs as a table: .csv, .tsv or .parquet.

    One row a run and metric; a run without metrics has one row, so that failures are not lost.
    Damaged runs are left out, and said to be.
    """
    from invcore.cli.console import emit_json, warn
    from invcore.cli.views.run_export import export_rows
    from invcore.registry.loader import installed
    from invcore.storage.store import Store

    done = export_rows(Store(store_path), file, installed(), wide=wide, **filters)
    for run, problem in done.damaged.items():
        warn(f"left out {run}: {safe(problem)}")
    if as_json:
        left_out = list(done.damaged)
        emit_json({"path": file, "rows": done.rows, "runs": done.runs, "left_out": left_out})
    else:
        click.echo(f"{done.rows} rows of {done.runs} runs in {file}")

"""``invcore bench``: a grid of tasks, methods, samplers and seeds."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from invcore.cli.executors import build_executor, executor_options, limit_options, limits_of
from invcore.cli.options import json_option, store_option

if TYPE_CHECKING:
    from invcore.benchmarking.sweep import Sweep

_SOME_FAILED = 1


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@executor_options("Runs", "--set")
@limit_options
@store_option
@click.option("--retry", is_flag=True, help="Do failed runs again.")
@click.option("--dry-run", is_flag=True, help="Only list the runs, and which are done.")
@json_option
@click.pass_context
def bench(
    ctx: click.Context, /, file: str, store_path: str, retry: bool, dry_run: bool, as_json: bool,
    time_limit: str | None, memory_limit: str | None, **how: Any,
) -> None:  # fmt: skip
    """Run a grid of tasks, methods, samplers and seeds.

    FILE (.toml, .yaml) says which. A run that is stored already is not repeated, so a bench that
    was stopped goes on where it was. A run that fails is recorded, and the rest go on.

    \b
    invcore bench docs/benchmarks/quick.toml
    invcore bench docs/benchmarks/neurips2020.toml --jobs 4
    invcore bench docs/benchmarks/quick.toml --jobs 2 --time-limit 10min --memory-limit 4G
    """  # noqa: D301 - click wants the character
    from invcore.benchmarking.file import BenchFile
    from invcore.benchmarking.manifest import FAILED
    from invcore.benchmarking.sweep import Sweep
    from invcore.cli.console import emit_json
    from invcore.cli.views import bench_progress as view
    from invcore.registry.loader import installed
    from invcore.storage.store import Store

    plugins = installed()
    bench_file = BenchFile.read(file)
    limits = limits_of(time_limit, memory_limit) or bench_file.limits
    runner = build_executor(plugins, **how, limited=bool(limits.job))
    sweep = Sweep(
        bench_file, Store(store_path), plugins=plugins, retry=retry, limits=limits,
        checked=not dry_run,
    )  # fmt: skip
    for remark in sweep.remarks:
        click.echo(f"note: {remark}", err=True)
    if dry_run:
        emit_json(view.document(sweep)) if as_json else view.show_cells(sweep)
        return
    workers = getattr(runner.config, "workers", 1) if runner else 1
    # What methods print is no result.
    with view.watcher(sweep, workers, runner) as watcher, redirect_stdout(sys.stderr):
        done = sweep.go(runner, watcher)
    if as_json:
        emit_json(view.document(sweep))
    else:
        view.show_summary(sweep)
        _say_next(ctx, sweep)
    if done.count(*FAILED):
        ctx.exit(_SOME_FAILED)


def _say_next(ctx: click.Context, sweep: Sweep) -> None:
    """The command that makes a report of it, and who brings that command."""
    root = ctx.find_root().command
    has_report = isinstance(root, click.Group) and root.get_command(ctx, "report") is not None
    store = "" if str(sweep.store.root) == "runs" else f" --store {sweep.store.root}"
    first = "next: " if has_report else "next: pip install invcore-report, then "
    click.echo(f"{first}invcore report --bench {sweep.file.grid.name}{store}")

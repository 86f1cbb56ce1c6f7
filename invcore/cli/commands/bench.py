"""``invcore bench``: a grid of tasks, methods, samplers and seeds."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from invcore.cli.options import component_option, json_option, setting_option, store_option

if TYPE_CHECKING:
    from invcore.benchmarking.sweep import Sweep
    from invcore.contracts.executor import Executor
    from invcore.registry.loader import Plugins

_SOME_FAILED = 1
_PARALLEL = "processes"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at once; default 1.")
@component_option("executor", None, "Who does the runs; default processes where --jobs is above 1.")
@setting_option("A setting of the executor, e.g. limit_s=3600; may be repeated.")
@store_option
@click.option("--retry", is_flag=True, help="Do failed runs again.")
@click.option("--dry-run", is_flag=True, help="Only list the runs, and which are done.")
@json_option
@click.pass_context
def bench(
    ctx: click.Context, /, file: str, store_path: str, retry: bool, dry_run: bool, as_json: bool,
    **how: Any,
) -> None:  # fmt: skip
    """Run a grid of tasks, methods, samplers and seeds.

    FILE (.toml, .yaml) says which. A run that is stored already is not repeated, so a bench that
    was stopped goes on where it was. A run that fails is recorded, and the rest go on.

    \b
    invcore bench docs/benchmarks/quick.toml
    invcore bench docs/benchmarks/neurips2020.toml --jobs 4
    """  # noqa: D301 - click wants the character
    from invcore.benchmarking.file import BenchFile
    from invcore.benchmarking.manifest import FAILED
    from invcore.benchmarking.sweep import Sweep
    from invcore.cli.console import emit_json
    from invcore.cli.views import bench_progress as view
    from invcore.registry.loader import installed
    from invcore.storage.store import Store

    plugins = installed()
    runner = build_executor(plugins, **how)
    sweep = Sweep(
        BenchFile.read(file), Store(store_path), plugins=plugins, retry=retry, checked=not dry_run
    )
    if dry_run:
        emit_json(view.document(sweep)) if as_json else view.show_cells(sweep)
        return
    workers = getattr(runner.config, "workers", 1) if runner else 1
    # What methods print is no result.
    with view.watcher(sweep, workers) as watcher, redirect_stdout(sys.stderr):
        done = sweep.go(runner, watcher)
    if as_json:
        emit_json(view.document(sweep))
    else:
        view.show_summary(sweep)
        _say_next(ctx, sweep)
    if done.count(*FAILED):
        ctx.exit(_SOME_FAILED)


def build_executor(
    plugins: Plugins, executor: str | None, jobs: int | None, settings: tuple[str, ...]
) -> Executor[Any] | None:
    """Who does the runs; None: this process, one after another.

    Raises:
        ConfigError: a wrong setting, or ``--jobs`` where that means nothing.
        UnknownNameError: no such executor; the message says what to install.
    """
    from invcore.base.errors import ConfigError, UnknownNameError
    from invcore.configs.settings import component_settings
    from invcore.pipeline.components import build

    if executor is None and (jobs or 1) == 1:
        if settings:
            raise ConfigError("--set is for the executor's settings: name one by --executor")
        return None
    chosen = executor or _PARALLEL
    try:
        component = plugins.registry.load("executor", chosen)
    except UnknownNameError:
        if executor is not None:
            raise
        message = f"--jobs {jobs} needs the executor {_PARALLEL!r}: pip install invcore-executors"
        raise UnknownNameError(message) from None
    data = component_settings(settings, component.Config)
    if jobs is not None:
        if "workers" not in component.Config.model_fields:
            raise ConfigError(f"executor {chosen!r} has no workers to set: leave --jobs out")
        data["workers"] = jobs
    instance: Executor[Any] = build(plugins, "executor", chosen, data).component
    return instance


def _say_next(ctx: click.Context, sweep: Sweep) -> None:
    """The command that makes a report of it, and who brings that command."""
    root = ctx.find_root().command
    has_report = isinstance(root, click.Group) and root.get_command(ctx, "report") is not None
    store = "" if str(sweep.store.root) == "runs" else f" --store {sweep.store.root}"
    first = "next: " if has_report else "next: pip install invcore-report, then "
    click.echo(f"{first}invcore report --bench {sweep.file.grid.name}{store}")

"""``invcore rescore``: new numbers for stored runs, without running them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from invcore.base.text import counted, safe
from invcore.cli.options import (
    BenchName,
    ComponentName,
    RunId,
    json_option,
    setting_option,
    store_option,
)

if TYPE_CHECKING:
    from invcore.storage.store import Store


@click.command()
@click.argument("runs", metavar="[ID]...", nargs=-1, type=RunId())
@click.option(
    "--bench", metavar="NAME", type=BenchName(), help="The runs of a bench; else all of the store."
)
@click.option(
    "--metric", "metrics", multiple=True, type=ComponentName("metric"),
    help="Only this metric; may be repeated.",
)  # fmt: skip
@setting_option("A metric's setting, e.g. mmd.tolerance=0.1 or mmd=false; may be repeated.")
@click.option("--force", is_flag=True, help="Also what is up to date.")
@store_option
@json_option
@click.pass_context
def rescore(
    ctx: click.Context, /, runs: tuple[str, ...], bench: str | None, metrics: tuple[str, ...],
    settings: tuple[str, ...], force: bool, store_path: str, as_json: bool,
) -> None:  # fmt: skip
    """Bring the numbers of stored runs up to date.

    Metrics that are new, whose code has changed, or that are set otherwise judge the stored
    candidates; nothing is fitted, proposed or simulated again. The first characters of an id will
    do.

    \b
    invcore rescore
    invcore rescore 12ab --metric mmd --set mmd.tolerance=0.01
    """  # noqa: D301 - click wants the character
    from invcore.base.errors import DataError, StoreError
    from invcore.cli.console import emit_json, progress, warn
    from invcore.configs.settings import metric_settings
    from invcore.registry.loader import installed
    from invcore.runs.rescoring import rescore as rescore_one
    from invcore.storage.store import Store

    store, plugins = Store(store_path), installed()
    name_of = plugins.registry.name_of
    own = {name_of("metric", name): value for name, value in metric_settings(settings).items()}
    metrics = tuple(name_of("metric", name) for name in metrics)
    names = _chosen(store, runs, bench)
    rescored: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    with progress() as bars, bars.stage("rescoring", len(names)) as bar:
        for run in names:
            try:
                outcome = rescore_one(
                    store, run, plugins=plugins, metrics=metrics, settings=own, force=force
                )
            except (DataError, StoreError) as error:  # a fitted model, a failed or damaged run
                if runs and isinstance(error, StoreError):
                    raise
                left_out[run] = str(error)
            else:
                record = outcome.record
                facts = {"id": run, "task": record.task, "method": record.method}
                rescored.append(
                    facts | {"metrics": list(outcome.metrics), "notes": list(outcome.notes)}
                )
            bar.advance(1)
    if as_json:
        emit_json({"runs": rescored, "left_out": left_out})
        return
    for run, why in left_out.items():
        warn(f"left out {run}: {safe(why)}")
    for one in rescored:
        for note in one["notes"]:
            warn(f"{one['id']}: {safe(note)}")
    _summarise(rescored)


def _chosen(store: Store, runs: tuple[str, ...], bench: str | None) -> list[str]:
    """The ids of the runs that are meant.

    Raises:
        UnknownNameError: no such run.
        DataError: there is none.
        StoreError: no such bench.
    """
    from invcore.base.errors import DataError
    from invcore.benchmarking.manifest import read_bench
    from invcore.cli.views.run_rows import absence

    if runs:
        names = [store.find(run) for run in runs]
    elif bench is not None:
        cells = read_bench(store, bench).cells
        names = [cell.id for cell in cells if cell.status == "ok"]
    else:
        names = store.ids()
    if not names:
        raise DataError(f"nothing to rescore: {absence(store)}")
    return list(dict.fromkeys(names))


def _summarise(rescored: list[dict[str, Any]]) -> None:
    """How many runs have new numbers, and of which metrics."""
    counts: dict[str, int] = {}
    for one in rescored:
        for name in one["metrics"]:
            counts[name] = counts.get(name, 0) + 1
    changed = sum(bool(one["metrics"]) for one in rescored)
    rest = len(rescored) - changed
    click.echo(f"{counted(changed, 'run')} with new numbers, {rest} up to date")
    for name, count in sorted(counts.items()):
        click.echo(f"  {name}: {counted(count, 'run')}")

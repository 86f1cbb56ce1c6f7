"""``invcore run``: one method on one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from invcore.cli.options import component_option, json_option, setting_option, store_option

if TYPE_CHECKING:
    from invcore.configs.run_config import RunConfig
    from invcore.registry.loader import Plugins
    from invcore.storage.run_record import MetricRecord, RunRecord
    from invcore.storage.store import Store

# What people look for first; the rest follows as metrics give it
_FIRST = ("r_T", "r_T-reranked", "r_T-median", "resimulation-error", "failed", "unanswered")
_FLAGS = ("candidates", "targets", "seed", "device", "preset", "rerank")


@click.command()
@component_option("task", None, "The forward system; default sine-wave.")
@component_option("method", None, "The inverse method; default na.")
@component_option("sampler", None, "What drives its randomness; default maximin-lhs.")
@click.option("--candidates", type=int, help="Candidates for each target; default 256.")
@click.option("--targets", type=int, help="Test targets; default 1000.")
@click.option("--seed", type=int, help="Root of all randomness; default 0.")
@click.option(
    "--device", help="auto (default: CUDA, or the CPU), cpu, cuda, cuda:1; mps is untested."
)
@click.option(
    "--preset",
    type=click.Choice(["quick", "default", "paper"]),
    help="quick: under three minutes; default: our best; paper: the published settings.",
)
@click.option("--config", type=click.Path(dir_okay=False), help="TOML or YAML file of a run.")
@setting_option("One setting, e.g. pairs=5000 or method.boundary=false; may be repeated.")
@click.option("--rerank", is_flag=True, default=None, help="Score them re-ranked as well.")
@store_option
@click.option("--force", is_flag=True, help="Run again even if the run is stored.")
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    /,
    config: str | None,
    settings: tuple[str, ...],
    store_path: str,
    force: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Run one method on one task and score it.

    The method learns from pairs, proposes candidates for each target, and the task's own
    simulator judges them. A run that is stored already is shown, not repeated.

    \b
    invcore run --method ipage --sampler lhs
    invcore run --task ballistics --method na --preset quick --set boundary=false
    """  # noqa: D301 - click wants the character
    from invcore.base.errors import DivergedError, UnfitError
    from invcore.cli.console import emit_json, progress
    from invcore.cli.main import exit_code
    from invcore.registry.loader import installed

    plugins = installed()
    wanted = build(config, flags, settings, plugins)
    from invcore.runs.runner import run as run_one  # with torch: a wrong name is said before
    from invcore.storage.store import Store

    store = Store(store_path)
    debug = ctx.find_root().params.get("debug", False)
    with progress() as bars:
        record = run_one(
            wanted, store=store, plugins=plugins, progress=bars, force=force, keep_going=not debug
        )
    if as_json:
        emit_json(document(record, store))
    else:
        show(record, store)
    if record.status != "ok":
        failed = UnfitError() if record.status == "skipped" else DivergedError()
        ctx.exit(exit_code(failed))


def build(
    path: str | None, flags: dict[str, Any], settings: tuple[str, ...], plugins: Plugins
) -> RunConfig:
    """The run's config: the file, then the flags, then ``--set``, over the preset.

    Raises:
        ConfigError: something in it is wrong.
    """
    from invcore.configs.files import read_config
    from invcore.configs.run_config import SLOTS, Choice, RunConfig
    from invcore.configs.settings import apply_settings

    data = read_config(path) if path else {}
    for slot in SLOTS:
        if flags.get(slot) is not None:
            data[slot] = flags[slot]
    data.update({k: flags[k] for k in _FLAGS if flags.get(k) is not None})
    for setting in settings:  # `--set method=ipage` decides which settings the others may be
        key, _, value = setting.partition("=")
        if key.strip() in SLOTS:
            data[key.strip()] = value.strip()
    names = {
        slot: Choice.parse(_choice(data.get(slot)), where=slot).name
        if slot in data
        else RunConfig.model_fields[slot].default.name
        for slot in SLOTS
    }
    for slot, name in names.items():
        plugins.registry.find(slot, name)  # before any is imported, which takes a while
    configs = {slot: plugins.registry.load(slot, name).Config for slot, name in names.items()}
    rest = [setting for setting in settings if setting.partition("=")[0].strip() not in SLOTS]
    data = apply_settings(data, rest, configs)
    return RunConfig.resolve(data, preset=data.get("preset", "default"), where=path or "run")


def _choice(value: Any) -> dict[str, Any]:
    return {"name": value} if isinstance(value, str) else value


def document(record: RunRecord, store: Store) -> dict[str, Any]:
    """The run as ``--json`` prints it."""
    metrics = [
        {k: v for k, v in m.model_dump().items() if k != "T" or v is not None}
        for m in record.metrics
    ]
    keys = (
        "id", "status", "reason", "notes", "task", "method", "sampler", "candidates", "targets",
        "seed", "device",
    )  # fmt: skip
    facts = {key: getattr(record, key) for key in keys}
    return {
        **{key: value for key, value in facts.items() if value or key not in ("reason", "notes")},
        "metrics": metrics,
        "timings": record.timings.model_dump(),
        "simulator_calls": record.simulator_calls,
        "parameters": record.parameters,
        "path": str(store.path(record.id)),
    }


def _place(metric: MetricRecord) -> int:
    return _FIRST.index(metric.name) if metric.name in _FIRST else len(_FIRST)


def show(record: RunRecord, store: Store) -> None:
    """The run as a table for people."""
    from invcore.base.text import number
    from invcore.cli.console import add_row, stdout, table
    from invcore.cli.views.run_rows import task_label

    console = stdout()
    title = f"{record.method} on {task_label(record)}, seed {record.seed}, {record.device}"
    if record.kind == "run":
        title += f", {record.sampler}, {record.candidates} candidates x {record.targets} targets"
    if record.status != "ok":
        console.print(f"{title}\n{record.status}: {record.reason}", markup=False)
    else:
        console.print(f"{title}\n", markup=False)  # as a table's title it would wrap to its width
        rows = table("metric", "value", "95% interval", "unit", "better")
        for m in sorted(record.metrics, key=_place):
            name = m.name if m.T is None else f"{m.name}, T={m.T}"
            known = m.ci_low is not None
            ends = f"{number(m.ci_low)} .. {number(m.ci_high)}" if known else ""
            add_row(rows, name, number(m.value), ends, m.unit, m.better)
        console.print(rows)
        console.print()
        order = "ranked by the method" if record.ranked else "exchangeable"
        if record.kind == "run":
            console.print(f"candidates: {order}", markup=False)
        elif record.simulator_calls:  # of a run they are a metric
            console.print(f"simulator calls: {record.simulator_calls:,}", markup=False)
    for note in record.notes:
        console.print(f"note: {note}", markup=False)
    t = record.timings
    console.print(
        f"fit {t.fit_s:.1f} s, propose {t.propose_s:.1f} s, simulate {t.simulate_s:.1f} s\n"
        f"run {record.id} in {store.path(record.id)}",
        markup=False,
    )

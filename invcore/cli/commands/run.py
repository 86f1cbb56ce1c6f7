"""``invcore run``: one method on one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from invcore.cli.executors import build_executor, executor_options, limit_options, limits_of
from invcore.cli.options import (
    component_option,
    constraint_option,
    json_option,
    response_option,
    setting_option,
    store_option,
    want_options,
)

if TYPE_CHECKING:
    from invcore.configs.limits import Limits
    from invcore.configs.run_config import RunConfig
    from invcore.contracts.executor import Executor
    from invcore.registry.loader import Plugins
    from invcore.storage.store import Store

_DEVICES = "auto (default: CUDA, or the CPU), cpu, cuda, cuda:1; mps is untested."
_PRESETS = "quick: under three minutes; default: our best; paper: the published settings."


@click.command()
@component_option("task", None, "The forward system; default sine-wave.")
@component_option("method", None, "The inverse method; default na.")
@component_option("sampler", None, "What drives its randomness; default maximin-lhs.")
@want_options(
    "What is wanted of responses, e.g. 'gap=0.5:0.7', 'mass=min', or 'gap=±5%' of each test "
    "response; may be repeated. Without ± or 'given' it is one target."
)
@response_option
@constraint_option
@click.option("--candidates", type=int, help="Candidates for each target; default 256.")
@click.option("--targets", type=int, help="Test targets; default 1000.")
@click.option("--calls-per-target", type=int, help="Most simulator calls for a target.")
@click.option("--seconds-per-target", type=float, help="Most seconds; not reproducible.")
@click.option(
    "--refine",
    type=int,
    metavar="N",
    help="Simulator calls for a target that go on steps from its best candidates.",
)
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="TEXT",
    help="How far made designs are off: width=±0.01, *=±2%, response gap=~0.1, @correlations.csv.",
)
@click.option("--seed", type=int, help="Root of all randomness; default 0.")
@click.option("--seeds", metavar="LIST", help="Several, a run each: 0-4, or 0,2,7.")
@click.option("--device", help=_DEVICES)
@click.option("--preset", type=click.Choice(["quick", "default", "paper"]), help=_PRESETS)
@click.option("--config", type=click.Path(dir_okay=False), help="TOML or YAML file of a run.")
@setting_option("One setting, e.g. pairs=5000 or method.boundary=false; may be repeated.")
@executor_options("With --seeds: runs", "--executor-set")
@limit_options
@click.option("--rerank", is_flag=True, default=None, help="Score them re-ranked as well.")
@store_option
@click.option("--force", is_flag=True, help="Run again even if the run is stored.")
@json_option
@click.pass_context
def run(
    ctx: click.Context, /, config: str | None, settings: tuple[str, ...], store_path: str,
    force: bool, as_json: bool, seeds: str | None, time_limit: str | None,
    memory_limit: str | None, executor: str | None, jobs: int | None, scheduler: str | None,
    executor_settings: tuple[str, ...], **flags: Any,
) -> None:  # fmt: skip
    """Run one method on one task and score it.

    The method learns from pairs, proposes candidates for each target, and the task's own
    simulator judges them. A run that is stored already is shown, not repeated, unless the code
    that made it has changed; numbers of metrics that are new or have changed are computed anew.

    \b
    invcore run --method ipage --sampler lhs
    invcore run --task ballistics --method na --preset quick --set boundary=false
    invcore run --task sine-wave --want 'y=±0.1'
    invcore run --task robotic-arm --refine 20
    invcore run --method mdn --seeds 0-4 --jobs 2 --time-limit 10min
    """  # noqa: D301 - click wants the character
    from invcore.base.errors import DivergedError, UnfitError
    from invcore.cli.console import emit_json, progress
    from invcore.cli.main import exit_code
    from invcore.cli.views.run_record import document, show
    from invcore.registry.loader import installed

    plugins = installed()
    limits = limits_of(time_limit, memory_limit)
    who = build_executor(
        plugins, executor=executor, jobs=jobs, scheduler=scheduler,
        executor_settings=executor_settings, limited=limits is not None,
    )  # fmt: skip
    setup = build(config, flags, settings, plugins)
    from invcore.runs.runner import run as run_one  # with torch: a wrong name is said before
    from invcore.storage.store import Store

    store = Store(store_path)
    debug = ctx.find_root().params.get("debug", False)
    if who is not None or seeds is not None:
        several(ctx, setup, seeds, store, plugins, who, limits, force=force, as_json=as_json)
        return
    with progress() as bars:
        record = run_one(
            setup, store=store, plugins=plugins, progress=bars, force=force, keep_going=not debug
        )
    if as_json:
        emit_json(document(record, store, plugins))
    else:
        show(record, store, plugins)
    if record.status != "ok":
        failed = UnfitError() if record.status == "skipped" else DivergedError()
        ctx.exit(exit_code(failed))


def several(
    ctx: click.Context, setup: RunConfig, seeds: str | None, store: Store, plugins: Plugins,
    executor: Executor[Any] | None, limits: Limits | None, *, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Runs by an executor, one for each seed; those that are stored are not repeated."""
    from invcore.cli.console import emit_json, progress
    from invcore.cli.views import run_record, run_rows
    from invcore.runs.job import do_runs
    from invcore.storage.index.listed_run import listed

    wanted = seeds_of(seeds) if seeds is not None else [setup.seed]
    setups = [setup.model_copy(update={"seed": seed}) for seed in wanted]
    with progress() as bars, bars.stage("runs", len(setups)) as stage:
        records = []
        for record in do_runs(
            setups, store=store, plugins=plugins, executor=executor, limits=limits, force=force
        ):
            stage.advance()
            records.append(record)
    records.sort(key=lambda record: wanted.index(record.seed))
    if seeds is None:
        shown = run_record.document(records[0], store, plugins)
        emit_json(shown) if as_json else run_record.show(records[0], store, plugins)
    elif as_json:
        emit_json([run_record.document(record, store, plugins) for record in records])
    else:
        run_rows.show_rows([listed(each) for each in records])
    if any(record.status != "ok" for record in records):
        ctx.exit(4)


def seeds_of(text: str) -> list[int]:
    """Seeds as people list them: ``0-4``, ``0,2,7``.

    Raises:
        ConfigError: that is no such list.
    """
    from invcore.base.errors import ConfigError

    found: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        try:
            first, last = int(low), int(high) if dash else int(low)
        except ValueError:
            raise ConfigError(f"--seeds {text[:40]!r}: expected 0-4, or 0,2,7") from None
        if not 0 <= first <= last < 2**63 or last - first >= 10_000:
            raise ConfigError(f"--seeds {text[:40]!r}: expected up to 10,000 seeds from 0")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


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
    said = {k: v for k, v in flags.items() if k in RunConfig.model_fields and v not in (None, ())}
    data.update({k: list(v) if isinstance(v, tuple) else v for k, v in said.items()})
    if data.get("tolerances"):
        from invcore.data.tables.correlations import tolerance_texts

        data["tolerances"] = list(tolerance_texts(data["tolerances"]))
    rest = []
    for setting in settings:  # `--set method=ipage` decides which settings the others may be
        key, _, value = (part.strip() for part in setting.partition("="))
        if key in SLOTS:
            data[key] = value
        else:
            rest.append(setting)
    choices = {slot: Choice.parse(data[slot], where=slot) for slot in SLOTS if slot in data}
    names = {slot: choice.name for slot, choice in (RunConfig().choices | choices).items()}
    for slot, name in names.items():
        plugins.registry.find(slot, name)  # before any is imported, which takes a while
    configs = {slot: plugins.registry.load(slot, name).Config for slot, name in names.items()}
    config = RunConfig.resolve(apply_settings(data, rest, configs), where=path or "run")
    return config

"""The commands ``invcore proxy fit``, ``show`` and ``validate``: parse, call, print."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from invcore.cli.kit import emit_json, json_option, setting_option

_MANY_ZEROS = 0.1  # a share of the responses


def _columns(command: Callable[..., Any]) -> Callable[..., Any]:
    """What says where the columns of tables are."""
    for option in reversed((
        click.option("--x", type=click.Path(), help="Table of designs."),
        click.option("--y", type=click.Path(), help="Table of responses, row by row with --x."),
        click.option("--design-columns", help="Names or numbers: 1-3,width."),
        click.option("--response-columns", help="Likewise."),
        click.option(
            "--header/--no-header", default=None, help="Whether row 1 has names; else found."
        ),
        click.option("--x-key", help="Array of an NPZ file that holds the designs."),
        click.option("--y-key", help="Array of an NPZ file that holds the responses."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.group()
def proxy() -> None:
    """Make a task of a table: networks that stand in for its simulator."""


@proxy.command()
@click.argument("both", metavar="[TABLES]...", nargs=-1, type=click.Path())
@_columns
@click.option(
    "--out", required=True, type=click.Path(file_okay=False), help="Folder of the bundle."
)
@click.option("--members", type=int, help="Networks in the ensemble; default 5.")
@click.option("--squash", metavar="LOW:HIGH", help="Keep responses in this range.")
@click.option("--non-negative", is_flag=True, help="Keep responses above 0.")
@click.option("--zero-part", is_flag=True, help="The responses are exactly 0 in some rows.")
@click.option("--sequence", is_flag=True, help="The responses are one curve.")
@click.option(
    "--symmetry",
    "symmetries",
    multiple=True,
    metavar="NAMES",
    help='All design columns in another order that leaves the response: "b a c"; repeatable.',
)
@click.option("--whole", multiple=True, metavar="NAME", help="A column of whole numbers.")
@click.option(
    "--average-duplicates", is_flag=True, help="Average the responses of one design's rows."
)
@click.option(
    "--preset",
    type=click.Choice(["quick", "default", "paper"]),
    default="default",
    show_default=True,
    help="How much is trained.",
)
@setting_option("One setting; may be repeated.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Root of all randomness."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@click.option("--title", default="", help="One line for people.")
@click.option("--licence", type=click.Path(dir_okay=False), help="File: the data's licence.")
@json_option
def fit(
    both: tuple[str, ...], out: str, settings: tuple[str, ...], whole: tuple[str, ...],
    average_duplicates: bool, preset: str, seed: int, device: str, title: str, licence: str | None,
    as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Fit a proxy to tables, and write it as a folder that is a task.

    TABLES have designs and responses, and are put one below the other. 10% of the rows are held
    out: the errors on them are printed and kept with the proxy.

    \b
    invcore proxy fit all.csv --design-columns 1-7 --response-columns gap --out my-task/
    invcore proxy fit --x X.csv --y Y.csv --zero-part --out my-task/
    """  # noqa: D301 - click wants the character
    from invcore.cli.kit import terminal_progress
    from invcore.plugin import FitEnvironment, resolve_device
    from invcore_proxy.bundle import check_free, write_bundle
    from invcore_proxy.fitting import fit_proxy
    from invcore_proxy.printing import show_errors
    from invcore_proxy.record import Provenance
    from invcore_proxy.tables import known_pairs

    check_free(out)
    text = _text(licence) if licence else ""
    config, tables = _config(options, settings, preset), _tables(options, both)
    pairs = known_pairs(
        tables, whole=whole, symmetries=config.symmetries, average=average_duplicates
    )
    data, chosen = pairs.data, resolve_device(device)
    with terminal_progress() as progress:
        env = FitEnvironment(seed=seed, device=chosen, progress=progress)
        fitted, report = fit_proxy(data.pairs, data.designs, data.responses, config, env)
    provenance = Provenance.now(tables=pairs.sources, seed=seed)
    record = write_bundle(
        out, fitted, report, data.designs, data.responses, title=title, provenance=provenance,
        licence=text,
    )  # fmt: skip
    if as_json:
        emit_json({
            "bundle": out, "checksum": record.checksum, "merged_rows": pairs.merged,
            "config": config.model_dump(mode="json"), "report": report.model_dump(mode="json"),
        })  # fmt: skip
        return
    if pairs.merged:
        click.echo(f"{pairs.merged} rows merged with others of the same design")
    zero = float((data.pairs.y == 0).double().mean())
    if zero > _MANY_ZEROS and not config.zero_part:
        click.echo(f"{zero:.0%} of the responses are exactly 0: --zero-part may be far better")
    click.echo(
        f"{report.train_rows} rows learnt from, {report.val_rows} chose the checkpoints, "
        f"{report.held_out.rows} were held out\n"
    )
    show_errors(report.held_out, "held-out rows")
    folder = out if "/" in out else f"{out}/"
    click.echo(f"\nbundle in {folder}\nnext: invcore run --task {folder} --method na")


@proxy.command()
@click.argument("bundle", type=click.Path())
@json_option
def show(bundle: str, as_json: bool) -> None:
    """Say what a bundle is, where it came from, and how far it is off."""
    from invcore_proxy.bundle import read_bundle
    from invcore_proxy.printing import show_bundle

    content = read_bundle(bundle)
    if as_json:
        emit_json(content.record.model_dump(mode="json"))
    else:
        show_bundle(content)


@proxy.command()
@click.argument("bundle", type=click.Path())
@click.option("--simulator", metavar="TASK", help="An installed task that the bundle stands for.")
@setting_option("One setting; may be repeated.")
@click.option(
    "--count", type=click.IntRange(1), default=200, show_default=True, help="Designs to simulate."
)
@click.option("--table", "both", type=click.Path(), help="Fresh pairs instead of a simulator.")
@_columns
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Decides the designs."
)
@json_option
def validate(
    bundle: str, simulator: str | None, settings: tuple[str, ...], count: int, both: str | None,
    seed: int, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Compare a bundle with its simulator on fresh designs, or with a table of fresh pairs.

    \b
    invcore proxy validate my-task/ --simulator nanoshell --set water=1.8 --count 200
    invcore proxy validate my-task/ --table fresh.csv
    """  # noqa: D301 - click wants the character
    from invcore.cli.kit import terminal_progress
    from invcore.plugin import component_settings, installed
    from invcore_proxy.bundle import read_bundle
    from invcore_proxy.printing import show_errors
    from invcore_proxy.validation import against_simulator, against_table

    has_table = bool(both or options["x"] or options["y"])
    if has_table == bool(simulator):
        raise click.UsageError("say --simulator TASK, or a table of fresh pairs")
    content = read_bundle(bundle)
    if simulator:
        config = installed().registry.load("task", simulator).Config
        chosen = component_settings(settings, config, "task")
        with terminal_progress() as progress:
            check = against_simulator(content, simulator, chosen, count, seed, progress)
    else:
        check = against_table(content, _tables(options, (both,) if both else ()))
    if as_json:
        emit_json({"bundle": bundle, **check.model_dump(mode="json")})
        return
    if check.lost:
        click.echo(f"{check.lost} designs without a response were left out")
    if check.outside:
        click.echo(f"{check.outside} designs lie outside the bundle's bounds")
    show_errors(check.errors, f"fresh pairs of {check.against}")


def _tables(options: dict[str, Any], both: tuple[str, ...]) -> Any:
    from invcore_proxy.tables import Tables

    names = ("x", "y", "design_columns", "response_columns", "header", "x_key", "y_key")
    return Tables(both=both, **{name: options[name] for name in names})


def _config(options: dict[str, Any], settings: tuple[str, ...], preset: str) -> Any:
    """The preset, then the flags, then ``--set``."""
    from invcore.plugin import component_settings
    from invcore_proxy.config import ProxyConfig

    if options["squash"] and options["non_negative"]:
        raise click.UsageError("--squash and --non-negative exclude each other")
    flags: dict[str, Any] = {
        key: True for key in ("zero_part", "sequence") if options[key]
    }  # fmt: skip
    if options["members"] is not None:
        flags["members"] = options["members"]
    if options["non_negative"]:
        flags["output"] = "non-negative"
    if options["squash"]:
        low, _, high = options["squash"].partition(":")
        try:
            flags |= {"output": "squash", "low": float(low), "high": float(high)}
        except ValueError:
            raise click.UsageError(f"--squash {options['squash']!r}: expected LOW:HIGH") from None
    if options["symmetries"]:
        flags["symmetries"] = [names.split() for names in options["symmetries"]]
    chosen = component_settings(settings, ProxyConfig, "proxy")
    return ProxyConfig.resolve(flags | chosen, preset=preset, where="proxy")


def _text(path: str) -> str:
    from invcore.plugin import DataError

    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None

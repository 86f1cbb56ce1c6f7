"""``invcore solve``: designs for wanted responses from one's own table or simulator."""

from typing import Any

import click

from invcore.cli.kit import (
    component_option,
    device_option,
    json_option,
    setting_option,
    store_option_beside_out,
)


@click.command()
@click.option("--x", "x_path", type=click.Path(), help="Table of designs.")
@click.option("--y", "y_path", type=click.Path(), help="Table of responses, row by row with --x.")
@click.option("--table", "both_path", type=click.Path(), help="One table with both.")
@click.option("--design-columns", help="Columns of --table or --x: names or numbers, 1-3,width.")
@click.option("--response-columns", help="Columns of --table or --y.")
@click.option("--x-key", help="Array of an NPZ file that holds the designs.")
@click.option("--y-key", help="Array of an NPZ file that holds the responses.")
@click.option("--header/--no-header", default=None, help="Whether row 1 has names; else found.")
@click.option(
    "--simulator",
    metavar="FUNCTION|FILE",
    help="Instead of a table: module:function, or a simulator's .toml file.",
)
@click.option("--pairs", type=click.IntRange(1), help="To simulate and learn from.")
@click.option("--budget", type=click.IntRange(1), help="The most simulator calls; else no limit.")
@click.option(
    "--check/--no-check", default=None, help="Simulate what is proposed, too; default yes."
)
@click.option(
    "--target", "targets", multiple=True, metavar="Y[,Y…]", help="A wanted response; repeatable."
)
@click.option("--targets", "targets_path", type=click.Path(), help="Table of wanted responses.")
@component_option("method", "na", "The inverse method; default na.")
@component_option("judge", "conformal-ensemble", "Who judges designs of a table.")
@component_option("sampler", "maximin-lhs", "What drives its randomness; default maximin-lhs.")
@click.option(
    "--candidates", type=click.IntRange(1), default=100, show_default=True, help="Per target."
)
@click.option("--top", type=click.IntRange(1), help="Write only the best of each target.")
@click.option(
    "--bounds", multiple=True, metavar="NAME=LOW:HIGH", help="Narrower bounds of a design."
)
@click.option("--whole", multiple=True, metavar="NAME", help="A column of whole numbers.")
@click.option("--extrapolate", is_flag=True, help="Try also targets that the data do not reach.")
@click.option(
    "--preset",
    type=click.Choice(["quick", "default", "paper"]),
    default="default",
    show_default=True,
    help="How much the method trains.",
)
@setting_option("A method's setting; may be repeated.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Root of all randomness."
)
@device_option
@click.option("--model", metavar="RUN_ID", help="Use a model fitted before, instead of a table.")
@store_option_beside_out
@click.option(
    "--out",
    default="designs.csv",
    show_default=True,
    help=".csv, .tsv, .parquet or .npz of designs.",
)
@json_option
def solve(
    store_path: str, out: str, as_json: bool, candidates: int, sampler: str, top: int | None,
    seed: int, extrapolate: bool, **options: Any,
) -> None:  # fmt: skip
    """Find designs for wanted responses by your own table or simulator.

    A method learns from the table, proposes designs for each target, and an independent judge
    ranks them by how far they may be from it: its prediction, and an error from rows held out.
    The designs lie inside the data's range. The fitted model is kept: --model uses it again.
    With a simulator, the method learns from pairs that it gives, or searches on it, and what is
    proposed is simulated and ranked by its true error.

    \b
    invcore solve --x X.csv --y Y.csv --target 0.5 --target 1.0
    invcore solve --table all.csv --design-columns 1-7 --response-columns gap --target 0.5
    invcore solve --model 1a2b3c --target 0.7
    invcore solve --simulator simulator.toml --target 0.5
    invcore solve --simulator mine:simulate --bounds x1=0:1 --bounds x2=-1:1 --target 0.5
    """  # noqa: D301 - click wants the character
    from invcore.plugin import check_output, installed
    from invcore.results import Store

    check_output(out)
    if not (options["targets"] or options["targets_path"]):
        raise click.UsageError("say what is wanted: --target 0.5, or --targets FILE")
    installed().registry.load("sampler", sampler)  # a wrong name is said before the fit
    store, targets = Store(store_path), _targets(options)
    sampling: dict[str, Any] = {"candidates": candidates, "sampler": sampler, "seed": seed}
    if options["simulator"]:
        from invcore_solve.commands.on_simulator import solve_simulator

        solve_simulator(options, store, out, as_json, top, extrapolate, targets, **sampling)
    else:
        from invcore_solve.commands.on_table import solve_table

        solve_table(options, store, out, as_json, top, extrapolate, targets, **sampling)


def _targets(options: dict[str, Any]) -> Any:
    """Rows from the command line and from a file, as one list or table."""
    from invcore.plugin import read_table

    if options["targets_path"]:
        if options["targets"]:
            raise click.UsageError("use --target or --targets, not both")
        return read_table(options["targets_path"], prefix="y")
    rows = []
    for text in options["targets"]:
        try:
            rows.append([float(part) for part in text.split(",")])
        except ValueError:
            raise click.UsageError(f"--target {text!r}: expected numbers, e.g. 0.5,1.2") from None
    if len({len(row) for row in rows}) > 1:
        raise click.UsageError("the targets have different numbers of values")
    return rows

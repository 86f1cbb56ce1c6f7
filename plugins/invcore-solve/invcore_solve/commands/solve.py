"""``invcore solve``: designs for wanted responses from one's own table or simulator."""

from typing import Any

import click

from invcore.cli.kit import (
    ComponentName,
    RunId,
    component_option,
    device_option,
    executor_options,
    json_option,
    response_option,
    setting_option,
    store_option_beside_out,
    want_options,
)
from invcore_solve.commands.asking import Asking
from invcore_solve.commands.table_options import table_options


@click.command()
@click.argument("given", metavar="[TABLE]", required=False, type=click.Path())
@table_options
@click.option(
    "--simulator",
    metavar="FUNCTION|FILE",
    help="Instead of a table: module:function, or a simulator's .toml file.",
)
@click.option("--pairs", type=click.IntRange(1), help="To simulate and learn from.")
@click.option(
    "--known",
    metavar="FILE|FOLDER|RUN_ID",
    type=click.Path(),
    help="Rows that a --simulator begins with, at no call: a table, a campaign, a stored run.",
)
@click.option("--budget", type=click.IntRange(1), help="The most simulator calls; else no limit.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Rows simulated at the same time: by a loop with a budget, or an --executor; default 1.",
)
@executor_options("", "--executor-set", jobs=False)
@click.option(
    "--check/--no-check", default=None, help="Simulate what is proposed, too; default yes."
)
@click.option(
    "--refine",
    type=click.IntRange(1),
    metavar="N",
    help="Simulator calls for a target that go on steps from its best designs, within the budget.",
)
@click.option(
    "--target", "targets", multiple=True, metavar="Y[,Y…]", help="A wanted response; repeatable."
)
@click.option("--targets", "targets_path", type=click.Path(), help="Table of wanted responses.")
@want_options(
    "What is wanted of a response, e.g. 'gap=0.5:0.7', 'strength>=60', 'cost=min'; may be "
    "repeated, for one specification of all."
)
@response_option
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="TEXT",
    help="How far made designs are off: 'width=±0.01', '*=~2%', 'response gap=~0.1', "
    "@correlations.csv. Designs are ranked by their yield.",
)
@click.option(
    "--yield-calls", type=click.IntRange(1), help="Simulator calls for made designs, in all."
)
@click.option(
    "--method",
    "methods",
    type=ComponentName("method"),
    multiple=True,
    help="An inverse method; may be repeated on a table, whose own mixes of rows propose beside "
    "it. With a simulator: default na; with a small budget closed-loop.",
)
@component_option("judge", "stacked-surrogates", "Who judges designs of a table.")
@click.option(
    "--surrogate",
    "surrogates",
    type=ComponentName("surrogate"),
    multiple=True,
    help="A member of the judge; may be repeated. Default: as the judge has them.",
)
@component_option("sampler", "maximin-lhs", "What drives methods' randomness; default maximin-lhs.")
@click.option(
    "--candidates", type=click.IntRange(1), default=100, show_default=True, help="Per target."
)
@click.option("--top", type=click.IntRange(1), help="Write only the best of each target.")
@click.option("--among", type=click.Path(), help="Designs to choose from: what is in stock.")
@click.option(
    "--novelty",
    type=click.FloatRange(0, min_open=True),
    help="How far designs may be from the table's rows; 1: as far as rows are from each other.",
)
@click.option(
    "--diverse/--no-diverse",
    default=None,
    help="Let the first ten of each target differ; default yes.",
)
@click.option("--strict", is_flag=True, help="Stop where the table does not reach a target.")
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
@click.option(
    "--model",
    metavar="RUN_ID",
    type=RunId("solve"),
    help="Use a model fitted before, instead of a table.",
)
@store_option_beside_out
@click.option(
    "--out",
    default="designs.csv",
    show_default=True,
    help=".csv, .tsv, .xlsx, .parquet or .npz of designs.",
)
@click.option(
    "--report", metavar="PAGE", type=click.Path(), help="A page of it all, of a table: .html."
)
@json_option
def solve(
    store_path: str, out: str, as_json: bool, candidates: int, sampler: str, top: int | None,
    seed: int, **options: Any,
) -> None:  # fmt: skip
    """Find designs for wanted responses by your own table or simulator.

    Of a table, designs are proposed that are like its rows: mixes of neighbours, and what methods
    add. A judge that is fitted to the table ranks them by how far their true response is expected
    to be from the target, and states an error that holds for what is chosen. Rows that meet a
    target already come first. The fitted model is kept: --model uses it again, and with a table
    that has grown it is fitted anew from there.
    With a simulator, a method learns from pairs that it gives, or searches on it, and what is
    proposed is simulated and ranked by its true error. With a small --budget a loop asks for the
    row that tells the most, again and again; stopped, the same command goes on where it was.

    What is wanted are exact responses (--target), or intervals, limits and goals (--want): then
    designs come by the probability that they meet it, and by the goals among those that probably
    do. Responses may be derived from designs and responses by expressions (--response).

    \b
    invcore solve mixes.csv --want 'strength>=60' --response 'price = 0.1*cement' --want price=min
    invcore solve --table mixes.xlsx --response-columns strength --target 40 --target 60
    invcore solve --x X.csv --y Y.csv --target 0.5,1.2
    invcore solve --model 1a2b3c --target 50
    invcore solve --simulator simulator.toml --target 0.5
    invcore solve --simulator mine:simulate --bounds x1=0:1 --bounds x2=-1:1 --target 0.5
    invcore solve --simulator costly.toml --target 0.5 --budget 40 --workers 4
    invcore solve --simulator costly.toml --target 0.5 --budget 40 --known earlier.csv
    invcore solve --simulator costly.toml --want 'lift>=2' --budget 99 --workers 9 --executor dask
    """  # noqa: D301 - click wants the character
    from invcore.plugin import check_output

    check_output(out)
    _name_table(options)
    asking = Asking.of(options)
    sampling: dict[str, Any] = {"candidates": candidates, "sampler": sampler, "seed": seed}
    if options["simulator"]:
        from invcore_solve.commands.on_simulator import solve_simulator

        solve_simulator(options, store_path, out, as_json, top, asking, **sampling)
    else:
        from invcore_solve.commands.on_table import solve_table

        solve_table(options, store_path, out, as_json, top, asking, **sampling)


def _name_table(options: dict[str, Any]) -> None:
    """Take a table that is named without an option for one that is named by it."""
    given = options.pop("given")
    if given is None:
        return
    if options["both_path"] is not None:
        raise click.UsageError("name the table once: by itself, or with --table")
    options["both_path"] = given

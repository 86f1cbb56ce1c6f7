"""``invcore solve``: designs for wanted responses from one's own table or simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from invcore.cli.options import (
    bound,
    component_option,
    device_option,
    json_option,
    store_option_beside_out,
)

if TYPE_CHECKING:
    from invcore.data.tables.table import Table
    from invcore.storage.store import Store
    from invcore_solve.designer import Designer, Proposal

_SHOWN = 5  # rows on the screen for each target; the file has all
_COLUMNS = 8  # likewise for columns of designs, and of responses


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
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A method's setting.")
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
    seed: int, extrapolate: bool, **given: Any,
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
    from invcore.cli.console import emit_json, progress
    from invcore.data.tables.write import check_output
    from invcore.registry.loader import installed
    from invcore.storage.store import Store

    check_output(out)
    if extrapolate and Path(out).suffix == ".npz":
        raise click.UsageError("--extrapolate writes a column of text, which .npz cannot hold")
    if not (given["targets"] or given["targets_path"]):
        raise click.UsageError("say what is wanted: --target 0.5, or --targets FILE")
    installed().registry.load("sampler", sampler)  # a wrong name is said before the fit
    store = Store(store_path)
    if given["simulator"]:
        from invcore_solve.commands.solve_simulator import solve_simulator

        solve_simulator(
            given, store, out, as_json, top, extrapolate, _targets(given),
            candidates=candidates, sampler=sampler, seed=seed,
        )  # fmt: skip
        return
    for name in ("pairs", "budget", "check"):
        if given[name] is not None:
            raise click.UsageError(f"--{name} is for --simulator")
    with progress() as bars:
        designer, targets = _designer(given, store, seed, extrapolate, bars)
        proposal = designer.propose(
            targets, candidates=candidates, sampler=sampler, seed=seed, extrapolate=extrapolate,
            progress=bars,
        )  # fmt: skip
    if top is not None:
        proposal = proposal.top(top)
    proposal.save(out)
    if as_json:
        emit_json(_document(designer, proposal, store, out))
    else:
        _show(designer, proposal, store, out, None if top is not None else candidates)


def _designer(
    given: dict[str, Any], store: Store, seed: int, extrapolate: bool, bars: Any
) -> tuple[Designer, Any]:
    """The model, fitted or loaded, and the targets."""
    from invcore.cli.console import warn
    from invcore.configs.settings import component_settings
    from invcore.registry.loader import installed
    from invcore_solve.designer import Designer
    from invcore_solve.from_table import fit
    from invcore_solve.tables.schema import as_targets, contradictions

    if given["model"]:
        if any(given[name] for name in ("x_path", "y_path", "both_path")):
            raise click.UsageError("--model takes no table: it has learnt from one")
        source = click.get_current_context().get_parameter_source
        if any(source(name) is ParameterSource.COMMANDLINE for name in ("method", "preset")):
            raise click.UsageError("--model takes no --method or --preset: it is fitted")
        if given["settings"] or given["bounds"] or given["whole"]:
            raise click.UsageError("--model takes no --set, --bounds or --whole: it is fitted")
        designer = Designer.load(store, given["model"], device=given["device"])
        return designer, as_targets(_targets(given), designer.problem.responses)
    x, y = _tables(given)
    if several := contradictions(x, y):
        warn(f"{several} designs have rows with other responses; what is learnt lies between")
    method = installed().registry.load("method", given["method"])
    targets = _targets(given)
    designer = fit(
        x, y, method=given["method"], preset=given["preset"], seed=seed, store=store,
        settings=component_settings(list(given["settings"]), method.Config),
        bounds=dict(bound(text) for text in given["bounds"]), whole=given["whole"],
        device=given["device"], targets=targets, extrapolate=extrapolate, progress=bars,
    )  # fmt: skip
    return designer, targets


def _tables(given: dict[str, Any]) -> tuple[Table, Table]:
    """Designs and responses, from one file or two."""
    from invcore.data.tables.read import read_table

    both, header = given["both_path"], given["header"]
    if both:
        if given["x_path"] or given["y_path"]:
            raise click.UsageError("--table has both; leave out --x and --y")
        if not (given["design_columns"] and given["response_columns"]):
            raise click.UsageError("--table needs --design-columns and --response-columns")
        table = read_table(both, prefix="column ", header=header, key=given["x_key"])
        x, y = table, table
    else:
        if not (given["x_path"] and given["y_path"]):
            raise click.UsageError(
                "say where the data are: --x and --y, or --table; or give a --simulator"
            )
        x = read_table(given["x_path"], prefix="x", header=header, key=given["x_key"])
        y = read_table(given["y_path"], prefix="y", header=header, key=given["y_key"])
    return _chosen(x, given["design_columns"]), _chosen(y, given["response_columns"])


def _chosen(table: Table, columns: str | None) -> Table:
    return table.select([c.strip() for c in columns.split(",")]) if columns else table


def _targets(given: dict[str, Any]) -> Any:
    """Rows from the command line and from a file, as one list or table."""
    from invcore.data.tables.read import read_table

    if given["targets_path"]:
        if given["targets"]:
            raise click.UsageError("use --target or --targets, not both")
        return read_table(given["targets_path"], prefix="y")
    rows = []
    for text in given["targets"]:
        try:
            rows.append([float(part) for part in text.split(",")])
        except ValueError:
            raise click.UsageError(f"--target {text!r}: expected numbers, e.g. 0.5,1.2") from None
    if len({len(row) for row in rows}) > 1:
        raise click.UsageError("the targets have different numbers of values")
    return rows


def _document(designer: Designer, proposal: Proposal, store: Store, out: str) -> dict[str, Any]:
    """What ``--json`` prints."""
    columns = proposal.columns()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    record = designer.record
    return {
        "id": record.id,
        "status": record.status,
        "method": record.method,
        "metrics": [metric.model_dump() for metric in record.metrics],
        "timings": record.timings.model_dump(),
        "path": str(store.path(record.id)),
        "out": out,
        "designs": rows,
    }


def _show(
    designer: Designer, proposal: Proposal, store: Store, out: str, asked: int | None
) -> None:
    """The best designs of each target, and where the rest lies."""
    from invcore.base.text import number
    from invcore.cli.console import add_row, stdout, table

    console = stdout()
    xs, ys = proposal.names
    for target in dict.fromkeys(map(tuple, proposal.target.tolist())):
        rows = [i for i, t in enumerate(proposal.target.tolist()) if tuple(t) == target]
        wanted = ", ".join(f"{n} = {number(v)}" for n, v in zip(ys, target, strict=True))
        less = asked - len(rows) if asked else 0
        copies = f" ({less} copies left out)" if less > 0 else ""
        console.print(
            f"{wanted}: the best of {len(rows)} design{'s' * (len(rows) != 1)}{copies}",
            markup=False,
        )
        if proposal.notes[rows[0]]:
            console.print(f"out of the data's reach: {proposal.notes[rows[0]]}", markup=False)
        shown = table("rank", *xs[:_COLUMNS], *(f"{name}, predicted" for name in ys[:_COLUMNS]))
        for i in rows[:_SHOWN]:
            expected = [
                f"{number(float(value))} ± {number(float(error), 2)}"
                for value, error in zip(proposal.predicted[i], proposal.error[i], strict=True)
            ]
            design = [number(value) for value in proposal.designs[i].tolist()]
            add_row(shown, str(int(proposal.rank[i])), *design[:_COLUMNS], *expected[:_COLUMNS])
        console.print(shown)
        console.print()
    for metric in designer.record.metrics:
        ends = f"{number(metric.ci_low)} .. {number(metric.ci_high)}"
        console.print(f"{metric.name}: {number(metric.value)} ({ends})", markup=False)
    again = f"invcore solve --model {designer.record.id} --target …"
    if store.root != Path("runs"):
        again += f" --store {store.root}"
    console.print(f"all columns of all designs: {out}\nmore targets: {again}", markup=False)

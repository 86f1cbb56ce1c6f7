"""``invcore solve`` on a table, or with a model that was fitted to one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from invcore.cli.kit import bound, emit_json, progress, warn
from invcore.plugin import Table, UnfitError, component_settings, installed, read_table
from invcore_solve.commands.view import document, show
from invcore_solve.designer import Designer
from invcore_solve.from_table import fit
from invcore_solve.tables.schema import contradictions

if TYPE_CHECKING:
    from invcore.results import Store


def solve_table(
    options: dict[str, Any], store: Store, out: str, as_json: bool, top: int | None,
    extrapolate: bool, targets: Any, *, candidates: int, sampler: str, seed: int,
) -> None:  # fmt: skip
    """Propose designs with a fitted model, write the file, and show the best.

    Args:
        options: of the command, by name.
        store: of models.
        out: the file of designs.
        as_json: print JSON instead of tables.
        top: write only the best of each target.
        extrapolate: try also targets that the data do not reach.
        targets: wanted responses.
        candidates: proposals per target.
        sampler: drives the method's randomness.
        seed: root of all randomness.

    Raises:
        UsageError: options that are for simulators, or that do not go together.
    """
    for name in ("pairs", "budget", "check"):
        if options[name] is not None:
            raise click.UsageError(f"--{name} is for --simulator")
    if extrapolate and Path(out).suffix == ".npz":
        raise click.UsageError("--extrapolate writes a column of text, which .npz cannot hold")
    with progress() as bars:
        if options["model"]:
            designer = _load(options, store)
        else:
            designer = _fit(options, store, seed, targets, extrapolate, bars)
        ranked = designer.propose(
            targets, candidates=candidates, sampler=sampler, seed=seed, extrapolate=extrapolate,
            progress=bars,
        )  # fmt: skip
    ranked = ranked if top is None else ranked.top(top)
    ranked.save(out)
    if as_json:
        emit_json(document(designer.record, ranked, store, out))
        return
    again = f"invcore solve --model {designer.record.id} --target …"
    if store.root != Path("runs"):
        again += f" --store {store.root}"
    show(
        ranked, designer.record, candidates=0 if top is not None else candidates,
        why_fewer="copies", ends=(f"all columns of all designs: {out}", f"more targets: {again}"),
    )  # fmt: skip


def _load(options: dict[str, Any], store: Store) -> Designer:
    """The model that was fitted before."""
    table = ("x_path", "y_path", "both_path", "design_columns", "response_columns")
    if any(options[name] is not None for name in (*table, "header", "x_key", "y_key")):
        raise click.UsageError("--model takes no table and no columns: it has learnt from them")
    source = click.get_current_context().get_parameter_source
    if any(source(name) is ParameterSource.COMMANDLINE for name in ("method", "preset", "judge")):
        raise click.UsageError("--model takes no --method, --judge or --preset: it is fitted")
    if options["settings"] or options["bounds"] or options["whole"]:
        raise click.UsageError("--model takes no --set, --bounds or --whole: it is fitted")
    return Designer.load(store, options["model"], device=options["device"])


def _fit(
    options: dict[str, Any], store: Store, seed: int, targets: Any, extrapolate: bool, bars: Any
) -> Designer:
    """A model fitted now, or found in the store."""
    x, y = _tables(options)
    if several := contradictions(x, y):
        warn(f"{several} designs have rows with other responses; what is learnt lies between")
    method = installed().registry.load("method", options["method"])
    try:
        return fit(
            x, y, method=options["method"], judge=options["judge"], preset=options["preset"],
            seed=seed, store=store,
            settings=component_settings(list(options["settings"]), method.Config),
            bounds=dict(bound(text) for text in options["bounds"]), whole=options["whole"],
            device=options["device"], targets=targets, extrapolate=extrapolate, progress=bars,
        )  # fmt: skip
    except UnfitError as error:
        raise UnfitError(f"{error.message} (--simulator gives one)") from None


def _tables(options: dict[str, Any]) -> tuple[Table, Table]:
    """Designs and responses, from one file or two."""
    both, header = options["both_path"], options["header"]
    if both:
        if options["x_path"] or options["y_path"]:
            raise click.UsageError("--table has both; leave out --x and --y")
        if not (options["design_columns"] and options["response_columns"]):
            raise click.UsageError("--table needs --design-columns and --response-columns")
        table = read_table(both, prefix="column ", header=header, key=options["x_key"])
        x, y = table, table
    else:
        if not (options["x_path"] and options["y_path"]):
            raise click.UsageError(
                "say where the data are: --x and --y, or --table; or give a --simulator"
            )
        x = read_table(options["x_path"], prefix="x", header=header, key=options["x_key"])
        y = read_table(options["y_path"], prefix="y", header=header, key=options["y_key"])
    return _chosen(x, options["design_columns"]), _chosen(y, options["response_columns"])


def _chosen(table: Table, columns: str | None) -> Table:
    return table.select([c.strip() for c in columns.split(",")]) if columns else table

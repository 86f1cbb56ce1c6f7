"""``invcore solve --simulator``: designs that a function or a program is asked about."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from invcore.cli.kit import bound, build_executor, emit_json, progress
from invcore.plugin import component_settings, installed, tolerance_texts
from invcore_solve.commands.asking import Asking
from invcore_solve.commands.table_options import used

if TYPE_CHECKING:
    from invcore_solve.measured.simulated_rows import SimulatedRows


def solve_simulator(
    options: dict[str, Any], store_path: str, out: str, as_json: bool, top: int | None,
    asking: Asking, **sampling: Any,
) -> None:  # fmt: skip
    """Solve with a simulator, write the file, and show the best.

    Args:
        options: of the command, by name.
        store_path: folder of records, models and finished batches.
        out: the file of designs.
        as_json: print JSON instead of tables.
        top: write only the best of each target.
        asking: what is wanted.
        sampling: candidates, sampler and seed.

    Raises:
        UsageError: options that are for tables.
    """
    allowed = ("--bounds", "--whole", "--category", "--constraint", "--fix", "--levels")
    for option in [option for option in used(options) if option not in allowed]:
        raise click.UsageError(f"--simulator takes no {option}: it makes its own pairs")
    for name in ("among", "novelty", "diverse", "report", "model"):
        if options[name] is not None:
            raise click.UsageError(f"--{name} is for tables")
    source = click.get_current_context().get_parameter_source
    if source("judge") is ParameterSource.COMMANDLINE or options["surrogates"]:
        raise click.UsageError("--judge is for tables: a simulator judges by itself")
    if options["strict"]:
        raise click.UsageError("--strict is for tables: a simulator may be asked anything")
    if len(options["methods"]) > 1:
        raise click.UsageError("--simulator takes one --method")
    designs: dict[str, Any] = dict(bound(text) for text in options["bounds"])
    designs |= dict(_categories(text) for text in options["category"])
    method = options["methods"][0] if options["methods"] else None
    installed().registry.find("sampler", sampling["sampler"])
    if method is not None:
        installed().registry.find("method", method)
    said = source("candidates") is ParameterSource.COMMANDLINE
    tolerances = tolerance_texts(options["tolerances"])
    constraints = _constraints(options)
    rows_out = os.path.splitext(out)[0] + ".rows.csv"
    from invcore.results import Store  # torch from here on: errors of options are told before it
    from invcore_solve.commands.view import asked_of, document, show
    from invcore_solve.from_simulator import solve_with

    executor = None
    if options["executor"] is not None or options["scheduler"] is not None:
        executor = build_executor(
            installed(), executor=options["executor"], jobs=options["workers"],
            scheduler=options["scheduler"], executor_settings=options["executor_settings"],
        )  # fmt: skip
    texts = list(options["settings"])
    store = Store(store_path)
    known = asking.explained(None, list(designs))
    with progress() as bars, redirect_stdout(sys.stderr), known:  # a function may print
        solution = solve_with(
            options["simulator"], designs or None,
            whole=options["whole"], constraints=constraints, method=method,
            settings=lambda config: component_settings(texts, config),
            workers=_at_once(options, executor), executor=executor, known=options["known"],
            preset=options["preset"], pairs=options["pairs"],
            budget=options["budget"], check=options["check"] is not False, device=options["device"],
            store=store, progress=bars, tolerances=tolerances,
            yield_calls=options["yield_calls"], refine=options["refine"] or 0,
            **(sampling if said else {**sampling, "candidates": None}), **asking.options,
        )  # fmt: skip
    if top is not None:
        solution = replace(solution, ranked=solution.ranked.top(top))
    ranked, record = solution.ranked, solution.record
    ranked.save(out)
    rows = solution.rows
    if rows is not None:
        rows.save(rows_out)
    if as_json:
        emit_json({
            **document(record, ranked, store, out),
            "model": None if solution.designer is None else solution.designer.record.id,
            "simulator": solution.simulator, "rows": None if rows is None else rows_out,
            "asked": asked_of(ranked), "notes": list(solution.notes),
        })  # fmt: skip
        return
    from invcore_solve.default_method import is_loop

    searched = is_loop(installed(), record.method)  # it simulates what it needs, and no more
    show(
        ranked, record, candidates=0 if searched or top is not None else sampling["candidates"],
        why_fewer="copies or failures"
        + ", or beyond the budget," * (options["budget"] is not None), notes=solution.notes,
        ends=(
            f"simulator {solution.simulator['name']}: {solution.summary}",
            f"all columns of all designs: {out}",
            *(() if rows is None else (_all_rows(rows, rows_out),)),
            f"record: {store.path(record.id)}",
        ),
    )  # fmt: skip


def _all_rows(rows: SimulatedRows, path: str) -> str:
    """Where all rows are, and how many."""
    failed = f", {rows.failed:,} of them without a response" if rows.failed else ""
    return f"all {len(rows):,} rows that are known or were simulated{failed}: {path}"


def _constraints(options: dict[str, Any]) -> list[str]:
    """What is said of designs, as texts."""
    from invcore_solve.schema.constraints import texts_of

    pairs = {}
    for option in ("fix", "levels"):
        for text in options[option]:
            if "=" not in text:
                raise click.UsageError(f"--{option} {text!r}: expected NAME=VALUE")
        pairs[option] = dict(text.split("=", 1) for text in options[option])
    return [*options["constraint"], *texts_of(pairs["fix"], pairs["levels"])]


def _categories(text: str) -> tuple[str, tuple[str, ...]]:
    """``NAME=A,B,…`` as a design and the names of its categories."""
    name, equal, names = text.partition("=")
    if not equal or "," not in names:
        raise click.UsageError(f"--category {text!r}: expected NAME=A,B,… with --simulator")
    return name, tuple(part.strip() for part in names.split(","))


def _at_once(options: dict[str, Any], executor: object | None) -> int:
    """Rows that a loop has at work; an executor's own number is its affair."""
    return 1 if executor is not None else options["workers"] or 1

"""``invcore solve`` on a table, or with a model that was fitted to one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from invcore.cli.kit import emit_json, progress, stdout
from invcore.plugin import component_settings, installed, tolerance_texts
from invcore_solve.commands.asking import Asking
from invcore_solve.commands.table_options import raw_table, read_tables, used
from invcore_solve.tables.read import read
from invcore_solve.tables.sampled_rows import sampled_rows

if TYPE_CHECKING:
    from invcore_solve.designer import Designer
    from invcore_solve.schema.choices import Choices
    from invcore_solve.tables.raw_table import RawTable

_OF_SIMULATORS = (
    "pairs",
    "budget",
    "workers",
    "executor",
    "scheduler",
    "check",
    "refine",
    "yield_calls",
    "known",
)


def solve_table(
    options: dict[str, Any], store_path: str, out: str, as_json: bool, top: int | None,
    asking: Asking, *, candidates: int, sampler: str, seed: int,
) -> None:  # fmt: skip
    """Propose designs with a fitted model, write the file, and show the best.

    Args:
        options: of the command, by name.
        store_path: folder of models.
        out: the file of designs.
        as_json: print JSON instead of tables.
        top: write only the best of each target.
        asking: what is wanted.
        candidates: designs for each target.
        sampler: drives the methods' randomness.
        seed: root of all randomness.

    Raises:
        UsageError: options that are for simulators, or that do not go together.
    """
    for name in _OF_SIMULATORS:
        if options[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is for --simulator")
    registry = installed().registry
    registry.find("sampler", sampler)
    registry.find("judge", options["judge"])
    for name in options["surrogates"]:
        registry.find("surrogate", name)
    if options["report"]:
        from invcore_solve.page.page import check_page

        check_page(options["report"])
    tolerances = tolerance_texts(options["tolerances"])
    if options["among"]:
        read(options["among"], prefix="x")  # that it can be read is told before anything is fitted
    table, note = None, ""
    if options["model"] is None:
        table, note = _table(options, asking, tolerances, seed)
    from invcore.results import Store  # torch from here on: errors of input are told before it
    from invcore_solve.commands.many_view import show_many
    from invcore_solve.commands.view import asked_of, document, show
    from invcore_solve.many.many_targets import MANY, many_targets, write_many

    store = Store(store_path)
    with progress() as bars:
        designer = _designer(options, store, table, seed, bars)
        known = (designer.data.responses.names, designer.data.designs.names)
        with asking.explained(*known, fitted=options["model"] is not None):
            many = many_targets(designer, asking)
            if many is not None:
                if options["report"]:
                    raise click.UsageError(f"--report is for {MANY:,} targets at most")
                written = write_many(
                    designer, many, Path(out), top=top, progress=bars, want=asking.want,
                    derived=asking.derived, candidates=candidates, sampler=sampler, seed=seed,
                    strict=options["strict"], diverse=options["diverse"] is not False,
                    novelty=options["novelty"], among=options["among"], tolerances=tolerances,
                )  # fmt: skip
                show_many(written, designer, store, out, as_json)
                return
            ranked = designer.propose(
                candidates=candidates, sampler=sampler, seed=seed, strict=options["strict"],
                diverse=options["diverse"] is not False, novelty=options["novelty"],
                among=options["among"], tolerances=tolerances,
                progress=bars, **asking.options,
            )  # fmt: skip
    ranked = ranked if top is None else ranked.top(top)
    notes = [*([note] if note else []), *ranked.notes]
    ranked.save(out)
    if options["report"]:
        from invcore_solve.page.page import write_page

        write_page(options["report"], designer, ranked, asking.derived)
    if as_json:
        emit_json({
            **document(designer.record, ranked, store, out),
            "asked": asked_of(ranked), "level": designer.level,
            "notes": [*designer.data.schema.notes, *notes],
            "schema": designer.data.schema.model_dump(mode="json"), "report": options["report"],
        })  # fmt: skip
        return
    how = "--target" if ranked.wanted is None else "--want"
    again = f"invcore solve --model {designer.record.id}{asking.again} {how} …"
    if store.root != Path("runs"):
        again += f" --store {store.root}"
    for line in designer.data.schema.brief():
        stdout().print(line)
    stdout().print(f"proposed by: {designer.method.replace('+', ', ')}; judged by: "
                   f"{designer.judge_summary}")  # fmt: skip
    ends = [f"all columns of all designs: {out}"]
    ends += [f"page: {options['report']}"] if options["report"] else []
    show(
        ranked, designer.record, candidates=0, why_fewer="", level=designer.level,
        notes=notes, ends=(*ends, f"more targets: {again}"),
    )  # fmt: skip


def _table(
    options: dict[str, Any], asking: Asking, tolerances: Sequence[str], seed: int
) -> tuple[tuple[RawTable, Choices], str]:
    """The table and what is said of it, checked before anything is fitted; and a note of it."""
    from invcore_solve.schema.inspection import inspect_table
    from invcore_solve.schema.schema_file import read_schema

    table, said = read_tables(options, asking)
    table = sampled_rows(table, said.responses, seed)
    inspect_table(table, said)
    asking.check(table, said)
    if asking.derived or tolerances:  # torch from here on
        from invcore.plugin import Tolerances
        from invcore_solve.derived.deriving import with_followers
        from invcore_solve.tables.table_data import TableData

        data, _ = with_followers(TableData.of(table, said), asking.derived)
        Tolerances.of_texts(tolerances, data.designs, data.responses)
    named = options["response_columns"] or options["y_path"]
    if not named and options["schema_path"]:
        named = read_schema(options["schema_path"]).responses
    return (table, said), "" if named else asking.note(said.responses)


def _designer(
    options: dict[str, Any], store: Any, table: tuple[RawTable, Choices] | None, seed: int,
    bars: Any,
) -> Designer:  # fmt: skip
    """A model that is loaded, fitted now, or found in the store."""
    from invcore_solve.designer import Designer
    from invcore_solve.from_table import fit_table

    model = options["model"]
    if model is None:
        assert table is not None
        return fit_table(
            *table, methods=options["methods"], judge=options["judge"],
            judge_settings=_members(options["surrogates"]), preset=options["preset"], seed=seed,
            store=store, settings=_settings(options), device=options["device"], progress=bars,
        )  # fmt: skip
    source = click.get_current_context().get_parameter_source
    if any(source(name) is ParameterSource.COMMANDLINE for name in ("preset", "judge")):
        raise click.UsageError("--model takes no --judge or --preset: it is fitted")
    if options["methods"] or options["settings"] or options["surrogates"]:
        raise click.UsageError("--model takes no --method, --surrogate or --set: it is fitted")
    designer = Designer.load(store, model, device=options["device"])
    how = ("--sheet", "--header", "--units-row", "--comment", "--encoding", "--x-key", "--table")
    given = [option for option in used(options) if option not in how]
    if given:
        raise click.UsageError(
            f"--model takes no {given[0]}: it has learnt from its table; name the table instead of "
            f"--model to fit it anew with {given[0]}"
        )
    if options["both_path"]:
        return designer.refit(raw_table(options), store=store, progress=bars)
    return designer


def _members(surrogates: tuple[str, ...]) -> dict[str, Any]:
    return {"members": list(surrogates)} if surrogates else {}


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Settings of the one method that is named."""
    texts = list(options["settings"])
    if not texts:
        return {}
    if len(options["methods"]) != 1:
        raise click.UsageError("--set is for the settings of one --method")
    method = installed().registry.load("method", options["methods"][0])
    return component_settings(texts, method.Config)

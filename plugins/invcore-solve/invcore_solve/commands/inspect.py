"""``invcore inspect``: what a table holds, and what it can support."""

from __future__ import annotations

from typing import Any

import click

from invcore.cli.kit import add_row, emit_json, json_option, number, stdout, table
from invcore_solve.commands.table_options import read_tables, table_options


@click.command()
@click.argument("path", metavar="[TABLE]", type=click.Path(), required=False)
@table_options
@click.option("--write", metavar="FILE", type=click.Path(), help="Begin a schema file, to edit.")
@click.option("--picture", metavar="FILE", type=click.Path(), help="Draw the columns: .svg or "
              ".png.")  # fmt: skip
@json_option
def inspect(
    path: str | None, write: str | None, picture: str | None, as_json: bool, **options: Any
) -> None:
    """Say what a table holds: kinds and ranges of its columns, relations, replicates.

    Without --response-columns, the last column of numbers is taken for the response.

    \b
    invcore inspect mixes.xlsx --response-columns strength
    invcore inspect mixes.xlsx --response-columns strength --write schema.toml
    """  # noqa: D301 - click wants the character
    import numpy as np

    from invcore_solve.schema.importance import importance
    from invcore_solve.schema.inspection import inspect_table
    from invcore_solve.schema.support import support

    if picture is not None:
        from invcore_solve.page.pictures import check_picture

        check_picture(picture)
    if path is not None:
        if options["both_path"]:
            raise click.UsageError("name the table once")
        options["both_path"] = path
    raw, said = read_tables({**options, **_last_column(options)})
    found = inspect_table(raw, said)
    names = [column.name for column in found.schema.varying]
    shares = importance(found.x, found.y, names, np.random.default_rng(0))
    schema = found.schema.model_copy(update={"importance": shares})
    if write is not None:
        from invcore_solve.schema.schema_file import write_schema

        write_schema(write, schema, said)
    if picture is not None:
        from invcore_solve.page.pictures import draw_columns

        draw_columns(found, said.responses, picture)
    advice = support(schema, found.y)
    if as_json:
        emit_json({**schema.model_dump(mode="json"), "support": list(advice)})
        return
    console = stdout()
    for line in schema.brief():
        console.print(line)
    shown = table("column", "role", "kind", "range", "unit", "missing", "matters")
    for column in schema.columns:
        ends = "" if column.low is None else f"{number(column.low)} to {number(column.high)}"
        if column.kind == "levels":
            ends += f", {len(column.levels)} levels"
        if column.categories:
            ends = ", ".join(column.categories[:6]) + ", …" * (len(column.categories) > 6)
        share = shares.get(column.name)
        matters = "" if share is None else f"{share:.2f}"
        missing = str(column.missing) if column.missing else ""
        role = f"{column.role}: {column.reason}" if column.reason else column.role
        add_row(shown, column.name, role, column.kind, ends, column.unit, missing, matters)
    console.print(shown)
    repeats = schema.replicates
    if repeats.repeated:
        console.print(f"{repeats.repeated:,} designs were measured several times")
        for name, value in repeats.noise.items():
            console.print(f"noise of {name}: standard deviation {number(value)}")
    if repeats.near:
        console.print(f"{repeats.near:,} pairs of designs nearly repeat each other")
    for line in advice:
        console.print(line)
    for file in (write, picture):
        if file is not None:
            console.print(f"written: {file}")


def _last_column(options: dict[str, Any]) -> dict[str, Any]:
    """The last column of numbers as the response, where none is named."""
    if options["response_columns"] or options["schema_path"] or options["y_path"]:
        return {}
    from invcore_solve.commands.table_options import raw_table

    raw = raw_table(options)
    numbers = [i for i, name in enumerate(raw.names) if _varies(raw, i, name)]
    if not numbers:
        raise click.UsageError("no column of numbers: say which is the response")
    return {"response_columns": str(numbers[-1] + 1)}


def _varies(raw: Any, place: int, name: str) -> bool:
    import numpy as np

    column = raw.at([place]).column(name)
    return column.kind == "number" and bool(np.nanmax(column.values) > np.nanmin(column.values))

"""Which column of a table is what: designs, responses, errors, weights, groups."""

from __future__ import annotations

from collections.abc import Mapping

from invcore.plugin import DataError, quoted
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.column_schema import ColumnSchema, Role

USABLE = ("number", "whole", "levels", "category", "constant")
"""Kinds of columns that designs may have."""

_MISSING = 0.2  # share of the cells from which a column that nobody named is left out
_REASONS = {
    "date": "a date",
    "text": "text, all different",
    "index": "counts the rows",
    "empty": "empty",
}


def with_roles(
    columns: Mapping[str, ColumnSchema],
    choices: Choices,
    mixed: Mapping[str, str],
    rows: int,
    source: str,
) -> tuple[ColumnSchema, ...]:
    """The columns with their roles.

    Where no designs are named, they are the columns that are left and usable: numbers, levels and
    categories that vary, and lack few values: each row that lacks one is lost.

    Args:
        columns: by name, in the table's order.
        choices: what the user says.
        mixed: of columns with numbers and text, what their first text is.
        rows: of the table.
        source: for messages.

    Raises:
        DataError: a column that is named for a role cannot have it, or nothing is left.
    """
    choices.check_names(columns, source)
    own: dict[str | None, Role] = {
        choices.weight_column: "weight", choices.group: "group",
        **{choices.of(name).error_column: "error" for name in choices.responses},
        **dict.fromkeys(choices.responses, "response"),
    }  # fmt: skip
    if not choices.responses:
        raise DataError(f"{source}: no column of responses is named")
    asked = choices.designs
    both = set(asked or ()) & {name for name, role in own.items() if role != "group"}
    if both:
        name = min(both)
        raise DataError(f"{source}: column {quoted(name)} is both a design and a {own[name]}")
    result = []
    for name, column in columns.items():
        role, reason = own.get(name, "left out"), ""
        if role == "left out":
            named = asked is not None and name in asked
            if named:
                _check_usable(column, mixed.get(name, ""), source)
                role = "design"
            elif asked is None and name not in choices.ignore:
                reason = mixed.get(name, "") or _REASONS.get(column.kind, "")
                if column.kind == "constant" and isinstance(column.value, str):
                    reason = "text, all the same"
                if not reason and column.missing > _MISSING * rows:
                    reason = f"{column.missing} of {rows} cells are missing"
                role = "left out" if reason else "design"
        elif role != "group":
            _check_numbers(column, role, mixed.get(name, ""), source)
        result.append(column.model_copy(update={"role": role, "reason": reason}))
    if not any(c.role == "design" and c.kind != "constant" for c in result):
        raise DataError(f"{source}: no column of designs that varies is left")
    return tuple(result)


def _check_usable(column: ColumnSchema, mixed: str, source: str) -> None:
    if column.kind in USABLE and not mixed:
        return
    what = mixed or {
        "text": f"text, {column.distinct} different ones", "date": "a date", "empty": "empty",
        "index": "",
    }.get(column.kind, "")  # fmt: skip
    if what:
        advice = "leave it out" + (
            ", or say that it is a category" if column.kind == "text" else ""
        )
        raise DataError(f"{source}: column {quoted(column.name)} is {what}, no numbers; {advice}")


def _check_numbers(column: ColumnSchema, role: str, mixed: str, source: str) -> None:
    place = f"{source}: column {quoted(column.name)}"
    if mixed:
        raise DataError(
            f"{place} is {_named(role)}, and has {mixed}; correct it, or empty the cell"
        )
    if column.kind in ("text", "date", "empty", "category"):
        what = "empty" if column.kind == "empty" else f"{column.kind}, no numbers"
        advice = ""
        if role == "response" and column.kind in ("category", "text"):
            advice = (
                "; give a column that says it in numbers, as 0 and 1 for no and yes, or make it a "
                "design"
            )
        raise DataError(f"{place} is {_named(role)}, and is {what}{advice}")
    if role == "response" and column.kind == "constant":
        raise DataError(f"{place} is constant, {column.value}: every design gives it")


def _named(role: str) -> str:
    return f"an {role}" if role == "error" else f"a {role}"

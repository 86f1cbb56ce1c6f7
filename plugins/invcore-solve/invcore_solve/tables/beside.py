"""Designs and responses of two sources as one table."""

from __future__ import annotations

from dataclasses import replace

from invcore import DataError
from invcore.data.tables import quoted
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.raw_table import RawTable


def beside(x: RawTable, y: RawTable, choices: Choices) -> tuple[RawTable, Choices]:
    """Designs and responses of two sources as one table, with what is said of its columns.

    All columns of ``y`` that are numbers are responses where none are named.

    Raises:
        DataError: other numbers of rows, or a column that is both.
    """
    if len(x) != len(y):
        first, second = (f"{t.place} has {_rows(len(t))}" for t in (x, y))
        why = "row i of one belongs to row i of the other"
        raise DataError(f"{first} and {second}; expected as many, since {why}")
    responses = choices.responses
    if not responses:
        numbers = [name for name in y.names if y.column(name).kind == "number"]
        responses = tuple(numbers) or y.names
    both = sorted(set(responses) & set(choices.designs or x.names))
    if both:
        raise DataError(f"{y.place}: column {quoted(both[0])} is both a design and a response")
    other = y.select(responses)
    table = replace(
        x, names=x.names + other.names, cells=x.cells + other.cells, units=x.units + other.units,
        notes=x.notes + other.notes,
    )  # fmt: skip
    return table, choices.model_copy(update={"responses": tuple(responses)})


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"

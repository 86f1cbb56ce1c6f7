"""What is known of a table: its columns, relations between them, replicates, and warnings."""

from __future__ import annotations

from collections.abc import Iterator

from invcore.plugin import Config, Field
from invcore_solve.schema.column_schema import ColumnSchema
from invcore_solve.schema.relations import Relation
from invcore_solve.schema.rows import Replicates


class TableSchema(Config):
    """What is known of a table.

    Args:
        source: the file.
        rows: those that are used.
        left_out: rows that lack a design, or every response.
        columns: all, in the table's order.
        relations: linear ones that all rows satisfy.
        replicates: rows of one design.
        importance: by design column, the share of the responses' variance that it accounts for;
            empty where nobody asked.
        notes: what was assumed, and what one should know.
    """

    source: str
    rows: int
    left_out: int = 0
    columns: tuple[ColumnSchema, ...] = ()
    relations: tuple[Relation, ...] = ()
    replicates: Replicates = Field(default_factory=lambda: Replicates(designs=0))
    importance: dict[str, float] = {}
    notes: tuple[str, ...] = ()

    def of_role(self, *roles: str) -> tuple[ColumnSchema, ...]:
        """The columns with one of the roles, in order."""
        return tuple(column for column in self.columns if column.role in roles)

    @property
    def constants(self) -> dict[str, float | str]:
        """Design columns of one value, which every proposal has too."""
        return {
            column.name: column.value for column in self.columns
            if column.role == "design" and column.kind == "constant" and column.value is not None
        }  # fmt: skip

    @property
    def varying(self) -> tuple[ColumnSchema, ...]:
        """Design columns of more than one value: those that are proposed."""
        return tuple(c for c in self.of_role("design") if c.kind != "constant")

    def brief(self) -> Iterator[str]:
        """What a user should know before the answer, a line each."""
        designs, responses = self.varying, self.of_role("response")
        count = f"{self.rows:,} rows"
        if self.left_out:
            count += f" ({self.left_out:,} left out: a design or every response is missing)"
        if self.replicates.repeated:
            count += f", {self.replicates.designs:,} different designs"
        yield f"{self.source}: {count}"
        yield f"designs: {_listed(column.name for column in designs)}"
        yield f"responses: {_listed(column.name for column in responses)}"
        steps = [_steps(column) for column in designs]
        if any(steps):
            yield f"taken as: {_listed(step for step in steps if step)}"
        for name, value in self.constants.items():
            yield f"constant: {name} = {value}"
        for relation in self.relations:
            yield f"kept: {relation}"
        left = [c for c in self.of_role("left out") if c.reason]
        if left:
            yield f"left out: {_listed(f'{column.name} ({column.reason})' for column in left)}"
        yield from (f"note: {note}" for note in self.notes)


def _steps(column: ColumnSchema) -> str:
    if column.kind == "levels":
        return f"{column.name} ({len(column.levels)} levels)"
    if column.kind == "category":
        return f"{column.name} ({len(column.categories)} categories)"
    return f"{column.name} (whole)" if column.kind == "whole" else ""


def _listed(names: Iterator[str], most: int = 12) -> str:
    every = list(names)
    more = f", … ({len(every)} in all)" if len(every) > most else ""
    return ", ".join(every[:most]) + more

"""A user's own pairs: numbers, spaces, and what is known of the table that they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import (
    ConfigError,
    DataError,
    Pairs,
    Space,
    Splits,
    close_names,
    generator,
    quoted,
)
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.column_schema import ColumnSchema, Role, category_codes
from invcore_solve.schema.constraints import violating
from invcore_solve.schema.inspection import Inspection, inspect_table
from invcore_solve.schema.spaces import design_space, listed_space, response_space
from invcore_solve.schema.table_schema import TableSchema
from invcore_solve.tables.beside import beside
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read
from invcore_solve.tables.sources import Source

Bounds: TypeAlias = Mapping[str, tuple[float, float]]

TAKEN = ("rank", "error", "reach", "measured", "distance", "nearest row", "beyond", "probability")
"""Names of columns of results."""


@dataclass(frozen=True)
class TableData:
    """A table's pairs, and the spaces that it implies.

    Args:
        pairs: (N, Dx) and (N, Dy), float64; a response that is NaN is unknown.
        designs: space with a uniform prior in the bounds, and the table's constraints.
        responses: space of y.
        source: for messages.
        schema: of the table.
        rows: (N,), long, the line of each row in the file.
    """

    pairs: Pairs
    designs: Space
    responses: Space
    source: str
    schema: TableSchema
    rows: Tensor

    @classmethod
    def read(
        cls, x: Source, y: Source, *, bounds: Bounds | None = None, whole: Sequence[str] = (),
        choices: Choices | None = None,
    ) -> TableData:  # fmt: skip
        """Check designs and responses, and find their spaces.

        Args:
            x: designs (N, Dx): a file, a table, or an array.
            y: responses (N, Dy), likewise.
            bounds: by design column, (low, high); elsewhere the data's range.
            whole: design columns that take whole numbers only.
            choices: what else is said of the columns.

        Raises:
            DataError: the tables cannot be used; the message has file, row and column.
            ConfigError: what is said of columns contradicts them, or there are no such columns.
        """
        said = (choices or Choices()).saying("whole", whole).giving("bounds", bounds or {})
        designs, responses = read(x, prefix="x"), read(y, prefix="y")
        return cls.of(*beside(designs, responses, said))

    @classmethod
    def of(cls, table: RawTable, choices: Choices, among: RawTable | None = None) -> TableData:
        """From a table that was read, with both designs and responses.

        Args:
            table: that was read.
            choices: what is said of its columns; the responses at least.
            among: designs to choose from, with the same columns.

        Raises:
            DataError: the table cannot be used.
            ConfigError: what is said of columns contradicts them.
        """
        found = inspect_table(table, choices)
        check_names([c.name for c in found.schema.of_role("design")], choices.responses)
        designs = design_space(found.schema, choices, found.x)
        schema = found.schema
        if note := violating(designs, found.x, found.rows) if choices.constraints else "":
            schema = schema.model_copy(update={"notes": (*schema.notes, note)})
        if among is not None:
            designs = listed_space(designs, rows_of(among, found.schema))
        return cls(
            _pairs(found), designs, response_space(found.schema, choices.responses),
            table.source, schema, torch.from_numpy(found.rows.astype(np.int64)),
        )  # fmt: skip

    @classmethod
    def simulated(cls, pairs: Pairs, designs: Space, responses: Space, source: str) -> TableData:
        """Pairs that a simulator gave, whose spaces are known."""
        roles: tuple[tuple[Space, Role], ...] = ((designs, "design"), (responses, "response"))
        columns = [
            ColumnSchema(
                name=variable.name, kind="category" if variable.categories else "number", role=role,
                unit=variable.unit, categories=variable.categories,
            )
            for space, role in roles
            for variable in space.variables
        ]  # fmt: skip
        schema = TableSchema(source=source, rows=len(pairs), columns=tuple(columns))
        return cls(pairs, designs, responses, source, schema, torch.arange(1, len(pairs) + 1))

    @property
    def checksum(self) -> str:
        """Of the numbers, for the identity of what is fitted to them."""
        parts = [self.pairs.x, self.pairs.y, *self.pairs.facts.values()]
        return hashlib.sha256(b"".join(part.numpy().tobytes() for part in parts)).hexdigest()

    def split(self, seed: int) -> Splits:
        """80% to learn, 10% to choose checkpoints, 10% held out.

        Where designs are too few for three parts, the same rows learn and choose.
        """
        try:
            return Splits(*self.pairs.split(0.8, 0.1, generator=generator(seed, "split")))
        except DataError:
            return Splits(self.pairs, self.pairs, self.pairs[:0])

    def among(self, listed: npt.NDArray[np.float64]) -> TableData:
        """The same pairs; proposals are designs (M, Dx) of a list alone."""
        return replace(self, designs=listed_space(self.designs, listed))


def rows_of(table: RawTable, schema: TableSchema) -> npt.NDArray[np.float64]:
    """Designs of another table (M, Dx) with the columns of a schema, in any order.

    Without names, the columns count in order. A column that is constant in the schema may be left
    out.

    Raises:
        DataError: a column is missing, or a value in it, or a category that the schema lacks.
    """
    columns = schema.varying
    if not table.named:
        width = len(table.names)
        own = schema.of_role("design") if width != len(columns) else columns
        if width != len(own):
            raise DataError(
                f"{table.place}: {width} columns without names, expected {len(columns)}: "
                f"{', '.join(column.name for column in columns[:6])}"
            )
        table = replace(table, names=tuple(column.name for column in own), named=True)
    parts = []
    for column in columns:
        if column.name not in table.names:
            close = close_names(column.name, table.names)
            raise DataError(f"{table.place}: no column {quoted(column.name)}. {close}")
        parsed = table.column(column.name)
        values = parsed.values
        if column.kind == "category":
            values = category_codes(column, parsed.values, parsed.texts)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            row, what = int(table.rows[wrong[0]]), "missing or no number"
            if column.kind == "category":
                what = f"none of its categories ({', '.join(column.categories[:6])})"
            name = quoted(column.name)
            raise DataError(f"{table.place}: column {name}, row {row} is {what}; correct the row")
        parts.append(values)
    _check_constants(table, schema)
    return np.stack(parts, axis=1)


def _check_constants(table: RawTable, schema: TableSchema) -> None:
    """Refuse other values of columns that have one value in the schema's table.

    Raises:
        DataError: the first such value.
    """
    for name, value in schema.constants.items():
        if name not in table.names or isinstance(value, str):
            continue
        values = table.column(name).values
        wrong = np.flatnonzero(~np.isnan(values) & (values != value))
        if len(wrong):
            row = int(table.rows[wrong[0]])
            raise DataError(
                f"{table.place}: column {quoted(name)}, row {row} is {values[wrong[0]]:g}; the "
                f"table that was learnt from has {value:g} throughout"
            )


def check_names(designs: Sequence[str], responses: Sequence[str]) -> None:
    """Refuse designs that are named like another column of a table of results.

    Raises:
        ConfigError: there is one.

    Example:
        >>> check_names(["length", "rank"], ["force"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        invcore.base.errors.ConfigError: design 'rank': results have a column of that name; ...
    """
    columns = [
        f"{word} {name}"
        for word in ("target", "predicted", "true", "error", "measured")
        for name in responses
    ]
    for name in designs:
        if name in (*TAKEN, *columns):
            raise ConfigError(f"design {name!r}: results have a column of that name; rename it")


def _pairs(found: Inspection) -> Pairs:
    facts = {"weights": found.weights, "noise": found.noise, "groups": found.groups}
    return Pairs(
        torch.from_numpy(found.x), torch.from_numpy(found.y), None,
        **{name: torch.from_numpy(v) for name, v in facts.items() if v is not None},
    )  # fmt: skip

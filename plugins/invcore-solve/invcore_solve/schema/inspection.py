"""From the cells of a table to numbers and their schema."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from invcore.plugin import DataError, quoted
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.column_schema import (
    ColumnSchema,
    category_codes,
    is_index,
    number_column,
    text_column,
)
from invcore_solve.schema.relations import exact_relations
from invcore_solve.schema.roles import with_roles
from invcore_solve.schema.rows import find_replicates
from invcore_solve.schema.table_schema import TableSchema
from invcore_solve.tables.check import size_problem
from invcore_solve.tables.parsed_column import ParsedColumn
from invcore_solve.tables.raw_table import RawTable

Numbers = npt.NDArray[np.float64]

MIN_ROWS = 10
"""Fewer rows say nothing about errors."""

_MIXED = 0.2  # share of cells that may be text in a column of numbers: they count as missing


@dataclass(frozen=True)
class Inspection:
    """The numbers of a table's rows that can be used, and its schema.

    Args:
        schema: of the table.
        x: (N, Dx), designs that vary; categories as 0, 1, 2, …
        y: (N, Dy), NaN where a response is unknown.
        rows: (N,), line of each in the file.
        weights: (N,), or None.
        noise: (N, Dy), variance of measurements, or None.
        groups: (N,), whole numbers, or None.
    """

    schema: TableSchema
    x: Numbers
    y: Numbers
    rows: npt.NDArray[np.int64]
    weights: Numbers | None = None
    noise: Numbers | None = None
    groups: npt.NDArray[np.int64] | None = None


def inspect_table(table: RawTable, choices: Choices) -> Inspection:
    """Find out what a table holds.

    Args:
        table: that was read.
        choices: what the user says; responses at least.

    Raises:
        DataError: a column that cannot be what it is said to be, or too few rows.
        ConfigError: words about columns that there are not.
    """
    choices.check_names(table.names, table.place)
    parsed, columns, mixed = {}, {}, {}
    for name in table.names:
        if table.names.count(name) > 1 and not _named(name, choices):
            continue
        parsed[name], columns[name], mixed[name] = _column(table, name, choices)
    texts = {name: text for name, text in mixed.items() if text}
    placed = with_roles(columns, choices, texts, len(table), table.place)
    schema = TableSchema(source=table.source, rows=len(table), columns=placed, notes=table.notes)
    work = _Rows(table, schema, parsed, choices)
    return work.inspection()


def _named(name: str, choices: Choices) -> bool:
    said = {*(choices.designs or ()), *choices.responses, choices.weight_column, choices.group}
    return name in said


def _column(table: RawTable, name: str, choices: Choices) -> tuple[ParsedColumn, ColumnSchema, str]:
    """A column parsed, its schema, and what its first text is among numbers."""
    parsed, choice = table.column(name), choices.of(name)
    if parsed.kind == "date":
        return parsed, _plain(name, "date", parsed), ""
    if parsed.kind == "text":
        bad = parsed.bad
        named = choice.kind == "category" or choice.descriptors is not None
        if not named and bad is not None and bad.numbers > 0:
            first = f"text in row {bad.row}, {quoted(bad.text)}"
            more = f" ({bad.count} such cells)" if bad.count > 1 else ""
            return parsed, _plain(name, "text", parsed), first + more
        return parsed, text_column(name, parsed.unit, parsed.texts or (), choice), ""
    if parsed.kind == "empty":
        return parsed, _plain(name, "empty", parsed), ""
    column = number_column(name, parsed.unit, parsed.values, choice)
    named = choices.designs is not None and name in choices.designs
    if not named and name not in choices.responses and is_index(parsed.values):
        column = column.model_copy(update={"kind": "index"})
    return parsed, column, ""


def _plain(name: str, kind: str, parsed: ParsedColumn) -> ColumnSchema:
    texts = {text for text in parsed.texts or () if text is not None}
    return ColumnSchema.model_validate({
        "name": name, "kind": kind, "unit": parsed.unit, "missing": int(parsed.missing.sum()),
        "distinct": len(texts),
    })  # fmt: skip


class _Rows:
    """The work on the rows: which are used, and what is known of them."""

    def __init__(
        self, table: RawTable, schema: TableSchema, parsed: dict[str, ParsedColumn],
        choices: Choices,
    ) -> None:  # fmt: skip
        self.table, self.schema, self.parsed, self.choices = table, schema, parsed, choices

    def inspection(self) -> Inspection:
        """The numbers, and the schema with what follows from them."""
        x = np.stack([self._design(column) for column in self.schema.varying], axis=1)
        responses = [column.name for column in self.schema.of_role("response")]
        order = [name for name in self.choices.responses if name in responses]
        y = np.stack([self.parsed[name].values for name in order], axis=1)
        weights = self._weights()
        used = np.asarray(~np.isnan(x).any(axis=1) & ~np.isnan(y).all(axis=1))
        if weights is not None:
            used &= weights > 0
        self._check(x, y, order, used)
        kept = np.flatnonzero(used)
        x, y = x[kept], y[kept]
        notes = [*self.schema.notes]
        partly = int(np.isnan(y).any(axis=1).sum())
        if partly:
            notes.append(f"{partly:,} rows lack some response; the others of them are used")
        schema = self._schema(x, y, tuple(order), len(used) - len(kept), notes)
        schema, x = _without_constants(schema, x)
        groups, noise = self._groups(), self._noise(order)
        return Inspection(
            schema, x, y, self.table.rows[kept],
            None if weights is None else weights[kept],
            None if noise is None else noise[kept],
            None if groups is None else groups[kept],
        )  # fmt: skip

    def _design(self, column: ColumnSchema) -> Numbers:
        own = self.parsed[column.name]
        if column.kind == "category":
            return category_codes(column, own.values, own.texts)
        turn = self.choices.of(column.name).periodic
        return (
            own.values
            if turn is None
            else turn[0] + np.mod(own.values - turn[0], turn[1] - turn[0])
        )

    def _weights(self) -> Numbers | None:
        name = self.choices.weight_column
        if name is None:
            return None
        values = np.nan_to_num(self.parsed[name].values, nan=0.0)
        if not np.isfinite(values).all() or (values < 0).any() or not values.any():
            place = f"{self.table.place}: column {quoted(name)}"
            raise DataError(f"{place}: weights are finite, not negative, and not all zero")
        return values

    def _groups(self) -> npt.NDArray[np.int64] | None:
        name = self.choices.group
        if name is None:
            return None
        own = self.parsed[name]
        texts = own.texts or tuple(None if np.isnan(v) else repr(v) for v in own.values.tolist())
        alone = [f"\0{i}" if text is None else text for i, text in enumerate(texts)]
        return np.unique(alone, return_inverse=True)[1].astype(np.int64).reshape(-1)

    def _noise(self, responses: list[str]) -> Numbers | None:
        columns = [self.choices.of(name).error_column for name in responses]
        if not any(columns):
            return None
        parts = []
        for name in columns:
            own = np.zeros(len(self.table)) if name is None else self.parsed[name].values
            if (own < 0).any():
                place = f"{self.table.place}: column {quoted(name)}"
                raise DataError(f"{place}: errors of measurements are not negative")
            parts.append(np.square(np.nan_to_num(own, nan=float(np.nanmean(own)))))
        return np.stack(parts, axis=1)

    def _check(
        self, x: Numbers, y: Numbers, responses: list[str], used: npt.NDArray[np.bool_]
    ) -> None:
        """Refuse what nothing can be learnt from."""
        place = self.table.place
        names = [column.name for column in self.schema.varying]
        for values, titles in ((x, names), (y, responses)):
            for name, column in zip(titles, values.T, strict=True):
                wrong = np.flatnonzero(np.isinf(column))
                where = f"{place}: column {quoted(name)}"
                if len(wrong):
                    row = int(self.table.rows[wrong[0]])
                    raise DataError(
                        f"{where}, row {row} is infinite; correct it, or empty the cell"
                    )
                known = column[~np.isnan(column)]
                if len(known) and (problem := size_problem(known)):
                    raise DataError(f"{where}: {problem}")
        for column, values in zip(self.schema.varying, x.T, strict=True):
            broken = np.flatnonzero(~np.isnan(values) & (values != np.round(values)))
            if column.kind == "whole" and len(broken):
                row = int(self.table.rows[broken[0]])
                raise DataError(f"{place}: column {quoted(column.name)}, row {row} is no whole "
                                "number; correct it, or do not say that it is")  # fmt: skip
        if int(used.sum()) < MIN_ROWS:
            lacking = len(used) - int(used.sum())
            more = f" ({lacking} lack a design or every response)" if lacking else ""
            raise DataError(
                f"{place}: {int(used.sum())} rows can be used{more}, expected at least {MIN_ROWS}"
            )

    def _schema(
        self, x: Numbers, y: Numbers, responses: tuple[str, ...], left_out: int, notes: list[str]
    ) -> TableSchema:
        varying = self.schema.varying
        numeric = [i for i, c in enumerate(varying) if c.kind != "category"]
        moving = [i for i in numeric if np.ptp(x[:, i]) > 0 and not self._free(varying[i])]
        relations = exact_relations(x[:, moving], [varying[i].name for i in moving])
        return self.schema.model_copy(update={
            "rows": len(x), "left_out": left_out, "relations": relations, "notes": tuple(notes),
            "replicates": find_replicates(x, y, responses),
        })  # fmt: skip

    def _free(self, column: ColumnSchema) -> bool:
        choice = self.choices.of(column.name)
        return choice.periodic is not None


def _without_constants(schema: TableSchema, x: Numbers) -> tuple[TableSchema, Numbers]:
    """Designs that do not vary among the rows that are used become constants."""
    constant = np.ptp(x, axis=0) == 0
    if not constant.any():
        return schema, x
    still = {
        column.name: (column.categories[int(value)] if column.categories else float(value))
        for column, value, same in zip(schema.varying, x[0], constant, strict=True) if same
    }  # fmt: skip
    columns = tuple(
        column.model_copy(update={"kind": "constant", "value": still[column.name]})
        if column.name in still else column for column in schema.columns
    )  # fmt: skip
    if constant.all():
        raise DataError(f"{schema.source}: no column of designs varies among the rows in use")
    return schema.model_copy(update={"columns": columns}), x[:, ~constant]

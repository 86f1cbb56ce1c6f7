"""A table that comes back from the laboratory: which rows were made, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import (
    DataError,
    DerivedResponse,
    Requests,
    Results,
    Space,
    quoted,
    with_derived,
)
from invcore_solve.measured.columns import Columns
from invcore_solve.measured.design_cells import (
    design_values,
    response_values,
    says_failed,
    ticked,
)
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read

FIRST = 1
"""What campaigns call the first row that was asked for: people count from one."""

_ROUNDING = 1e-6  # of a variable's range: nearer to what was asked for, a design is that design
_FAR = 0.1  # of the range: a design that was made so much otherwise is worth a note
_SHOWN = 6  # rows that a note names


@dataclass(frozen=True)
class MeasuredRows:
    """Rows of a table of which something is known.

    Args:
        results: of these rows, by the journal's ids; with responses that are computed.
        lines: (N,), the line of each in the file.
        count: rows that the table has.
        waiting: rows of the table without any result, of which nothing is said.
        notes: what one should know.
        source: the file.
    """

    results: Results
    lines: tuple[int, ...]
    count: int
    waiting: int
    notes: tuple[str, ...]
    source: str


def measured_rows(
    source: Any, designs: Space, responses: Space, formulas: Sequence[DerivedResponse],
    asked: Requests,
) -> MeasuredRows:  # fmt: skip
    """Read a table of results: in any order of columns, with ids or without.

    A row with an id needs no designs: those that were asked for count; where it has them, they
    count as they were made. A row without an id has all designs. Responses may be missing; a word
    such as ``failed`` in their place, or in a column of remarks, says that nothing came of the row.

    Args:
        source: a file, a data frame, or what else ``invcore_solve`` reads.
        designs: their space.
        responses: their space, computed ones last.
        formulas: of the responses that are computed.
        asked: all rows that were ever asked for, by the journal's ids.

    Raises:
        DataError: it cannot be read; the message has file, row and column.
    """
    table = read(source)
    computed = {formula.name for formula in formulas}
    measured = tuple(name for name in responses.names if name not in computed)
    kept = [v for v in responses.variables if v.name in measured]
    columns = Columns.of(table, [*designs.variables, *kept])
    given = [v.name for v in designs.variables if v.name in columns.place]
    if columns.id is None and len(given) < designs.dim:
        missing = next(name for name in designs.names if name not in given)
        raise DataError(
            f"{table.place}: has no column {quoted(missing)}, nor a column 'id' of rows that were "
            f"asked for; it has {', '.join(map(quoted, table.names[:8]))}"
        )
    if not any(name in columns.place for name in measured) and columns.failed is None:
        raise DataError(
            f"{table.place}: has none of the responses {', '.join(measured)}; it has "
            f"{', '.join(map(quoted, table.names[:8]))}"
        )
    return _Reading(table, columns, designs, responses, measured, formulas, asked).rows()


class _Reading:
    """The work on one table."""

    def __init__(
        self, table: RawTable, columns: Columns, designs: Space, responses: Space,
        measured: Sequence[str], formulas: Sequence[DerivedResponse], asked: Requests,
    ) -> None:  # fmt: skip
        self.table, self.columns, self.designs = table, columns, designs
        self.responses, self.measured, self.asked = responses, measured, asked
        self.formulas = formulas
        self.notes: list[str] = []

    def rows(self) -> MeasuredRows:
        """All of it."""
        ids = self._ids()
        y, failed = self._responses()
        told = failed | y.isfinite().any(dim=1)
        y[failed] = torch.nan
        x = self._made(ids, told)
        ids, x, y, failed = ids[told], x[told], y[told], failed[told]
        lines = tuple(self.table.rows[told.numpy()].tolist())
        self.notes += [*self._about_designs(ids, x, lines)]
        whole = with_derived(self.formulas, self.designs, x, self.measured, y)
        if skipped := [name for name in self.columns.other if not _ours(name, self.responses)]:
            self.notes.append(f"columns that are left aside: {', '.join(skipped[:_SHOWN])}")
        return MeasuredRows(
            Results(ids, x, whole, failed), lines, len(self.table),
            int((~told).sum()), tuple(self.notes), self.table.place,
        )  # fmt: skip

    def _ids(self) -> Tensor:
        """The journal's id of each row (N,); -1 where there is none."""
        none = torch.full((len(self.table),), -1)
        if self.columns.id is None:
            return none
        alone = self.table.at([self.columns.id])
        parsed = alone.column(alone.names[0])
        if parsed.kind == "empty":
            return none
        where = f"{self.table.place}: column {quoted(alone.names[0])}"
        if parsed.kind != "number":
            row, text = (parsed.bad.row, parsed.bad.text) if parsed.bad else (1, "a date")
            raise DataError(f"{where}, row {row} is {quoted(text)}, which is no id")
        known = {int(number) for number in self.asked.id.tolist()}
        unknown = [
            (value, int(row)) for value, row in zip(parsed.values, self.table.rows, strict=True)
            if not np.isnan(value) and (value != round(value) or int(value) - FIRST not in known)
        ]  # fmt: skip
        if unknown:
            shown = ", ".join(f"{value:g} (row {row})" for value, row in unknown[:_SHOWN])
            there = f"ids go from {FIRST} to {len(known) + FIRST - 1}" if known else "none was yet"
            word = "id" if len(unknown) == 1 else "ids"
            raise DataError(
                f"{where}: {word} {shown} of rows that were never asked for; {there}. Empty the "
                "cell of a row that nobody asked for"
            )
        filled = torch.from_numpy(np.nan_to_num(parsed.values, nan=FIRST - 1.0))
        return filled.long() - FIRST

    def _responses(self) -> tuple[Tensor, Tensor]:
        """Measured responses (N, Dm), and which rows have failed (N,)."""
        count = len(self.table)
        columns, words = [], torch.zeros(count, dtype=torch.bool)
        for name in self.measured:
            index = self.columns.place.get(name)
            if index is None:
                columns.append(torch.full((count,), torch.nan, dtype=torch.float64))
                continue
            values, failed = response_values(self.table, index)
            columns.append(values)
            words |= torch.tensor(failed, dtype=torch.bool)
        y = torch.stack(columns, dim=1)
        for index in self.columns.remarks:
            words |= torch.tensor([says_failed(cell) for cell in self.table.cells[index].tolist()])
        failed_rows = words & ~y.isfinite().any(dim=1)
        if self.columns.failed is not None:
            cells = self.table.cells[self.columns.failed].tolist()
            marked = torch.tensor([ticked(cell) for cell in cells], dtype=torch.bool)
            both = marked & y.isfinite().any(dim=1)
            if bool(both.any()):
                rows = self._named(self.table.rows[both.numpy()].tolist())
                self.notes.append(f"{rows} marked as failed: their numbers are left aside")
            failed_rows |= marked
        return y, failed_rows

    def _made(self, ids: Tensor, told: Tensor) -> Tensor:
        """Designs as they were made (N, Dx); of rows with an id what was asked for, where empty.

        Raises:
            DataError: a row with a result that has neither an id nor all designs.
        """
        place = {number: i for i, number in enumerate(self.asked.id.tolist())}
        x = torch.full((len(ids), self.designs.dim), torch.nan, dtype=torch.float64)
        for j, variable in enumerate(self.designs.variables):
            if variable.name in self.columns.place:
                x[:, j] = design_values(self.table, self.columns, variable)
        for i, number in enumerate(ids.tolist()):
            if number >= 0:
                own = self.asked.designs[place[number]]
                away = (x[i] - own).abs() / _ranges(self.designs)
                if bool((away.nan_to_num() <= _ROUNDING).all()):
                    x[i] = own  # what a spreadsheet has rounded
                x[i] = torch.where(x[i].isnan(), own, x[i])
        lacking = told & x.isnan().any(dim=1)
        if bool(lacking.any()):
            first = int(lacking.nonzero()[0])
            names = [n for n, v in zip(self.designs.names, x[first], strict=True) if v.isnan()]
            more = f" ({int(lacking.sum())} such rows)" if int(lacking.sum()) > 1 else ""
            raise DataError(
                f"{self.table.place}: row {int(self.table.rows[first])} has a result, but neither "
                f"an id nor {' and '.join(names[:3])}{more}; fill it in, or empty the row"
            )
        return x

    def _about_designs(self, ids: Tensor, x: Tensor, lines: Sequence[int]) -> Iterator[str]:
        """Notes on designs that were made far from what was asked for, or that are not allowed."""
        place = {number: i for i, number in enumerate(self.asked.id.tolist())}
        ranges, otherwise, outside = _ranges(self.designs), 0, []
        allowed = self.designs.contains(x).tolist()
        for number, made, line, good in zip(ids.tolist(), x, lines, allowed, strict=True):
            asked = self.asked.designs[place[number]] if number >= 0 else None
            if asked is not None and torch.equal(asked, made):
                continue
            outside += [] if good else [line]
            if asked is None:
                continue
            otherwise += 1
            away = (made - asked).abs() / ranges
            if float(away.max()) > _FAR:
                j = int(away.argmax())
                variable = self.designs.variables[j]
                was, now = (_value(variable.categories, float(v[j])) for v in (asked, made))
                yield (
                    f"row {line} was made otherwise than it was asked for: {variable.name} is "
                    f"{now}, not {was}; is that right?"
                )
        if otherwise:
            rows = "1 row was" if otherwise == 1 else f"{otherwise} rows were"
            yield f"{rows} made otherwise than asked for, and count as made"
        if outside:
            yield f"{self._named(outside)} outside of what may be asked for, and count all the same"

    @staticmethod
    def _named(rows: Sequence[int]) -> str:
        shown = ", ".join(map(str, rows[:_SHOWN])) + ", …" * (len(rows) > _SHOWN)
        return f"row {shown} is" if len(rows) == 1 else f"rows {shown} are"


def _ours(name: str, responses: Space) -> bool:
    """Whether a column is one that campaigns write themselves."""
    return any(
        name.startswith(begin) for begin in ("expected ", "± ", "error of ", "chance")
    ) or any(name.split(" [")[0] == own for own in responses.names)


def _ranges(designs: Space) -> Tensor:
    width = designs.high - designs.low
    return torch.where(width.isfinite() & (width > 0), width, 1.0)


def _value(categories: Sequence[str], value: float) -> str:
    return categories[int(value)] if categories else f"{value:g}"

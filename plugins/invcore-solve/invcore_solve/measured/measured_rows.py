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
    printable,
    quoted,
    with_derived,
)
from invcore_solve.measured.cell_problems import CellProblems
from invcore_solve.measured.columns import Columns
from invcore_solve.measured.design_cells import (
    FAILURES,
    design_values,
    response_values,
    says_failed,
    ticked,
)
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read
from invcore_solve.tables.reading.cells import is_missing, text_of

FIRST = 1
"""What campaigns call the first row that was asked for: people count from one."""

ROUNDING = 1e-5
"""Of a variable's range: nearer to what was asked for, a design is that design."""
_FAR = 0.1  # of the range: a design that was made so much otherwise is worth a note
_STATES = ("pending", "told", "in part", "simulated", "known")  # in tables that invcore writes
_REMARK = 200  # signs of a remark that are kept
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
        remarks: (N,), what columns of remarks say of each; empty texts where nothing.
    """

    results: Results
    lines: tuple[int, ...]
    count: int
    waiting: int
    notes: tuple[str, ...]
    source: str
    remarks: tuple[str, ...] = ()


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
        self.problems = CellProblems(table.place)

    def rows(self) -> MeasuredRows:
        """All of it."""
        ids = self._ids()
        y, failed = self._responses()
        told = failed | y.isfinite().any(dim=1)
        self.notes += [*self._about_remarks(told)]
        y[failed] = torch.nan
        x = self._made(ids, told)
        self.problems.check()
        ids, x, y, failed = ids[told], x[told], y[told], failed[told]
        lines = tuple(self.table.rows[told.numpy()].tolist())
        remarks = tuple(text for text, is_told in zip(self.remarks, told, strict=True) if is_told)
        self.notes += [*self._about_designs(ids, x, lines)]
        whole = with_derived(self.formulas, self.designs, x, self.measured, y)
        if skipped := [name for name in self.columns.other if not _ours(name, self.responses)]:
            self.notes.append(f"columns that are left aside: {', '.join(skipped[:_SHOWN])}")
        return MeasuredRows(
            Results(ids, x, whole, failed), lines, len(self.table),
            int((~told).sum()), tuple(self.notes), self.table.place,
            remarks,
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
        known, values = {int(n) for n in self.asked.id.tolist()}, np.array(parsed.values)
        unknown = [
            (value, int(row)) for value, row in zip(parsed.values, self.table.rows, strict=True)
            if not np.isnan(value) and (value != round(value) or int(value) - FIRST not in known)
        ]  # fmt: skip
        there = f"ids go from {FIRST} to {len(known) + FIRST - 1}" if known else "none was yet"
        for value, row in unknown:
            self.problems.say(
                row, f"row {row} has id {value:g}, which was never asked for",
                f"{there}; empty the cell of a row that nobody asked for",
            )  # fmt: skip
            values[self.table.rows == row] = np.nan
        filled = torch.from_numpy(np.nan_to_num(values, nan=FIRST - 1.0))
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
            values, failed = response_values(self.table, index, self.problems)
            columns.append(values)
            words |= torch.tensor(failed, dtype=torch.bool)
        y = torch.stack(columns, dim=1)
        for index in self.columns.remarks:
            words |= torch.tensor([says_failed(cell) for cell in self.table.cells[index].tolist()])
        self.remarks = self._remarks()
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

    def _remarks(self) -> list[str]:
        """What columns of remarks say of each row (N,), as one text."""
        columns = [self.table.cells[index].tolist() for index in self.columns.remarks]
        return [
            "; ".join(printable(text_of(cell), _REMARK) for cell in cells if not is_missing(cell))
            for cells in zip(*columns, strict=True)
        ] or [""] * len(self.table)

    def _about_remarks(self, told: Tensor) -> Iterator[str]:
        """That the remarks of rows without a result are not understood as failures."""
        unclear = [
            f"row {row} ({quoted(text, 30)})"
            for row, text, is_told in zip(self.table.rows, self.remarks, told, strict=True)
            if text and not is_told and text.casefold() not in _STATES
        ]
        if unclear:
            shown = ", ".join(unclear[:_SHOWN]) + ", …" * (len(unclear) > _SHOWN)
            yield (
                f"not understood as a failure, and so without a result: {shown}; words for a "
                f"failure are {', '.join(FAILURES)}, or yes in a column failed"
            )

    def _made(self, ids: Tensor, told: Tensor) -> Tensor:
        """Designs as they were made (N, Dx); of rows with an id what was asked for, where empty.

        A row with a result that has neither an id nor all designs is a problem.
        """
        place = {number: i for i, number in enumerate(self.asked.id.tolist())}
        x = torch.full((len(ids), self.designs.dim), torch.nan, dtype=torch.float64)
        for j, variable in enumerate(self.designs.variables):
            if variable.name in self.columns.place:
                x[:, j] = design_values(self.table, self.columns, variable, self.problems)
        for i, number in enumerate(ids.tolist()):
            if number >= 0:
                own = self.asked.designs[place[number]]
                away = (x[i] - own).abs() / _ranges(self.designs)
                if bool((away.nan_to_num() <= ROUNDING).all()):
                    x[i] = own  # what a spreadsheet has rounded
                x[i] = torch.where(x[i].isnan(), own, x[i])
        for i in (told & x.isnan().any(dim=1)).nonzero()[:, 0].tolist():
            row = int(self.table.rows[i])
            if self.problems.about(row):
                continue  # which is why it lacks something
            names = [n for n, v in zip(self.designs.names, x[i], strict=True) if v.isnan()]
            lacks = " and ".join(names[:3])
            self.problems.say(
                row,
                f"row {row} has a result, but neither an id nor {lacks}",
                "fill it in, or empty the row",
            )  # fmt: skip
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
            what = "it is" if len(outside) == 1 else "they are"
            yield (
                f"{self._named(outside)} beyond the bounds or constraints: {what} learnt from like "
                "any other, but no such design will be asked for"
            )

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

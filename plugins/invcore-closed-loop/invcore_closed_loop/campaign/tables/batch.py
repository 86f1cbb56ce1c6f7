"""A batch of rows as a table: for people, for data frames, and for files that come back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invcore_solve.measured.frames import values_of, with_empty_cells, with_unit
from invcore_solve.measured.measured_rows import FIRST
from torch import Tensor

from invcore.plugin import (
    Column,
    DataError,
    Requests,
    Space,
    Variable,
    check_output,
    printable,
    write_table,
)
from invcore_closed_loop.campaign.tables.sheet_digits import sheet_designs

if TYPE_CHECKING:
    import pandas

ENDINGS = (".csv", ".tsv", ".xlsx")


@dataclass(frozen=True)
class Batch:
    """Rows to make.

    Args:
        requests: by the journal's ids.
        designs: their space.
        responses: space of the responses, computed ones last.
        measured: names of those that are to be measured.
        expected: (N, Dy), what is expected of each response; NaN where nothing is.
        error: (N, Dy), how far a measurement may be off, for nine in ten; NaN likewise.
        known: (N, Dy), what was measured of the rows already; NaN where nothing was. None: nothing.
    """

    requests: Requests
    designs: Space
    responses: Space
    measured: tuple[str, ...]
    expected: Tensor
    error: Tensor
    known: Tensor | None = None

    def __len__(self) -> int:
        return len(self.requests)

    def __str__(self) -> str:
        return self.frame().to_string(index=False) if len(self) else "no row is pending"

    def columns(self, *, sheet: bool = False) -> dict[str, Column]:
        """Columns by name: id, designs, empty responses, what is expected of them and its error.

        Responses that are expected of no row have no such columns. Of a sheet, names have units,
        and numbers as many digits as a laboratory needs.
        """
        label = with_unit if sheet else _name
        designs = self.requests.designs
        if sheet:
            designs = sheet_designs(self.designs, designs)
        columns: dict[str, Column] = {"id": [number + FIRST for number in self.ids]}
        for j, variable in enumerate(self.designs.variables):
            columns[label(variable)] = values_of(variable, designs[:, j])
        for j, variable in enumerate(self.responses.variables):
            if variable.name in self.measured:
                columns[label(variable)] = self._measured(j)
        for j, variable in enumerate(self.responses.variables):
            known = self.expected[:, j].isfinite()
            if bool(known.any()):
                columns[f"expected {variable.name}"] = _digits(self.expected[:, j], sheet)
                if bool((self.error[:, j] > 0).any()):
                    columns[f"± {variable.name}"] = _digits(self.error[:, j], sheet)
        return columns

    def _measured(self, place: int) -> list[Any]:
        """The cells of a response: empty where it is to be measured."""
        if self.known is None:
            return [""] * len(self)
        return ["" if value != value else value for value in self.known[:, place].tolist()]

    @property
    def ids(self) -> list[int]:
        """The journal's."""
        return [int(number) for number in self.requests.id.tolist()]

    def frame(self) -> pandas.DataFrame:
        """A data frame of the columns; responses to fill in are NaN."""
        import pandas

        columns: dict[str, Any] = dict(self.columns())
        for name in self.measured:
            columns[name] = [float("nan") if cell == "" else cell for cell in columns[name]]
        return pandas.DataFrame(columns)

    def records(self) -> list[dict[str, Any]]:
        """The rows as plain data; responses to measure are null."""
        columns: Mapping[str, Any] = self.columns()
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return [{n: None if cell == "" else cell for n, cell in row.items()} for row in rows]

    def save(self, path: str) -> None:
        """Write a file to be filled in: .csv, .tsv or .xlsx, with units in its header.

        Raises:
            DataError: another ending, or it cannot be written.
        """
        check_batch_file(path)
        columns: dict[str, Any] = {**self.columns(sheet=True), "note": [""] * len(self)}
        for name, cells in columns.items():
            if "" in cells and set(map(type, cells)) != {str}:  # known in part
                columns[name] = [float("nan") if cell == "" else cell for cell in cells]
        columns = with_empty_cells(columns, path)
        write_table(path, [*columns], columns)


def check_batch_file(path: str) -> None:
    """Refuse a file that a batch cannot be written to, before anything is asked for.

    Raises:
        DataError: another ending, or no right to write there.
    """
    if os.path.splitext(path)[1].lower() not in ENDINGS:
        raise DataError(f"{printable(path)}: expected a file {', '.join(ENDINGS)} to be filled in")
    check_output(path)


def _digits(values: Tensor, sheet: bool) -> list[float]:
    """Numbers; of a sheet with four digits."""
    return [float(f"{value:.4g}") if sheet else value for value in values.tolist()]


def _name(variable: Variable) -> str:
    return variable.name

"""A batch of rows as a table: for people, for data frames, and for files that come back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invcore_solve.measured.frames import values_of
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
    """

    requests: Requests
    designs: Space
    responses: Space
    measured: tuple[str, ...]
    expected: Tensor
    error: Tensor

    def __len__(self) -> int:
        return len(self.requests)

    def columns(self, *, names_with_units: bool = False) -> dict[str, Column]:
        """Columns by name: id, designs, empty responses, what is expected of them and its error.

        Responses that are expected of no row have no such columns.
        """
        label = with_unit if names_with_units else _name
        columns: dict[str, Column] = {"id": [number + FIRST for number in self.ids]}
        for j, variable in enumerate(self.designs.variables):
            columns[label(variable)] = values_of(variable, self.requests.designs[:, j])
        for variable in self.responses.variables:
            if variable.name in self.measured:
                columns[label(variable)] = [""] * len(self)
        for j, variable in enumerate(self.responses.variables):
            known = self.expected[:, j].isfinite()
            if bool(known.any()):
                columns[f"expected {variable.name}"] = self.expected[:, j].tolist()
                if bool((self.error[:, j] > 0).any()):
                    columns[f"± {variable.name}"] = self.error[:, j].tolist()
        return columns

    @property
    def ids(self) -> list[int]:
        """The journal's."""
        return [int(number) for number in self.requests.id.tolist()]

    def frame(self) -> pandas.DataFrame:
        """A data frame of the columns; responses to fill in are NaN."""
        import pandas

        columns: dict[str, Any] = dict(self.columns())
        for name in self.measured:
            columns[name] = [float("nan")] * len(self)
        return pandas.DataFrame(columns)

    def records(self) -> list[dict[str, Any]]:
        """The rows as plain data; responses to measure are null."""
        columns: Mapping[str, Any] = self.columns()
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return [{**row, **dict.fromkeys(self.measured)} for row in rows]

    def save(self, path: str) -> None:
        """Write a file to be filled in: .csv, .tsv or .xlsx, with units in its header.

        Raises:
            DataError: another ending, or it cannot be written.
        """
        check_batch_file(path)
        columns = {**self.columns(names_with_units=True), "note": [""] * len(self)}
        write_table(path, [*columns], columns)


def check_batch_file(path: str) -> None:
    """Refuse a file that a batch cannot be written to, before anything is asked for.

    Raises:
        DataError: another ending, or no right to write there.
    """
    if os.path.splitext(path)[1].lower() not in ENDINGS:
        raise DataError(f"{printable(path)}: expected a file {', '.join(ENDINGS)} to be filled in")
    check_output(path)


def with_unit(variable: Variable) -> str:
    """A variable's name with its unit in brackets."""
    return f"{variable.name} [{variable.unit}]" if variable.unit else variable.name


def _name(variable: Variable) -> str:
    return variable.name

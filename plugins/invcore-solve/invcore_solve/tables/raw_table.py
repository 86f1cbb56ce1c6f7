"""A table as it was read: names and cells, of which only the columns in use are parsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore import DataError
from invcore.data.tables import check_names, chosen_columns, printable, quoted
from invcore_solve.tables.parsed_column import ParsedColumn, parse_column


@dataclass(frozen=True, eq=False)
class RawTable:
    """Named columns of cells.

    Args:
        names: one a column; those of columns in use must differ.
        cells: an array (N,) a column: numbers, dates, or objects as they were read.
        source: the path as it was given, for messages.
        rows: (N,) the line, or row of the sheet, of each row; for messages.
        units: one a column, "" where none is known.
        notes: what was skipped or assumed, a sentence each.
        named: whether the source had names; False where they were made up.
        decimal: the decimal sign to assume where a column of text does not show it.

    Raises:
        DataError: another number of cells than of names or rows.

    Example:
        >>> cells = (np.array(["1", "2"], dtype=object), np.array(["a", "b"], dtype=object))
        >>> table = RawTable(("width", "metal"), cells, "t.csv", np.array([2, 3]))
        >>> table.select(["width"]).column("width").values.tolist()
        [1.0, 2.0]
    """

    names: tuple[str, ...]
    cells: tuple[npt.NDArray[Any], ...]
    source: str
    rows: npt.NDArray[np.int64]
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    named: bool = True
    decimal: str = ""

    def __post_init__(self) -> None:
        if not self.units:
            object.__setattr__(self, "units", ("",) * len(self.names))
        sizes = {len(self.names), len(self.cells), len(self.units)}
        lengths = {len(column) for column in self.cells} | {len(self.rows)}
        if len(sizes) != 1 or len(lengths) != 1:
            fault = f"{len(self.names)} names, {len(self.cells)} columns of {sorted(lengths)} cells"
            raise DataError(f"{self.place}: has {fault}; expected a name a column, all as long")

    @property
    def place(self) -> str:
        """What messages call the table."""
        return printable(self.source)

    def select(self, columns: Sequence[str]) -> RawTable:
        """Some of the columns, in the order asked for.

        Args:
            columns: names, 1-based numbers ("2") or ranges of them ("3-5"); where a column's name
                looks like a number, the name counts.

        Raises:
            DataError: an unknown column, one asked for twice, none at all, or two of one name.
        """
        return self.at(chosen_columns(columns, self.names, self.place))

    def at(self, indices: Sequence[int]) -> RawTable:
        """The columns at these indices, from 0.

        Raises:
            DataError: two of them have one name.
        """
        names = tuple(self.names[index] for index in indices)
        check_names(names, self.place)
        return replace(
            self,
            names=names,
            cells=tuple(self.cells[index] for index in indices),
            units=tuple(self.units[index] for index in indices),
        )

    def column(self, name: str) -> ParsedColumn:
        """What a column holds; it is parsed now.

        Raises:
            DataError: no such column, or numbers with decimal commas and points.
        """
        same = [index for index, other in enumerate(self.names) if other == name]
        index = same[0] if len(same) == 1 else chosen_columns([name], self.names, self.place)[0]
        place = f"{self.place}: column {quoted(self.names[index])}"
        return parse_column(
            self.cells[index], self.rows, place, unit=self.units[index], decimal=self.decimal
        )

    def take(self, rows: Any) -> RawTable:
        """Some of the rows.

        Args:
            rows: indices, or (N,) whether to keep each.
        """
        kept = np.asarray(rows)
        kept = kept if kept.size else kept.astype(np.int64)
        cells = tuple(column[kept] for column in self.cells)
        return replace(self, cells=cells, rows=self.rows[kept])

    def __len__(self) -> int:
        return len(self.rows)

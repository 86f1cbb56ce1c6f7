"""A user's table of numbers: named columns, and some of them chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import printable
from invcore.data.tables.arrays import real_array
from invcore.data.tables.columns import chosen_columns
from invcore.data.tables.formats import check_names


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of numbers.

    Args:
        names: one a column, all different.
        values: (N, D); kept as a read-only, C-contiguous float64 copy.
        source: the path as it was given, for messages.
        first_row: the file's line number of row 0, for messages.

    Raises:
        DataError: values that are not (N, len(names)) or no real numbers, or names that repeat.

    Example:
        >>> table = Table(("a", "b"), np.array([[1.0, 2.0], [3.0, 4.0]]), "t.csv", 2)
        >>> table.select(["b"]).values.tolist()
        [[2.0], [4.0]]
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    source: str
    first_row: int

    def __post_init__(self) -> None:
        place = printable(self.source)
        values = np.array(real_array(self.values, place), order="C")
        check_names(self.names, place)
        if values.ndim != 2 or values.shape[1] != len(self.names):
            expected = f"values (N, {len(self.names)}), one column a name"
            raise DataError(f"{place}: expected {expected}, got {values.shape}")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def select(self, columns: Sequence[str]) -> Table:
        """Some of the columns, in the order asked for.

        Args:
            columns: names, 1-based numbers ("2") or ranges of them ("3-5"); where a column's name
                looks like a number, the name counts.

        Raises:
            DataError: an unknown column, one asked for twice, or none at all.

        Example:
            >>> table = Table(("a", "b", "c"), np.zeros((1, 3)), "t.csv", 2)
            >>> table.select(["2-3", "a"]).names
            ('b', 'c', 'a')
        """
        chosen = chosen_columns(columns, self.names, printable(self.source))
        names = tuple(self.names[index] for index in chosen)
        return Table(names, self.values[:, chosen], self.source, self.first_row)

"""A user's table of numbers: named columns, and some of them chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import listing, printable, quoted
from invcore.data.tables.arrays import real_array
from invcore.data.tables.formats import check_names

_RANGE = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?", re.ASCII)


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
        selectors = (columns,) if isinstance(columns, str) else columns
        chosen = [index for column in selectors for index in self._find(column.strip())]
        place = printable(self.source)
        first = {index: n for n, index in reversed([*enumerate(chosen)])}
        twice = [index for n, index in enumerate(chosen) if first[index] < n]
        if twice:
            name = quoted(self.names[twice[0]])
            raise DataError(f"{place}: column {name} is asked for twice; name it once")
        if not chosen:
            raise DataError(f"{place}: no column is asked for; {listing(self.names)}")
        names = tuple(self.names[index] for index in chosen)
        return Table(names, self.values[:, chosen], self.source, self.first_row)

    def _find(self, column: str) -> Sequence[int]:
        """The indices that a name, a number or a range stands for."""
        if column in self.names:
            return [self.names.index(column)]
        if match := _RANGE.fullmatch(column):
            first, last = int(match[1]), int(match[2] or match[1])
            if 1 <= first <= last <= len(self.names):
                return range(first - 1, last)
        raise DataError(
            f"{printable(self.source)}: no column {quoted(column)}; {listing(self.names, column)} "
            f"(or a number, 1 to {len(self.names)}, or a range such as 1-{len(self.names)})"
        )

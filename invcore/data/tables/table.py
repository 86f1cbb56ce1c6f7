"""Users' tables of numbers: reading, checking, choosing columns, writing.

The only module through which a user's table comes in. Every problem is a `DataError` whose message
is one line that says the file, the row (its 1-based line number) and the column.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from invcore.errors import DataError
from invcore.tables.formats import (
    NUMPY,
    PARQUET,
    TEXT,
    check_file,
    check_names,
    listing,
    printable,
    read_numpy,
    read_parquet,
    shown,
)
from invcore.tables.text import read_text
from invcore.tables.writers import Column, checked_columns, encode, replace_file

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
        DataError: values that are not (N, len(names)), or names that repeat.

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
        values = np.array(self.values, dtype=np.float64, order="C")
        place = printable(self.source)
        check_names(self.names, place)
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise DataError(
                f"{place}: expected values (N, {len(self.names)}), one column a name, "
                f"got {values.shape}"
            )
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
        wanted = (columns,) if isinstance(columns, str) else columns
        chosen = [index for column in wanted for index in self._find(column.strip())]
        place = printable(self.source)
        seen: set[int] = set()
        for index in chosen:
            if index in seen:
                name = shown(self.names[index])
                raise DataError(f"{place}: column {name} is asked for twice; name it once")
            seen.add(index)
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
            f"{printable(self.source)}: no column {shown(column)}; {listing(self.names, column)} "
            f"(or a number, 1 to {len(self.names)}, or a range such as 1-{len(self.names)})"
        )


def read_table(
    path: str | os.PathLike[str],
    *,
    prefix: str = "x",
    header: bool | None = None,
    key: str | None = None,
) -> Table:
    """Read a table of numbers: .csv, .tsv, .txt, .parquet, .pq, .npz or .npy.

    In text, the delimiter is found, and NaN and infinity pass: `check_table` refuses them.

    Args:
        path: the file.
        prefix: columns without names are called by it and their number: x1, x2, ...
        header: whether the first row of a text file holds names. None: it does if it holds
            anything but numbers; say True where names are numbers, as wavelengths are.
        key: the array to take from an NPZ file that has several.

    Returns:
        The table, with at least one row and one column.

    Raises:
        DataError: the file cannot be read, or anything in it is missing or is no number.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "pairs.csv"
        >>> write_table(path, ["length", "force"], {"length": [0.5], "force": [12.0]})
        >>> read_table(path).names
        ('length', 'force')
    """
    source = os.fspath(path)
    place, file = printable(source), Path(source)
    suffix = file.suffix.lower()
    if suffix not in TEXT + PARQUET + NUMPY:
        raise DataError(
            f"{place}: unknown kind of file {shown(suffix)}, expected one of "
            f"{' '.join(TEXT + PARQUET + NUMPY)}; convert or rename it"
        )
    if key is not None and suffix not in NUMPY:
        raise DataError(f"{place}: key {shown(key)} is for NPZ files; leave it out")
    try:
        check_file(file, place)
        if suffix in TEXT:
            names, values, first_row = read_text(file, place, header)
        elif suffix in NUMPY:
            names, values, first_row = read_numpy(file, place, key)
        else:
            names, values, first_row = read_parquet(file, place)
    except DataError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        why = printable(getattr(error, "strerror", None) or error, 120)
        raise DataError(
            f"{place}: cannot be opened ({why}); check the path and its rights"
        ) from error
    if not values.size:
        raise DataError(f"{place}: is empty, shape {values.shape}; expected rows of numbers")
    made_up = [f"{prefix}{number}" for number in range(1, values.shape[1] + 1)]
    return Table(tuple(names or made_up), values, source, first_row)


def check_table(
    table: Table, *, what: str, min_rows: int = 1, allow_constant: bool = False
) -> None:
    """Refuse a table that nothing can be learnt from.

    Args:
        table: (N, D).
        what: what the table holds, for messages: "designs".
        min_rows: the fewest rows that will do.
        allow_constant: whether a column may have one value throughout; a single row always may.

    Raises:
        DataError: too few rows, NaN or an infinity, a constant column.

    Example:
        >>> check_table(Table(("a",), np.array([[1.0], [2.0]]), "t.csv", 1), what="designs")
    """
    place, values = f"{printable(table.source)}: {what}", table.values
    if len(values) < min_rows:
        raise DataError(
            f"{place} have {_rows(len(values))}, expected at least {min_rows}; add rows"
        )
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = int(bad[0, 0]), int(bad[0, 1])
        found = "missing (nan)" if np.isnan(values[row, column]) else f"{values[row, column]}"
        count = f" ({len(bad)} such values in all)" if len(bad) > 1 else ""
        raise DataError(
            f"{place}, row {table.first_row + row}, column {shown(table.names[column])} is "
            f"{found}, expected a finite number{count}; fill it in or remove the row"
        )
    if allow_constant or len(values) < 2:
        return
    for index in np.flatnonzero((values == values[0]).all(axis=0))[:1]:
        last = table.first_row + len(values) - 1
        raise DataError(
            f"{place}, column {shown(table.names[index])} is constant, {float(values[0, index])!r} "
            f"in rows {table.first_row} to {last}; leave the column out"
        )


def check_same_rows(a: Table, b: Table) -> None:
    """Refuse two tables that should pair up row by row and have other numbers of rows.

    Raises:
        DataError: it names both files and their rows.

    Example:
        >>> table = Table(("a",), np.zeros((3, 1)), "t.csv", 1)
        >>> check_same_rows(table, table)
    """
    if len(a.values) != len(b.values):
        raise DataError(
            f"{printable(a.source)} has {_rows(len(a.values))} and {printable(b.source)} has "
            f"{_rows(len(b.values))}; expected as many, since row i of one belongs to row i of "
            "the other"
        )


def write_table(
    path: str | os.PathLike[str],
    names: Sequence[str],
    values: Mapping[str, Column],
) -> None:
    r"""Write columns as .csv, .tsv, .parquet, .pq or .npz: the whole file, or nothing.

    Numbers keep every digit. An NPZ file gets two arrays, ``names`` and ``values``, and so can
    have no columns of text.

    Args:
        path: the file; one that exists is replaced.
        names: the columns, in order.
        values: for each name, N numbers or N texts.

    Raises:
        DataError: another suffix, columns that don't fit together, a file that can't be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "ranked.csv"
        >>> write_table(path, ["x", "status"], {"x": [0.1], "status": ["ok"]})
        >>> path.read_text()
        'x,status\n0.1,ok\n'
    """
    place = printable(os.fspath(path))
    check_names(names, place)
    columns = checked_columns(names, values, place)
    replace_file(path, encode(columns, Path(path).suffix.lower(), place), place)


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"


def check_output(path: str | os.PathLike[str]) -> None:
    """Refuse a file that `write_table` could not write, before long work for it begins.

    Raises:
        DataError: another suffix, no such folder, or no right to write in it.
    """
    place, file = printable(os.fspath(path)), Path(path)
    encode({"x": np.zeros(1)}, file.suffix.lower(), place)
    folder = Path(os.path.realpath(file)).parent
    if file.is_dir() or not folder.is_dir():
        raise DataError(f"{place}: is a folder, or its folder does not exist")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{place}: cannot be written; check the rights of its folder")

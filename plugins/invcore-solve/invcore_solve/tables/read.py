"""Reading a table from whatever people have it in: files, workbooks, data frames, arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from invcore import DataError
from invcore.data.tables import (
    Table,
    attempt,
    check_file,
    check_unpacked,
    import_arrow,
    printable,
    quoted,
    read_numpy,
    why,
)
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.arrow import of_arrow
from invcore_solve.tables.reading.grid import Grid
from invcore_solve.tables.reading.layout import laid_out
from invcore_solve.tables.reading.objects import is_frame, of_array, of_frame, of_table
from invcore_solve.tables.reading.plain_numbers import LARGE, plain_numbers
from invcore_solve.tables.reading.text import text_grid
from invcore_solve.tables.reading.units import unit_of_name
from invcore_solve.tables.reading.workbooks import EXCEL, OTHER, workbook_grid

TEXT = (".csv", ".tsv", ".txt", ".dat")
PARQUET = (".parquet", ".pq")
NUMPY = (".npz", ".npy")
SUFFIXES = (*TEXT, *EXCEL, *OTHER, *PARQUET, *NUMPY)


def read(
    source: Any,
    *,
    sheet: str | int | None = None,
    header: bool | None = None,
    key: str | None = None,
    encoding: str | None = None,
    comment: str | None = None,
    units: bool | None = None,
    prefix: str = "column ",
    expected: Sequence[str] = (),
) -> RawTable:
    r"""Read a table as cells; only the columns in use are parsed, later.

    Nothing in a file is evaluated: no formulas, no pickles, no links.

    Args:
        source: a file (.csv, .tsv, .txt, .dat, .xlsx, .xlsm, .xls, .ods, .parquet, .pq, .npz,
            .npy), a data frame of pandas, an array, a tensor, lists of rows, a `Table`, or what
            this has read before.
        sheet: of a workbook, its name or its number from 1; None: the first that holds a table.
        header: whether the first row holds names; None: it does if it holds anything but numbers,
            or numbers in even steps above values of another size.
        key: the array to take from an NPZ file that has several.
        encoding: of a text file; None: UTF-8, UTF-16 with its mark, else Windows-1252.
        comment: what lines to skip in a text file begin with; None: ``#``, ``%`` or ``//``.
        units: whether a row of units follows the names; None: it is found.
        prefix: columns of a table without names are called by it and their number.
        expected: names that make the first row a header if it holds all of them; numbers count by
            value.

    Raises:
        DataError: the source cannot be read, in one line that says why.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "beams.csv"
        >>> _ = path.write_text("width [mm];load;metal\n1,5;2,25;steel\n2,5;n/a;brass\n")
        >>> table = read(path)
        >>> table.names, table.units
        (('width [mm]', 'load', 'metal'), ('mm', '', ''))
        >>> table.column("load").values.tolist()
        [2.25, nan]
    """
    if isinstance(source, RawTable):
        return source
    if isinstance(source, Table):
        return of_table(source)
    if is_frame(source):
        return of_frame(source, "data frame")
    if not isinstance(source, str | os.PathLike):
        return of_array(source, prefix.strip(), prefix)
    path = os.fspath(source)
    path = os.fsdecode(path) if isinstance(path, bytes) else path
    place, file = printable(path), Path(path)
    suffix = file.suffix.lower()
    try:
        check_file(file, place)
        _check_options(suffix, place, {"sheet": sheet, "key": key, "encoding": encoding})
        if suffix in (*TEXT, *EXCEL, *OTHER):

            def laid(grid: Grid) -> RawTable:
                return laid_out(
                    grid, path, header=header, units=units, prefix=prefix, expected=expected
                )

            if suffix not in TEXT:
                return laid(workbook_grid(file, place, sheet))

            def careful(data: bytes) -> RawTable:
                tabs = suffix == ".tsv"
                return laid(text_grid(data, place, encoding=encoding, comment=comment, tabs=tabs))

            data = file.read_bytes()
            plain = suffix == ".csv" and len(data) >= LARGE and encoding is None
            return (plain_numbers(data, path, careful) if plain else None) or careful(data)
        table = _of_numpy(file, path, key, prefix) if suffix in NUMPY else _of_parquet(file, path)
    except DataError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        advice = "check the path and its rights"
        raise DataError(f"{place}: cannot be opened ({why(error)}); {advice}") from error
    if not len(table) or not table.names:
        shape = (len(table), len(table.names))
        raise DataError(f"{place}: is empty, shape {shape}; expected rows of cells")
    return table


def _check_options(suffix: str, place: str, options: dict[str, Any]) -> None:
    """Refuse other kinds of files, and what makes no sense for this kind."""
    if suffix not in SUFFIXES:
        fault = f"unknown kind of file {quoted(suffix)}, expected one of {' '.join(SUFFIXES)}"
        raise DataError(f"{place}: {fault}; convert or rename it")
    kinds = {"sheet": (*EXCEL, *OTHER), "key": NUMPY, "encoding": TEXT}
    words = {"sheet": "workbooks", "key": "NPZ files", "encoding": "text files"}
    for name, value in options.items():
        if value is not None and suffix not in kinds[name]:
            raise DataError(f"{place}: {name} {quoted(value)} is for {words[name]}; leave it out")


def _of_numpy(file: Path, path: str, key: str | None, prefix: str) -> RawTable:
    """An NPY file, or one array of an NPZ file."""
    names, values, first = read_numpy(file, printable(path), key)
    made_up = [f"{prefix}{number}" for number in range(1, values.shape[1] + 1)]
    known = tuple(names or made_up)
    rows = np.arange(first, first + len(values))
    units = tuple(map(unit_of_name, known))
    return RawTable(known, tuple(values.T), path, rows, units, named=names is not None)


def _of_parquet(file: Path, path: str) -> RawTable:
    """A Parquet file."""
    place = printable(path)
    parquet = import_arrow("pyarrow.parquet", place)
    with file.open("rb") as opened:
        source = attempt(lambda: parquet.ParquetFile(opened), place)
        check_unpacked(8 * source.metadata.num_rows * source.metadata.num_columns, place)
        table = attempt(source.read, place)
    return attempt(lambda: of_arrow(table, path), place)

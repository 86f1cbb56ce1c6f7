"""Columns as the bytes of a file, and a file that appears whole or not at all."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import printable, quoted
from invcore.data.tables.binary_files import import_arrow
from invcore.data.tables.formats import PARQUET, check_names, why
from invcore.data.tables.formulas import guarded
from invcore.data.tables.workbook import as_workbook
from invcore.storage.atomic import replace_file

Column = Sequence[float] | Sequence[str] | npt.NDArray[Any]


def checked_columns(
    names: Sequence[str], values: Mapping[str, Column], place: str
) -> dict[str, npt.NDArray[Any]]:
    """The columns in order, each (N,) of float64, integers or text.

    Raises:
        DataError: a column that is absent, neither numbers nor text, or of another length.
    """
    columns = {name: _column(name, values, place) for name in names}
    if len({len(column) for column in columns.values()}) != 1:
        sizes = ", ".join(f"{quoted(name)} has {len(c)}" for name, c in [*columns.items()][:20])
        raise DataError(f"{place}: expected columns of one length, got {sizes or 'no columns'}")
    return columns


def _column(name: str, values: Mapping[str, Column], place: str) -> npt.NDArray[Any]:
    where = f"{place}: column {quoted(name)}"
    if name not in values:
        raise DataError(f"{where} is named but has no values; give them or leave the name out")
    raw = values[name]
    try:
        array = np.asarray(raw)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{where} is no list of numbers ({printable(error, 120)})") from error
    texts = array.dtype.kind in "OU" and all(isinstance(item, str) for item in raw)
    if array.ndim != 1 or not (texts or array.dtype.kind in "biuf"):
        fault = f"has shape {array.shape} and holds {printable(array.dtype, 60)}"
        raise DataError(f"{where} {fault}; expected (N,) numbers or (N,) texts")
    if texts:
        return array.astype(np.str_)
    kinds = {"b": np.int64, "f": np.float64}
    return array.astype(kinds.get(array.dtype.kind, array.dtype))


def encode(columns: Mapping[str, npt.NDArray[Any]], suffix: str, place: str) -> bytes:
    """The bytes of the file.

    Raises:
        DataError: a suffix that can't be written; text in an NPZ file; pyarrow is not installed.
    """
    try:
        if suffix in (".csv", ".tsv"):
            return _as_text(columns, "," if suffix == ".csv" else "\t")
        if suffix in PARQUET:
            return _as_parquet(columns, place)
        if suffix == ".xlsx":
            return as_workbook(columns, place)
        if suffix == ".npz":
            return _as_npz(columns, place)
    except UnicodeError as error:
        reason = printable(error, 120)
        raise DataError(f"{place}: a text is not valid Unicode ({reason})") from error
    kinds = "a .csv, .tsv, .xlsx, .parquet, .pq or .npz file"
    raise DataError(f"{place}: cannot write {quoted(suffix)}; name {kinds}")


def _as_text(columns: Mapping[str, npt.NDArray[Any]], delimiter: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(map(guarded, columns))
    writer.writerows(zip(*(texts(column) for column in columns.values()), strict=True))
    return buffer.getvalue().encode()


def texts(column: npt.NDArray[Any]) -> list[Any]:
    """Floats as the shortest decimal that reads back as the same double; texts as no formulas."""
    if column.dtype.kind == "f":
        return [repr(item) for item in column.tolist()]
    return [guarded(item) if isinstance(item, str) else item for item in column.tolist()]


def _as_parquet(columns: Mapping[str, npt.NDArray[Any]], place: str) -> bytes:
    arrow, parquet = (import_arrow(name, place) for name in ("pyarrow", "pyarrow.parquet"))
    buffer = io.BytesIO()
    parquet.write_table(arrow.table({name: arrow.array(c) for name, c in columns.items()}), buffer)
    return buffer.getvalue()


def _as_npz(columns: Mapping[str, npt.NDArray[Any]], place: str) -> bytes:
    texts = [quoted(name) for name, column in columns.items() if column.dtype.kind == "U"]
    if texts:
        fault = f"column {texts[0]} is text, which an NPZ table has no place for"
        raise DataError(f"{place}: {fault}; leave it out, or write .csv or .parquet")
    buffer = io.BytesIO()
    matrix = np.stack([column.astype(np.float64) for column in columns.values()], axis=1)
    np.savez(buffer, names=np.array(list(columns), dtype=np.str_), values=matrix)
    return buffer.getvalue()


def write_table(
    path: str | os.PathLike[str], names: Sequence[str], values: Mapping[str, Column]
) -> None:
    r"""Write columns as .csv, .tsv, .xlsx, .parquet, .pq or .npz: the whole file, or nothing.

    Numbers keep every digit. In .csv and .tsv, a name or text that a spreadsheet would take for a
    formula has a single quote before it (`guarded`), which reading takes away again; in .xlsx all
    texts are marked as such, and a missing number is an empty cell. An NPZ file gets two arrays,
    ``names`` and ``values``, and so can have no columns of text.

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
    data = encode(columns, Path(path).suffix.lower(), place)
    try:
        replace_file(path, data)
    except FileNotFoundError:
        raise DataError(f"{place}: its folder does not exist; create it first") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        fault = f"cannot be written ({why(error)}); check the path and disk"
        raise DataError(f"{place}: {fault}") from error


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

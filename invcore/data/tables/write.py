"""Columns as the bytes of a file, and a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.errors import DataError
from invcore.tables.formats import PARQUET, import_arrow, printable, shown

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
        sizes = ", ".join(f"{shown(name)} has {len(c)}" for name, c in [*columns.items()][:20])
        raise DataError(f"{place}: expected columns of one length, got {sizes or 'no columns'}")
    return columns


def _column(name: str, values: Mapping[str, Column], place: str) -> npt.NDArray[Any]:
    where = f"{place}: column {shown(name)}"
    if name not in values:
        raise DataError(f"{where} is named but has no values; give them or leave the name out")
    raw = values[name]
    try:
        array = np.asarray(raw)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{where} is no list of numbers ({printable(error, 120)})") from error
    texts = array.dtype.kind in "OU" and all(isinstance(item, str) for item in raw)
    if array.ndim != 1 or not (texts or array.dtype.kind in "biuf"):
        raise DataError(
            f"{where} has shape {array.shape} and holds {printable(array.dtype, 60)}; "
            "expected (N,) numbers or (N,) texts"
        )
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
        if suffix == ".npz":
            return _as_npz(columns, place)
    except UnicodeError as error:
        raise DataError(
            f"{place}: a text is not valid Unicode ({printable(error, 120)})"
        ) from error
    raise DataError(
        f"{place}: cannot write {shown(suffix)}; name a .csv, .tsv, .parquet, .pq or .npz file"
    )


def _as_text(columns: Mapping[str, npt.NDArray[Any]], delimiter: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    # the shortest decimal that reads back as the same double
    texts = [
        [repr(item) for item in c.tolist()] if c.dtype.kind == "f" else c.tolist()
        for c in columns.values()
    ]
    writer.writerows(zip(*texts, strict=True))
    return buffer.getvalue().encode()


def _as_parquet(columns: Mapping[str, npt.NDArray[Any]], place: str) -> bytes:
    arrow = import_arrow("pyarrow", place)
    parquet = import_arrow("pyarrow.parquet", place)
    buffer = io.BytesIO()
    parquet.write_table(arrow.table({name: arrow.array(c) for name, c in columns.items()}), buffer)
    return buffer.getvalue()


def _as_npz(columns: Mapping[str, npt.NDArray[Any]], place: str) -> bytes:
    for name, column in columns.items():
        if column.dtype.kind == "U":
            raise DataError(
                f"{place}: column {shown(name)} is text, which an NPZ table has no place for; "
                "leave it out, or write .csv or .parquet"
            )
    buffer = io.BytesIO()
    matrix = np.stack([column.astype(np.float64) for column in columns.values()], axis=1)
    np.savez(buffer, names=np.array(list(columns), dtype=np.str_), values=matrix)
    return buffer.getvalue()


def replace_file(path: str | os.PathLike[str], data: bytes, place: str) -> None:
    """Write a file under another name in its folder, then rename it: all or nothing.

    Raises:
        DataError: no such folder, no rights, a full disk.
    """
    temporary = None
    try:
        target = Path(os.path.realpath(path))  # a link stays a link, to the new content
        if not target.parent.is_dir():
            raise DataError(f"{place}: its folder does not exist; create it first")
        temporary = target.with_name(f".invcore-{secrets.token_hex(8)}.tmp")
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or a crash could leave the new name on an empty file
        os.replace(temporary, target)
    except DataError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        why = printable(getattr(error, "strerror", None) or error, 120)
        raise DataError(f"{place}: cannot be written ({why}); check the path and disk") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # the rename has usually taken it away
                temporary.unlink(missing_ok=True)

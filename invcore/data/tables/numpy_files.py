"""NPY, NPZ and Parquet files as names and numbers, and how messages about a file are worded.

`invcore.tables` is the way in. Every reader takes a file that nobody has looked at yet: whatever
is wrong with it becomes one `DataError` of one line.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from invcore.errors import DataError

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
NUMPY = (".npz", ".npy")

_NUMERIC_PARQUET = re.compile(r"u?int\d+|halffloat|float|double|decimal\d+\(.*\)")
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


class Parsed(NamedTuple):
    """What a reader found: names (None: the file has none), values (N, D), the line of row 0."""

    names: list[str] | None
    values: npt.NDArray[np.float64]
    first_row: int


def printable(text: object, width: int = 300) -> str:
    """A path or a library's message, without line breaks and terminal codes, and not too long."""
    full = str(text)
    cut = full if len(full) <= width else full[: width - 1] + "…"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in cut)


def shown(text: object, width: int = 40) -> str:
    """A value or name from a file as it may appear in a message: printable, and quoted."""
    return f"'{printable(text, width)}'"


def listing(names: Sequence[str], wanted: str = "") -> str:
    """The close names to a wrong one, then those that there are, for the end of a message."""
    known = [name[:100] for name in names[:1000]]
    close = difflib.get_close_matches(wanted[:100], known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(shown(name) for name in close)}? " if close else ""
    more = f", … ({len(names)} in all)" if len(names) > 20 else ""
    return f"{hint}there are {', '.join(shown(name) for name in names[:20]) or 'none'}{more}"


def check_names(names: Sequence[str], place: str) -> None:
    """Raise a DataError that starts with ``place`` unless the names are present and different."""
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name.strip() or not name.isprintable():
            what = f"a name with control characters, {shown(name)}" if name.strip() else "no name"
            raise DataError(f"{place}: column {number} has {what}; rename or remove the column")
        if name in seen:
            raise DataError(
                f"{place}: columns {seen[name]} and {number} are both named {shown(name)}; "
                "rename or remove one"
            )
        seen[name] = number


def check_file(file: Path, place: str) -> None:
    """Raise a DataError that starts with ``place`` unless the path leads to a regular file."""
    if file.is_dir():
        raise DataError(f"{place}: is a folder, expected a file; name a file in it")
    if not file.exists():
        hint = "its folder does not exist either"
        if file.parent.is_dir():
            close = difflib.get_close_matches(file.name, os.listdir(file.parent)[:1000], n=3)
            names = " or ".join(shown(name) for name in close)
            hint = f"did you mean {names}?" if close else "correct the path"
        raise DataError(f"{place}: no such file; {hint}")
    if not file.is_file():  # a pipe would block, a device never end
        raise DataError(f"{place}: is not a regular file; copy the table to one")


def attempt(read: Callable[[], Any], place: str) -> Any:
    """Call a library's parser on a user's file.

    On corrupt bytes the parsers raise a dozen unrelated kinds (struct, zlib, tokenize, MemoryError
    from a header that claims a huge shape, ...); each of them means that the file is unreadable.

    Raises:
        DataError: the parser raised.
    """
    try:
        return read()
    except Exception as error:
        if "allow_pickle" in str(error):
            why = "holds pickled Python objects, which are never loaded; save an array of float64"
        else:
            reason = printable(str(error) or type(error).__name__, 120)
            why = f"cannot be read ({reason}); the file may be damaged: write it again"
        raise DataError(f"{place}: {why}") from error


def read_numpy(path: Path, place: str, key: str | None) -> Parsed:
    """Read an NPY file, or one array of an NPZ file.

    An NPZ file that holds just ``names`` (D,) and ``values`` (N, D) is a table with column names;
    `invcore.tables.write_table` writes that.

    Args:
        path: the file.
        place: how messages name it.
        key: which array of an NPZ file; None where there is only one.

    Raises:
        DataError: corrupt, several arrays and no key, not a vector or matrix of real numbers.
    """
    names: list[str] | None = None
    with path.open("rb") as file:
        loaded = attempt(lambda: np.load(file, allow_pickle=False), place)
        if not isinstance(loaded, np.ndarray):
            archive, arrays = loaded, list(loaded.files)
            if set(arrays) == {"names", "values"} and key in (None, "values"):
                key = "values"
                stored = attempt(lambda: archive["names"], f"{place}: array 'names'")
                names = [str(name) for name in np.asarray(stored).ravel()]
            if key is None and len(arrays) != 1:
                raise DataError(
                    f"{place}: holds {len(arrays)} arrays, so name one by key; {listing(arrays)}"
                )
            chosen = arrays[0] if key is None else key
            if chosen not in arrays:
                raise DataError(f"{place}: no array {shown(chosen)}; {listing(arrays, chosen)}")
            place = f"{place}: array {shown(chosen)}"
            loaded = attempt(lambda: archive[chosen], place)
        elif key is not None:
            raise DataError(f"{place}: holds one unnamed array; leave out the key {shown(key)}")
    if not isinstance(loaded, np.ndarray) or loaded.dtype.kind not in "iuf":
        kind = printable(getattr(loaded, "dtype", "raw bytes"), 60)
        raise DataError(f"{place}: holds {kind}, expected real numbers; save it as float64")
    if loaded.ndim not in (1, 2):
        raise DataError(f"{place}: has shape {loaded.shape}, expected (N,) or (N, D); reshape it")
    values = loaded.astype(np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if names is not None:
        check_names(names, place)
        if len(names) != values.shape[1]:
            raise DataError(
                f"{place}: has {values.shape[1]} columns, but array 'names' holds {len(names)}; "
                "save one name a column"
            )
    return Parsed(names, values, 1)


def read_parquet(path: Path, place: str) -> Parsed:
    """Read a Parquet file; every column must hold numbers without nulls.

    Args:
        path: the file.
        place: how messages name it.

    Raises:
        DataError: pyarrow is not installed; corrupt; a null; a column of text or nested values.
    """
    parquet = import_arrow("pyarrow.parquet", place)
    with path.open("rb") as file:
        table = attempt(lambda: parquet.ParquetFile(file).read(), place)
    # pandas stores a filtered table's row labels as a column, which no user thinks of as data
    kept = [n for n, name in enumerate(table.column_names) if not _PANDAS_INDEX.fullmatch(name)]
    names = [table.column_names[position] for position in kept]
    check_names(names, place)
    values = np.empty((table.num_rows, len(names)))
    for number, position in enumerate(kept):
        column = table.column(position)
        where = f"column {shown(names[number])}"
        if not _NUMERIC_PARQUET.fullmatch(str(column.type)):
            raise DataError(
                f"{place}: {where} holds {printable(column.type, 60)}, expected numbers; "
                "convert or remove the column"
            )
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy())[0]) + 1
            raise DataError(
                f"{place}: row {row}, {where} is missing (null); fill it in or remove the row"
            )
        values[:, number] = column.to_numpy()
    return Parsed(names, values, 1)


def import_arrow(module: str, place: str) -> ModuleType:
    """A module of pyarrow, which is an optional dependency.

    Raises:
        DataError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise DataError(
            f'{place}: Parquet files need pyarrow; run: pip install "invcore[parquet]"'
        ) from None

"""NPY, NPZ and Parquet files as names and numbers; nothing in them is unpickled."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import numpy as np

from invcore.base.errors import DataError
from invcore.base.text import listing, printable, quoted
from invcore.data.tables.arrays import check_whole
from invcore.data.tables.formats import Parsed, attempt, check_names, check_unpacked

_NUMERIC_PARQUET = re.compile(r"u?int\d+|halffloat|float|double|decimal\d+\(.*\)")
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def read_numpy(path: Path, place: str, key: str | None) -> Parsed:
    """Read an NPY file, or one array of an NPZ file.

    An NPZ file that holds just ``names`` (D,) and ``values`` (N, D) is a table with column names;
    `invcore.data.tables.write.write_table` writes that.

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
                many = f"holds {len(arrays)} arrays, so name one by key"
                raise DataError(f"{place}: {many}; {listing(arrays)}")
            chosen = arrays[0] if key is None else key
            if chosen not in arrays:
                raise DataError(f"{place}: no array {quoted(chosen)}; {listing(arrays, chosen)}")
            place = f"{place}: array {quoted(chosen)}"
            parts = {part.filename: part.file_size for part in archive.zip.infolist()}
            check_unpacked(parts.get(f"{chosen}.npy", parts.get(chosen, 0)), place)
            loaded = attempt(lambda: archive[chosen], place)
        elif key is not None:
            raise DataError(f"{place}: holds one unnamed array; leave out the key {quoted(key)}")
    if not isinstance(loaded, np.ndarray) or loaded.dtype.kind not in "iuf":
        kind = printable(getattr(loaded, "dtype", "raw bytes"), 60)
        raise DataError(f"{place}: holds {kind}, expected real numbers; save it as float64")
    if loaded.ndim not in (1, 2):
        raise DataError(f"{place}: has shape {loaded.shape}, expected (N,) or (N, D); reshape it")
    check_whole(loaded, place)
    values = loaded.astype(np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if names is not None:
        check_names(names, place)
        if len(names) != values.shape[1]:
            counts = f"has {values.shape[1]} columns, but array 'names' holds {len(names)}"
            raise DataError(f"{place}: {counts}; save one name a column")
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
        opened = attempt(lambda: parquet.ParquetFile(file), place)
        check_unpacked(8 * opened.metadata.num_rows * opened.metadata.num_columns, place)
        table = attempt(opened.read, place)
    # pandas stores a filtered table's row labels as a column, which no user thinks of as data
    pairs = zip(table.column_names, table.columns, strict=True)
    columns = [(name, column) for name, column in pairs if not _PANDAS_INDEX.fullmatch(name)]
    names = [name for name, _ in columns]
    check_names(names, place)
    values = np.empty((table.num_rows, len(names)))
    for number, (name, column) in enumerate(columns):
        where = f"column {quoted(name)}"
        if not _NUMERIC_PARQUET.fullmatch(str(column.type)):
            fault = f"{where} holds {printable(column.type, 60)}, expected numbers"
            raise DataError(f"{place}: {fault}; convert or remove the column")
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy())[0]) + 1
            missing = f"row {row}, {where} is missing (null)"
            raise DataError(f"{place}: {missing}; fill it in or remove the row")
        numbers = column.to_numpy()
        check_whole(numbers, f"{place}: {where}")
        values[:, number] = numbers
    return Parsed(names, values, 1)


def import_arrow(module: str, place: str) -> ModuleType:
    """A module of pyarrow, which is an optional dependency.

    Raises:
        DataError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        advice = 'run: pip install "invcore[parquet]"'
        raise DataError(f"{place}: Parquet files need pyarrow; {advice}") from None

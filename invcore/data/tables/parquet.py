"""Parquet files as names and numbers, where pyarrow is installed."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import numpy as np

from invcore.base.errors import DataError
from invcore.base.text import printable, shown
from invcore.data.tables.formats import Parsed, attempt, check_names

_NUMERIC_PARQUET = re.compile(r"u?int\d+|halffloat|float|double|decimal\d+\(.*\)")


_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


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

"""Tables of Arrow, which Parquet files are read as."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.data.tables import printable
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.units import unit_of_name

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
_NUMBERS = re.compile(r"u?int\d+|halffloat|float|double|bool")


def of_arrow(table: Any, source: str) -> RawTable:
    """Columns of numbers as such, others as objects; the index that pandas stores is left out.

    Args:
        table: of pyarrow.
        source: the path as it was given.
    """
    pairs = zip(table.column_names, table.columns, strict=True)
    # the labels of a filtered table's rows, which no user thinks of as data
    columns = [(name, column) for name, column in pairs if not _PANDAS_INDEX.fullmatch(name)]
    names = tuple(
        printable(" ".join(name.split()), 1000) or f"column {number}"
        for number, (name, _) in enumerate(columns, 1)
    )
    cells = tuple(_cells(column) for _, column in columns)
    units = tuple(map(unit_of_name, names))
    return RawTable(names, cells, source, np.arange(1, table.num_rows + 1), units)


def _cells(column: Any) -> npt.NDArray[Any]:
    kind = str(column.type)
    if kind.startswith("dictionary"):
        column = column.cast(column.type.value_type)
    elif _NUMBERS.fullmatch(kind):
        if column.null_count == 0:
            return np.asarray(column.to_numpy())
        if kind in ("halffloat", "float", "double"):
            return np.asarray(column.to_numpy())
    cells = np.empty(len(column), dtype=object)
    for index, value in enumerate(column.to_pylist()):
        cells[index] = value
    return cells

"""Tables that Python programs have: data frames, arrays, tensors, lists."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore import DataError
from invcore.data.tables import Table, printable, real_array
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.cells import text_of
from invcore_solve.tables.reading.units import unit_of_name


def is_frame(source: Any) -> bool:
    """Whether it is a data frame of pandas, which is not imported to find out."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, pandas.DataFrame | pandas.Series)


def of_frame(frame: Any, place: str) -> RawTable:
    """A data frame's columns by position; its index is left out.

    Args:
        frame: of pandas; names of several levels are joined by blanks.
        place: what messages begin with.

    Raises:
        DataError: it has no columns.
    """
    notes = []
    if frame.ndim == 1:
        frame = frame.to_frame()
    index = frame.index
    if any(name is not None for name in index.names):
        said = ", ".join(repr(printable(name, 40)) for name in index.names)
        notes.append(f"The index ({said}) is no column; use reset_index() to make it one.")
    names = tuple(_name(label, number) for number, label in enumerate(frame.columns, 1))
    if not names:
        raise DataError(f"{place}: has no columns")
    made_up = list(frame.columns) == [*range(len(names))]
    if made_up:
        names = tuple(f"column {number}" for number in range(1, len(names) + 1))
    cells = tuple(_cells(frame.iloc[:, number]) for number in range(len(names)))
    rows = np.arange(1, len(frame) + 1)
    units = tuple(map(unit_of_name, names))
    return RawTable(names, cells, place, rows, units, tuple(notes), not made_up)


def _name(label: Any, number: int) -> str:
    """A column's label as text."""
    parts = label if isinstance(label, tuple) else (label,)
    texts = [text_of(part) for part in parts if part is not None and part == part]
    joined = " ".join(" ".join(texts).split())
    return printable(joined, 1000) or f"column {number}"


def _cells(series: Any) -> npt.NDArray[Any]:
    """A column's values: numbers where its type says so, else objects with None where missing."""
    dtype = series.dtype
    kind = getattr(dtype, "kind", "O")
    if isinstance(dtype, np.dtype) and kind in "biufc":
        return np.asarray(series.to_numpy())
    if kind in "biuf" and not hasattr(dtype, "categories"):  # pandas' numbers that may be missing
        if kind != "f" and not series.isna().any():
            return np.asarray(series.to_numpy(dtype={"b": bool, "i": "i8", "u": "u8"}[kind]))
        if kind == "f":
            return np.asarray(series.to_numpy(dtype="f8", na_value=np.nan))
    column = np.empty(len(series), dtype=object)
    missing = series.isna().to_numpy(dtype=bool)
    values = [*series.astype(object)]
    column[:] = [None if gone else value for value, gone in zip(values, missing, strict=True)]
    return column


def of_table(table: Table) -> RawTable:
    """A table of numbers as one of cells."""
    rows = np.arange(table.first_row, table.first_row + len(table.values))
    units = tuple(map(unit_of_name, table.names))
    return RawTable(table.names, tuple(table.values.T), table.source, rows, units)


def of_array(values: Any, place: str, prefix: str) -> RawTable:
    """An array, a tensor, or lists of rows, whose columns have no names.

    Args:
        values: (N,) or (N, D); lists may hold text.
        place: what messages begin with.
        prefix: columns are called by it and their number.

    Raises:
        DataError: another number of dimensions, rows of several lengths, or no values.
    """
    array = _objects(values) if isinstance(values, Sequence) else None
    if array is None and isinstance(values, np.ndarray) and values.dtype.kind in "OUSMm":
        array = (
            values.astype(str if values.dtype.kind == "S" else object)
            if (values.dtype.kind in "USm")
            else values
        )
    if array is None:
        array = real_array(values, place)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.shape[1]:
        raise DataError(f"{place}: expected (N, D), got shape {array.shape}")
    names = tuple(f"{prefix}{number}" for number in range(1, array.shape[1] + 1))
    rows = np.arange(1, len(array) + 1)
    return RawTable(names, tuple(array.T), place, rows, named=False)


def _objects(values: Sequence[Any]) -> npt.NDArray[Any] | None:
    """Lists of rows that hold text or dates; None where they may be numbers alone."""
    nested = [row for row in values if isinstance(row, list | tuple)]
    if not nested or len(nested) < len(values) or len({len(row) for row in nested}) != 1:
        return None
    if not any(isinstance(cell, str) or _is_date(cell) for row in nested for cell in row):
        return None
    array = np.empty((len(nested), len(nested[0])), dtype=object)
    for index, row in enumerate(nested):
        array[index, :] = row
    return array


def _is_date(cell: Any) -> bool:
    return type(cell).__module__ == "datetime"

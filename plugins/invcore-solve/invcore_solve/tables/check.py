"""Refusing tables that nothing can be learnt from."""

import numpy as np
import numpy.typing as npt

from invcore.plugin import DataError, Table, printable, quoted

_ROUNDING = 1e-12  # a column that varies by this share of its largest number is constant
_LARGEST = 1e100  # its square, and sums and products of such, are far from the end of float64


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
        DataError: too few rows, NaN or an infinity, a constant column, numbers so large or so
            close together that they have no squares.

    Example:
        >>> check_table(Table(("a",), np.array([[1.0], [2.0]]), "t.csv", 1), what="designs")
    """
    place, values = f"{printable(table.source)}: {what}", table.values
    if len(values) < min_rows:
        problem = f"have {_rows(len(values))}, expected at least {min_rows}"
        raise DataError(f"{place} {problem}; add rows")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = map(int, bad[0])
        problem = "missing (nan)" if np.isnan(values[row, column]) else f"{values[row, column]}"
        count = f" ({len(bad)} such values in all)" if len(bad) > 1 else ""
        raise DataError(
            f"{place}, row {table.first_row + row}, column {quoted(table.names[column])} is "
            f"{problem}, expected a finite number{count}; fill it in or remove the row"
        )
    for name, column in zip(table.names, values.T, strict=True):
        if problem := size_problem(column, spread=not allow_constant):
            raise DataError(f"{place}, column {quoted(name)}: {problem}")
    constant = np.flatnonzero((values == values[:1]).all(axis=0))
    if len(constant) and len(values) > 1 and not allow_constant:
        name, value = quoted(table.names[constant[0]]), float(values[0, constant[0]])
        rows = f"{table.first_row} to {table.first_row + len(values) - 1}"
        problem = f"column {name} is constant, {value!r} in rows {rows}"
        raise DataError(f"{place}, {problem}; leave the column out")
    low, high = values.min(axis=0), values.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    constant = np.flatnonzero((high - low <= _ROUNDING * largest) & (low < high))
    if len(constant) and not allow_constant:
        first = constant[0]
        ends = f"{float(low[first])!r} to {float(high[first])!r}"
        problem = f"column {quoted(table.names[first])} is constant but for rounding, {ends}"
        raise DataError(f"{place}, {problem}; subtract an offset, or leave the column out")


def size_problem(column: npt.ArrayLike, *, spread: bool = True) -> str:
    """What is wrong with the size of a column's numbers, and what to do; empty if nothing is.

    Errors are squares, of numbers and of their differences, and these have to be numbers too.

    Args:
        column: (N,), finite.
        spread: whether differences count too.

    Example:
        >>> size_problem([0.0, 1e200])  # doctest: +ELLIPSIS
        'numbers of up to 1e+200 have no squares in float64, ...; rescale its unit'
        >>> size_problem([1e-9, 2e-9])
        ''
    """
    values = np.asarray(column, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    largest, least = max(abs(low), abs(high)), high - low
    if largest > _LARGEST:
        fault = f"numbers of up to {largest:.3g} have no squares in float64"
        return f"{fault}, expected at most {_LARGEST:g}; rescale its unit"
    if spread and 0 < least < 1 / _LARGEST:
        fault = f"differences of at most {least:.3g} have no squares in float64"
        return f"{fault}, expected at least {1 / _LARGEST:g}; rescale its unit"
    return ""


def check_same_rows(a: Table, b: Table) -> None:
    """Refuse two tables that should pair up row by row and have other numbers of rows.

    Raises:
        DataError: it names both files and their rows.

    Example:
        >>> table = Table(("a",), np.zeros((3, 1)), "t.csv", 1)
        >>> check_same_rows(table, table)
    """
    if len(a.values) != len(b.values):
        first, second = (f"{printable(t.source)} has {_rows(len(t.values))}" for t in (a, b))
        why = "row i of one belongs to row i of the other"
        raise DataError(f"{first} and {second}; expected as many, since {why}")


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"

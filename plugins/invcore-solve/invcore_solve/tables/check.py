"""Refusing tables that nothing can be learnt from."""

import numpy as np

from invcore.plugin import DataError, Table, printable, quoted


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
    constant = np.flatnonzero((values == values[:1]).all(axis=0))
    if len(constant) and len(values) > 1 and not allow_constant:
        name, value = quoted(table.names[constant[0]]), float(values[0, constant[0]])
        rows = f"{table.first_row} to {table.first_row + len(values) - 1}"
        problem = f"column {name} is constant, {value!r} in rows {rows}"
        raise DataError(f"{place}, {problem}; leave the column out")


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

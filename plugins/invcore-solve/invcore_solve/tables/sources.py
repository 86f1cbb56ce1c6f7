"""What people give for a table or for targets: files, tables, data frames, arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from invcore import DataError
from invcore.data.tables import Table, listing, quoted, real_array
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read
from invcore_solve.tables.reading.header import name_key
from invcore_solve.tables.reading.objects import is_frame

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from invcore.plugin import Space

Source: TypeAlias = Union[
    str,
    os.PathLike[str],
    Table,
    RawTable,
    "pd.DataFrame",
    "Tensor",
    np.ndarray[Any, Any],
    Sequence[Any],
]


def as_table(source: Source, prefix: str) -> Table:
    """A file, table, data frame or array as a table of numbers.

    Raises:
        DataError: it is not two-dimensional, or not numbers.

    Example:
        >>> as_table([[1.0, 2.0]], "x").names
        ('x1', 'x2')
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | os.PathLike | RawTable) or is_frame(source):
        return numbers_of(read(source, prefix=prefix))
    values = real_array(source, prefix)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise DataError(f"{prefix}: expected (N, D), got shape {values.shape}")
    names = tuple(f"{prefix}{i + 1}" for i in range(values.shape[1]))
    return Table(names, values, prefix, 1)


def numbers_of(table: RawTable) -> Table:
    """A table all of whose columns are numbers, none of them missing.

    Raises:
        DataError: another column, or names that repeat; the message has row and column.

    Example:
        >>> numbers_of(read([[1.0, 2.0], [3.0, 4.0]], prefix="x")).values.tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    whole = table.at(range(len(table.names)))
    values = np.empty((len(whole), len(whole.names)))
    for number, name in enumerate(whole.names, 1):
        column = whole.column(name)
        where = f"column {number}" + (f" ({quoted(name)})" if whole.named else "")
        if column.bad is not None:
            text, row = quoted(column.bad.text), column.bad.row
            advice = "correct it, or remove the row or column"
            raise DataError(f"{table.place}: row {row}, {where}: {text} is not a number; {advice}")
        if column.kind == "date":
            fault = f"{where} holds dates; give the days or seconds since one of them"
            raise DataError(f"{table.place}: {fault}, or leave it out")
        gone = np.flatnonzero(column.missing)
        if len(gone):
            count = f" ({len(gone)} such cells in all)" if len(gone) > 1 else ""
            fault = f"row {whole.rows[gone[0]]}, {where} is missing{count}"
            raise DataError(f"{table.place}: {fault}; fill it in or remove the row")
        values[:, number - 1] = column.values
    return Table(whole.names, values, table.source, int(whole.rows[0]) if len(whole) else 1)


def target_table(source: Source, responses: Sequence[str]) -> RawTable:
    """Targets as a table with a column for each response, in the responses' order.

    Columns are found by the responses' names, in any order, with other columns beside them; names
    that are numbers count by value, so that "850" is "850.0". If none has the name of a response,
    they are taken by position.

    Args:
        source: a file, table, data frame or array.
        responses: their names.

    Raises:
        DataError: another number of columns than responses, or names of some of them alone.

    Example:
        >>> cells = (np.array([2.0]), np.array([1.0]), np.array(["first"], dtype=object))
        >>> table = RawTable(("load", "width", "label"), cells, "t.csv", np.array([2]))
        >>> found = target_table(table, ["width", "load"])
        >>> found.names, found.notes
        (('width', 'load'), ("Targets are by name; left out: 'label'.",))
    """
    table = read(source, prefix="y", expected=responses)
    if isinstance(source, Table) and source.first_row == 1 and source.names[0] == "y1":
        table = replace(table, named=False)  # the core's reader made the names up
    known = {name_key(name): index for index, name in reversed([*enumerate(table.names)])}
    places = [known.get(name_key(name)) for name in responses]
    found = [place for place in places if place is not None] if table.named else []
    if found and len(found) == len(responses):
        others = [quoted(name) for index, name in enumerate(table.names) if index not in found]
        if others:
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            said = f"Targets are by name; left out: {', '.join(others[:5])}{more}."
            table = replace(table, notes=(*table.notes, said))
        return replace(table.at(found), names=tuple(responses))
    count = len(table.names)
    if count != len(responses):
        missing = ""
        if found:
            lacking = next(n for n, at in zip(responses, places, strict=True) if at is None)
            missing = f"; there is no column {quoted(lacking)}"
        raise DataError(
            f"{table.place}: targets have {count} columns, the responses {len(responses)} "
            f"({', '.join(responses[:6])}){missing}"
        )
    if found:
        other = next(name for index, name in enumerate(table.names) if index not in found)
        raise DataError(
            f"{table.place}: column {quoted(other)} is no response; "
            f"{listing(responses, other)} (or name none of the columns like responses)"
        )
    return replace(table, names=tuple(responses)) if not table.named else table


def as_targets(source: Source, responses: Space) -> Tensor:
    """Targets (B, Dy) from a file, table, data frame or array; see `target_table`.

    Raises:
        DataError: another width than the responses have, or not finite.

    Example:
        >>> from invcore.plugin import Space, Variable
        >>> as_targets([[0.5]], Space.of(Variable(name="gap")))
        tensor([[0.5000]], dtype=torch.float64)
    """
    import torch

    from invcore_solve.tables.check import check_table

    if isinstance(source, str | os.PathLike | RawTable | Table) or is_frame(source):
        table = numbers_of(target_table(source, responses.names))
    else:
        plain = as_table(source, "y")
        check_table(plain, what="targets", allow_constant=True)
        table = numbers_of(target_table(read(plain.values, prefix="y"), responses.names))
    check_table(table, what="targets", allow_constant=True)
    return torch.tensor(table.values)

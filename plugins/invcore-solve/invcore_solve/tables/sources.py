"""What people give for a table or for targets: files, tables, arrays."""

import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import (
    DataError,
    Space,
    Table,
    close_names,
    read_table,
    real_array,
)
from invcore_solve.tables.check import check_table

Source: TypeAlias = str | os.PathLike[str] | Table | Tensor | np.ndarray[Any, Any] | Sequence[Any]


def as_table(source: Source, prefix: str) -> Table:
    """A file, table or array as a table.

    Raises:
        DataError: it is not two-dimensional, or not numbers.

    Example:
        >>> as_table([[1.0, 2.0]], "x").names
        ('x1', 'x2')
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | os.PathLike):
        return read_table(source, prefix=prefix)
    values = real_array(source, prefix)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise DataError(f"{prefix}: expected (N, D), got shape {values.shape}")
    names = tuple(f"{prefix}{i + 1}" for i in range(values.shape[1]))
    return Table(names, values, prefix, 1)


def as_targets(source: Source, responses: Space) -> Tensor:
    """Targets (B, Dy) from a file, table or array; columns named as the responses may be in any
    order.

    Raises:
        DataError: another width than the responses have, or not finite.

    Example:
        >>> from invcore.plugin import Variable
        >>> as_targets([[0.5]], Space.of(Variable(name="gap")))
        tensor([[0.5000]], dtype=torch.float64)
    """
    table = as_table(source, "y")
    check_table(table, what="targets", allow_constant=True)
    if len(table.names) != responses.dim:
        raise DataError(
            f"{table.source}: targets have {len(table.names)} columns, the responses "
            f"{responses.dim} ({', '.join(responses.names[:6])})"
        )
    made_up = table.first_row == 1 and table.names[0] == "y1"
    names = set(table.names) & set(responses.names)
    if names == set(responses.names) and not made_up:
        table = table.select(responses.names)
    elif names and not made_up:
        other = next(name for name in table.names if name not in names)
        raise DataError(
            f"{table.source}: column {other!r} is no response. "
            f"{close_names(other, responses.names)} (or name none of the columns like responses)"
        )
    return torch.tensor(table.values)

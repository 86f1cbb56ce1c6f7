"""Designs that somebody names, from a data frame or a file."""

from __future__ import annotations

from typing import Any

import torch
from invcore_solve.measured.cell_problems import CellProblems
from invcore_solve.measured.columns import Columns
from invcore_solve.measured.design_cells import design_values
from invcore_solve.measured.sources import as_frame
from invcore_solve.tables.read import read
from torch import Tensor

from invcore.plugin import DataError, Space, quoted


def designs_of(source: Any, designs: Space) -> Tensor:
    """Designs (N, Dx) of a table that has a column for each of them.

    Raises:
        DataError: it lacks one, has an empty cell there, or cannot be read.
    """
    table = read(as_frame(source))
    columns = Columns.of(table, designs.variables)
    if missing := [name for name in designs.names if name not in columns.place]:
        raise DataError(
            f"{table.place}: has no column {quoted(missing[0])} of the designs; it has "
            f"{', '.join(map(quoted, table.names[:8]))}"
        )
    problems = CellProblems(table.place)
    x = torch.stack(
        [design_values(table, columns, variable, problems) for variable in designs.variables], dim=1
    )
    problems.check()
    empty = x.isnan().any(dim=1).nonzero()[:, 0]
    if len(empty):
        raise DataError(f"{table.place}: row {int(table.rows[int(empty[0])])} lacks a design")
    return x

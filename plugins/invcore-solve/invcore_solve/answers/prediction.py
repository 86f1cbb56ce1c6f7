"""What a judge expects of designs that a user names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from invcore.plugin import Column, write_table
from invcore_solve.answers.proposal import Proposal

if TYPE_CHECKING:
    import pandas as pd

_OMITTED = ("rank",)


@dataclass(frozen=True)
class PredictedDesigns:
    """Designs with what to expect of them, in the order in which they were asked for.

    Args:
        table: the designs as a table of results whose targets are empty.
    """

    table: Proposal

    def __len__(self) -> int:
        return len(self.table)

    @property
    def response(self) -> Tensor:
        """Expected responses (N, Dy)."""
        assert self.table.predicted is not None
        return self.table.predicted

    @property
    def error(self) -> Tensor:
        """How far true responses may be off (N, Dy)."""
        assert self.table.predicted_error is not None
        return self.table.predicted_error

    def columns(self) -> dict[str, Column]:
        """Designs, predicted responses, errors, distance and nearest row, by name."""
        omitted = {*_OMITTED, *(f"target {name}" for name in self.table.names[1])}
        return {name: v for name, v in self.table.columns().items() if name not in omitted}

    def records(self) -> list[dict[str, Any]]:
        """The rows by column, for ``--json``."""
        columns = self.columns()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def frame(self) -> pd.DataFrame:
        """The table as a data frame of pandas."""
        import pandas as pd

        return pd.DataFrame(self.columns())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table: .csv, .tsv, .xlsx, .parquet or .npz; the whole file, or nothing.

        Raises:
            DataError: another ending, or the file cannot be written.
        """
        columns = self.columns()
        write_table(path, list(columns), columns)

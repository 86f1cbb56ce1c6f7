"""Which columns move the responses: the judge asked along each column, the others as in rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import FittedJudge
from invcore_solve.tables.table_data import TableData

Numbers = npt.NDArray[np.float64]

_POINTS = 13  # along a column
_ROWS = 60  # of the table, at which it is asked
_EDGE = 0.02


@dataclass(frozen=True)
class Sensitivities:
    """What the judge expects along each column of designs.

    Args:
        names: of the columns.
        responses: their names.
        values: for each column the values that were asked for (P,).
        curves: for each column the mean response over rows of the table (P, Dy).
        sizes: (Dx, Dy), standard deviation of the response along the column, root mean square
            over rows.
        labels: for each column the names of its categories; empty of numbers.
    """

    names: tuple[str, ...]
    responses: tuple[str, ...]
    values: tuple[Numbers, ...]
    curves: tuple[Numbers, ...]
    sizes: Numbers
    labels: tuple[tuple[str, ...], ...]

    def document(self) -> list[dict[str, Any]]:
        """Plain data, a column each."""
        return [
            {
                "column": name, "values": values.tolist(), "mean": curve.tolist(),
                "size": dict(zip(self.responses, size.tolist(), strict=True)),
            }
            for name, values, curve, size in zip(
                self.names, self.values, self.curves, self.sizes, strict=True
            )
        ]  # fmt: skip


def sensitivities_of(
    data: TableData, judge: FittedJudge, rng: np.random.Generator
) -> Sensitivities:
    """Ask the judge along each column.

    Columns that move together in the table are varied one at a time all the same: what is told of
    them is the surrogates' guess.
    """
    x = data.pairs.x.numpy()
    rows = x[np.sort(rng.permutation(len(x))[:_ROWS])]
    values, curves, sizes = [], [], []
    for i in range(x.shape[1]):
        along = _along(x[:, i])
        asked = np.repeat(rows[None], len(along), axis=0)
        asked[:, :, i] = along[:, None]
        flat = torch.from_numpy(asked.reshape(-1, x.shape[1]))
        said = judge.predict(flat).response.numpy().reshape(len(along), len(rows), -1)
        values.append(along)
        curves.append(said.mean(axis=1))
        sizes.append(np.sqrt(said.var(axis=0).mean(axis=0)))
    return Sensitivities(
        data.designs.names, data.responses.names, tuple(values), tuple(curves), np.stack(sizes),
        tuple(variable.categories for variable in data.designs.variables),
    )  # fmt: skip


def _along(column: Numbers) -> Numbers:
    """Values to ask for: those of the column, or evenly spread quantiles of them."""
    distinct = np.unique(column)
    if len(distinct) <= _POINTS:
        return distinct
    return np.unique(np.quantile(column, np.linspace(_EDGE, 1 - _EDGE, _POINTS)))

"""All allowed combinations of variables that take a finite number of values, if they are few."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.kinds import LinearInequality
from invcore.spaces.constraints.nearest.blocks import Unit, units_of
from invcore.spaces.constraints.nearest.snapping import nearest_rows

_MOST = 200_000  # combinations that are listed
_TRIED = 2_000_000  # rows on the way there


def combinations_of(group: Group) -> Tensor | None:
    """The allowed values (C, g) of a group, or None where there are too many, or a variable is
    continuous.

    Variables are added one after the other; what no value of the others can bring within a sum's
    limits is left out at once.
    """
    if not bool(group.stepped.all()):
        return None
    units = units_of(group.layout, range(len(group.variables)))
    if any(unit.rows is None for unit in units):
        return None
    matrix, low, high = _sums(group)
    reach = _reaches(units, matrix)
    rows = torch.zeros(1, len(group.variables), dtype=torch.float64)
    for unit, (least, most) in zip(units, reach, strict=True):
        assert unit.rows is not None
        if len(rows) * len(unit.rows) > _TRIED:
            return None
        index = torch.cartesian_prod(torch.arange(len(rows)), torch.arange(len(unit.rows)))
        rows = rows[index[:, 0]].index_copy(1, unit.columns, unit.rows[index[:, 1]])
        total = rows @ matrix.T
        rows = rows[((total + most >= low) & (total + least <= high)).all(1)]
    rows = rows[group.layout.contains(rows)]
    return rows if len(rows) <= _MOST else None


def _sums(group: Group) -> tuple[Tensor, Tensor, Tensor]:
    """Coefficients (M, g) of sums and the limits (M,) of each, their tolerances included."""
    layout = group.layout
    measure = layout.measure
    inequalities = [c for c in group.constraints if isinstance(c, LinearInequality)]
    rows = (
        torch.stack([measure.row(c.coefficients) for c in inequalities])
        if inequalities
        else (layout.matrix[:0])
    )
    ends = torch.tensor([c.ends for c in inequalities], dtype=torch.float64).view(-1, 2)
    room = 1e-8 * (rows.abs() @ (layout.width + layout.size))
    own = layout.tolerance + 1e-12 * (layout.matrix.abs() @ layout.size)
    return (
        torch.cat([layout.matrix, rows]),
        torch.cat([layout.value - own, ends[:, 0] - room]),
        torch.cat([layout.value + own, ends[:, 1] + room]),
    )


def _reaches(units: list[Unit], matrix: Tensor) -> list[tuple[Tensor, Tensor]]:
    """For each unit, the least and the most (M,) that those after it add to each sum."""
    least, most = torch.zeros(len(matrix)).double(), torch.zeros(len(matrix)).double()
    found = []
    for unit in reversed(units):
        found.append((least, most))
        assert unit.rows is not None
        added = unit.rows @ matrix[:, unit.columns].T
        least, most = least + added.amin(0), most + added.amax(0)
    return found[::-1]


class Listed:
    """The nearest of a list of combinations.

    Args:
        group: whose.
        rows: (C, g), all that it allows.
    """

    def __init__(self, group: Group, rows: Tensor) -> None:
        self.group, self.rows = group, rows
        self._places = self._embedded(rows)

    def nearest(self, x: Tensor) -> Tensor:
        """The nearest of them (N, g) to values (N, g)."""
        return self.rows[nearest_rows(self._embedded(x), self._places)]

    def _embedded(self, values: Tensor) -> Tensor:
        """Places whose distances are those of designs; another category is one range away."""
        columns = []
        for i, variable in enumerate(self.group.variables):
            if variable.categories:
                codes = values[:, i].round().clamp(0, len(variable.categories) - 1).long()
                columns.append(torch.eye(len(variable.categories)).double()[codes] * 0.5**0.5)
            else:
                columns.append(values[:, [i]] / self.group.layout.width[i])
        return torch.cat(columns, 1)

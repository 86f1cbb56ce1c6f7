"""Blocks: variables that linear equalities tie together, and the nearest of their values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from invcore.spaces.constraints.layout import Layout

_MOST = 20_000  # combinations that are listed


@dataclass(frozen=True)
class Unit:
    """Variables that take values in steps, each step a row.

    Args:
        columns: positions (k,): one variable, or those of a list of designs.
        rows: (R, k); None where there are too many whole numbers to list.
    """

    columns: Tensor
    rows: Tensor | None


@dataclass(frozen=True)
class Block:
    """Linear equalities that share variables, and these variables.

    Args:
        layout: the whole space's.
        rows: (m,), which of its equalities.
        free: (c,), positions of the continuous variables.
        units: those that take values in steps.
        value: (m,), what the sums must be, without the variables that are constant.
    """

    layout: Layout
    rows: Tensor
    free: Tensor
    units: tuple[Unit, ...]
    value: Tensor

    @cached_property
    def stepped(self) -> Tensor:
        """Positions (d,) of the variables with steps."""
        return torch.cat([unit.columns for unit in self.units] or [torch.zeros(0).long()])

    @cached_property
    def of_free(self) -> Tensor:
        """Coefficients (m, c)."""
        return self.layout.matrix[self.rows][:, self.free]

    @cached_property
    def of_stepped(self) -> Tensor:
        """Coefficients (m, d)."""
        return self.layout.matrix[self.rows][:, self.stepped]

    @cached_property
    def tolerance(self) -> Tensor:
        """How far off each sum may be (m,)."""
        return self.layout.tolerance[self.rows]

    @cached_property
    def reach(self) -> tuple[Tensor, Tensor]:
        """The least and the most that the continuous variables add to each sum: (m,) each."""
        ends = [
            self.of_free * end[self.free] for end in (self.layout.low, self.layout.high)
        ]  # 0 times infinity is nothing
        ends = [torch.where(self.of_free == 0, 0.0, end) for end in ends]
        return torch.minimum(*ends).sum(1), torch.maximum(*ends).sum(1)

    @cached_property
    def listed(self) -> bool:
        """Whether all combinations of steps can be listed."""
        sizes = [0 if unit.rows is None else len(unit.rows) for unit in self.units]
        return 0 < math.prod(sizes) <= _MOST and bool(self.units)

    def combinations(self) -> Tensor:
        """All combinations of steps (C, d)."""
        lists = [unit.rows for unit in self.units if unit.rows is not None]
        index = torch.cartesian_prod(*(torch.arange(len(rows)) for rows in lists))
        index = index.view(-1, len(lists))
        return torch.cat([rows[index[:, u]] for u, rows in enumerate(lists)], dim=1)

    def missing(self, stepped: Tensor) -> Tensor:
        """What the continuous variables must add (N, m), where the others are (N, d)."""
        return self.value - stepped @ self.of_stepped.T

    def excess(self, stepped: Tensor) -> Tensor:
        """How far that is from what they can add (N, m): zero, or beyond the tolerance."""
        missing, (low, high) = self.missing(stepped), self.reach
        off = (low - missing).clamp(min=0) + (missing - high).clamp(min=0)
        rounding = 1e-14 * (self.value.abs() + stepped.abs() @ self.of_stepped.abs().T)
        return torch.where(off <= self.tolerance + rounding, 0.0, off)


def blocks_of(layout: Layout) -> list[Block]:
    """The equalities in groups that share no variable that moves."""
    in_lists = {i for columns, _ in layout.lists for i in columns.tolist()}
    constant = {i: float(v[0]) for i, v in layout.levels.items() if len(v) == 1}
    constant = {i: value for i, value in constant.items() if i not in in_lists}
    members = [
        {i for i in row.nonzero()[:, 0].tolist() if i not in constant} for row in layout.matrix
    ]
    groups: list[tuple[set[int], list[int]]] = []
    for row, names in enumerate(members):
        for columns, _ in layout.lists:
            if names & set(columns.tolist()):
                names = names | set(columns.tolist())
        rows = [row]
        for group in [g for g in groups if g[0] & names]:
            groups.remove(group)
            names, rows = names | group[0], group[1] + rows
        groups.append((names, rows))
    shift = sum(
        (layout.matrix[:, i] * value for i, value in constant.items()),
        torch.zeros_like(layout.value),
    )
    value = layout.value - shift
    return [_block(layout, names, sorted(rows), value) for names, rows in groups if names]


def _block(layout: Layout, names: set[int], rows: Sequence[int], value: Tensor) -> Block:
    units = units_of(layout, sorted(names))
    stepped = {i for unit in units for i in unit.columns.tolist()}
    free = sorted(names - stepped)
    where = torch.tensor(rows)
    return Block(layout, where, torch.tensor(free, dtype=torch.long), tuple(units), value[where])


def units_of(layout: Layout, names: Iterable[int]) -> list[Unit]:
    """What variables at some positions take values in: lists, levels and whole numbers."""
    left, units = list(names), []
    for columns, designs in layout.lists:
        if set(left) & set(columns.tolist()):
            units.append(Unit(columns, designs))
            left = [i for i in left if i not in columns.tolist()]
    for i in left:
        if i in layout.levels:
            units.append(Unit(torch.tensor([i]), layout.levels[i][:, None]))
        elif bool(layout.whole[i]):
            low, high = float(layout.low[i]), float(layout.high[i])
            few = high - low < _MOST
            numbers = torch.arange(low, high + 1, dtype=torch.float64) if few else None
            units.append(Unit(torch.tensor([i]), None if numbers is None else numbers[:, None]))
    return units

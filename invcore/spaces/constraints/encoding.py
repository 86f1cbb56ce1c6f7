"""Variables and constraints as a linear system, part of whose columns are whole numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.kinds import (
    Among,
    AnyOf,
    Cardinality,
    Constraint,
    Fixed,
    Interval,
    Levels,
    LinearEquality,
    LinearInequality,
    Nonlinear,
    Piece,
    Values,
)
from invcore.spaces.constraints.kinds.among import allowed_rows
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.constraints.linear_sets.system import INTERNAL, Floats, LinearSystem

_FIRST = "fixed", "levels"
_FAR = 1e3  # ranges: where a variable without a bound has to stay in conditions
_SOME = 1e-3  # of a variable's range: what "at least … of" moves a zero to
_SNAP = 1e-11  # of a variable's range: a value so near to one of a list is that; sums still hold

Terms = dict[int, float]


@dataclass
class _Rows:
    """A system that is being written: columns, and rows of terms."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    rows: list[tuple[Terms, float, float, int]] = field(default_factory=list)

    def column(
        self, low: float, high: float, *, whole: bool, weight: float, width: float = 1.0
    ) -> int:
        self.low.append(low)
        self.high.append(high)
        self.integer.append(whole)
        self.weight.append(weight)
        self.width.append(width)
        return len(self.low) - 1

    def switch(self, weight: float = 0.0) -> int:
        """A column that is zero or one."""
        return self.column(0.0, 1.0, whole=True, weight=weight)

    def row(self, terms: Terms, low: float, high: float, owner: int) -> None:
        self.rows.append((terms, low, high, owner))

    def system(self) -> LinearSystem:
        matrix = np.zeros((len(self.rows), len(self.low)))
        for i, (terms, *_) in enumerate(self.rows):
            for column, coefficient in terms.items():
                matrix[i, column] += coefficient
        low, high = [row[1] for row in self.rows], [row[2] for row in self.rows]
        owner = [row[3] for row in self.rows]
        return LinearSystem.of(
            matrix, low, high, self.low, self.high, integer=self.integer, owner=owner,
            weight=self.weight, width=self.width,
        )  # fmt: skip


class Encoding:
    """The linear and discrete part of a group's constraints, as a system.

    A number is a column of its own; a category has a column for each name, one of which is one,
    each of weight one half, so that any other category is one range away. Levels, listed designs,
    supports and alternatives are switches: further columns, zero or one, that have no weight.
    Alternatives and supports are tied to their switches by the variables' bounds; a variable
    without a bound stays within a thousand ranges there. Expressions are left out.

    Args:
        group: whose.
        kept: which of its constraints; all by default.
    """

    def __init__(self, group: Group, kept: Collection[int] | None = None) -> None:
        self.group = group
        self._write, self._place = _Rows(), {v.name: i for i, v in enumerate(group.variables)}
        self._column: dict[int, int] = {}
        self._one_hot: dict[int, list[int]] = {}
        self._steps: dict[int, dict[float, int]] = {}
        self._values: dict[int, set[float]] = {}
        used = [
            (c, owner)
            for c, owner in zip(group.constraints, group.owners, strict=True)
            if kept is None or owner in kept
        ]
        constraints = [c for c, _ in used]
        self.layout = group.layout if kept is None else Layout.of(group.variables, constraints)
        self._variables(constraints)
        # Conditions and lists speak of the levels' switches
        for constraint, owner in sorted(used, key=lambda pair: pair[0].kind not in _FIRST):
            self._constraint(constraint, owner, constraints)
        self.system = self._write.system()

    def _variables(self, used: Sequence[Constraint]) -> None:
        layout, write = self.layout, self._write
        for i, variable in enumerate(self.group.variables):
            if variable.categories:
                self._one_hot[i] = [write.switch(0.5) for _ in variable.categories]
                write.row(dict.fromkeys(self._one_hot[i], 1.0), 1.0, 1.0, INTERNAL)
                continue
            low, high = float(layout.low[i]), float(layout.high[i])
            stepped = any(
                isinstance(c, Fixed | Levels | Among) and variable.name in c.names for c in used
            )
            self._column[i] = write.column(
                low,
                high,
                whole=variable.whole and not stepped,
                weight=1.0,
                width=float(layout.width[i]),
            )

    def _constraint(self, constraint: Constraint, owner: int, used: Sequence[Constraint]) -> None:
        if isinstance(constraint, Fixed):
            self._restrict(self._place[constraint.variable], (constraint.value,), owner)
        elif isinstance(constraint, Levels):
            i = self._place[constraint.variable]
            known = self.layout.levels.get(i)
            same = any(isinstance(c, Fixed) and c.variable == constraint.variable for c in used)
            values = constraint.values if known is None or same else tuple(known.tolist())
            self._restrict(i, values, owner)
        elif isinstance(constraint, LinearEquality):
            value = constraint.value
            self._write.row(self._terms(constraint.coefficients), value, value, owner)
        elif isinstance(constraint, LinearInequality):
            if len(constraint.coefficients) > 1:  # limits of one variable are bounds
                self._write.row(self._terms(constraint.coefficients), *constraint.ends, owner)
        elif isinstance(constraint, Among):
            self._list(constraint, owner, used)
        elif isinstance(constraint, AnyOf):
            self._any(constraint, owner)
        elif isinstance(constraint, Cardinality):
            self._count(constraint, owner)
        else:
            assert isinstance(constraint, Nonlinear) or constraint.kind == "periodic"

    def _terms(self, coefficients: Mapping[str, float]) -> Terms:
        return {self._column[self._place[n]]: c for n, c in coefficients.items()}

    def _ends(self, i: int) -> tuple[float, float]:
        """A variable's bounds, far away where it has none."""
        low, high = float(self.layout.low[i]), float(self.layout.high[i])
        far = _FAR * float(self.layout.width[i])
        if not math.isfinite(low):
            low = min(high, 0.0) - far
        return low, high if math.isfinite(high) else max(low, 0.0) + far

    def _restrict(self, i: int, values: Sequence[float], owner: int) -> None:
        """A variable has one of some values."""
        write = self._write
        if i in self._one_hot:
            columns = self._one_hot[i]
            allowed = {columns[round(v)]: 1.0 for v in values}
            write.row(allowed, 1.0, 1.0, owner)
        elif len(values) == 1:
            write.row({self._column[i]: 1.0}, values[0], values[0], owner)
        else:
            switches = {value: write.switch() for value in values}
            self._steps[i] = switches
            write.row(dict.fromkeys(switches.values(), 1.0), 1.0, 1.0, INTERNAL)
            terms = {switch: -value for value, switch in switches.items()}
            write.row({self._column[i]: 1.0, **terms}, 0.0, 0.0, owner)

    def _list(self, constraint: Among, owner: int, used: Sequence[Constraint]) -> None:
        rows = allowed_rows(constraint, used) or list(constraint.designs)
        switches = [self._write.switch() for _ in rows]
        self._write.row(dict.fromkeys(switches, 1.0), 1.0, 1.0, INTERNAL)
        for k, name in enumerate(constraint.variables):
            i = self._place[name]
            if i in self._one_hot:
                for code, column in enumerate(self._one_hot[i]):
                    chosen = {
                        s: -1.0 for s, row in zip(switches, rows, strict=True) if row[k] == code
                    }
                    self._write.row({column: 1.0, **chosen}, 0.0, 0.0, owner)
                continue
            terms = {s: -row[k] for s, row in zip(switches, rows, strict=True)}
            self._write.row({self._column[i]: 1.0, **terms}, 0.0, 0.0, owner)

    def _any(self, constraint: AnyOf, owner: int) -> None:
        """One alternative is chosen, and holds."""
        possible = [p for p in constraint.alternatives if all(map(self._possible, p))]
        switches = [self._write.switch() for _ in possible]
        # With none that is possible, the row cannot be satisfied, and the owner is to blame
        self._write.row(dict.fromkeys(switches, 1.0), 1.0, 1.0, owner)
        for switch, pieces in zip(switches, possible, strict=True):
            for piece in pieces:
                self._piece(piece, switch, owner)

    def _possible(self, piece: Piece) -> bool:
        if isinstance(piece, LinearInequality):
            low, high = self._reach(piece.coefficients)
        else:
            i = self._place[piece.variable]
            if i in self._one_hot:
                return True
            low, high = self._ends(i)
        if isinstance(piece, Values):
            return any(low <= value <= high for value in piece.values)
        return low <= piece.ends[1] and high >= piece.ends[0]

    def _reach(self, coefficients: Mapping[str, float]) -> tuple[float, float]:
        low = high = 0.0
        for name, coefficient in coefficients.items():
            ends = sorted(coefficient * end for end in self._ends(self._place[name]))
            low, high = low + ends[0], high + ends[1]
        return low, high

    def _piece(self, piece: Piece, switch: int, owner: int) -> None:
        """A piece holds where its switch is on."""
        if isinstance(piece, LinearInequality):
            terms, reach = self._terms(piece.coefficients), self._reach(piece.coefficients)
            self._when(switch, terms, piece.ends, reach, owner)
            return
        i = self._place[piece.variable]
        if isinstance(piece, Interval):
            self._when(switch, {self._column[i]: 1.0}, piece.ends, self._ends(i), owner)
        elif i in self._one_hot:
            columns = {self._one_hot[i][round(value)]: 1.0 for value in piece.values}
            self._write.row({**columns, switch: -1.0}, 0.0, math.inf, owner)
        else:
            self._has_value(i, piece.values, switch, owner)

    def _has_value(self, i: int, values: Sequence[float], switch: int, owner: int) -> None:
        low, high = self._ends(i)
        possible = [value for value in values if low <= value <= high]
        self._values.setdefault(i, set()).update(possible)
        steps = self._steps.get(i)
        if steps is not None:
            on = {steps[value]: 1.0 for value in possible if value in steps}
            self._write.row({**on, switch: -1.0}, 0.0, math.inf, owner)
            return
        chosen = [switch] if len(possible) == 1 else [self._write.switch() for _ in possible]
        if len(possible) > 1:
            terms = dict.fromkeys(chosen, 1.0)
            self._write.row({**terms, switch: -1.0}, 0.0, math.inf, owner)
        for value, own in zip(possible, chosen, strict=True):
            self._when(own, {self._column[i]: 1.0}, (value, value), (low, high), owner)

    def _when(
        self,
        switch: int,
        terms: Terms,
        ends: tuple[float, float],
        reach: tuple[float, float],
        owner: int,
    ) -> None:
        """A sum within its reach is between two ends where a switch is on."""
        if ends[0] > reach[0]:
            self._write.row({**terms, switch: reach[0] - ends[0]}, reach[0], math.inf, owner)
        if ends[1] < reach[1]:
            self._write.row({**terms, switch: reach[1] - ends[1]}, -math.inf, reach[1], owner)

    def _count(self, constraint: Cardinality, owner: int) -> None:
        most = len(constraint.variables) if constraint.most is None else constraint.most
        used: dict[int, float] = {}
        some: dict[int, float] = {}
        always = 0
        for name in constraint.variables:
            i = self._place[name]
            low, high = self._ends(i)
            if low > 0 or high < 0:
                always += 1
                continue
            self._values.setdefault(i, set()).add(0.0)
            if most < len(constraint.variables):
                used[self._support(i, low, high, owner)] = 1.0
            if constraint.least:
                some |= dict.fromkeys(self._beyond(i, low, high, owner), 1.0)
        if most < len(constraint.variables):
            self._write.row(used, -math.inf, float(most - always), owner)
        if constraint.least > always:
            self._write.row(some, float(constraint.least - always), math.inf, owner)

    def _support(self, i: int, low: float, high: float, owner: int) -> int:
        """A switch without which a variable is zero."""
        switch, column = self._write.switch(), self._column[i]
        self._write.row({column: 1.0, switch: -high}, -math.inf, 0.0, owner)
        self._write.row({column: 1.0, switch: -low}, 0.0, math.inf, owner)
        return switch

    def _beyond(self, i: int, low: float, high: float, owner: int) -> list[int]:
        """Switches with which a variable is some way above zero, or below it."""
        least = _SOME * float(self.layout.width[i])
        if bool(self.layout.whole[i]):
            least = 1.0
        if i in self.layout.levels:
            sizes = self.layout.levels[i].abs()
            least = float(sizes[sizes > 0].min()) if bool((sizes > 0).any()) else least
        switches = []
        for ends in ((least, math.inf), (-math.inf, -least)):
            if ends[0] <= high and ends[1] >= low:
                switches.append(self._write.switch())
                self._when(switches[-1], {self._column[i]: 1.0}, ends, (low, high), owner)
        if len(switches) == 2:  # not both
            self._write.row(dict.fromkeys(switches, 1.0), -math.inf, 1.0, INTERNAL)
        return switches

    def points(self, values: Tensor) -> Floats:
        """The system's points (N, n) of a group's values (N, g); switches are NaN."""
        result = np.full((len(values), self.system.columns), np.nan)
        for i, column in self._column.items():
            result[:, column] = values[:, i].numpy()
        for i, columns in self._one_hot.items():
            codes = values[:, i].round().clamp(0, len(columns) - 1).long().numpy()
            result[:, columns] = np.eye(len(columns))[codes]
        return result

    def values(self, points: Floats) -> Tensor:
        """The group's values (N, g) of points (N, n): steps, levels and zeros to the digit."""
        layout = self.layout
        result = torch.zeros(len(points), len(self.group.variables), dtype=torch.float64)
        for i, column in self._column.items():
            result[:, i] = torch.from_numpy(points[:, column].copy())
        for i, columns in self._one_hot.items():
            result[:, i] = torch.from_numpy(points[:, columns]).argmax(1).double()
        for i, near in self._values.items():
            for value in near:
                close = (result[:, i] - value).abs() <= _SNAP * layout.width[i]
                result[:, i] = torch.where(close, value, result[:, i])
        return torch.where(layout.whole, result.round(), result)

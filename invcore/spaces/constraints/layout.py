"""A space's bounds and constraints as tensors, and which designs satisfy them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.spaces.constraints.kinds import (
    Among,
    AnyOf,
    Cardinality,
    Constraint,
    Fixed,
    Levels,
    LinearEquality,
    LinearInequality,
    Nonlinear,
    Periodic,
)
from invcore.spaces.constraints.kinds.among import allowed_rows
from invcore.spaces.constraints.violations import ROUNDING, Measure, Rule, rules_of
from invcore.spaces.variable import Variable

_DIGITS = 8  # rounding errors of one number that a sum of several may have
_TAIL = 0.00135  # of a normal, beyond three standard deviations


@dataclass(frozen=True)
class Layout:
    """What is asked of designs (…, Dx), as float64 tensors.

    Args:
        low: (Dx,), lower bounds.
        high: (Dx,), upper bounds; of a variable that goes round just below its turn's end.
        whole: (Dx,), bool, who takes whole numbers only.
        width: (Dx,), each variable's range: the unit of distances.
        size: (Dx,), the largest numbers that each has.
        turns: where a periodic variable's turn begins and how long it is, by its position.
        levels: the values of those with levels or a fixed value, by position.
        lists: positions (k,) and the rows (R, k) that these may have together.
        matrix: (M, Dx), of the linear equalities.
        value: (M,), of the sums.
        tolerance: (M,), how far off each may be.
        measure: what violations are measured in.
        rules: of the constraints that the tensors do not tell: inequalities, conditions,
            cardinalities and expressions.
    """

    low: Tensor
    high: Tensor
    whole: Tensor
    width: Tensor
    size: Tensor
    turns: Mapping[int, tuple[float, float]]
    levels: Mapping[int, Tensor]
    lists: tuple[tuple[Tensor, Tensor], ...]
    matrix: Tensor
    value: Tensor
    tolerance: Tensor
    measure: Measure
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, variables: Sequence[Variable], constraints: Sequence[Constraint]) -> Layout:
        """From variables and constraints that fit them.

        Example:
            >>> from invcore.plugin import Levels, Uniform, Variable
            >>> width = Variable(name="width", prior=Uniform(low=0.0, high=9.0))
            >>> layout = Layout.of([width], [Levels(variable="width", values=(2.0, 5.0))])
            >>> layout.contains(torch.tensor([[2.0], [3.0]]))
            tensor([ True, False])
        """
        place = {variable.name: i for i, variable in enumerate(variables)}
        turns = {
            place[c.variable]: (c.low, c.high - c.low)
            for c in constraints
            if isinstance(c, Periodic)
        }
        levels = {place[c.variable]: c.values for c in constraints if isinstance(c, Levels)}
        levels |= {place[c.variable]: (c.value,) for c in constraints if isinstance(c, Fixed)}
        lists = tuple(
            (
                torch.tensor([place[name] for name in c.names]),
                _float64(allowed_rows(c, constraints)),
            )
            for c in constraints
            if isinstance(c, Among)
        )
        ends = [_ends(variable, turns.get(i)) for i, variable in enumerate(variables)]
        limits = _limits(variables, constraints)
        low, high = _float64([_cut(e, *limits.get(i, e)) for i, e in enumerate(ends)]).unbind(1)
        width = _float64([_width(v, *e) for v, e in zip(variables, ends, strict=True)])
        size = torch.maximum(*(torch.where(e.isfinite(), e.abs(), 0.0) for e in (low, high)))
        sums = [c for c in constraints if isinstance(c, LinearEquality)]
        matrix = torch.zeros(len(sums), len(variables), dtype=torch.float64)
        for row, equality in enumerate(sums):
            for name, coefficient in equality.coefficients.items():
                matrix[row, place[name]] = coefficient
        size = torch.maximum(size, torch.where(low.isfinite() & high.isfinite(), 0.0, width))
        measure = Measure(tuple(variables), low, high, width, size)
        given = _float64([c.tolerance for c in sums])
        return cls(
            low, high, torch.tensor([v.whole for v in variables]), width, size, turns,
            {i: _within(_float64(v), low[i], high[i]) for i, v in levels.items()},
            tuple((w, _within(rows, low[w], high[w])) for w, rows in lists), matrix,
            _float64([c.value for c in sums]),
            torch.maximum(given, ROUNDING * (matrix.abs() @ width)),
            measure, rules_of([c for c in constraints if _has_rule(c)], measure),
        )  # fmt: skip

    def contains(self, values: Tensor) -> Tensor:
        """Which designs (…, Dx) are allowed: (…), bool. NaN is not."""
        low, high = self.low.to(values), self.high.to(values)
        good = (values >= low) & (values <= high)
        good &= ~self.whole.to(values.device) | (values == values.round())
        for i, levels in self.levels.items():
            column = values[..., i]
            good[..., i] &= (column[..., None] == levels.to(values)).any(-1)
        every = good.all(-1)
        for columns, rows in self.lists:
            every &= is_row(values[..., columns.to(values.device)], rows.to(values))
        if len(self.matrix):
            every &= self.balanced(values)
        for rule in self.rules:
            every &= rule.holds(values)
        return every

    def balanced(self, values: Tensor) -> Tensor:
        """Which designs (…, Dx) satisfy the linear equalities: (…), bool."""
        matrix = self.matrix.to(values.device)
        off = (values.double() @ matrix.T - self.value.to(values.device)).abs()
        rounding = _DIGITS * torch.finfo(values.dtype).eps * (self.matrix.abs() @ self.size)
        return (off <= torch.maximum(self.tolerance, rounding).to(values.device)).all(-1)


def _has_rule(constraint: Constraint) -> bool:
    """Whether its rule says what is allowed; the limits of one variable are bounds."""
    if isinstance(constraint, LinearInequality):
        return len(constraint.coefficients) > 1
    return isinstance(constraint, AnyOf | Cardinality | Nonlinear)


def _limits(
    variables: Sequence[Variable], constraints: Sequence[Constraint]
) -> dict[int, tuple[float, float]]:
    """The limits that inequalities of one variable give it, by position."""
    place = {variable.name: i for i, variable in enumerate(variables)}
    limits: dict[int, tuple[float, float]] = {}
    for constraint in constraints:
        if isinstance(constraint, LinearInequality) and len(constraint.coefficients) == 1:
            ((name, coefficient),) = constraint.coefficients.items()
            ends = sorted(end / coefficient + 0.0 for end in constraint.ends)
            if variables[place[name]].whole:
                ends = [_whole(ends[0], math.ceil), _whole(ends[1], math.floor)]
            known = limits.get(place[name], (-math.inf, math.inf))
            limits[place[name]] = max(known[0], ends[0]), min(known[1], ends[1])
    return limits


def _whole(end: float, nearest: Callable[[float], int]) -> float:
    """The whole number at an end, where that is finite; up to rounding."""
    near = round(end) if math.isfinite(end) else 0
    if not math.isfinite(end) or abs(end - near) <= ROUNDING:
        return float(near) if math.isfinite(end) else end
    return float(nearest(end))


def _cut(ends: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    return max(ends[0], low), min(ends[1], high)


def _within(rows: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The rows (R, …) between limits (…,); all where none is."""
    good = (
        ((rows >= low) & (rows <= high)).flatten(1).all(1)
        if rows.ndim > 1
        else ((rows >= low) & (rows <= high))
    )
    return rows[good] if bool(good.any()) else rows


def is_row(values: Tensor, rows: Tensor) -> Tensor:
    """Which values (…, k) are one of the rows (R, k): (…), bool.

    Sorted search would need one number a row; a few thousand rows are compared as they are, some
    values at a time.
    """
    flat = values.reshape(-1, values.shape[-1])
    step = max(1, 10_000_000 // max(1, rows.numel()))
    parts = [(part[:, None] == rows).all(-1).any(-1) for part in flat.split(step)]
    return torch.cat(parts).view(values.shape[:-1]) if parts else flat.new_zeros(0).bool()


def _float64(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _ends(variable: Variable, turn: tuple[float, float] | None) -> tuple[float, float]:
    """A variable's bounds within its turn, whose end is no part of it."""
    low, high = variable.bounds
    if turn is None:
        return low, high
    end = turn[0] + turn[1]
    below = end - 1 if variable.whole else math.nextafter(end, -math.inf)
    return max(low, turn[0]), min(high, below)


def _width(variable: Variable, low: float, high: float) -> float:
    """A variable's range; where it has no end, six standard deviations of its prior, or one."""
    if math.isfinite(low) and math.isfinite(high):
        return high - low
    if variable.prior is None:
        return 1.0
    tails = torch.tensor([_TAIL, 1 - _TAIL], dtype=torch.float64)
    first, last = variable.prior.quantile(tails).tolist()
    return last - first if last > first else 1.0

"""How far designs are from satisfying each constraint, and which constraints leave them no room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.expressions.evaluation import evaluated
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
    Periodic,
    Piece,
)
from invcore.spaces.variable import Variable

ROUNDING = 1e-9  # of what a sum can vary
CURVED = 1e-6  # of what an expression varies
BINDS = 1e-6  # of what a sum or an expression can vary: so little room is none
_DIGITS = 8  # rounding errors of one number that a sum of several may have
_POINTS = 512  # at which an expression is looked at, for what it varies
_TAILS = 0.02  # of these are left out, as poles are
_CELLS = 4_000_000

Gap = Callable[[Tensor], Tensor]
"""From values (…, Dx), float64, to how far something is from being allowed (…,): at most zero where
it is, less the more room there is."""


@dataclass(frozen=True)
class Measure:
    """What constraints are measured in.

    Args:
        variables: of the space.
        low: (Dx,), lower bounds.
        high: (Dx,), upper bounds.
        width: (Dx,), each variable's range.
        size: (Dx,), the largest numbers that each has.
    """

    variables: Sequence[Variable]
    low: Tensor
    high: Tensor
    width: Tensor
    size: Tensor

    @property
    def place(self) -> Mapping[str, int]:
        """Where each variable stands."""
        return {variable.name: i for i, variable in enumerate(self.variables)}

    def row(self, coefficients: Mapping[str, float]) -> Tensor:
        """Coefficients (Dx,) of a sum."""
        row, place = torch.zeros(len(self.variables), dtype=torch.float64), self.place
        for name, coefficient in coefficients.items():
            row[place[name]] = coefficient
        return row


class Rule:
    """One constraint: how far designs are from satisfying it.

    Args:
        constraint: it.
        measure: what it is measured in.

    Example:
        >>> from invcore.plugin import Uniform
        >>> wide = Variable(name="x", prior=Uniform(low=0.0, high=4.0))
        >>> zero, four = torch.zeros(1).double(), torch.full((1,), 4.0).double()
        >>> most = LinearInequality(coefficients={"x": 1.0}, high=3.0)
        >>> rule = Rule(most, Measure([wide], zero, four, four, four))
        >>> rule.violation(torch.tensor([[3.5], [2.0]]))
        tensor([0.1250, 0.0000], dtype=torch.float64)
    """

    def __init__(self, constraint: Constraint, measure: Measure) -> None:
        self.constraint, self._measure = constraint, measure
        self._gap, self._room = _gap_of(constraint, measure)

    def violation(self, values: Tensor) -> Tensor:
        """How far designs (…, Dx) violate it, in units of what can vary: (…,), float64.

        Zero where it is satisfied, up to rounding; infinite where that cannot be told.
        """
        gap = self._gap(values.double())
        room = self._room + _DIGITS * torch.finfo(values.dtype).eps * self._size
        gap = torch.where(gap <= room, 0.0, gap)
        return torch.where(gap.isnan(), torch.inf, gap)

    def holds(self, values: Tensor) -> Tensor:
        """Which designs (…, Dx) satisfy it: (…,), bool."""
        return self.violation(values) == 0

    def binds(self, values: Tensor) -> Tensor:
        """Which designs (…, Dx) it leaves no room on one side: (…,), bool."""
        gap = self._gap(values.double())
        return (gap >= -BINDS) & gap.isfinite()

    @property
    def _size(self) -> float:
        """How many units the numbers are that are added up; their rounding errors are of these."""
        constraint, measure = self.constraint, self._measure
        if isinstance(constraint, LinearEquality | LinearInequality):
            row = measure.row(constraint.coefficients)
            return float(row.abs() @ measure.size) / _norm(row, measure)
        if isinstance(constraint, AnyOf | Nonlinear):
            where = [measure.place[name] for name in constraint.names]
            return float((measure.size / measure.width)[where].max())
        return 0.0


def rules_of(constraints: Sequence[Constraint], measure: Measure) -> tuple[Rule, ...]:
    """A rule for each constraint."""
    return tuple(Rule(constraint, measure) for constraint in constraints)


def _norm(row: Tensor, measure: Measure) -> float:
    norm = float((row * measure.width).norm())
    return norm if norm > 0 else 1.0


def _gap_of(constraint: Constraint, measure: Measure) -> tuple[Gap, float]:
    """How far values are from it, and what of that is rounding."""
    place = measure.place
    if isinstance(constraint, Fixed):
        levels = torch.tensor([constraint.value], dtype=torch.float64)
        return _to_levels(place[constraint.variable], levels, measure), 0.0
    if isinstance(constraint, Levels):
        levels = torch.tensor(constraint.values, dtype=torch.float64)
        return _to_levels(place[constraint.variable], levels, measure), 0.0
    if isinstance(constraint, LinearEquality):
        return _to_plane(constraint, measure)
    if isinstance(constraint, LinearInequality):
        return _between(constraint, measure), _linear_room(constraint, measure)
    if isinstance(constraint, Periodic):
        return _in_turn(constraint, place[constraint.variable], measure), 0.0
    if isinstance(constraint, Among):
        return _to_rows(constraint, measure), 0.0
    if isinstance(constraint, AnyOf):
        return _to_alternatives(constraint, measure), 0.0
    if isinstance(constraint, Cardinality):
        return _too_many(constraint, measure), 0.0
    return _curved(constraint, measure), CURVED


def _to_levels(i: int, levels: Tensor, measure: Measure) -> Gap:
    width, named = measure.width[i], bool(measure.variables[i].categories)

    def gap(values: Tensor) -> Tensor:
        apart = (values[..., i, None] - levels.to(values.device)).abs().amin(-1)
        # In single precision a level may be another number than itself
        near = values[..., i, None].float() == levels.to(values.device).float()
        far = torch.ones_like(apart) if named else apart / width  # one category is as far as any
        return torch.where(near.any(-1) & (apart < ROUNDING * width), 0.0, far)

    return gap


def _to_plane(constraint: LinearEquality, measure: Measure) -> tuple[Gap, float]:
    row = measure.row(constraint.coefficients)
    norm = _norm(row, measure)
    room = max(constraint.tolerance, ROUNDING * float(row.abs() @ measure.width))

    def gap(values: Tensor) -> Tensor:
        return (values @ row.to(values.device) - constraint.value).abs() / norm

    return gap, room / norm


def _linear_room(constraint: LinearInequality, measure: Measure) -> float:
    row = measure.row(constraint.coefficients)
    return ROUNDING * float(row.abs() @ measure.width) / _norm(row, measure)


def _between(constraint: LinearInequality, measure: Measure) -> Gap:
    row = measure.row(constraint.coefficients)
    norm, (low, high) = _norm(row, measure), constraint.ends

    def gap(values: Tensor) -> Tensor:
        total = values @ row.to(values.device)
        return torch.maximum(low - total, total - high) / norm

    return gap


def _in_turn(constraint: Periodic, i: int, measure: Measure) -> Gap:
    width, low, high = measure.width[i], constraint.low, constraint.high

    def gap(values: Tensor) -> Tensor:
        column = values[..., i]
        above = torch.where(column >= high, (column - high) / width + ROUNDING, -torch.inf)
        return torch.where(column < low, (low - column) / width, above)

    return gap


def _to_rows(constraint: Among, measure: Measure) -> Gap:
    where = torch.tensor([measure.place[name] for name in constraint.variables])
    width = measure.width[where]
    rows = torch.tensor(constraint.designs, dtype=torch.float64) / width

    def gap(values: Tensor) -> Tensor:
        flat = (values[..., where] / width.to(values.device)).reshape(-1, len(where))
        near, mode = rows.to(values.device), "donot_use_mm_for_euclid_dist"
        parts = [
            torch.cdist(part, near, compute_mode=mode).amin(1)
            for part in flat.split(max(1, _CELLS // len(near)))
        ]
        apart = torch.cat(parts or [flat.new_zeros(0)]).view(values.shape[:-1])
        return torch.where(apart <= ROUNDING, 0.0, apart)

    return gap


def _piece(piece: Piece, measure: Measure) -> Gap:
    if isinstance(piece, LinearInequality):
        gap, room = _between(piece, measure), _linear_room(piece, measure)
        return lambda values: gap(values) - room
    i = measure.place[piece.variable]
    width = float(measure.width[i])
    if isinstance(piece, Interval):
        low, high = piece.ends
        return lambda values: (
            torch.maximum(low - values[..., i], values[..., i] - high) / width - ROUNDING
        )
    apart = _to_levels(i, torch.tensor(piece.values, dtype=torch.float64), measure)

    def gap_of_values(values: Tensor) -> Tensor:
        gap = apart(values)
        return torch.where(gap <= 0, -torch.inf, gap)

    return gap_of_values


def _to_alternatives(constraint: AnyOf, measure: Measure) -> Gap:
    every = [[_piece(piece, measure) for piece in pieces] for pieces in constraint.alternatives]

    def gap(values: Tensor) -> Tensor:
        worst = [torch.stack([gap(values) for gap in pieces]).amax(0) for pieces in every]
        return torch.stack(worst).amin(0)

    return gap


def _too_many(constraint: Cardinality, measure: Measure) -> Gap:
    where = torch.tensor([measure.place[name] for name in constraint.variables])
    width, least, most = measure.width[where], constraint.least, constraint.most

    def gap(values: Tensor) -> Tensor:
        own = values[..., where]
        used = (own != 0).sum(-1)
        lacking = (least - used).double()
        if most is None:
            over = torch.full_like(lacking, -torch.inf)
        else:  # the largest of those that should be zero
            sizes = (own / width.to(own.device)).abs().sort(-1, descending=True).values
            beyond = sizes[..., most] if most < len(where) else torch.zeros_like(sizes[..., 0])
            over = torch.where(used > most, beyond, (used - most).double())
        result = torch.maximum(over, lacking if least else torch.full_like(lacking, -torch.inf))
        return torch.where(own.isnan().any(-1), torch.nan, result)

    return gap


def _curved(constraint: Nonlinear, measure: Measure) -> Gap:
    term, (low, high) = constraint.term, constraint.ends
    scale = variation(constraint, measure)
    place = measure.place

    def gap(values: Tensor) -> Tensor:
        result = evaluated(term, {name: values[..., place[name]] for name in constraint.names})
        return torch.maximum(low - result, result - high) / scale

    return gap


def variation(constraint: Nonlinear, measure: Measure) -> float:
    """How much an expression varies within the variables' bounds, its tails apart."""
    place = measure.place
    unit = torch.quasirandom.SobolEngine(len(constraint.names)).draw(_POINTS, dtype=torch.float64)
    columns = {}
    for name, share in zip(constraint.names, unit.unbind(1), strict=True):
        i = place[name]
        prior, low, high = measure.variables[i].prior, measure.low[i], measure.high[i]
        if bool(low.isfinite() & high.isfinite()) or prior is None:
            begin = low if bool(low.isfinite()) else high - measure.width[i]
            begin = begin if bool(begin.isfinite()) else -measure.width[i] / 2
            columns[name] = begin + share * measure.width[i]
        else:
            columns[name] = prior.quantile(share.clamp(1e-3, 1 - 1e-3)).clamp(low, high)
    values = evaluated(constraint.term, columns)
    values = values[values.isfinite()]
    if len(values):
        ends = values.quantile(torch.tensor([_TAILS, 1 - _TAILS], dtype=torch.float64))
        if float(ends[1] - ends[0]) > 0:
            return float(ends[1] - ends[0])
    return max(1.0, *(abs(end) for end in (constraint.low, constraint.high) if end is not None))

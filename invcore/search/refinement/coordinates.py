"""The coordinates of refinement: affine in designs, or in their logarithms, a range wide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from invcore.spaces.constraints.kinds import LinearInequality
from invcore.spaces.space import Space

_CLOSE = 1e-9  # of what a sum can vary: an inequality that is nearer to its end leaves no room


@dataclass(frozen=True)
class RefinementCoordinates:
    """Points u of designs x: (x - begin) / width, or ln(x / begin) / width of a logarithmic prior.

    Whole numbers, categories, levels, listed and fixed designs do not move.

    Args:
        designs: the space.
        moves: (Dx,), bool.
        logarithmic: (Dx,), bool.
        begin: (Dx,).
        width: (Dx,), a variable's range, or that of its logarithm.
        turn: (Dx,), how long a turn is of what goes round, as points; infinite of all else.
        limits: (R, Dx), the linear inequalities between several variables.
        limit_ends: (R, 2), of their values.

    Example:
        >>> from invcore.plugin import LogUniform, Variable
        >>> prior = LogUniform(low=0.01, high=100.0)
        >>> own = RefinementCoordinates.of(Space.of(Variable(name="rate", prior=prior)))
        >>> own.points(torch.tensor([[1.0]]).double())
        tensor([[0.5000]], dtype=torch.float64)
    """

    designs: Space
    moves: Tensor
    logarithmic: Tensor
    begin: Tensor
    width: Tensor
    turn: Tensor
    limits: Tensor
    limit_ends: Tensor

    @classmethod
    def of(cls, designs: Space) -> RefinementCoordinates:
        """Those of a space."""
        layout = designs.layout
        moves = ~(designs.whole | designs.fixed)
        moves[[*layout.levels]] = False
        for columns, _ in layout.lists:
            moves[columns] = False
        logarithmic = torch.tensor([v.logarithmic for v in designs.variables]) & moves
        begin = torch.where(layout.low.isfinite(), layout.low, 0.0)
        factor = torch.where(logarithmic, layout.high / layout.low, 2.0)
        width = torch.where(logarithmic, factor.log(), layout.width)
        turn = torch.full_like(width, torch.inf)
        for i, (_, length) in layout.turns.items():
            turn[i] = length / width[i]
        several = [c for c in designs.constraints if isinstance(c, LinearInequality)]
        several = [c for c in several if len(c.coefficients) > 1]
        limits = torch.zeros(len(several), designs.dim, dtype=torch.float64)
        for row, limit in enumerate(several):
            for name, coefficient in limit.coefficients.items():
                limits[row, designs.index(name)] = coefficient
        ends = torch.tensor([c.ends for c in several], dtype=torch.float64).view(-1, 2)
        return cls(designs, moves, logarithmic, begin, width, turn, limits, ends)

    @cached_property
    def bounds(self) -> tuple[Tensor, Tensor]:
        """Least and largest points, two (Dx,): infinite of what has no bound, or goes round."""
        low, high = (
            self.points(end) for end in (self.designs.layout.low, self.designs.layout.high)
        )
        turns = self.turn.isfinite()
        return torch.where(turns, -torch.inf, low), torch.where(turns, torch.inf, high)

    def room(self, x: Tensor, most: Tensor) -> tuple[Tensor, Tensor]:
        """Least and largest steps from designs (N, Dx), none longer than ``most`` (N,)."""
        u, (low, high), far = self.points(x), self.bounds, most[:, None]
        down, up = (low - u).clamp(max=0.0), (high - u).clamp(min=0.0)
        down, up = torch.maximum(down, -far), torch.minimum(up, far)
        return torch.where(self.moves, down, 0.0), torch.where(self.moves, up, 0.0)

    def ties(self, x: Tensor, step: Tensor | None = None) -> Tensor | None:
        """What steps from designs (N, Dx) must be at right angles to: (N, M, Dx).

        These are the linear equalities, and of the linear inequalities that leave no room those
        that ``step`` (N, Dx) would violate. None where there is nothing of that.
        """
        slopes = self.slopes(x)[:, None]
        sums = self.designs.layout.matrix
        if step is None:
            return sums * slopes if len(sums) else None
        if not len(self.limits):
            return None
        rows, value = self.limits * slopes, x @ self.limits.T
        way = torch.einsum("nrd,nd->nr", rows, step)
        near = _CLOSE * (self.limits.abs() @ self.width)
        leaves = ((value <= self.limit_ends[:, 0] + near) & (way < 0)) | (
            (value >= self.limit_ends[:, 1] - near) & (way > 0)
        )
        if not bool(leaves.any()):
            return None
        return torch.cat([sums * slopes, rows * leaves[..., None]], dim=1)

    def points(self, x: Tensor) -> Tensor:
        """Points (…, Dx) of designs (…, Dx)."""
        shares = torch.where(self.logarithmic, x / self.begin, 1.0).log()
        return torch.where(self.logarithmic, shares, x - self.begin) / self.width

    def moved(self, x: Tensor, step: Tensor) -> Tensor:
        """Designs (N, Dx) after a step of their points (N, Dx): bounds and constraints apart."""
        way = step * self.width
        times = torch.where(self.logarithmic, way, 0.0).exp()
        further = torch.where(self.logarithmic, x * times, x + way)
        return torch.where(self.moves & (step != 0), further, x)

    def way(self, start: Tensor, end: Tensor) -> Tensor:
        """The step (N, Dx) between the points of two designs (N, Dx), the shorter way round."""
        step = self.points(end) - self.points(start)
        return step - torch.where(self.turn.isfinite(), (step / self.turn).round() * self.turn, 0.0)

    def slopes(self, x: Tensor) -> Tensor:
        """How much designs (N, Dx) change with their points: (N, Dx), 0 for what does not move."""
        slopes = torch.where(self.logarithmic, x * self.width, self.width)
        return torch.where(self.moves, slopes, 0.0)

    def apart(self, first: Tensor, second: Tensor) -> Tensor:
        """How far designs (…, Dx) are from others: (…), the longest way of a variable, in ranges;
        at least one where they differ in what does not move.
        """
        way = self.way(first, second).abs()
        way = torch.where(self.moves, way, (first != second).to(way))
        return way.amax(dim=-1)

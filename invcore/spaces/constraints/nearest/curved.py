"""The nearest designs that expressions allow, beside everything else."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from invcore.expressions.evaluation import evaluated
from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.kinds import AnyOf, Cardinality, Interval, LinearInequality
from invcore.spaces.constraints.nearest.mixed import Mixed
from invcore.spaces.constraints.nearest.small_programs import least_distance
from invcore.spaces.constraints.nearest.snapping import nearest_rows
from invcore.spaces.constraints.violations import ROUNDING, Rule, variation

_POOL = 256  # designs that are looked for beforehand, for starts
_STARTS = 4  # of them for each design, beside the nearest that the rest allows
_STEPS = 40
_LAST = 4
_TRUST = 0.5  # ranges: the longest first step
_ROWS = 512  # designs at once
_INSIDE = 1e-8  # of what an expression varies, by which results are inside its limits
_ENOUGH = 1e-9  # ranges: shorter steps change nothing


class Curved:
    """A group with expressions: sequential programs, whose rows are the expressions' tangents.

    Steps, levels, categories, zeros and which alternative of a condition holds are those of a
    start: the nearest design that the other constraints allow, or an allowed one near by, found
    beforehand. From each start, continuous variables go to the nearest point where the expressions
    hold, as far as their tangents tell; the nearest design over all starts is the result. It is a
    local minimum of the distance, not always the nearest of all.

    References:
        Nocedal and Wright, Numerical Optimization, 2006, chapter 18.

    Args:
        group: whose.
    """

    def __init__(self, group: Group) -> None:
        self.group, self.mixed = group, Mixed(group)
        self._terms = [(c.term, c.ends, variation(c, group.layout.measure)) for c in group.curved]
        free = ~group.stepped
        self._free = free.nonzero()[:, 0]

    @cached_property
    def pool(self) -> Tensor:
        """Allowed designs (P, g); none where none was found."""
        draws = self.mixed.set.sample(_POOL, np.random.default_rng(0)).points
        x = self.mixed.tidied(draws)
        made = self._nearest_from(x, x)
        every = torch.cat([x, made])
        return every[self.group.layout.contains(every)]

    def nearest(self, x: Tensor) -> Tensor:
        """The nearest allowed values (N, g) that were found of values (N, g), finite.

        Where none was found, the nearest that all but the expressions allow.
        """
        parts = [self._nearest(part) for part in x.split(_ROWS)]
        return torch.cat(parts) if parts else x

    def _nearest(self, x: Tensor) -> Tensor:
        group, width = self.group, self.group.layout.width
        best = self.mixed.nearest(x)
        starts = best[:, None]  # (N, S, g)
        if len(self.pool):
            near = nearest_rows(x / width, self.pool / width, min(_STARTS, len(self.pool)))
            starts = torch.cat([starts, self.pool[near]], 1)
        count = starts.shape[1]
        flat = starts.flatten(0, 1)
        moved = self._nearest_from(flat, x.repeat_interleave(count, 0))
        every = torch.cat([starts, moved.unflatten(0, (len(x), count))], 1)
        way = ((every - x[:, None]) / width).square().sum(2)
        way = torch.where(group.layout.contains(every), way, torch.inf)
        least, which = way.min(1)
        chosen = every[torch.arange(len(x)), which]
        return torch.where(least.isfinite()[:, None], chosen, best)

    def _nearest_from(self, start: Tensor, x: Tensor) -> Tensor:
        """The local solutions (N, g) from starts, with the starts' steps."""
        if not len(self._free):
            return start
        width = self.group.layout.width[self._free]
        rows, limits = self._linear(start)
        z, aim = start.clone(), x[:, self._free] / width
        trust = torch.full((len(x), 1), _TRUST, dtype=torch.float64)
        score = self._score(z, aim)
        active = torch.arange(len(x))
        for _ in range(_STEPS):
            if not len(active):
                break
            own = aim[active]
            tried, length = self._moved(z[active], own, rows[active], limits[active], trust[active])
            value = self._score(tried, own)
            better = value < score[active]
            z[active[better]], score[active[better]] = tried[better], value[better]
            wider = torch.where(better[:, None], (2 * trust[active]).clamp(max=1e6), length / 4)
            trust[active] = wider
            active = active[(length[:, 0] > _ENOUGH) & (wider[:, 0] > _ENOUGH)]
        # What is left of the violation is taken away along the shortest way
        for _ in range(_LAST):
            off = torch.stack(self._gaps(z), 1).amax(1) > 0
            active = (off & z.isfinite().all(1)).nonzero()[:, 0]
            if not len(active):
                break
            free = torch.full((len(active), 1), torch.inf, dtype=torch.float64)
            own = z[active][:, self._free] / width
            z[active], _ = self._moved(z[active], own, rows[active], limits[active], free)
        return self._settled(z, start)

    def _moved(
        self, z: Tensor, aim: Tensor, rows: Tensor, limits: Tensor, trust: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Designs (N, g) after a step of at most ``trust`` (N, 1), and how long it is (N, 1)."""
        layout, free = self.group.layout, self._free
        point = z[:, free] / layout.width[free]
        normals, offsets = self._tangents(z)
        near, found = least_distance(
            torch.cat([rows, normals], 1), torch.cat([limits, offsets], 1), aim
        )
        move = torch.where(found[:, None], near - point, 0.0)
        length = move.norm(dim=1, keepdim=True)
        move = move * (trust / length.clamp(min=1e-300)).clamp(max=1.0)
        tried = z.index_copy(1, free, (point + move) * layout.width[free])
        return tried.clamp(layout.low, layout.high), torch.minimum(length, trust)

    def _settled(self, z: Tensor, start: Tensor) -> Tensor:
        """With zeros that are zeros, as rounding may have left none."""
        width = self.group.layout.width
        zero = (start == 0) & (z.abs() <= ROUNDING * width)
        return torch.where(zero, 0.0, z)

    def _score(self, z: Tensor, aim: Tensor) -> Tensor:
        """What steps should lessen (N,): the distance, and violations, weighted beyond it."""
        free, width = self._free, self.group.layout.width[self._free]
        way = (z[:, free] / width - aim).norm(dim=1)
        off = torch.stack([gap.clamp(min=0) for gap in self._gaps(z)], 1).sum(1)
        total = way + 100.0 * off
        return torch.where(total.isfinite(), total, torch.inf)

    def _gaps(self, z: Tensor) -> list[Tensor]:
        """How far each expression is beyond each of its limits, (N,) each."""
        columns = {v.name: z[:, i] for i, v in enumerate(self.group.variables)}
        gaps = []
        for term, (low, high), scale in self._terms:
            value = evaluated(term, columns)
            gaps += [(low - value) / scale] if low > -torch.inf else []
            gaps += [(value - high) / scale] if high < torch.inf else []
        return gaps

    def _tangents(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (N, m, f) of unit length and offsets (N, m), in ranges of the free variables."""
        free, width = self._free, self.group.layout.width[self._free]
        moving = z.detach().clone().requires_grad_(True)
        normals, offsets = [], []
        with torch.enable_grad():
            gaps = self._gaps(moving)
            for gap in gaps:
                (slope,) = torch.autograd.grad(gap.sum(), moving, retain_graph=True)
                slope = slope[:, free] * width
                value = gap.detach() + _INSIDE
                length = slope.norm(dim=1)
                usable = slope.isfinite().all(1) & value.isfinite() & (length > 1e-12)
                unit = torch.where(usable[:, None], slope / length[:, None], 0.0)
                point = z[:, free] / width
                offset = (unit * point).sum(1) - torch.where(usable, value / length, 0.0)
                normals.append(unit)
                offsets.append(torch.where(usable, offset, 0.0))
        return torch.stack(normals, 1).detach(), torch.stack(offsets, 1).detach()

    def _linear(self, start: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (N, m, f) and offsets (N, m) of everything else, given the start's steps."""
        layout, free, width = self.group.layout, self._free, self.group.layout.width[self._free]
        count = len(start)
        rows: list[Tensor] = []
        limits: list[Tensor] = []

        def add(row: Tensor, limit: Tensor, where: Tensor | None = None) -> None:
            """Row (g,) times values at most limit (N,), for some of the starts (N,)."""
            still = start.index_fill(1, free, 0.0) @ row
            own = (row[free] * width).expand(count, -1)
            length = own.norm(dim=1)
            good = (
                (length > 0) & limit.isfinite() & (torch.tensor(True) if where is None else where)
            )
            rows.append(torch.where(good[:, None], own / length.clamp(min=1e-300)[:, None], 0.0))
            limits.append(torch.where(good, (limit - still) / length.clamp(min=1e-300), 0.0))

        def between(row: Tensor, low: float, high: float, where: Tensor | None = None) -> None:
            whole = torch.ones(count, dtype=torch.float64)
            add(row, high * whole, where)
            add(-row, -low * whole, where)

        eye = torch.eye(len(layout.low), dtype=torch.float64)
        for i in free.tolist():
            between(eye[i], float(layout.low[i]), float(layout.high[i]))
        for matrix_row, value in zip(layout.matrix, layout.value.tolist(), strict=True):
            between(matrix_row, value, value)
        place = layout.measure.place
        for constraint in self.group.constraints:
            if isinstance(constraint, LinearInequality):
                between(layout.measure.row(constraint.coefficients), *constraint.ends)
            elif isinstance(constraint, Cardinality):
                for name in constraint.variables:  # zeros stay zeros
                    between(eye[place[name]], 0.0, 0.0, start[:, place[name]] == 0)
            elif isinstance(constraint, AnyOf):
                left = torch.ones(count, dtype=torch.bool)
                for pieces in constraint.alternatives:  # the first that the start satisfies
                    alone = AnyOf(alternatives=(pieces,))
                    holds = Rule(alone, layout.measure).holds(start) & left
                    left = left & ~holds
                    for piece in pieces:
                        if isinstance(piece, LinearInequality):
                            row = layout.measure.row(piece.coefficients)
                            between(row, *piece.ends, holds)
                        elif isinstance(piece, Interval):
                            between(eye[place[piece.variable]], *piece.ends, holds)
                        else:  # a value stays
                            i = place[piece.variable]
                            add(eye[i], start[:, i], holds)
                            add(-eye[i], -start[:, i], holds)
        return torch.stack(rows, 1), torch.stack(limits, 1)

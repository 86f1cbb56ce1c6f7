"""Random walks of many designs at once, within what constraints allow."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.kinds import Cardinality, LinearInequality
from invcore.spaces.constraints.nearest.blocks import Unit, units_of
from invcore.spaces.constraints.nearest.curved import Curved
from invcore.spaces.constraints.nearest.mixed import Mixed
from invcore.spaces.constraints.sampling.density import log_density, prior_of

_ROWS = 8192
_SWEEPS = 20
_BRACKET = 4.0  # ranges
_SHRINKS = 40


class Chain:
    """Walks that begin at allowed designs, whose steps are refused where they leave these.

    The designs to begin with are spread over all combinations of steps, categories, zeros and
    alternatives that the linear constraints allow, each as often (`MixedSet.sample`); with
    expressions, they are moved to where these hold. Each walk then goes along random directions,
    within all sums, to a random place as far as bounds and sums reach, nearer and nearer until one
    is allowed and likely enough (slice sampling); and from step to step, with continuous variables
    or another step making up for it, as often as the prior is likely there (Metropolis). So the
    walks approach the prior, given that the constraints hold. Zeros of a cardinality stay: which
    variables are used remains as the start has it. Between alternatives that no step joins, walks
    do not go: their shares remain those of the start.

    References:
        Smith, Operations Research 32, 1984 (hit and run); Neal, Annals of Statistics 31, 2003
        (slices); Metropolis et al., Journal of Chemical Physics 21, 1953.

    Args:
        group: whose.
    """

    def __init__(self, group: Group) -> None:
        self.group, layout = group, group.layout
        self._matrix = layout.matrix
        rows = [c for c in group.constraints if isinstance(c, LinearInequality)]
        rows = [c for c in rows if len(c.coefficients) > 1]
        own = [layout.measure.row(c.coefficients) for c in rows]
        self._rows = torch.stack(own) if own else layout.matrix[:0]
        ends = torch.tensor([c.ends for c in rows], dtype=torch.float64).view(-1, 2)
        self._low, self._high = ends.unbind(1)
        self._free = ~group.stepped
        self._supports = torch.zeros(len(group.variables), dtype=torch.bool)
        for constraint in group.constraints:
            if isinstance(constraint, Cardinality):
                for name in constraint.variables:
                    self._supports[layout.measure.place[name]] = True
        stepped = group.stepped.nonzero()[:, 0].tolist()
        units = [unit for unit in units_of(layout, stepped) if unit.rows is not None]
        self._units = [unit for unit in units if unit.rows is not None and len(unit.rows) > 1]

    @cached_property
    def _mixed(self) -> Mixed:
        return Mixed(self.group)

    @cached_property
    def _pool(self) -> Tensor:
        return Curved(self.group).pool

    def draw(self, count: int, random: np.random.Generator) -> Tensor:
        """(count, g): the ends of as many walks.

        Raises:
            DataError: no design was found that satisfies the expressions.
        """
        parts = []
        for begin in range(0, count, _ROWS):
            x = self._started(min(_ROWS, count - begin), random)
            for _ in range(_SWEEPS + 5 * len(self.group.variables)):
                if bool(self._free.any()):
                    x = self._walked(x, random)
                if self._units:
                    x = self._stepped(x, random)
            parts.append(x)
        return torch.cat(parts) if parts else torch.zeros(0, len(self.group.variables)).double()

    def _started(self, count: int, random: np.random.Generator) -> Tensor:
        group = self.group
        if group.curved:
            if not len(self._pool):
                names = ", ".join(v.name for v in group.variables)
                raise DataError(f"no design of {names} was found that satisfies the expressions")
            return self._pool[torch.from_numpy(random.integers(len(self._pool), size=count))]
        try:
            x = self._mixed.tidied(self._mixed.set.sample(count, random).points)
        except ValueError:  # unbounded
            unit = torch.from_numpy(random.random((count, len(group.variables))))
            columns = zip(group.variables, unit.unbind(1), strict=True)
            x = torch.stack([prior_of(v).quantile(u) for v, u in columns], 1)
            x = self._mixed.nearest(x)
        good = group.layout.contains(x)
        return torch.where(good[:, None], x, x[good][:1]) if bool(good.any()) else x

    def _walked(self, x: Tensor, random: np.random.Generator) -> Tensor:
        """One step along a random direction each."""
        layout = self.group.layout
        moves = self._free & ~(self._supports & (x == 0))  # (N, g)
        way = torch.from_numpy(random.standard_normal(x.shape)) * layout.width * moves
        if len(self._matrix):
            way = self._level(way, moves)
        first, last = self._reach(x, way)
        place = torch.from_numpy(random.random(len(x)))  # of a bracket, where nothing ends the way
        first = torch.where(first.isfinite(), first, -_BRACKET * place)
        last = torch.where(last.isfinite(), last, _BRACKET * (1 - place))
        level = self._density(x) + torch.from_numpy(random.random(len(x))).log()
        result, active = x.clone(), torch.arange(len(x))
        for _ in range(_SHRINKS):
            share = torch.from_numpy(random.random(len(x)))[active]
            step = first[active] + share * (last[active] - first[active])
            tried = x[active] + step[:, None] * way[active]
            good = self.group.layout.contains(tried) & (self._density(tried) >= level[active])
            result[active[good]] = tried[good]
            first[active] = torch.where(step < 0, step, first[active])
            last[active] = torch.where(step < 0, last[active], step)
            active = active[~good]
            if not len(active):
                break
        return result

    def _density(self, x: Tensor) -> Tensor:
        return log_density(self.group.variables, x)

    def _level(self, way: Tensor, moves: Tensor) -> Tensor:
        """The directions without what would change the sums."""
        width = self.group.layout.width
        rows = self._matrix * width * moves[:, None]  # (N, M, g)
        gram = rows @ rows.transpose(1, 2)
        unit = way / width
        back = torch.linalg.pinv(gram, rtol=1e-10, hermitian=True) @ (rows @ unit[..., None])
        return (unit - (rows.transpose(1, 2) @ back)[..., 0]) * width * moves

    def _reach(self, x: Tensor, way: Tensor) -> tuple[Tensor, Tensor]:
        """How far each can go back and on (N,): bounds and sums alone."""
        layout = self.group.layout
        at = torch.cat([x, x @ self._rows.T], 1)
        slope = torch.cat([way, way @ self._rows.T], 1)
        low, high = torch.cat([layout.low, self._low]), torch.cat([layout.high, self._high])
        still = slope.abs() <= 1e-14 * slope.abs().amax(1, keepdim=True)
        ends = torch.stack([(low - at) / slope, (high - at) / slope])
        ends = torch.where(
            still, torch.tensor([-torch.inf, torch.inf]).double()[:, None, None], ends
        )
        return ends.amin(0).amax(1).clamp(max=0.0), ends.amax(0).amin(1).clamp(min=0.0)

    def _stepped(self, x: Tensor, random: np.random.Generator) -> Tensor:
        """Another row of one unit, the same unit for all."""
        unit = self._units[random.integers(len(self._units))]
        assert unit.rows is not None
        chosen = torch.from_numpy(random.integers(len(unit.rows), size=len(x)))
        tried = x.index_copy(1, unit.columns, unit.rows[chosen])
        if len(self._matrix):
            off = (tried - x) @ self._matrix.T  # (N, M)
            tied = (self._matrix[:, unit.columns] != 0).any(1)
            if bool(tied.any()):
                tried = self._made_up(tried, off, unit, random)
        return self._taken(x, tried, random)

    def _made_up(
        self, tried: Tensor, off: Tensor, unit: Unit, random: np.random.Generator
    ) -> Tensor:
        """With the sums as before: another unit takes up the difference, or the continuous do."""
        others = [u for u in self._units if u is not unit]
        others = [u for u in others if bool((self._matrix[:, u.columns] != 0).any())]
        continuous = bool((self._matrix[:, self._free] != 0).any())
        which = int(random.integers(len(others) + continuous)) if others or continuous else -1
        if 0 <= which < len(others):
            other = others[which]
            assert other.rows is not None
            own = self._matrix[:, other.columns]
            wanted = tried[:, other.columns] @ own.T - off  # (N, M)
            apart = torch.cdist(wanted, other.rows @ own.T)
            return tried.index_copy(1, other.columns, other.rows[apart.argmin(1)])
        if which < 0:
            return tried
        width = self.group.layout.width
        rows = self._matrix * width * self._free
        back = torch.linalg.pinv(rows @ rows.T, rtol=1e-10, hermitian=True) @ rows * width
        return tried - off @ back

    def _taken(self, x: Tensor, tried: Tensor, random: np.random.Generator) -> Tensor:
        group = self.group
        ratio = self._density(tried) - self._density(x)
        good = torch.from_numpy(random.random(len(x))).log() <= ratio
        good &= group.layout.contains(tried)
        return torch.where(good[:, None], tried, x)

"""The nearest combination of steps that sums allow, where all combinations can be listed."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from invcore.spaces.constraints.nearest.blocks import Block
from invcore.spaces.constraints.nearest.plane import nearest_on_planes
from invcore.spaces.constraints.nearest.snapping import nearest_rows

_TRIED = 32  # combinations at first, where bounds keep the continuous variables from the best one
_ROWS = 20_000  # designs at once
_CELLS = 4_000_000


class Combinations:
    """The combinations of a block's steps whose sums can be reached.

    The distance to a combination has two parts: that of the steps, and that which the continuous
    variables must go to take up the rest, a linear function of the rest. Both together are the
    distance of two points with further coordinates, so that the nearest combination is found among
    points; bounds can only make the way longer.

    Args:
        block: whose combinations can be listed.
    """

    def __init__(self, block: Block) -> None:
        self.block = block

    @cached_property
    def points(self) -> Tensor:
        """The combinations (C, d)."""
        block, every = self.block, self.block.combinations()
        good = (block.excess(every) == 0).all(1)
        _, flat = self._axes
        tolerance = block.tolerance @ flat.abs() + 1e-12 * block.value.abs() @ flat.abs()
        good &= ((block.missing(every) @ flat).abs() <= tolerance).all(1)
        return every[good]

    @cached_property
    def _axes(self) -> tuple[Tensor, Tensor]:
        """How far the continuous variables must go for what is missing (m, r), and what they
        cannot change at all (m, m - r).
        """
        block = self.block
        scaled = block.of_free * block.layout.width[block.free]
        size, axes = torch.linalg.eigh(scaled @ scaled.T)
        moves = size > 1e-12 * size.max().clamp(min=1e-300)
        return axes[:, moves] / size[moves].sqrt(), axes[:, ~moves]

    @cached_property
    def _places(self) -> Tensor:
        ways, _ = self._axes
        return torch.cat([self.points / self._units, self.block.missing(self.points) @ ways], 1)

    @cached_property
    def _units(self) -> Tensor:
        return self.block.layout.width[self.block.stepped]

    def nearest(self, x: Tensor, snapped: Tensor) -> Tensor:
        """The nearest allowed values of the block's variables.

        Args:
            x: (N, Dx), finite.
            snapped: (N, Dx), with each variable at its own nearest value: where no combination is
                allowed they remain.

        Returns:
            (N, Dx), with other variables as in ``snapped``.
        """
        if not len(x):
            return snapped
        parts = zip(x.split(_ROWS), snapped.split(_ROWS), strict=True)
        return torch.cat([self._nearest(*part) for part in parts])

    def _nearest(self, x: Tensor, snapped: Tensor) -> Tensor:
        block = self.block
        steps, free = x[:, block.stepped], x[:, block.free]
        if not len(self.points):
            best = snapped[:, block.stepped]
            return self._placed(snapped, best, self._moved(free, best))
        if len(block.free):
            return self._compared(x, snapped)
        best = self.points[nearest_rows(steps / self._units, self._places)]
        return self._placed(snapped, best, free)

    def _compared(self, x: Tensor, snapped: Tensor) -> Tensor:
        """With the best combination: the one, or, where a bound is in the way, one of several."""
        block = self.block
        steps, free = x[:, block.stepped], x[:, block.free]
        ways, _ = self._axes
        place = torch.cat([steps / self._units, (free @ block.of_free.T) @ ways], dim=1)
        index = nearest_rows(place, self._places)
        best, least = self.points[index], (place - self._places[index]).square().sum(1)
        moved = self._moved(free, best)
        cost = self._cost(steps, free, best, moved)
        result = self._placed(snapped, best, moved)
        further = (cost > least * (1 + 1e-9) + 1e-18).nonzero()[:, 0]
        tried = _TRIED
        while len(further):
            tried = min(4 * tried, len(self.points))
            parts = further.split(max(1, _CELLS // (tried * x.shape[1])))
            left = []
            for part in parts:
                result[part], sure = self._several(x[part], snapped[part], place[part], tried)
                left.append(part[~sure])
            further = torch.cat(left)
        return result

    def _several(
        self, x: Tensor, snapped: Tensor, place: Tensor, tried: int
    ) -> tuple[Tensor, Tensor]:
        """The best of so many combinations, and whether no other can be better: none is, once the
        farthest is as far as the best costs (N,).
        """
        block = self.block
        steps, free = x[:, block.stepped], x[:, block.free]
        index = nearest_rows(place, self._places, tried)  # (N, T)
        every = self.points[index]
        wide = free[:, None].expand(-1, tried, -1)
        moved = self._moved(wide.flatten(0, 1), every.flatten(0, 1)).unflatten(0, index.shape)
        cost = self._cost(steps[:, None], wide, every, moved)
        least, chosen = cost.min(1)
        rows = torch.arange(len(x))
        result = self._placed(snapped, every[rows, chosen], moved[rows, chosen])
        last = (place - self._places[index[:, -1]]).square().sum(1)
        return result, (least <= last) | torch.tensor(tried == len(self.points))

    def _moved(self, free: Tensor, steps: Tensor) -> Tensor:
        """The continuous variables (N, c), where the others are (N, d)."""
        block, layout = self.block, self.block.layout
        low, high, width = (e[block.free] for e in (layout.low, layout.high, layout.width))
        if not len(block.free):
            return free
        return nearest_on_planes(free, block.of_free, block.missing(steps), low, high, width)

    def _cost(self, steps: Tensor, free: Tensor, best: Tensor, moved: Tensor) -> Tensor:
        """Squared distances (…,), and more than any of them where a sum is not reached."""
        width = self.block.layout.width[self.block.free]
        own = ((steps - best) / self._units).square().sum(-1)
        others = ((free - moved) / width).square().sum(-1)
        off = (self.block.missing(best) - moved @ self.block.of_free.T).abs()
        scale = self.block.tolerance.clamp(min=1e-300)
        far = ((off / scale).amax(-1) - 1).clamp(min=0)
        return own + others + torch.where(far > 0, 1e12 + far, 0.0)

    def _placed(self, x: Tensor, steps: Tensor, free: Tensor) -> Tensor:
        """Designs (N, Dx) with these values in the block's place."""
        columns = torch.cat([self.block.stepped, self.block.free])
        return x.index_copy(1, columns, torch.cat([steps, free], dim=1))

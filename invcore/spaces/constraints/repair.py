"""Steps that make a sum right, where there are too many combinations to list them."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.spaces.constraints.nearest.blocks import Block
from invcore.spaces.constraints.nearest.plane import nearest_on_planes
from invcore.spaces.constraints.nearest.snapping import snapped

_EQUAL = 1e-9
_MOST_STEPS = 2000
_ROUNDS = 200
_CELLS = 2_000_000


class Repair:
    """Moves variables from step to step until the sums are right.

    With one sum of equal steps, the steps that cost least are the largest remainders, and the
    result is the nearest. Else it is a good one: from the nearest point of the planes, rounded, the
    step or the pair of steps that brings the sums nearest, and then the design, again and again.
    Variables of a list of designs stay.

    Args:
        block: the variables; those without steps take up what the others leave.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        layout = block.layout
        self._width = layout.width[block.stepped]
        single = [unit.columns for unit in block.units if len(unit.columns) == 1]
        listed = [i for columns, _ in layout.lists for i in columns.tolist()]
        movable = {int(columns[0]) for columns in single} - set(listed)
        self._movable = torch.tensor([int(i) in movable for i in block.stepped])
        self._ends = layout.low[block.stepped], layout.high[block.stepped]
        self._step = self._equal_step()

    def _equal_step(self) -> float:
        """By how much each step changes the one sum; 0 where steps differ, or there are more."""
        block = self.block
        if len(block.rows) != 1 or len(block.free) or not bool(self._movable.all()):
            return 0.0
        sizes = []
        for unit, coefficient in zip(block.units, block.of_stepped[0].tolist(), strict=True):
            levels = block.layout.levels.get(int(unit.columns[0]))
            gaps = torch.ones(1) if levels is None else levels.diff()
            if len(gaps) and float(gaps.max() - gaps.min()) > _EQUAL * float(gaps.max()):
                return 0.0
            sizes.append(abs(coefficient) * float(gaps.double().mean()))
        spread = max(sizes) - min(sizes)
        return sizes[0] if spread <= _EQUAL * max(sizes) else 0.0

    def nearest(self, x: Tensor, near: Tensor) -> Tensor:
        """Allowed values near designs, or the nearest to such that were found.

        Args:
            x: (N, Dx), finite.
            near: (N, Dx), with each variable at its own nearest value.

        Returns:
            (N, Dx), with other variables as in ``near``.
        """
        block, layout = self.block, self.block.layout
        steps, aim = near[:, block.stepped], x[:, block.stepped]
        if self._step:
            steps = self._remainders(steps, aim)
        bad = (block.excess(steps) > 0).any(1).nonzero()[:, 0]
        chunk = max(1, _CELLS // (2 * steps.shape[1]) ** 2)
        for rows in bad.split(chunk):
            begin = self._relaxed(x[rows], steps[rows])
            steps = steps.index_copy(0, rows, self._greedy(begin, aim[rows]))
        result = near.index_copy(1, block.stepped, steps)
        if not len(block.free):
            return result
        low, high, width = (e[block.free] for e in (layout.low, layout.high, layout.width))
        moved = nearest_on_planes(
            x[:, block.free], block.of_free, block.missing(steps), low, high, width
        )
        return result.index_copy(1, block.free, moved)

    def _relaxed(self, x: Tensor, steps: Tensor) -> Tensor:
        """Each step that is nearest to where it would be if it were continuous (N, d)."""
        block, layout = self.block, self.block.layout
        columns = torch.cat([block.stepped, block.free])
        low, high, width = (e[columns] for e in (layout.low, layout.high, layout.width))
        matrix = torch.cat([block.of_stepped, block.of_free], dim=1)
        value = block.value.expand(len(x), -1)
        near = nearest_on_planes(x[:, columns], matrix, value, low, high, width)
        near = near[:, : len(block.stepped)]
        rounded = snapped(layout, x.index_copy(1, block.stepped, near))[:, block.stepped]
        return torch.where(self._movable, rounded, steps)

    def _next(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        """The next values above and below (N, d) each; infinite where there are none."""
        low, high = self._ends
        up = torch.where(steps + 1 <= high, steps + 1, torch.inf)
        down = torch.where(steps - 1 >= low, steps - 1, -torch.inf)
        for k, i in enumerate(self.block.stepped.tolist()):
            levels = self.block.layout.levels.get(i)
            if levels is not None:
                padded = torch.cat(
                    [levels.new_tensor([-torch.inf]), levels, levels.new_tensor([torch.inf])]
                )
                at = torch.searchsorted(levels, steps[:, k].contiguous())
                up[:, k], down[:, k] = padded[at + 2], padded[at]
        up[:, ~self._movable], down[:, ~self._movable] = torch.inf, -torch.inf
        return up, down

    def _remainders(self, steps: Tensor, aim: Tensor) -> Tensor:
        """Steps (N, d) in the direction that is missing, each time the one that costs least."""
        lacking = self.block.missing(steps)[:, 0] / self._step
        count = lacking.round()
        sign = self.block.of_stepped[0].sign()
        steps = steps.clone()
        for _ in range(_MOST_STEPS):
            rows = (count != 0).nonzero()[:, 0]
            if not len(rows):
                break
            up, down = self._next(steps[rows])
            goes_up = (sign * count[rows, None]) > 0
            moved = torch.where(goes_up, up, down)
            cost = ((moved - aim[rows]) / self._width).square()
            cost = cost - ((steps[rows] - aim[rows]) / self._width).square()
            least, which = cost.nan_to_num(nan=torch.inf).min(1)
            can = least.isfinite()
            there = moved.gather(1, which[:, None])[:, 0]
            steps[rows[can], which[can]] = there[can]
            count[rows] = torch.where(can, count[rows] - count[rows].sign(), 0.0)
        return steps

    def _greedy(self, steps: Tensor, aim: Tensor) -> Tensor:
        """Single steps and pairs of steps that bring the sums, then the design, nearest (N, d)."""
        scale = self.block.of_stepped.abs().amax(1).clamp(min=1e-300)
        active = torch.arange(len(steps))
        steps = steps.clone()
        for _ in range(_ROUNDS):
            if not len(active):
                break
            now = steps[active]
            up, down = self._next(now)
            moves = torch.cat([up - now, down - now], dim=1)  # (n, 2d)
            eye = torch.eye(now.shape[1], dtype=now.dtype).repeat(2, 1)
            usable = moves.isfinite()
            single = torch.where(usable, moves, 0.0)[..., None] * eye  # (n, 2d, d)
            pairs = (single[:, :, None] + single[:, None]).flatten(1, 2)
            tried = now[:, None] + torch.cat([single, pairs], dim=1)
            tried = tried.clamp(*self._ends)
            both = (usable[:, :, None] & usable[:, None]).flatten(1, 2)
            same = torch.eye(now.shape[1], dtype=torch.bool).repeat(2, 2).flatten()
            allowed = torch.cat([usable, both & ~same], dim=1)
            off = (self.block.excess(tried.flatten(0, 1)) / scale).sum(1).view(allowed.shape)
            way = ((tried - aim[active][:, None]) / self._width).square().sum(2)
            score = torch.where(allowed, off + 1e-6 * way, torch.inf)
            best = score.argmin(1)
            rows = torch.arange(len(active))
            before = (self.block.excess(now) / scale).sum(1)
            old = ((now - aim[active]) / self._width).square().sum(1)
            off, way = off[rows, best], way[rows, best]
            better = (off < before) | ((off == before) & (way < old - 1e-12))
            steps[active[better]] = tried[rows, best][better]
            active = active[better]
        return steps

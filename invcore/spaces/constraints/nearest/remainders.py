"""One sum of equal steps, however many: the nearest values by largest remainders."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.spaces.constraints.nearest.blocks import Block
from invcore.spaces.constraints.nearest.plane import nearest_on_planes
from invcore.spaces.constraints.nearest.snapping import snapped

_EQUAL = 1e-9
_EXACT = 1e-12  # squared ranges, by which an exchange must be better
_MOST_STEPS = 2000


class Remainders:
    """Moves variables from step to step until their sum is right, the cheapest step first.

    It begins near the nearest point that is right if steps could be divided, and ends when no
    exchange of two steps is any better: as the distance is a sum of convex functions of single
    variables, the result is the nearest then.

    References:
        Murota, Discrete Convex Analysis, 2003, theorem 6.26.

    Args:
        block: the variables.
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

    @property
    def applies(self) -> bool:
        """Whether there is one sum, of variables with equal steps alone."""
        return self._step > 0

    def nearest(self, x: Tensor, near: Tensor) -> Tensor:
        """The nearest values.

        Args:
            x: (N, Dx), finite.
            near: (N, Dx), with each variable at its own nearest value.

        Returns:
            (N, Dx), with other variables as in ``near``.
        """
        block, where = self.block, self.block.stepped
        ends = (*self._ends, self._width)
        value = block.value.expand(len(x), -1)
        relaxed = nearest_on_planes(x[:, where], block.of_stepped, value, *ends)
        begin = snapped(block.layout, x.index_copy(1, where, relaxed))[:, where]
        steps = self._remainders(begin, x[:, where])
        return near.index_copy(1, where, self._exchanged(steps, x[:, where]))

    def _exchanged(self, steps: Tensor, aim: Tensor) -> Tensor:
        """Steps (N, d) after all exchanges of two of them that bring them nearer."""
        sign, active = self.block.of_stepped[0].sign(), torch.arange(len(steps))
        for _ in range(_MOST_STEPS):
            if not len(active):
                break
            now, goal = steps[active], aim[active]
            up, down = self._next(now)
            more = torch.where(sign > 0, up, down), torch.where(sign > 0, down, up)
            here = ((now - goal) / self._width).square()
            gains = [
                (((there - goal) / self._width).square() - here).nan_to_num(nan=torch.inf)
                for there in more
            ]
            (add, i), (take, j) = (gain.min(1) for gain in gains)
            good = add + take < -_EXACT
            rows = active[good]
            steps[rows, i[good]] = more[0][good, i[good]]
            steps[rows, j[good]] = more[1][good, j[good]]
            active = rows
        return steps

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

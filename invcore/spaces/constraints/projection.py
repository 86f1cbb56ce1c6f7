"""The nearest allowed design."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from invcore.spaces.constraints.kinds import Constraint
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.constraints.nearest.blocks import Block, blocks_of
from invcore.spaces.constraints.nearest.combinations import Combinations
from invcore.spaces.constraints.nearest.plane import nearest_on_planes
from invcore.spaces.constraints.nearest.snapping import snapped, wrapped
from invcore.spaces.constraints.repair import Repair
from invcore.spaces.variable import Variable

_FARTHEST = 1e3  # ranges outside the bounds: what is further off counts as being there


class Projection:
    """From any values to the nearest allowed design, in units of each variable's range.

    Periodic variables are wrapped, others clamped to their bounds; whole numbers, levels, fixed
    values and listed designs are the nearest ones. Where the linear equalities do not hold then,
    the variables of each are moved together: continuous ones by least squares within their bounds,
    those that come in steps to the nearest combination that a sum allows, and both at once where
    there are both.

    The combinations of a block of variables are listed if they are at most 200,000. Else a single
    sum of equal steps is filled by largest remainders, and other ones step by step, which finds
    an allowed design near by, but not always the nearest, and sometimes none.

    Args:
        variables: of the space.
        constraints: that fit them.

    Example:
        >>> from invcore.plugin import LinearEquality, Uniform, Variable
        >>> parts = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abc"]
        >>> whole = LinearEquality(coefficients={"a": 1.0, "b": 1.0, "c": 1.0}, value=1.0)
        >>> projection = Projection(parts, [whole])
        >>> projection(torch.tensor([[0.6, 0.6, 0.1]]))
        tensor([[0.5000, 0.5000, 0.0000]])
    """

    def __init__(self, variables: Sequence[Variable], constraints: Sequence[Constraint]) -> None:
        self.layout = Layout.of(variables, constraints)

    def __call__(self, values: Tensor) -> Tensor:
        """The nearest allowed values (…, Dx), of the same type and on the same device.

        A row that is allowed comes back bit for bit, and so do values that are NaN. A row for
        which no allowed design was found is left as near to one as was.
        """
        rows = values.reshape(-1, values.shape[-1])
        wrong = (~self.layout.contains(rows)).nonzero()[:, 0]
        if not len(wrong):
            return values
        near = self._nearest(rows[wrong].double().cpu()).to(values)
        return rows.index_copy(0, wrong, near).view(values.shape)

    @cached_property
    def _blocks(self) -> list[tuple[Block, Combinations | Repair | None]]:
        found: list[tuple[Block, Combinations | Repair | None]] = []
        for block in blocks_of(self.layout):
            if not block.units:
                found.append((block, None))
            else:
                found.append((block, Combinations(block) if block.listed else Repair(block)))
        return found

    def _nearest(self, values: Tensor) -> Tensor:
        layout = self.layout
        x = wrapped(layout, values)
        result = snapped(layout, x)
        if not len(layout.matrix):
            return result
        far = _FARTHEST * layout.width
        x = torch.where(x.isfinite(), x, result).clamp(layout.low - far, layout.high + far)
        for block, steps in self._blocks:
            off = (result @ layout.matrix[block.rows].T - layout.value[block.rows]).abs()
            rows = (off > layout.tolerance[block.rows]).any(1).nonzero()[:, 0]
            if not len(rows):
                continue
            if steps is not None:
                moved = steps.nearest(x[rows], result[rows])
            else:
                moved = _balanced(block, x[rows], result[rows])
            result = result.index_copy(0, rows, moved)
        return result


def _balanced(block: Block, x: Tensor, result: Tensor) -> Tensor:
    """With the block's variables, all of which are continuous, at their nearest values."""
    layout, free = block.layout, block.free
    value = block.value.expand(len(x), -1)
    moved = nearest_on_planes(
        x[:, free], block.of_free, value, layout.low[free], layout.high[free], layout.width[free]
    )
    return result.index_copy(1, free, moved)

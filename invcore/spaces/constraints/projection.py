"""The nearest allowed design."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, reduce

import torch
from torch import Tensor

from invcore.spaces.constraints.groups import Group, groups_of
from invcore.spaces.constraints.kinds import Constraint
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.constraints.nearest.blocks import Block, blocks_of
from invcore.spaces.constraints.nearest.combinations import Combinations
from invcore.spaces.constraints.nearest.curved import Curved
from invcore.spaces.constraints.nearest.listing import Listed, combinations_of
from invcore.spaces.constraints.nearest.mixed import Mixed
from invcore.spaces.constraints.nearest.plane import nearest_on_planes
from invcore.spaces.constraints.nearest.remainders import Remainders
from invcore.spaces.constraints.nearest.snapping import snapped, wrapped
from invcore.spaces.variable import Variable

Way = Callable[[Tensor, Tensor], Tensor]

_FARTHEST = 1e3  # ranges outside the bounds: what is further off counts as being there


class Projection:
    """From any values to the nearest allowed design, in units of each variable's range.

    Periodic variables are wrapped, others clamped to their bounds; whole numbers, levels, fixed
    values and listed designs are the nearest ones. Where the linear equalities do not hold then,
    the variables of each are moved together: continuous ones by least squares within their bounds,
    those that come in steps to the nearest combination that a sum allows, and both at once where
    there are both.

    Inequalities, conditions, cardinalities, and sums in steps whose combinations cannot be listed
    are solved as mixed-integer programs (``nearest.mixed``); expressions by a sequence of programs
    (``nearest.curved``), whose result is a local minimum of the distance, and may miss.

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
        self._variables, self._constraints = variables, constraints
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
    def _ways(self) -> list[tuple[Group, Way]]:
        groups = groups_of(self._variables, self._constraints)
        return [(group, way_of(group)) for group in groups]

    def _nearest(self, values: Tensor) -> Tensor:
        layout = self.layout
        x = wrapped(layout, values)
        result = snapped(layout, x)
        far = _FARTHEST * layout.width
        x = torch.where(x.isfinite(), x, result).clamp(layout.low - far, layout.high + far)
        for group, way in self._ways:
            own = result[:, group.columns]
            wrong = ~group.layout.contains(own) & own.isfinite().all(1)
            rows = wrong.nonzero()[:, 0]
            if len(rows):
                own[rows] = way(x[rows][:, group.columns], own[rows])
                result = result.index_copy(1, group.columns, own)
        return result


def way_of(group: Group) -> Way:
    """How a group's nearest values are found, from values (N, g) and those that are each nearest
    by itself.
    """
    rows = combinations_of(group)
    if rows is not None and len(rows):
        listed = Listed(group, rows)
        return lambda x, near: listed.nearest(x)
    if group.curved:
        curved = Curved(group)
        return lambda x, near: curved.nearest(x)
    if group.summed:
        ways = [_of_block(block) for block in blocks_of(group.layout)]
        if all(way is not None for way in ways):
            return lambda x, near: reduce(lambda own, way: way(x, own) if way else own, ways, near)
    mixed = Mixed(group)
    return lambda x, near: mixed.nearest(x)


def _of_block(block: Block) -> Way | None:
    """The quick way of a block of linear equalities, where there is one."""
    if not block.units:
        return lambda x, near: _balanced(block, x, near)
    if block.listed and len(block.free):
        return Combinations(block).nearest
    remainders = Remainders(block)
    return remainders.nearest if remainders.applies else None


def _balanced(block: Block, x: Tensor, result: Tensor) -> Tensor:
    """With the block's variables, all of which are continuous, at their nearest values."""
    layout, free = block.layout, block.free
    value = block.value.expand(len(x), -1)
    moved = nearest_on_planes(
        x[:, free], block.of_free, value, layout.low[free], layout.high[free], layout.width[free]
    )
    return result.index_copy(1, free, moved)

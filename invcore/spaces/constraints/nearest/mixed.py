"""The nearest designs that inequalities, conditions, cardinalities and steps allow together."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from invcore.spaces.constraints.encoding import Encoding
from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import Floats
from invcore.spaces.constraints.nearest.snapping import snapped

_DIGITS = 1e-7  # of a variable's range, by which a program may miss what comes in steps


class Mixed:
    """A group's linear and discrete constraints, solved as a mixed-integer program of each design.

    Args:
        group: whose; its expressions are left out.
    """

    def __init__(self, group: Group) -> None:
        self.group = group

    @cached_property
    def encoding(self) -> Encoding:
        """The group as a linear system."""
        return Encoding(self.group)

    @cached_property
    def set(self) -> MixedSet:
        """The points of that system."""
        return MixedSet(self.encoding.system)

    def nearest(self, x: Tensor) -> Tensor:
        """The nearest allowed values (N, g) of values (N, g), float64 and finite."""
        if not len(x):
            return x
        return self.tidied(self.set.project(self.encoding.points(x)).points)

    def tidied(self, points: Floats) -> Tensor:
        """Values (N, g) of the system's points, on bounds, levels and rows to the digit."""
        values, layout = self.encoding.values(points), self.group.layout
        near = snapped(layout, values)
        return torch.where((near - values).abs() <= _DIGITS * layout.width, near, values)

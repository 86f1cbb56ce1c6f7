"""How networks see designs: categories one-hot or by descriptors, angles on a circle, decades as
logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from invcore.spaces.constraints.kinds import Constraint, Periodic
from invcore.spaces.descriptors import DescriptorTable
from invcore.spaces.variable import Variable

Form = Literal["number", "logarithm", "circle", "one-hot", "descriptors"]

_ROUNDING = 8  # of cosines and sines that are zero


class VariableFeatures:
    """Between the values of one variable and its features.

    Args:
        variable: whose.
        turn: where it goes round; None where it does not.

    Example:
        >>> from invcore.plugin import Uniform
        >>> angle = Variable(name="angle", prior=Uniform(low=0.0, high=360.0))
        >>> own = VariableFeatures(angle, Periodic(variable="angle", low=0.0, high=360.0))
        >>> own.encode(torch.tensor([90.0]))
        tensor([[0., 1.]])
    """

    def __init__(self, variable: Variable, turn: Periodic | None = None) -> None:
        self._variable, self._turn = variable, turn
        self.form: Form = "number"
        self.table = None if variable.descriptors is None else DescriptorTable(variable.descriptors)
        """Of categories with descriptors."""
        if self.table is not None:
            self.form = "descriptors"
        elif variable.categories:
            self.form = "one-hot"
        elif turn is not None:
            self.form = "circle"
        elif variable.logarithmic:
            self.form = "logarithm"
        own = 1 if self.table is None else self.table.width
        self.width = {"one-hot": len(variable.categories), "circle": 2}.get(self.form, own)

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest of its features."""
        if self.table is not None:
            return self.table.ends
        if self.form == "one-hot":
            return 0.0, 1.0
        if self.form == "circle":
            return -1.0, 1.0
        low, high = self._variable.bounds
        return (math.log(low), math.log(high)) if self.form == "logarithm" else (low, high)

    def encode(self, column: Tensor) -> Tensor:
        """Values (…,) to features (…, width)."""
        if self.table is not None:
            return self.table.encode(column)
        if self.form == "one-hot":
            codes = column.round().long().clamp(0, self.width - 1)
            return one_hot(codes, self.width).to(column.dtype)
        if self._turn is not None:
            share = (column - self._turn.low) / (self._turn.high - self._turn.low)
            angle = 2 * math.pi * share
            both = torch.stack([angle.cos(), angle.sin()], dim=-1)
            return torch.where(both.abs() < _ROUNDING * torch.finfo(both.dtype).eps, 0.0, both)
        if self.form == "logarithm":
            column = column.clamp(min=torch.finfo(column.dtype).tiny).log()
        return column[..., None]

    def decode(self, part: Tensor) -> Tensor:
        """Features (…, width) to values (…,): the largest of a category's wins, or the nearest
        descriptors.
        """
        if self.table is not None:
            return self.table.decode(part)
        if self.form == "one-hot":
            return part.argmax(-1).to(part.dtype)
        if self._turn is not None:
            low, high = self._turn.low, self._turn.high
            share = torch.atan2(part[..., 1], part[..., 0]) / (2 * math.pi)
            value = low + torch.where(share < 0, share + 1, share) * (high - low)
            return torch.where(value >= high, low, value)
        return part[..., 0].exp() if self.form == "logarithm" else part[..., 0]


def features_of(
    variables: Sequence[Variable], constraints: Sequence[Constraint]
) -> tuple[VariableFeatures, ...]:
    """How networks see each of the variables."""
    turns = {c.variable: c for c in constraints if isinstance(c, Periodic)}
    return tuple(VariableFeatures(variable, turns.get(variable.name)) for variable in variables)

"""Neighbours of designs in what comes in steps: other categories, levels, whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.spaces.constraints.kinds import Levels
from invcore.spaces.space import Space

_EVERY = 12  # values of a number, up to which each other one is a neighbour
_LISTED = 32  # nearest rows of a list that are neighbours


@dataclass(frozen=True)
class Neighbours:
    """The single changes of designs in a space.

    Of a category every other one is a neighbour; of a number with up to twelve values too, and of
    one with more those 1, 2, 4, … steps away. Where some variables together are a row of a list,
    the 32 nearest other rows are. Fixed variables stay.

    Args:
        space: of the designs.
        stepped: for each variable that comes in steps its position and its values in order (V,).
        lists: positions (k,) and rows (R, k) of variables that come together.

    Example:
        >>> from invcore.plugin import Integers, Variable
        >>> layers = Variable(name="layers", prior=Integers(low=1, high=4))
        >>> own = Neighbours.of(Space.of(layers))
        >>> own.changes(torch.tensor([[3.0]], dtype=torch.float64))[0, :, 0].tolist()
        [1.0, 2.0, 3.0, 4.0]
    """

    space: Space
    stepped: tuple[tuple[int, Tensor | None], ...]
    lists: tuple[tuple[Tensor, Tensor], ...]

    @classmethod
    def of(cls, space: Space) -> Neighbours:
        """Those of a space; where nothing comes in steps there are none."""
        layout = space.layout if space.constraints else None
        lists = () if layout is None else layout.lists
        listed = {int(i) for columns, _ in lists for i in columns}
        levels = {} if layout is None else dict(layout.levels)
        stepped = []
        for i, variable in enumerate(space.variables):
            if i in listed or bool(space.fixed[i]):
                continue
            values: Tensor | None
            if i in levels:
                values = levels[i].sort().values
            elif variable.whole:
                low, high = float(space.low[i]), float(space.high[i])
                few = high - low < _EVERY or variable.categories
                values = torch.arange(low, high + 1).double() if few else None
            else:
                continue
            if values is None or len(values) > 1:
                stepped.append((i, values))
        return cls(space, tuple(stepped), lists)

    def __bool__(self) -> bool:
        return bool(self.stepped or self.lists)

    @property
    def named(self) -> bool:
        """Whether there are categories, levels or lists, and not whole numbers alone."""
        levels = any(isinstance(constraint, Levels) for constraint in self.space.constraints)
        return levels or bool(self.lists) or any(v.categories for v in self.space.variables)

    def changes(self, x: Tensor) -> Tensor:
        """All single changes (N, S, Dx) of designs (N, Dx), as they are changed: some are not
        allowed, and some are the design itself.
        """
        parts = []
        for i, values in self.stepped:
            own = self._values(x[:, i], i, values)  # (N, V)
            part = x[:, None].expand(-1, own.shape[1], -1).clone()
            part[:, :, i] = own
            parts.append(part)
        for columns, rows in self.lists:
            width = (rows.amax(dim=0) - rows.amin(dim=0)).clamp(min=1e-300)
            apart = torch.cdist(x[:, columns] / width, rows / width)
            near = apart.topk(min(len(rows), _LISTED + 1), dim=1, largest=False).indices
            part = x[:, None].expand(-1, near.shape[1], -1).clone()
            part[:, :, columns] = rows[near]
            parts.append(part)
        return torch.cat(parts, dim=1) if parts else x[:, None][:, :0]

    def allowed(self, x: Tensor, changed: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest allowed designs of changed ones (N, S, Dx), and which of them are allowed and
        others than the design (N, Dx) that they were changed from: (N, S), bool.
        """
        near = self.space.project(changed) if self.space.constraints else changed
        good = self.space.contains(near) & (near != x[:, None]).any(dim=2)
        return near, good

    def _values(self, column: Tensor, i: int, values: Tensor | None) -> Tensor:
        """The values (N, V) that a variable may change to, itself among them."""
        categories = bool(self.space.variables[i].categories)
        if values is not None and (categories or len(values) <= _EVERY):
            return values.to(column).expand(len(column), -1)
        count = int(self.space.high[i] - self.space.low[i]) + 1 if values is None else len(values)
        steps = 2.0 ** torch.arange(max(1, (count - 1).bit_length()))
        steps = torch.cat([-steps.flip(0), steps]).to(column)
        if values is None:
            low, high = float(self.space.low[i]), float(self.space.high[i])
            return (column[:, None] + steps).clamp(low, high)
        values = values.to(column)
        place = (column[:, None] - values).abs().argmin(dim=1)
        return values[(place[:, None] + steps.long()).clamp(0, len(values) - 1)]

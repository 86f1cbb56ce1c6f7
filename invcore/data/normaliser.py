"""Shift and scale of columns, for numbers of any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

_ROUNDING = 1e-12  # a column that varies by this share of its largest number, or less, is constant
_SQUARES = 1e-140, 1e140  # deviations whose squares float64 holds with all digits


@dataclass(frozen=True)
class Normaliser:
    """Shift and scale of columns.

    Nothing can be learnt of a column that was constant where the normaliser was fitted: another
    value there has no place in any scale, and a network that never saw it move would make of it
    what it likes. So such a column is 0 in normalised units whatever its value, and comes back as
    the constant.

    Args:
        centre: (D,).
        scale: (D,), positive.
        varies: (D,), bool, which columns were not constant, but for rounding; None: all.

    Example:
        >>> normaliser = Normaliser.standard(torch.tensor([[0.0, 5.0], [2.0, 5.0]]))
        >>> normaliser(torch.tensor([[2.0, 7.0]])).tolist()
        [[1.0, 0.0]]
    """

    centre: Tensor
    scale: Tensor
    varies: Tensor | None = None

    @classmethod
    def standard(cls, values: Tensor) -> Normaliser:
        """To mean zero and standard deviation one; a constant column's scale is one.

        A value that is NaN is unknown, and counts in its column for nothing.
        """
        if bool(values.isnan().any()):
            columns = [column[~column.isnan()][:, None] for column in values.unbind(dim=1)]
            filled = [c if len(c) else c.new_zeros(1, 1) for c in columns]
            return cls.joined([cls.standard(column) for column in filled])
        centre, scale = values.mean(dim=0), values.std(dim=0, unbiased=False)
        low, high = values.amin(dim=0), values.amax(dim=0)
        largest = torch.maximum(low.abs(), high.abs())
        constant = high - low <= _ROUNDING * largest  # the deviation is a rounding error
        if values.dtype == torch.float64:
            extreme = ~constant & ~((scale >= _SQUARES[0]) & (scale <= _SQUARES[1]))
            if bool(extreme.any()):
                shares = values / torch.where(extreme, largest, 1.0)
                centre = torch.where(extreme, shares.mean(dim=0) * largest, centre)
                scale = torch.where(extreme, shares.std(dim=0, unbiased=False) * largest, scale)
        centre, scale = torch.where(constant, values[0], centre), torch.where(constant, 1.0, scale)
        return cls(centre, scale, ~constant if bool(constant.any()) else None)

    @classmethod
    def joined(cls, parts: Sequence[Normaliser]) -> Normaliser:
        """The normaliser of all columns of several, side by side."""
        varies = [
            torch.ones_like(part.centre, dtype=torch.bool) if part.varies is None else part.varies
            for part in parts
        ]
        every = torch.cat(varies)
        centre, scale = (torch.cat([getattr(p, n) for p in parts]) for n in ("centre", "scale"))
        return cls(centre, scale, None if bool(every.all()) else every)

    @classmethod
    def pooled(cls, values: Tensor) -> Normaliser:
        """To mean zero and standard deviation one over all columns (N, D) together."""
        whole, width = cls.standard(values.reshape(-1, 1)), values.shape[1]
        varies = None if whole.varies is None else whole.varies.repeat(width)
        return cls(whole.centre.repeat(width), whole.scale.repeat(width), varies)

    def __call__(self, values: Tensor) -> Tensor:
        """From the columns' own units to normalised ones."""
        return self.kept(self.deviation(values))

    def inverse(self, values: Tensor) -> Tensor:
        """Back to the columns' own units."""
        return self.kept(values) * self.scale.to(values) + self.centre.to(values)

    def deviation(self, values: Tensor) -> Tensor:
        """How far values are from the centre, over the scale, also in columns that were constant:
        to measure errors by.
        """
        return (values - self.centre.to(values)) / self.scale.to(values)

    def freed(self, columns: Tensor) -> Normaliser:
        """The same, with these columns (D,), bool, as if they had varied."""
        return self if self.varies is None else replace(self, varies=self.varies | columns)

    def state(self, prefix: str) -> dict[str, Tensor]:
        """Tensors to store, with this before their names."""
        state = {f"{prefix}centre": self.centre, f"{prefix}scale": self.scale}
        return state if self.varies is None else state | {f"{prefix}varies": self.varies}

    @classmethod
    def restore(cls, state: dict[str, Tensor], prefix: str) -> Normaliser:
        """The normaliser that ``state`` came from; one that says not what varies has all vary."""
        varies = state.get(f"{prefix}varies")
        varies = None if varies is None else varies.bool()
        return cls(state[f"{prefix}centre"], state[f"{prefix}scale"], varies)

    def kept(self, values: Tensor) -> Tensor:
        """Normalised values, 0 in the columns that were constant."""
        if self.varies is None:
            return values
        return torch.where(self.varies.to(values.device) | values.isnan(), values, 0.0)

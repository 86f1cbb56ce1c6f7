"""From the unit cube to what constraints allow, such that even points become even designs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_ROWS = 512  # points at once
_BANDWIDTH = 1.06  # of a normal kernel (Silverman), for the standard deviation of what is near
_FLAT = 1e-10
_LEAST = 1e-3  # of a variable's range


@dataclass(frozen=True)
class MadeUp:
    """Variables whose values sums give from those of the others.

    Args:
        matrix: (M, g), of the sums.
        value: (M,), what they must be.
        columns: (r,), positions of the variables, whose coefficients are independent.
    """

    matrix: Tensor
    value: Tensor
    columns: Tensor

    @classmethod
    def of(cls, matrix: Tensor, value: Tensor, usable: Tensor, width: Tensor) -> MadeUp | None:
        """As many variables as the sums have ranks, the last of the usable (g,) first."""
        chosen: list[int] = []
        for i in reversed(usable.nonzero()[:, 0].tolist()):
            rank = torch.linalg.matrix_rank((matrix * width)[:, [*chosen, i]], rtol=_FLAT)
            if int(rank) > len(chosen):
                chosen.append(i)
        return cls(matrix, value, torch.tensor(sorted(chosen))) if chosen else None

    def __call__(self, values: Tensor) -> Tensor:
        """Values (N, g) with these variables as the sums have them."""
        rest = self.value - values.index_fill(1, self.columns, 0.0) @ self.matrix.T
        back = torch.linalg.pinv(self.matrix[:, self.columns])
        return values.index_copy(1, self.columns, rest @ back.T)


class Transport:
    """Conditional quantiles of a sample, one variable after the other.

    The first coordinate of a point chooses a quantile of the first variable's values in the sample;
    the second one of the second variable's, among designs whose first variable is near, weighted by
    how near; and so on. Even points so become designs that are spread as the sample is. Points that
    have one in each stratum of the first coordinate keep that for the first variable, but for what
    the projection moves; later variables keep it the less, the more the earlier ones decide.

    Args:
        sample: (S, g), allowed designs.
        stepped: (g,), bool, the variables with a finite number of values, none between which.
        width: (g,), each variable's range.
        made_up: variables that sums give from the others, if any.

    References:
        Rosenblatt, Annals of Mathematical Statistics 23, 1952.

    Example:
        >>> sample = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0)).double()
        >>> kept = sample[sample.sum(1) <= 1]
        >>> far = Transport(kept, torch.zeros(2).bool(), torch.ones(2))
        >>> far(torch.tensor([[0.75, 0.5]]).double()).round(decimals=1)
        tensor([[0.5000, 0.2000]], dtype=torch.float64)
    """

    def __init__(
        self, sample: Tensor, stepped: Tensor, width: Tensor, made_up: MadeUp | None = None
    ) -> None:
        self._sample, self._stepped, self._width = sample, stepped, width
        self._made_up = made_up
        self._last = set() if made_up is None else set(made_up.columns.tolist())
        self._order = sample.argsort(dim=0, stable=True)

    def __call__(self, unit: Tensor) -> Tensor:
        """Points (N, g) of the unit cube to designs (N, g), near what is allowed."""
        parts = [self._moved(part) for part in unit.split(_ROWS)]
        return torch.cat(parts) if parts else unit

    def _moved(self, unit: Tensor) -> Tensor:
        sample = self._sample
        weights = torch.ones(len(unit), len(sample), dtype=torch.float64)
        columns = []
        for i in range(sample.shape[1]):
            if i in self._last:
                columns.append(torch.zeros(len(unit), dtype=torch.float64))
                continue
            order = self._order[:, i]
            values = sample[order, i]
            column = self._quantile(values, weights[:, order], unit[:, i], bool(self._stepped[i]))
            columns.append(column)
            if bool(self._stepped[i]):
                weights = weights * (sample[:, i] == column[:, None])
            else:
                weights = weights * self._kernel(sample[:, i], column, weights, self._width[i])
        values = torch.stack(columns, 1)
        return values if self._made_up is None else self._made_up(values)

    @staticmethod
    def _quantile(values: Tensor, weights: Tensor, unit: Tensor, stepped: bool) -> Tensor:
        """Weighted quantiles (N,) of sorted values (S,), at the middles of weights (N, S)."""
        total = weights.cumsum(1)
        place = unit * total[:, -1]
        if stepped:
            index = torch.searchsorted(total, place[:, None], right=True)[:, 0]
            return values[index.clamp(max=len(values) - 1)]
        middle = total - 0.5 * weights
        index = torch.searchsorted(middle, place[:, None])[:, 0].clamp(1, len(values) - 1)
        rows = torch.arange(len(unit))
        below, above = middle[rows, index - 1], middle[rows, index]
        share = ((place - below) / (above - below).clamp(min=1e-300)).clamp(0.0, 1.0)
        return torch.lerp(values[index - 1], values[index], share)

    @staticmethod
    def _kernel(values: Tensor, at: Tensor, weights: Tensor, width: Tensor) -> Tensor:
        """How near the sample's values are to each point's (N, S)."""
        total = weights.sum(1, keepdim=True)
        # Products of matrices would round a point by how many there are beside it
        mean = (weights * values).sum(1, keepdim=True) / total
        square = (weights * values.square()).sum(1, keepdim=True) / total
        spread = (square - mean.square()).clamp(min=0).sqrt()
        many = total.square() / weights.square().sum(1, keepdim=True)
        band = (_BANDWIDTH * spread * many**-0.2).clamp(min=_LEAST * float(width))
        apart = ((values - at[:, None]) / band).square()
        return (-0.5 * (apart - apart.amin(1, keepdim=True))).exp()

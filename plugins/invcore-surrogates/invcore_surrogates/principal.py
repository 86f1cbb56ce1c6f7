"""Principal components of many features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_KEPT = 0.999  # of the variance


@dataclass(frozen=True)
class Principal:
    """From features (…, F) to K components, of mean zero and variance one.

    References:
        Jolliffe, Principal component analysis, Springer 2002.

    Args:
        centre: (F,).
        ways: (F, K).

    Example:
        >>> x = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None].expand(-1, 30)
        >>> Principal.of(x, 25)(x).shape
        torch.Size([9, 1])
    """

    centre: Tensor
    ways: Tensor

    @classmethod
    def of(cls, x: Tensor, most: int) -> Principal:
        """At most so many components of features (N, F), enough for 99.9% of their variance."""
        centre = x.mean(dim=0)
        _, size, ways = torch.linalg.svd(x - centre, full_matrices=False)
        share = size.square().cumsum(0) / size.square().sum().clamp(min=1e-300)
        count = min(most, int((share < _KEPT).sum()) + 1, len(size))
        spread = (size[:count] / len(x) ** 0.5).clamp(min=1e-12 * float(size[0]) + 1e-300)
        return cls(centre, (ways[:count] / spread[:, None]).T.contiguous())

    def __call__(self, x: Tensor) -> Tensor:
        """The components of features."""
        return (x - self.centre) @ self.ways

    def state(self) -> dict[str, Tensor]:
        """The tensors."""
        return {"centre": self.centre, "ways": self.ways}

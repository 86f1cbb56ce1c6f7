"""The planes of linear equalities among normalised features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FLAT = 1e-10  # of the largest: what is less is no direction of its own


@dataclass(frozen=True)
class Planes:
    """Planes of features, and the shortest way to them in units of each variable's range.

    Args:
        matrix: (M, F), float64.
        value: (M,): features on the planes satisfy matrix f = value.
        width: (F,), each variable's range, in features.

    Example:
        >>> planes = Planes.of(torch.ones(1, 2).double(), torch.ones(1).double(), torch.ones(2))
        >>> planes.nearest(torch.tensor([[0.9, 0.4]]), torch.tensor([True, True]))
        tensor([[0.7500, 0.2500]])
    """

    matrix: Tensor
    value: Tensor
    width: Tensor

    @classmethod
    def of(cls, matrix: Tensor, value: Tensor, width: Tensor) -> Planes:
        """Planes with rows of unit length in ranges; those that no feature moves are left out."""
        length = (matrix * width).norm(dim=1)
        some = length > 0
        length = length[some]
        return cls(matrix[some] / length[:, None], value[some] / length, width.double())

    @classmethod
    def none(cls, features: int) -> Planes:
        """No plane among so many features."""
        empty = torch.zeros(0, features, dtype=torch.float64)
        return cls(empty, empty[:, 0] if features else empty.flatten(), torch.ones(features))

    @property
    def across(self) -> Tensor:
        """Steps across the planes (r, F), each one range long and at right angles to the others."""
        scaled = self.matrix * self.width
        size, axes = torch.linalg.eigh(scaled @ scaled.T)
        keep = size > _FLAT * size.max() if len(size) else size > 0
        return (axes[:, keep] / size[keep].sqrt()).T @ scaled * self.width

    def nearest(self, features: Tensor, free: Tensor) -> Tensor:
        """The nearest features on the planes, bounds apart, of the same type.

        Args:
            features: (N, F), normalised.
            free: (F,), bool, those that may move; planes that they cannot reach count for nothing.
        """
        if not len(self.matrix):
            return features
        moved = self.matrix * free.cpu()
        way = moved * self.width.square()
        back = torch.linalg.pinv(moved @ way.T, rtol=_FLAT, hermitian=True) @ way
        left = self.value.to(features) - features @ self.matrix.T.to(features)
        return features + left @ back.to(features)

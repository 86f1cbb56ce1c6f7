"""Ridge regression in closed form, with the ridge by generalised cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

_RIDGES = torch.logspace(-10, 3, 53, dtype=torch.float64)  # over the largest eigenvalue


@dataclass(frozen=True)
class Ridge:
    """Linear models of R responses over P terms, whose rows count alike.

    References:
        Golub, Heath, Wahba, Generalized cross-validation as a method for choosing a good ridge
        parameter, Technometrics 21, 1979, https://doi.org/10.1080/00401706.1979.10489751.

    Args:
        centre: (P,), of the terms.
        scale: (P,), of the terms.
        intercept: (R,).
        slope: (P, R), of scaled terms.
        ways: (P, K), orthogonal directions of the terms.
        inverse: (R, K), inverse of their sums of squares with the ridge.
        residual: (R,), variance that is left.
        rows: (), how many rows count.
    """

    centre: Tensor
    scale: Tensor
    intercept: Tensor
    slope: Tensor
    ways: Tensor
    inverse: Tensor
    residual: Tensor
    rows: Tensor

    @classmethod
    def fit(cls, terms: Tensor, y: Tensor, shares: Tensor) -> Ridge:
        """To N rows of terms (N, P), y (N, R) and shares (N,), in the mean 1.

        Example:
            >>> x = torch.linspace(0, 1, 20, dtype=torch.float64)[:, None]
            >>> ridge = Ridge.fit(x, 3 * x + 1, torch.ones(20).double())
            >>> ridge.predict(torch.tensor([[2.0]]).double())[0].round(decimals=3).tolist()
            [[7.0]]
        """
        count, total = len(terms), shares.sum()
        centre, intercept = ((shares @ part) / total for part in (terms, y))
        scale = ((shares @ (terms - centre).square()) / total).sqrt()
        scale = torch.where(scale > 1e-12, scale, 1.0)
        root = shares.sqrt()[:, None]
        left, size, ways = torch.linalg.svd(
            root * (terms - centre) / scale, full_matrices=False
        )  # (N, K), (K,), (K, P)
        most = size.max().clamp(min=1e-300)
        kept = size > 1e-9 * most
        left, size, ways = left[:, kept], size[kept], ways[kept]
        ridges = _RIDGES * most.square()
        wanted = root * (y - intercept)
        along = left.T @ wanted  # (K, R)
        across = (wanted.square().sum(dim=0) - along.square().sum(dim=0)).clamp(min=0.0)
        shrunk = size.square() / (size.square() + ridges[:, None])  # (L, K)
        wrong = across + (1 - shrunk).square() @ along.square()  # (L, R)
        free = (count - 1 - shrunk.sum(dim=1))[:, None]
        score = torch.where(free >= 1.0, wrong / free.square(), torch.inf)
        best = score.argmin(dim=0)  # (R,)
        inverse = 1 / (size.square() + ridges[best, None])  # (R, K)
        slope = ways.T @ (size[:, None] * along * inverse.T)
        residual = wrong.gather(0, best[None])[0] / free[best, 0].clamp(min=1.0)
        return cls(centre, scale, intercept, slope, ways.T.contiguous(), inverse, residual, total)

    def predict(self, terms: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance, with the residual, at terms (M, P): two (M, R)."""
        away = (terms - self.centre) / self.scale
        spread = (away @ self.ways).square() @ self.inverse.T + 1 + 1 / self.rows
        return away @ self.slope + self.intercept, spread * self.residual

    def state(self) -> dict[str, Tensor]:
        """The tensors."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to(self, device: torch.device) -> Ridge:
        """The same on another device."""
        return Ridge(**{name: value.to(device) for name, value in self.state().items()})

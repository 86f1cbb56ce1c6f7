"""Trust: how far a forward model was off at the known pairs near a design."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.types import Forward
from invcore.data.pairs import Pairs

_NEAREST = 10
_KNOWN = 4096  # pairs that are kept: enough to tell good regions from bad, cheap to search
_ROWS = 2048  # designs compared with all of them at once


@dataclass(frozen=True)
class Anchors:
    """Known designs to start from, with what is known there.

    Args:
        features: (B, K, F), scaled designs.
        rows: (B, K), their places among the known pairs of ``Trust``.
        lacking: (B, K, Dy), what the model lacks there; added to what it says on the way from
            there, it leaves the error of the difference alone.
        doubt: (B, K), the squared error to expect of that, scaled: as large a share of the way, in
            response, as the model's squared errors are of the responses' variance.
    """

    features: Tensor
    rows: Tensor
    lacking: Tensor
    doubt: Tensor


@dataclass(frozen=True)
class Trust:
    """The squared error to expect of a forward model, from its residuals at the nearest pairs.

    Many starts of a search end where the model gives exactly the target. They are equally good by
    the model's own error, but not by what is to be expected of the simulator: where the model was
    off at known designs nearby, it will be off again.

    Args:
        features: (M, F), scaled designs of known pairs.
        y: (M, Dy), their scaled responses.
        residual: (M, Dy), what the model lacks there, scaled: the truth less its answer.

    Example:
        >>> pairs = Pairs(torch.arange(20.0)[:, None], torch.zeros(20, 1))
        >>> trust = Trust.fit(lambda x: (x > 9.5) * 1.0, pairs, torch.Generator())
        >>> trust(torch.tensor([[0.0], [19.0]]))
        tensor([0., 1.])
    """

    features: Tensor
    y: Tensor
    residual: Tensor

    @classmethod
    def fit(cls, forward: Forward, pairs: Pairs, generator: torch.Generator) -> Trust:
        """From scaled pairs, at most 4,096 of them, drawn at random."""
        rows = torch.randperm(len(pairs), generator=generator)[:_KNOWN].sort().values
        some = pairs[rows.to(pairs.x.device)]
        with torch.no_grad():
            residual = some.y - forward(some.x)
        return cls(some.x, some.y, residual)

    def __call__(self, features: Tensor) -> Tensor:
        """The error to expect of scaled designs (N, F): (N,)."""
        count = min(_NEAREST, len(self.features))
        squares = self.residual.square().mean(dim=1)
        parts = []
        for part in features.split(_ROWS):
            apart = torch.cdist(part, self.features)
            near = apart.topk(count, dim=1, largest=False, sorted=False).indices
            parts.append(squares[near].mean(dim=1))
        return torch.cat(parts)

    def anchors(self, targets: Tensor, points: Tensor, share: float) -> Anchors:
        """Known designs whose responses are near the targets.

        Args:
            targets: (B, Dy), scaled.
            points: (B, K, 1), in the unit cube: where in the order of the nearest, from 0 for the
                nearest of all.
            share: of the known pairs, those that count as near.
        """
        targets, points = targets.to(self.y.device), points.to(self.y.device)
        near = max(1, round(share * len(self.y)))
        apart, order = torch.cdist(targets, self.y).topk(near, dim=1, largest=False)
        place = (points[..., 0] * near).long().clamp(max=near - 1)
        rows, way = order.gather(1, place), apart.gather(1, place)
        doubt = self.residual.square().mean() * way.square() / self.y.shape[1]
        return Anchors(self.features[rows], rows, self.residual[rows], doubt)

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        return {"features": self.features, "y": self.y, "residual": self.residual}

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> Trust:
        """The trust that ``state`` came from."""
        return cls(state["features"], state["y"], state["residual"])

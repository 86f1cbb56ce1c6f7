"""Trust: how far a forward model was off at the known pairs near a design."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.data import Pairs
from invcore.types import Forward

_NEAREST = 10
_KNOWN = 4096  # pairs that are kept: enough to tell good regions from bad, cheap to search
_ROWS = 2048  # designs compared with all of them at once


@dataclass(frozen=True)
class Trust:
    """The squared error to expect of a forward model, from its residuals at the nearest pairs.

    Many starts of a search end where the model gives exactly the target. They are equally good by
    the model's own error, but not by what is to be expected of the simulator: where the model was
    off at known designs nearby, it will be off again.

    Args:
        features: (M, F), scaled designs of known pairs.
        residual: (M, Dy), what the model lacks there, scaled: the truth less its answer.

    Example:
        >>> known = Pairs(torch.arange(20.0)[:, None], torch.zeros(20, 1))
        >>> trust = Trust.fit(lambda x: (x > 9.5) * 1.0, known, torch.Generator())
        >>> trust(torch.tensor([[0.0], [19.0]]))
        tensor([0., 1.])
    """

    features: Tensor
    residual: Tensor

    @classmethod
    def fit(cls, forward: Forward, pairs: Pairs, generator: torch.Generator) -> Trust:
        """From scaled pairs, at most 4,096 of them, drawn at random."""
        rows = torch.randperm(len(pairs), generator=generator)[:_KNOWN].sort().values
        some = pairs[rows.to(pairs.x.device)]
        with torch.no_grad():
            residual = some.y - forward(some.x)
        return cls(some.x, residual)

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

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        return {"features": self.features, "residual": self.residual}

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> Trust:
        """The trust that ``state`` came from."""
        return cls(state["features"], state["residual"])

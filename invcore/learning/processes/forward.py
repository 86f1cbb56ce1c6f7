"""A forward model for whom has none: a Gaussian process on the pairs that there are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.data.pairs import Pairs, rows_of
from invcore.data.scaling import Scaling
from invcore.learning.gaussian_process import GaussianProcess, GaussianProcessConfig, fit_process
from invcore.numerics.row_jacobian import row_jacobian
from invcore.spaces.space import Space

_CONFIG = GaussianProcessConfig(rows=1500, tuning_rows=500)
_ROWS = 256  # whose slopes are computed at once


@dataclass(frozen=True)
class ProcessForward:
    """Responses of designs by a Gaussian process, in their own units.

    Args:
        process: of scaled features and responses.
        scaling: to them.

    Example:
        >>> from invcore.plugin import Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=4.0)))
        >>> x = torch.linspace(0, 4, 20, dtype=torch.float64)[:, None]
        >>> forward = ProcessForward.fit(space, Pairs(x, x.square()), torch.Generator())
        >>> forward.gradient(torch.tensor([[3.0]]).double()).round(decimals=2)
        tensor([[[6.]]], dtype=torch.float64)
    """

    process: GaussianProcess
    scaling: Scaling

    @classmethod
    def fit(cls, designs: Space, pairs: Pairs, generator: torch.Generator) -> ProcessForward:
        """From at most 1,500 of the pairs, drawn.

        Raises:
            DataError: fewer than two pairs, or a response that is never known.
        """
        pairs = pairs.to(torch.device("cpu"))
        scaling = Scaling.fit(designs, pairs)
        y = scaling.y(pairs.y.double())
        features = _features(scaling, pairs.x, pairs.context)
        return cls(fit_process(_CONFIG, features, y, generator=generator), scaling)

    def predict(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Responses (N, Dy) of designs (N, Dx)."""
        return self.scaling.y.inverse(self.process.mean(_features(self.scaling, x, context)))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """How they change with the designs (N, Dy, Dx); 0 for categories."""
        parts = []
        for begin in range(0, max(1, len(x)), _ROWS):
            rows = slice(begin, begin + _ROWS)
            known = rows_of(context, rows)

            def responses(designs: Tensor, known: Context | None = known) -> Tensor:
                return self.predict(designs, known)

            parts.append(row_jacobian(responses, x[rows].double()))
        return torch.cat(parts)


def _features(scaling: Scaling, x: Tensor, context: Context | None) -> Tensor:
    """Features of designs, scaled, and of what is known (N, F + C), float64."""
    features = scaling.x(scaling.designs.encode(x.double()))
    known = scaling.context_features(context, len(x)).double().to(features.device)
    return torch.cat([features, known], dim=1)

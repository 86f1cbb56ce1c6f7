"""What the surrogates of this package see of rows: scaled features, responses, and what counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.learning import Scaling
from invcore.plugin import Context, DataError, Pairs, Problem

_TYPICAL = 0.1  # of the responses' variance: what a model is off by anyway, beside known noise


@dataclass(frozen=True)
class ScaledRows:
    """N rows as models see them, float64, on the CPU.

    Args:
        scaling: from designs to features, and of responses.
        x: features and what is known (N, F).
        y: responses (N, Dy), NaN where they are unknown.
        shares: (N, Dy), how much each counts, in the mean 1; 0 where a response is unknown.
    """

    scaling: Scaling
    x: Tensor
    y: Tensor
    shares: Tensor

    @classmethod
    def of(
        cls, problem: Problem, pairs: Pairs, weights: Tensor | None, noise: Tensor | None, *,
        least: int = 2,
    ) -> ScaledRows:  # fmt: skip
        """The rows of pairs.

        Args:
            problem: the spaces.
            pairs: N rows.
            weights: (N,), of the rows; None: all alike.
            noise: (N, Dy), variance of each measured response; None: none is known.
            least: fewest known values of a response.

        Raises:
            DataError: fewer.
        """
        pairs = Pairs(pairs.x.double(), pairs.y.double(), pairs.context)
        pairs = pairs.to(torch.device("cpu"))
        known = ~pairs.y.isnan()
        fewest = int(known.sum(dim=0).min())
        if fewest < least:
            raise DataError(f"a response is known in {fewest} rows, and {least} are needed")
        scaling = Scaling.fit(problem.designs, pairs)
        shares = known.double()
        if weights is not None:
            shares = shares * weights.double().cpu()[:, None]
        if noise is not None:
            told = noise.double().cpu().nan_to_num(0.0) / scaling.y.scale**2
            shares = shares * torch.where(known, _TYPICAL / (_TYPICAL + told), 0.0)
        shares = shares * known.sum(dim=0) / shares.sum(dim=0)
        return cls(scaling, inputs(scaling, pairs.x, pairs.context), scaling.y(pairs.y), shares)

    def known(self, response: int) -> Tensor:
        """Which rows (N,) have a value of a response, bool."""
        return ~self.y[:, response].isnan()

    def groups_of_responses(self) -> list[Tensor]:
        """The numbers of responses whose rows count alike, long, group by group."""
        _, group = self.shares.unique(dim=1, return_inverse=True)
        return [(group == i).nonzero()[:, 0] for i in range(int(group.max()) + 1)]


def inputs(scaling: Scaling, x: Tensor, context: Context | None) -> Tensor:
    """Features of designs, scaled, and of what is known (N, F + C), float64."""
    features = scaling.x(scaling.designs.encode(x.double()))
    known = scaling.context_features(context, len(x)).double().to(features.device)
    return torch.cat([features, known], dim=1)


def prefixed(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, with this before their names."""
    return {f"{prefix}{name}": value.contiguous() for name, value in state.items()}

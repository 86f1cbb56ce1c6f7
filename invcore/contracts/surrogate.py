"""Surrogates: models that stand in for the simulator, and say how sure they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.configs.configurable import C, Configurable
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.problem import Problem
from invcore.data.pairs import Pairs


@dataclass(frozen=True)
class Prediction:
    """What a surrogate expects of designs: a normal distribution of the responses of each.

    Its covariance (N, Dy, Dy) is diag(``variance``) + ``factor`` ``factor``ᵀ.

    Args:
        mean: (N, Dy), in the responses' own units.
        variance: (N, Dy), what each response varies by itself.
        factor: (N, Dy, R), what responses vary together; None: nothing.

    Example:
        >>> import torch
        >>> one = torch.ones(1, 2)
        >>> Prediction(one, one, torch.ones(1, 2, 1)).covariance.tolist()
        [[[2.0, 1.0], [1.0, 2.0]]]
    """

    mean: Tensor
    variance: Tensor
    factor: Tensor | None = None

    @property
    def std(self) -> Tensor:
        """Standard deviation of each response by itself (N, Dy)."""
        shared = 0.0 if self.factor is None else self.factor.square().sum(dim=2)
        return (self.variance + shared).sqrt()

    @property
    def covariance(self) -> Tensor:
        """Of the responses of each design (N, Dy, Dy)."""
        own = self.variance.diag_embed()
        return own if self.factor is None else own + self.factor @ self.factor.mT


class FittedSurrogate(ABC):
    """A surrogate that has been fitted to rows."""

    @abstractmethod
    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """What to expect of designs (N, Dx), in bounded memory; float64."""

    @abstractmethod
    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """How the means change with the designs (N, Dy, Dx); 0 for categories."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Tensors from which ``SurrogateModel.restore`` rebuilds it, bit for bit."""

    @property
    def noise(self) -> Tensor | None:
        """Variance of each response's measurements (Dy,) as it was found; None: it is not."""
        return None


class SurrogateModel(Configurable[C]):
    """A model that can be fitted to rows of designs and responses."""

    uses_context: ClassVar[bool] = False
    """Whether it makes use of what is known of each row's problem."""

    @abstractmethod
    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedSurrogate:  # fmt: skip
        """Fit to rows.

        Args:
            problem: the spaces.
            pairs: N rows; a response that is NaN is unknown.
            env: device, seeds, progress.
            weights: (N,), positive, how much each row counts beside others; None: all alike.
            noise: (N, Dy), variance of each measured response, where it is known.
            groups: (N,), long, rows that are kept together where some are held out, as replicates.

        Raises:
            DataError: too few rows, or a response that is never known.
        """

    def refit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, start: FittedSurrogate | None, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedSurrogate:  # fmt: skip
        """Fit to rows, starting from a fit to some of them; by default that is of no use.

        Args:
            problem: the spaces.
            pairs: N rows.
            env: as for ``fit``.
            start: a fit to fewer rows; None: there is none.
            weights: as for ``fit``.
            noise: as for ``fit``.
            groups: as for ``fit``.
        """
        return self.fit(problem, pairs, env, weights=weights, noise=noise, groups=groups)

    def held_out(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, folds: Tensor, *,
        weights: Tensor | None = None, noise: Tensor | None = None,
        fitted: FittedSurrogate | None = None,
    ) -> Prediction:  # fmt: skip
        """Predictions of rows by fits that did not see their fold.

        Each fold's rows are predicted by a fit to the others. A surrogate that knows a cheaper way
        to the same end overrides it.

        Args:
            problem: the spaces.
            pairs: N rows.
            env: as for ``fit``.
            folds: (N,), long, the fold of each row.
            weights: as for ``fit``.
            noise: as for ``fit``.
            fitted: a fit to all rows, where there is one: settings that were found may be kept.

        Returns:
            Of N rows, without what responses vary together.
        """
        mean, variance = torch.empty_like(pairs.y).double(), torch.empty_like(pairs.y).double()
        for fold in folds.unique().tolist():
            out = folds == fold
            rest = {"weights": weights, "noise": noise}
            facts = {name: None if v is None else v[~out] for name, v in rest.items()}
            part = self.fit(problem, pairs[~out], env, **facts)
            known = pairs[out]
            said = part.predict(known.x, known.context)
            mean[out], variance[out] = said.mean.to(mean), said.std.square().to(mean)
        return Prediction(mean, variance)

    @abstractmethod
    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedSurrogate:
        """The fitted surrogate that ``state`` came from, on the device of its tensors."""

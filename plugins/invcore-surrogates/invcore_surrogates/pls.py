"""The surrogate ``pls``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, substate
from invcore.numerics import row_jacobian
from invcore.plugin import (
    Config,
    Context,
    DataError,
    Field,
    FitEnvironment,
    FittedSurrogate,
    Pairs,
    Prediction,
    Problem,
    SurrogateModel,
)
from invcore_surrogates.components import partial_least_squares
from invcore_surrogates.rows import ScaledRows, inputs, prefixed

_STRAIGHT = "a linear model does not follow a bowl"


class PlsConfig(Config):
    """Settings of the surrogate ``pls``."""

    components: int = Field(25, ge=1, description="Most components.")
    folds: int = Field(
        10, ge=2, description="Parts of the rows, held out in turn, that choose how many."
    )


class PlsSurrogate(SurrogateModel[PlsConfig]):
    """Partial least squares: a linear model of each response by few components of many features.

    For spectra and other columns that go together. How many components there are is chosen by rows
    that are held out in turn, whole ``groups`` at a time; how far those were off is the variance
    everywhere. ``weights`` say how much rows count, and the more ``noise``, the less.

    References:
        Wold, Sjöström, Eriksson, PLS-regression: a basic tool of chemometrics, Chemometrics and
        Intelligent Laboratory Systems 58, 2001, https://doi.org/10.1016/S0169-7439(01)00155-1.

    Example:
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> names = [f"channel {i}" for i in range(40)]
        >>> prior = Uniform(low=-4.0, high=4.0)
        >>> designs = Space.of(*(Variable(name=name, prior=prior) for name in names))
        >>> problem = Problem("spectra", designs, Space.of(Variable(name="y")))
        >>> hidden = torch.randn(30, 2, generator=torch.Generator().manual_seed(0)).double()
        >>> x = hidden @ torch.linspace(-1, 1, 80).double().view(2, 40)
        >>> fitted = PlsSurrogate().fit(problem, Pairs(x, hidden[:, :1]), FitEnvironment())
        >>> bool((fitted.predict(x).mean - hidden[:, :1]).abs().max() < 1e-6)
        True
    """

    Config = PlsConfig
    uses_context = True
    expected_failures = {name: _STRAIGHT for name in ("accuracy", "groups", "noise")}

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedPls:  # fmt: skip
        """Choose how many components each response needs, and find them.

        Raises:
            DataError: a response that is known in fewer than four rows, or in one group alone.
        """
        rows = ScaledRows.of(problem, pairs, weights, noise, least=4)
        together = Pairs(pairs.x, pairs.y, groups=groups).together().cpu()
        order = torch.randperm(int(together.max()) + 1, generator=env.generator("folds"))
        fold = order[together] % self.config.folds
        found = [self._response(rows, i, fold) for i in range(rows.y.shape[1])]
        slope, intercept, variance = (torch.stack(each) for each in zip(*found, strict=True))
        return FittedPls(slope, intercept, variance, rows.scaling)

    def _response(self, rows: ScaledRows, i: int, fold: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Slopes (F,), the intercept, and the variance of what is left."""
        known, most = rows.known(i), self.config.components
        x, y, shares, fold = rows.x[known], rows.y[known, i], rows.shares[known, i], fold[known]
        folds = fold.unique()
        if len(folds) < 2:
            raise DataError("pls: all rows of a response are of one group, and none can be left")
        tried = []
        for out in (fold == number for number in folds):
            slopes, intercepts = partial_least_squares(x[~out], y[~out], shares[~out], most)
            wrong = (x[out] @ slopes.T + intercepts - y[out, None]).square()
            missing = wrong[:, -1:].expand(-1, most - wrong.shape[1])  # more bring nothing
            tried.append(shares[out] @ torch.cat([wrong, missing], dim=1))
        error = torch.stack(tried).sum(dim=0) / shares.sum()  # (M,)
        slopes, intercepts = partial_least_squares(x, y, shares, most)
        best = min(int(error.argmin()), len(slopes) - 1)
        return slopes[best], intercepts[best], error[best].clamp(min=1e-12)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedPls:
        """The model from its slopes."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        return FittedPls(state["slope"], state["intercept"], state["variance"], scaling)


class FittedPls(FittedSurrogate):
    """Linear models (Dy, F) with intercepts (Dy,) and variances (Dy,), and their scaling."""

    def __init__(
        self, slope: Tensor, intercept: Tensor, variance: Tensor, scaling: Scaling
    ) -> None:
        self._slope, self._intercept, self._variance = slope, intercept, variance
        self._scaling = scaling

    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """Linear combinations, and how far held-out rows were off."""
        mean, scale = self._mean(x, context), self._scaling.y.scale
        return Prediction(mean, (self._variance * scale**2).to(mean).expand_as(mean))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the linear combinations."""
        return row_jacobian(lambda x: self._mean(x, context), x.double())

    def _mean(self, x: Tensor, context: Context | None) -> Tensor:
        features = inputs(self._scaling, x, context)
        scaled = features @ self._slope.T.to(features) + self._intercept.to(features)
        return self._scaling.y.inverse(scaled)

    def state(self) -> dict[str, Tensor]:
        """Slopes, intercepts, variances and scaling."""
        own = {"slope": self._slope, "intercept": self._intercept, "variance": self._variance}
        return prefixed("scaling.", self._scaling.state()) | prefixed("", own)

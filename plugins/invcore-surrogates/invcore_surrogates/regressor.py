"""A surrogate of any regressor of scikit-learn, given in Python."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore.learning import Scaling, substate
from invcore.plugin import (
    Config,
    Context,
    FitEnvironment,
    FittedSurrogate,
    Pairs,
    Prediction,
    Problem,
    SurrogateModel,
    isolated,
)
from invcore_surrogates.rows import ScaledRows, inputs, prefixed

_FOLDS = 5
_STEP = 5e-3  # of a finite difference, over a variable's range


class RegressorSurrogate(SurrogateModel[Config]):
    """A regressor of scikit-learn, or one that is used as these are, on scaled features.

    Each response gets a clone of its own. How far clones were off at rows that were held out, whole
    ``groups`` at a time, is the variance everywhere. ``weights`` and ``noise`` say how much rows
    count, if the regressor's ``fit`` takes ``sample_weight``; else they are not heeded.

    A stored surrogate has the rows, not the regressor, and is fitted again where it is restored:
    the same regressor must be given, and its fit depend on nothing but its arguments and the global
    generators, which are seeded.

    Args:
        regressor: an estimator with ``fit`` and ``predict``, which stays as it is.
        config: without settings.

    Example:
        >>> from sklearn.ensemble import GradientBoostingRegressor
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("line", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 60, dtype=torch.float64)[:, None]
        >>> surrogate = RegressorSurrogate(GradientBoostingRegressor())
        >>> fitted = surrogate.fit(problem, Pairs(x, 3 * x), FitEnvironment())
        >>> bool((fitted.predict(x).mean - 3 * x).abs().max() < 0.1)
        True
    """

    uses_context = True

    def __init__(self, regressor: Any, config: Config | None = None) -> None:
        super().__init__(config)
        self.regressor = regressor

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedRegressor:  # fmt: skip
        """Fit clones to all rows, and to all but each fold's.

        Raises:
            DataError: a response that is known in fewer than ten rows.
        """
        rows = ScaledRows.of(problem, pairs, weights, noise, least=2 * _FOLDS)
        together = Pairs(pairs.x, pairs.y, groups=groups).together().cpu()
        order = torch.randperm(int(together.max()) + 1, generator=env.generator("folds"))
        fold, seed = order[together] % _FOLDS, env.derive("regressor") % 2**31
        wrong = torch.full_like(rows.y, torch.nan)
        for number in fold.unique():
            out = fold == number
            for i in range(rows.y.shape[1]):
                part = _fitted(self.regressor, rows, i, seed, ~out)
                wrong[out, i] = _asked(part, rows.x[out]) - rows.y[out, i]
        share = torch.where(wrong.isnan(), 0.0, rows.shares)
        variance = (share * wrong.square().nan_to_num(0.0)).sum(dim=0) / share.sum(dim=0)
        return FittedRegressor(self.regressor, rows, variance.clamp(min=1e-12), seed)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedRegressor:
        """Fit clones to the stored rows again."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        rows = ScaledRows(scaling, state["x"], state["y"], state["shares"])
        return FittedRegressor(self.regressor, rows, state["variance"], int(state["seed"]))


class FittedRegressor(FittedSurrogate):
    """Clones of a regressor, one a response, fitted to rows."""

    def __init__(self, regressor: Any, rows: ScaledRows, variance: Tensor, seed: int) -> None:
        self._rows, self._variance, self._seed = rows, variance, seed
        every = torch.ones(len(rows.x), dtype=torch.bool)
        self._models = [_fitted(regressor, rows, i, seed, every) for i in range(rows.y.shape[1])]

    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """What the regressors say, and how far they were off."""
        mean = self._mean(x, context)
        variance = self._variance * self._rows.scaling.y.scale**2
        return Prediction(mean, variance.to(mean).expand_as(mean))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Slopes by differences over a hundredth of each variable's range."""
        designs = self._rows.scaling.designs
        width = (designs.high - designs.low).to(x.device)
        slopes = torch.zeros(len(x), self._rows.y.shape[1], x.shape[1]).double().to(x.device)
        for i, variable in enumerate(designs.variables):
            if variable.categories or float(width[i]) <= 0:
                continue
            step = torch.zeros(x.shape[1]).double().to(x.device)
            step[i] = _STEP * width[i]
            ahead, behind = (self._mean(x + sign * step, context) for sign in (1, -1))
            slopes[:, :, i] = (ahead - behind) / (2 * step[i])
        return slopes

    def _mean(self, x: Tensor, context: Context | None) -> Tensor:
        features = inputs(self._rows.scaling, x, context).cpu()
        scaled = torch.stack([_asked(model, features) for model in self._models], dim=1)
        return self._rows.scaling.y.inverse(scaled).to(x.device)

    def state(self) -> dict[str, Tensor]:
        """The rows, the variance and the seed."""
        rows = {"x": self._rows.x, "y": self._rows.y, "shares": self._rows.shares}
        own = rows | {"variance": self._variance, "seed": torch.tensor(self._seed)}
        return prefixed("scaling.", self._rows.scaling.state()) | prefixed("", own)


def _fitted(regressor: Any, rows: ScaledRows, i: int, seed: int, which: Tensor) -> Any:
    """A clone that is fitted to those rows (N,), bool, whose response is known."""
    from sklearn.base import clone
    from sklearn.utils.validation import has_fit_parameter

    which = which & rows.known(i)
    model = clone(regressor)
    shares = rows.shares[which, i].numpy()
    more = {"sample_weight": shares} if has_fit_parameter(model, "sample_weight") else {}
    with isolated(seed):  # a random_state that is None draws from the global generators
        return model.fit(rows.x[which].numpy(), rows.y[which, i].numpy(), **more)


def _asked(model: Any, x: Tensor) -> Tensor:
    """Predictions (N,) of features (N, F), float64."""
    if not len(x):
        return torch.empty(0, dtype=torch.float64)
    return torch.as_tensor(model.predict(x.numpy()), dtype=torch.float64).reshape(len(x))

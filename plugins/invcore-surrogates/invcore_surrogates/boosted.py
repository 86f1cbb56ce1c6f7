"""The surrogate ``boosted-trees``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, has_embedding, substate
from invcore.plugin import (
    Config,
    Context,
    Field,
    FitEnvironment,
    FittedSurrogate,
    Pairs,
    Prediction,
    Problem,
    SurrogateModel,
)
from invcore_surrogates.forest import Forest
from invcore_surrogates.rows import ScaledRows, inputs, prefixed

_DEPTHS = ((80, 3), (300, 4))  # of so many rows at most; 6 of more
_FOLDS = 5  # one of which is held out, for the variance
_DRAWN = 3000  # rows, at most, that a tree sees
_LEAST = 0.6  # of a usual row's weight, in a leaf: one that counts for little has none of its own
_FEWER = 3  # times fewer trees, each counting for more, where rows are held out


class BoostedConfig(Config):
    """Settings of the surrogate ``boosted-trees``."""

    trees: int = Field(200, ge=2, description="Trees, one after another.")
    rate: float = Field(0.07, gt=0, le=1, description="What each tree's values are multiplied by.")
    depth: int = Field(
        0, ge=0, description="Questions, at most, on the way to a leaf; 0: 3 up to 80 rows, 4 "
        "up to 300, 6 beyond.",
    )  # fmt: skip
    subsample: float = Field(
        0.7, gt=0, le=1, description="Share of the rows that each tree sees, and at most 3,000."
    )
    columns: float = Field(
        0.7, gt=0, le=1, description="Share of the features that each question is chosen from."
    )
    presets = {"quick": {"trees": 100, "rate": 0.14}}


class BoostedSurrogate(SurrogateModel[BoostedConfig]):
    """Gradient boosting: each tree learns what the trees before it left, on rows drawn anew.

    How far it is off at a fifth of the rows, held out from a smaller fit, is the variance
    everywhere. Its predictions are constant in pieces, and its gradient is 0. ``weights`` say how
    much rows count, and the more ``noise``, the less; ``groups`` are held out whole.

    References:
        Friedman, Stochastic gradient boosting, Computational Statistics & Data Analysis 38, 2002,
        https://doi.org/10.1016/S0167-9473(01)00065-2.

    Example:
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("step", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 40, dtype=torch.float64)[:, None]
        >>> y = (x > 0.5).double()
        >>> fitted = BoostedSurrogate().fit(problem, Pairs(x, y), FitEnvironment())
        >>> mean = fitted.predict(torch.tensor([[0.2], [0.8]])).mean
        >>> bool((mean[:, 0] - torch.tensor([0.0, 1.0])).abs().max() < 0.01)
        True
    """

    Config = BoostedConfig
    uses_context = True
    expected_failures = {"gradient": "predictions of trees are constant in pieces: slopes are 0"}

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedBoosted:  # fmt: skip
        """Grow trees for each response, and fewer without a fifth of the rows."""
        rows = ScaledRows.of(problem, pairs, weights, noise)
        together = Pairs(pairs.x, pairs.y, groups=groups).together().cpu()
        order = torch.randperm(int(together.max()) + 1, generator=env.generator("held out"))
        out = order[together] % _FOLDS == 0
        every = torch.ones_like(out)
        with env.progress.stage("trees"):
            forests = [
                self._grown(rows, i, every, env.derive("trees", i)) for i in range(rows.y.shape[1])
            ]
            wrong = self._left(rows, out, env)[out] - rows.y[out]
        return FittedBoosted(forests, rows.scaling, _variance(wrong, rows.shares[out]))

    def held_out(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, folds: Tensor, *,
        weights: Tensor | None = None, noise: Tensor | None = None,
        fitted: FittedSurrogate | None = None,
    ) -> Prediction:  # fmt: skip
        """Predictions by a third of the trees, each counting threefold, that did not see the fold.

        The variance is that of the other folds' errors. Where many categories are embedded, each
        fold has a fit of its own: an embedding knows the responses of its rows.
        """
        if has_embedding(problem.designs):
            return super().held_out(problem, pairs, env, folds, weights=weights, noise=noise)
        rows, folds = ScaledRows.of(problem, pairs, weights, noise), folds.cpu()
        mean, variance = torch.zeros_like(rows.y), torch.ones_like(rows.y)
        for fold in folds.unique():
            out = folds == fold
            mean[out] = self._left(rows, out, env)[out]
        for fold in folds.unique():
            out = folds == fold
            variance[out] = _variance((mean - rows.y)[~out], rows.shares[~out])
        y, device = rows.scaling.y, pairs.y.device
        spread = (variance * y.scale.cpu() ** 2).to(device)
        return Prediction(y.inverse(mean).to(device), spread)

    def _left(self, rows: ScaledRows, out: Tensor, env: FitEnvironment) -> Tensor:
        """Scaled means (N, Dy) at rows that are held out, of fewer trees; 0 at the others."""
        mean = torch.zeros_like(rows.y)
        for i in range(rows.y.shape[1]):
            if bool((rows.known(i) & ~out).any()):
                forest = self._grown(rows, i, ~out, env.derive("fewer trees", i), _FEWER)
                mean[out, i] = forest.total(rows.x[out])[:, 0]
        return mean

    def _grown(
        self, rows: ScaledRows, response: int, which: Tensor, seed: int, fewer: int = 1
    ) -> Forest:
        from sklearn.ensemble import GradientBoostingRegressor

        config, which = self.config, which & rows.known(response)
        count = int(which.sum())
        depth = config.depth or next((depth for most, depth in _DEPTHS if count <= most), 6)
        trees = max(1, config.trees // fewer)
        share = min(config.subsample, _DRAWN / count) if count > 4 else 1.0
        boosting = GradientBoostingRegressor(
            n_estimators=trees, learning_rate=min(1.0, config.rate * config.trees / trees),
            max_depth=depth, subsample=share, max_features=config.columns, init="zero",
            min_weight_fraction_leaf=min(0.5, _LEAST / (share * count)), random_state=seed % 2**32,
        )  # fmt: skip
        y, shares = rows.y[which, response].numpy(), rows.shares[which, response].numpy()
        middle = float(shares @ y / shares.sum())
        boosting.fit(rows.x[which].float().numpy(), y - middle, sample_weight=shares)
        return Forest.of(boosting).scaled(boosting.learning_rate, middle)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedBoosted:
        """The trees from their arrays."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        count = sum(name.endswith(".roots") for name in state)
        forests = [Forest(**substate(state, f"forest.{i}.")) for i in range(count)]
        return FittedBoosted(forests, scaling, state["variance"])


class FittedBoosted(FittedSurrogate):
    """Trees whose values add up, for each response.

    Args:
        forests: one a response.
        scaling: of features and responses.
        variance: (Dy,), in scaled units.
    """

    def __init__(self, forests: list[Forest], scaling: Scaling, variance: Tensor) -> None:
        self._forests, self._scaling, self._variance = forests, scaling, variance

    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """Sum of the trees' values, and how far they were off at rows that were held out."""
        features, y = inputs(self._scaling, x, context), self._scaling.y
        mean = torch.cat([forest.total(features) for forest in self._forests], dim=1)
        variance = (self._variance * y.scale.to(self._variance) ** 2).to(x.device)
        mean = y.inverse(mean).to(x.device)
        return Prediction(mean, variance.expand_as(mean))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Zeros (N, Dy, Dx): predictions are constant in pieces."""
        return torch.zeros(len(x), len(self._scaling.y.centre), x.shape[1]).double().to(x.device)

    def state(self) -> dict[str, Tensor]:
        """Arrays of the trees, the variance and the scaling."""
        state = prefixed("scaling.", self._scaling.state()) | {"variance": self._variance}
        for i, forest in enumerate(self._forests):
            state |= prefixed(f"forest.{i}.", forest.state())
        return state


def _variance(wrong: Tensor, shares: Tensor) -> Tensor:
    """Mean squares (Dy,) of errors (N, Dy), NaN where unknown; 1 where all are."""
    shares = torch.where(wrong.isnan(), 0.0, shares)
    total = shares.sum(dim=0)
    mean = (shares * wrong.nan_to_num(0.0).square()).sum(dim=0) / total.clamp(min=1e-12)
    return torch.where(total > 0, mean.clamp(min=1e-12), 1.0)

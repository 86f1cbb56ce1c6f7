"""The surrogate ``extra-trees``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, substate
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

_FEW = 8  # responses that get a forest each


class TreesConfig(Config):
    """Settings of the surrogate ``extra-trees``."""

    trees: int = Field(80, ge=2, description="Trees of a forest.")
    least_rows: int = Field(1, ge=1, description="Fewest rows in a leaf.")
    bootstrap: bool = Field(
        True, description="Whether each tree sees rows drawn with replacement, instead of all."
    )
    shared: bool = Field(
        True, description="Whether more than 8 responses, all of them known, share a forest."
    )
    presets = {"quick": {"trees": 40}}


class TreesSurrogate(SurrogateModel[TreesConfig]):
    """Extremely randomised trees on rows drawn anew for each; how sure it is: how trees differ.

    Features that jump, steps and many useless columns trouble it less than a smooth model. It
    knows no slopes: its predictions are constant in pieces, and its gradient is 0. ``weights``
    say how much rows count, and the more ``noise``, the less; ``groups`` make no difference.

    References:
        Geurts, Ernst, Wehenkel, Extremely randomized trees, Machine Learning 63, 2006,
        https://doi.org/10.1007/s10994-006-6226-1.

    Example:
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("step", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 40, dtype=torch.float64)[:, None]
        >>> y = (x > 0.5).double()
        >>> fitted = TreesSurrogate().fit(problem, Pairs(x, y), FitEnvironment())
        >>> fitted.predict(torch.tensor([[0.2], [0.8]])).mean.round(decimals=2).flatten().tolist()
        [0.0, 1.0]
    """

    Config = TreesConfig
    uses_context = True
    expected_failures = {"gradient": "predictions of trees are constant in pieces: slopes are 0"}

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedTrees:  # fmt: skip
        """Grow a forest for each response, or one for many."""
        rows = ScaledRows.of(problem, pairs, weights, noise)
        count = rows.y.shape[1]
        together = self.config.shared and count > _FEW and not bool(rows.y.isnan().any())
        parts = [slice(0, count)] if together else [slice(i, i + 1) for i in range(count)]
        with env.progress.stage("trees"):
            forests = [self._grown(rows, part, env.derive("forest", part.start)) for part in parts]
        return FittedTrees(forests, rows.scaling)

    def _grown(self, rows: ScaledRows, responses: slice, seed: int) -> Forest:
        from sklearn.ensemble import ExtraTreesRegressor

        config = self.config
        trees = ExtraTreesRegressor(
            config.trees, min_samples_leaf=config.least_rows, bootstrap=config.bootstrap,
            max_features=1.0, n_jobs=1, random_state=seed % 2**32,
        )  # fmt: skip
        known = rows.known(responses.start)
        y, shares = rows.y[known, responses], rows.shares[known, responses].mean(dim=1)
        y = y[:, 0] if y.shape[1] == 1 else y
        trees.fit(rows.x[known].float().numpy(), y.numpy(), sample_weight=shares.numpy())
        return Forest.of(trees)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedTrees:
        """The forests from their arrays."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        count = sum(name.endswith(".roots") for name in state)
        forests = [Forest(**substate(state, f"forest.{i}.")) for i in range(count)]
        return FittedTrees(forests, scaling)


class FittedTrees(FittedSurrogate):
    """Forests with their scaling."""

    def __init__(self, forests: list[Forest], scaling: Scaling) -> None:
        self._forests, self._scaling = forests, scaling

    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """Mean of the trees, and the variance between them."""
        features = inputs(self._scaling, x, context)
        parts = [forest.predict(features) for forest in self._forests]
        mean, variance = (torch.cat(each, dim=1) for each in zip(*parts, strict=True))
        y = self._scaling.y
        scale = y.scale.to(variance)
        return Prediction(y.inverse(mean).to(x.device), (variance * scale**2).to(x.device))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Zeros (N, Dy, Dx): predictions are constant in pieces."""
        return torch.zeros(len(x), len(self._scaling.y.centre), x.shape[1]).double().to(x.device)

    def state(self) -> dict[str, Tensor]:
        """Arrays of the forests, and the scaling."""
        state = prefixed("scaling.", self._scaling.state())
        for i, forest in enumerate(self._forests):
            state |= prefixed(f"forest.{i}.", forest.state())
        return state

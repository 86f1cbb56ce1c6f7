"""The surrogate ``linear``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, substate
from invcore.numerics import row_jacobian
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
from invcore_surrogates.ridge import Ridge
from invcore_surrogates.rows import ScaledRows, inputs, prefixed

_ROWS = 8192  # predicted at once
_TERMS = 500


class LinearConfig(Config):
    """Settings of the surrogate ``linear``."""

    quadratic: bool = Field(
        True, description="Whether there are squares of the features, and products of two, as long "
        "as all terms are fewer than a third of the rows, and 500."
    )  # fmt: skip


class LinearSurrogate(SurrogateModel[LinearConfig]):
    """Ridge regression on the features, their squares and products.

    The ridge of each response is found by generalised cross-validation. The variance of a
    prediction is that of the coefficients and of what the terms leave, of which nobody can tell how
    much is noise of measurements. ``weights`` say how much rows count, and the more
    ``noise``, the less; ``groups`` make no difference.

    References:
        Hoerl, Kennard, Ridge regression, Technometrics 12, 1970,
        https://doi.org/10.1080/00401706.1970.10488634.

    Example:
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("parabola", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 20, dtype=torch.float64)[:, None]
        >>> fitted = LinearSurrogate().fit(problem, Pairs(x, x**2), FitEnvironment())
        >>> fitted.predict(torch.tensor([[0.5]])).mean.round(decimals=4).tolist()
        [[0.25]]
    """

    Config = LinearConfig
    uses_context = True

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedLinear:  # fmt: skip
        """Solve for the coefficients."""
        rows = ScaledRows.of(problem, pairs, weights, noise)
        fewest = int((rows.shares > 0).sum(dim=0).min())
        degree = self._degree(rows.x.shape[1], fewest)
        terms, models = _terms(rows.x, degree), []
        responses = rows.groups_of_responses()
        for columns in responses:
            known = rows.known(int(columns[0]))
            y, shares = rows.y[known][:, columns], rows.shares[known, columns[0]]
            models.append(Ridge.fit(terms[known], y, shares))
        return FittedLinear(models, responses, degree, rows.scaling)

    def _degree(self, features: int, rows: int) -> int:
        """0: features alone; 1: squares as well; 2: products as well."""
        counts = 2 * features, features + features * (features + 1) // 2
        most = min(rows / 3, _TERMS)
        return sum(count < most for count in counts) if self.config.quadratic else 0

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedLinear:
        """The models from their coefficients."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        count = sum(name.startswith("responses.") for name in state)
        models = [Ridge(**substate(state, f"model.{i}.")) for i in range(count)]
        responses = [state[f"responses.{i}"] for i in range(count)]
        return FittedLinear(models, responses, int(state["degree"]), scaling)


class FittedLinear(FittedSurrogate):
    """Linear models with their scaling, each of some of the responses."""

    def __init__(
        self, models: list[Ridge], responses: list[Tensor], degree: int, scaling: Scaling
    ) -> None:
        self._models, self._responses, self._degree = models, responses, degree
        self._scaling = scaling
        self._order = torch.cat(responses).argsort()

    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """Linear combinations; variance of their coefficients and of what they leave."""
        means, variances = [], []
        for part in inputs(self._scaling, x, context).split(_ROWS):
            mean, variance = self._scaled(part)
            means.append(mean)
            variances.append(variance)
        y = self._scaling.y
        mean, variance = y.inverse(torch.cat(means)), torch.cat(variances)
        return Prediction(mean, variance * y.scale.to(variance) ** 2)

    def _scaled(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Means and variances of scaled responses, at features (M, F): two (M, Dy)."""
        terms = _terms(features, self._degree)
        parts = [model.to(terms.device).predict(terms) for model in self._models]
        order = self._order.to(terms.device)
        mean, variance = (torch.cat(each, dim=1)[:, order] for each in zip(*parts, strict=True))
        return mean, variance

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the linear combinations."""

        def mean(x: Tensor) -> Tensor:
            return self._scaling.y.inverse(self._scaled(inputs(self._scaling, x, context))[0])

        return row_jacobian(mean, x.double())

    def state(self) -> dict[str, Tensor]:
        """Coefficients and scaling."""
        state = prefixed("scaling.", self._scaling.state()) | {"degree": torch.tensor(self._degree)}
        for i, (model, columns) in enumerate(zip(self._models, self._responses, strict=True)):
            state |= prefixed(f"model.{i}.", model.state()) | {f"responses.{i}": columns}
        return state


def _terms(x: Tensor, degree: int) -> Tensor:
    """Features (N, F), with their squares and products (N, P)."""
    if degree == 0:
        return x
    first, second = torch.triu_indices(x.shape[1], x.shape[1], device=x.device)
    if degree == 1:
        first, second = (each[first == second] for each in (first, second))
    return torch.cat([x, x[:, first] * x[:, second]], dim=1)

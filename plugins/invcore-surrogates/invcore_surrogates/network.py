"""The surrogate ``network``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, Surrogate, SurrogateConfig, fit_surrogate, substate
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

_ROWS = 65536  # predicted at once


class NetworkSurrogateConfig(Config):
    """Settings of the surrogate ``network``."""

    held_out: float = Field(
        0.2, gt=0, lt=1, description="Share of the rows that choose the checkpoint, and tell how "
        "far predictions are off."
    )  # fmt: skip
    surrogate: SurrogateConfig = SurrogateConfig()
    presets = {"quick": {"surrogate": {"training": {"epochs": 60}}}}


class NetworkSurrogate(SurrogateModel[NetworkSurrogateConfig]):
    """A network; how far it is off is the same everywhere, as measured at rows that were held out.

    Rows count by ``weights``, and by the inverse of ``noise`` beside what responses vary; rows of
    one of the ``groups`` are held out together.

    Example:
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("line", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 64, dtype=torch.float64)[:, None]
        >>> fitted = NetworkSurrogate().fit(problem, Pairs(x, 3 * x), FitEnvironment())
        >>> bool((fitted.predict(x).mean - 3 * x).abs().max() < 0.2)
        True
    """

    Config = NetworkSurrogateConfig
    uses_context = True

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedNetwork:  # fmt: skip
        """Train on most rows, choose by the others.

        Raises:
            DataError: fewer than four rows, or groups.
        """
        held = self._held_out(len(pairs), groups, env)
        train, val = pairs[~held], pairs[held]
        scaling = Scaling.fit(problem.designs, train)
        shares = torch.ones_like(pairs.y) if weights is None else weights[:, None]
        if noise is not None:
            shares = shares / (1.0 + noise / scaling.y.scale**2)
        shares = shares.expand_as(pairs.y)
        plain = weights is None and noise is None
        network, _ = fit_surrogate(
            self.config.surrogate, scaling, train, val, env,
            weights=None if plain else (shares[~held], shares[held]),
        )  # fmt: skip
        predicted = network.predict(val.x, val.context)
        share = torch.where(val.y.isnan(), 0.0, shares[held])
        wrong = (predicted - val.y).square().nan_to_num(0.0)
        variance = (share * wrong).sum(dim=0) / share.sum(dim=0)
        floor = (1e-6 * scaling.y.scale) ** 2
        return FittedNetwork(network, torch.fmax(variance.nan_to_num(1.0), floor))

    def _held_out(self, count: int, groups: Tensor | None, env: FitEnvironment) -> Tensor:
        """Which rows (N,) are held out, bool."""
        group = torch.arange(count) if groups is None else groups.unique(return_inverse=True)[1]
        several = int(group.max()) + 1 if count else 0
        if several < 4:
            raise DataError(f"a network needs four rows, or groups of rows, to learn from: {count}")
        order = torch.randperm(several, generator=env.generator("held-out"))
        most = max(1, round(self.config.held_out * several))
        return torch.isin(group, order[:most])

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedNetwork:
        """Rebuild the network from its weights."""
        weights = substate(state, "network.")
        network = Surrogate.restore(self.config.surrogate, problem.designs, weights)
        return FittedNetwork(network, state["variance"])


class FittedNetwork(FittedSurrogate):
    """A trained network, and how far it was off at rows that it did not see."""

    def __init__(self, network: Surrogate, variance: Tensor) -> None:
        self._network, self._variance = network, variance

    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """The network's responses."""
        parts = []
        for start in range(0, max(1, len(x)), _ROWS):
            rows = slice(start, start + _ROWS)
            part = context and {name: value[rows] for name, value in context.items()}
            parts.append(self._network.predict(x[rows], part))
        mean = torch.cat(parts)
        return Prediction(mean, self._variance.to(mean).expand_as(mean))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the network."""
        return self._network.gradient(x, context)

    def state(self) -> dict[str, Tensor]:
        """Weights, scaling and variance."""
        state = {f"network.{name}": value for name, value in self._network.state().items()}
        state = {name: value.detach().contiguous() for name, value in state.items()}
        return state | {"variance": self._variance}

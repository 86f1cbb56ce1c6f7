"""The neural adjoint: gradient search on a frozen forward network."""

from __future__ import annotations

from torch import Tensor

from invcore import (
    Candidates,
    FitContext,
    InverseMethod,
    InverseModel,
    Pairs,
    Problem,
    Scaling,
    Simulator,
    Surrogate,
    Targets,
    Trust,
    fit_surrogate,
    localised_candidates,
    substate,
)
from invcore_na.config import NeuralAdjointConfig


class NeuralAdjoint(InverseMethod[NeuralAdjointConfig]):
    """Train a forward network, freeze it, and search designs from many starts by its gradient.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, section 3.

    Example:
        >>> import invcore
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore.fit(x, y, method="na", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = NeuralAdjointConfig

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, context: FitContext
    ) -> NeuralAdjointModel:
        """Train the forward network on pairs, in scaled units."""
        scaling = Scaling.fit(problem.designs, train)
        surrogate, _ = fit_surrogate(self.config.surrogate, scaling, train, val, context)
        trust = Trust.fit(
            surrogate, scaling.pairs(train).to(context.device), context.generator("trust")
        )
        return NeuralAdjointModel(problem, surrogate, trust, self.config)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> NeuralAdjointModel:
        """Rebuild the model from its tensors."""
        weights, trust = substate(state, "surrogate."), substate(state, "trust.")
        surrogate = Surrogate.restore(self.config.surrogate, problem.designs, weights)
        return NeuralAdjointModel(problem, surrogate, Trust.restore(trust), self.config)


class NeuralAdjointModel(InverseModel):
    """A frozen forward network, and the search on it."""

    ranked = True

    def __init__(
        self, problem: Problem, surrogate: Surrogate, trust: Trust, config: NeuralAdjointConfig
    ) -> None:
        self._problem, self._surrogate = problem, surrogate
        self._trust, self._config = trust, config
        self.point_dim = problem.designs.dim

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Search from one start for each point, and sort by the network's own error."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        scaling, config = self._surrogate.scaling, self._config
        device = self._surrogate.device
        return localised_candidates(
            self._surrogate,
            scaling.encode(self._starts(points)).to(device),
            scaling.y(targets.y.double()).float().to(device),
            scaling,
            config.localisation,
            self._trust,
            boxed=config.boundary,
        )

    def _starts(self, points: Tensor) -> Tensor:
        """(B, K, L) in the unit cube to designs (B, K, Dx)."""
        designs = self._surrogate.scaling.designs
        if self._config.designed_start:
            return designs.from_unit(points)
        return designs.low + points * (designs.high - designs.low)

    def state(self) -> dict[str, Tensor]:
        """The network's weights, its scaling, and the trust in it."""
        weights = {f"surrogate.{k}": v for k, v in self._surrogate.state().items()}
        return weights | {f"trust.{k}": v for k, v in self._trust.state().items()}

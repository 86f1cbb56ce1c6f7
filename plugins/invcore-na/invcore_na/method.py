"""The neural adjoint: gradient search on a frozen forward network."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, Surrogate, fit_surrogate, substate
from invcore.numerics import scattered
from invcore.plugin import (
    SILENT,
    Answers,
    Candidates,
    ConfigError,
    Context,
    DataError,
    Files,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Pairs,
    Problem,
    Simulator,
    Targets,
)
from invcore.search import Aim, Anchors, Trust, localised_candidates
from invcore_na.config import NeuralAdjointConfig

_PIECE = 4096  # designs that the network sees at once: a processor's cache holds no more


class NeuralAdjoint(InverseMethod[NeuralAdjointConfig]):
    """Train a forward network, freeze it, and search designs from many starts by its gradient.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, section 3.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="na", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = NeuralAdjointConfig
    answers = Answers.INTERVALS
    uses_context = True
    uses_partial = True

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> NeuralAdjointModel:
        """Train the forward network on pairs, in scaled units.

        Raises:
            ConfigError: known designs as starts, where what is known of each problem differs.
            DataError: no pair has all responses.
        """
        if self.config.start == "known" and train.context:
            raise ConfigError("start: known designs are answers to other problems; use 'prior'")
        scaling = Scaling.fit(problem.designs, train)
        surrogate, _ = fit_surrogate(self.config.surrogate, scaling, train, val, env)
        whole = train.whole()
        if not len(whole):
            raise DataError("no pair has all responses: nothing tells how good the network is")
        known, held = (scaling.pairs(part).to(env.device) for part in (whole, val))
        trust = Trust.fit(surrogate, known, env.generator("trust"), held)
        return NeuralAdjointModel(problem, surrogate, trust, self.config)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> NeuralAdjointModel:
        """Rebuild the model from its tensors."""
        weights, trust = substate(state, "surrogate."), substate(state, "trust.")
        surrogate = Surrogate.restore(self.config.surrogate, problem.designs, weights)
        return NeuralAdjointModel(problem, surrogate, Trust.restore(trust), self.config)


class NeuralAdjointModel(InverseModel):
    """A frozen forward network, and the search on it."""

    answers = Answers.INTERVALS
    ranked = True

    def __init__(
        self, problem: Problem, surrogate: Surrogate, trust: Trust, config: NeuralAdjointConfig
    ) -> None:
        self._problem, self._surrogate = problem, surrogate
        self._trust, self._config = trust, config
        # Known designs are in a row, of which a point picks one
        self.point_dim = 1 if self._from_known else problem.designs.dim

    @property
    def _from_known(self) -> bool:
        start, scaling = self._config.start, self._surrogate.scaling
        images = scaling.designs.grid is not None and not scaling.columns
        return start == "known" or (start == "auto" and images)

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Search from one start for each point, and sort by the network's own error."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        scaling, config = self._surrogate.scaling, self._config
        device = self._surrogate.device
        aim = Aim.of(targets, scaling, self._trust.error, device)
        context, anchors = scaling.context_features(targets.context, len(targets)), None
        if self._from_known:
            anchors = self._trust.anchors(aim, points, config.localisation.nearest)
        if anchors is not None:
            starts = anchors.features
        else:
            starts = self._starts(points, aim, context.to(device))
            if not aim.exact and not scaling.columns:
                anchors = self._near_known(aim, starts, points)
                starts = anchors.features
        return localised_candidates(
            self._surrogate,
            starts,
            aim,
            scaling,
            config.localisation,
            self._trust,
            boxed=config.boundary,
            anchors=anchors,
        )

    @torch.no_grad()
    def _starts(self, points: Tensor, aim: Aim, context: Tensor) -> Tensor:
        """From each point, several starts of the prior; the features of the most promising one.

        Short ways to the solutions keep the candidates nearer to the posterior than the long ones
        of starts that know nothing of the target.

        Args:
            points: (B, K, L), in the unit cube.
            aim: at B targets.
            context: (B, C), the problems' context features, scaled.

        Returns:
            (B, K, F + C).
        """
        context = context[:, None].expand(-1, points.shape[1], -1)
        best = torch.cat([self._encoded(points), context], dim=2)
        error = self._error(best, aim)
        flat = points.flatten(0, 1)
        for attempt in range(1, self._config.tries):
            trial = scattered(flat, attempt, attempt + 1)[0].view_as(points)
            other = torch.cat([self._encoded(trial), context], dim=2)
            trial_error = self._error(other, aim)
            best = torch.where((trial_error < error)[..., None], other, best)
            error = torch.minimum(trial_error, error)
        return best

    def _near_known(self, aim: Aim, starts: Tensor, points: Tensor) -> Anchors:
        """Starts (B, K, F) that are near known designs where no known pair meets an aim."""
        tries, share = self._config.tries, self._config.localisation.nearest
        which = scattered(points.flatten(0, 1), tries, tries + 1)[0, :, :1]
        which = which.view(*points.shape[:2], 1)
        return self._trust.anchors_of_unmet(aim, starts, which, share)

    def _error(self, features: Tensor, aim: Aim) -> Tensor:
        flat = features.flatten(0, 1).split(_PIECE)
        predicted = torch.cat([self._surrogate(part) for part in flat]).view(
            *features.shape[:2], -1
        )
        return aim.beside().residual(predicted).square().mean(dim=2)

    def _encoded(self, points: Tensor) -> Tensor:
        """Points (B, K, L) as features (B, K, F) of designs."""
        scaling = self._surrogate.scaling
        if self._config.start == "box":
            low, high = scaling.designs.low, scaling.designs.high
            designs = low + points * (high - low)
        else:
            designs = scaling.designs.from_unit(points)
        return scaling.encode(designs).to(self._surrogate.device)

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the forward network."""
        return self._surrogate.gradient(designs, context)

    def state(self) -> dict[str, Tensor]:
        """The network's weights, its scaling, and the trust in it."""
        weights = {f"surrogate.{k}": v for k, v in self._surrogate.state().items()}
        return weights | {f"trust.{k}": v for k, v in self._trust.state().items()}

"""Specifications for every model: what it does not take is made into such as it takes.

Goals become levels a little beyond the best known pairs, and for models that take exact responses
alone, intervals become responses drawn from a density over them, one a candidate.
"""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.base.errors import UnfitError
from invcore.base.types import Context
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.method import Answers, InverseModel
from invcore.contracts.problem import GOALS, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import repeated
from invcore.learning.response_density import ResponseDensity
from invcore.pipeline.levels import levels
from invcore.pipeline.levels import point_dim as level_point_dim

MARGIN = 0.03
"""How far drawn responses stay away from an interval's ends, in standard deviations: about as far
as candidates are from what was asked for."""
PREFIX = "responses."
"""Before the names of a density's tensors, where they are stored beside a model's."""


def specified(
    model: InverseModel, targets: Targets, density: ResponseDensity | None
) -> InverseModel:
    """A model that answers such targets: itself, where they are exact.

    Args:
        model: fitted.
        targets: that it will be asked for, or among which they will be.
        density: over the responses of its training pairs.

    Raises:
        UnfitError: there is no density, and the model does not take these targets as they are.
    """
    if targets.exact:
        return model
    if density is not None:
        return Specified(model, targets, density)
    goals = targets.has_goals and Answers.GOALS not in model.answers
    if goals or Answers.INTERVALS not in model.answers:
        raise UnfitError(
            "targets are intervals or goals, and of the model's training responses nothing is "
            "known: fit it again, or ask for exact responses"
        )
    return model


class Specified(InverseModel):
    """A model that is asked for specifications, and answers them by what it takes itself.

    Args:
        model: fitted.
        targets: that it will be asked for, or among which they will be.
        density: over the responses of its training pairs.
    """

    answers = Answers.INTERVALS | Answers.GOALS

    def __init__(self, model: InverseModel, targets: Targets, density: ResponseDensity) -> None:
        self._model, self._density = model, density
        self._goals = targets.has_goals and Answers.GOALS not in model.answers
        self._draws = Answers.INTERVALS not in model.answers
        self._sizes = [
            model.point_dim, level_point_dim(targets) if self._goals else 0,
            density.point_dim if self._draws else 0,
        ]  # fmt: skip
        self.point_dim = sum(self._sizes)
        self.ranked, self.joint = model.ranked, model.joint

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Candidates for each target, from levels and responses of their own."""
        self.check_sizes(targets, points, self._density.y.shape[1])
        wanted = targets.measured_in(self._density.spread)
        own, ways, draws = points.split(self._sizes, dim=2)
        if not self._goals and not self._draws:
            return self._model.propose(wanted, own, simulator=simulator, env=env)
        count, asked = points.shape[1], wanted
        if self._goals:
            asked = levels(wanted, ways, self._density, exact=self._draws)
            draws = draws.flatten(0, 1)[:, None]
        if self._draws:
            y = self._density.draw(asked, draws, MARGIN * self._density.spread)
            asked = self._exact(asked, y, repeated(wanted.context, count))
        part = None
        if simulator is not None:
            part = simulator.part(torch.arange(len(wanted)).repeat_interleave(count))
        found = self._model.propose(
            asked, own.flatten(0, 1)[:, None].contiguous(), simulator=part, env=env
        )
        x, predicted = found.x[:, 0].unflatten(0, (-1, count)), found.predicted
        if predicted is None:
            return Candidates(x)
        predicted = predicted[:, 0].unflatten(0, (-1, count))
        return _sorted(wanted, x, predicted) if self.ranked else Candidates(x, predicted)

    def _exact(self, asked: Targets, y: Tensor, context: Context | None) -> Targets:
        """Drawn responses (R, K, Dy) for R targets; those that may have any value stay open for a
        model that takes some responses alone, unless that leaves none.
        """
        wanted, y = asked.wanted.repeat_interleave(y.shape[1], dim=0), y.flatten(0, 1)
        left = ~wanted & wanted.any(dim=1, keepdim=True)
        if Answers.PARTIAL not in self._model.answers or not bool(left.any()):
            return Targets(y, context)
        low, high = (y.masked_fill(left, end) for end in (-torch.inf, torch.inf))
        goal = left.long() * GOALS.index("ignore")
        parts = torch.ones_like(y), torch.full_like(y, torch.nan)
        return Targets.of_parts(low, high, goal, *parts, context=context)

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor | None:
        """The model's."""
        return self._model.gradient(designs, context)

    def state(self) -> dict[str, Tensor]:
        """The model's tensors, and those of the density."""
        return state_with(self._model.state(), self._density)


def _sorted(targets: Targets, x: Tensor, predicted: Tensor) -> Candidates:
    """Best first, by what a model that ranks its candidates predicts."""
    value = targets.objective(predicted.detach().cpu().double()).nan_to_num(nan=torch.inf)
    order = value.argsort(dim=1, stable=True)[..., None]
    return Candidates(*(
        part.take_along_dim(order.to(part.device), dim=1) for part in (x, predicted)
    ))  # fmt: skip


def state_with(state: dict[str, Tensor], density: ResponseDensity | None) -> dict[str, Tensor]:
    """A model's tensors, and beside them those of a density, to be stored together."""
    if density is None:
        return state
    return state | {f"{PREFIX}{name}": value for name, value in density.state().items()}


def state_without(
    state: dict[str, Tensor],
) -> tuple[dict[str, Tensor], ResponseDensity | None]:
    """A model's own tensors, and the density that was stored beside them, if there was one."""
    own = {name: value for name, value in state.items() if not name.startswith(PREFIX)}
    rest = {n.removeprefix(PREFIX): v for n, v in state.items() if n.startswith(PREFIX)}
    return own, ResponseDensity.restore(rest) if rest else None

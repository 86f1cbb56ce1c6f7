"""What refinement goes for: targets as residuals, errors, and when one is reached."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.contracts.problem import GOALS, Targets
from invcore.search.aim import Aim

_INSIDE = 0.01  # spreads: how far inside an interval steps aim, so that they end in it
_MOST = 0.2  # of half of its width
_GOAL = 1.0  # spreads by which a step asks more of a goal
_GOAL_FACTOR = 0.05  # of a goal beside requirements, as for levels
_ZERO = 1e-14  # a violation, in units of its scale, squared, that is none


@dataclass(frozen=True)
class WantedResponses:
    """B targets, as steps of least squares see them.

    Residuals are differences from exact targets, or violations in units of ``Targets.scale``, each
    by the root of its weight. Steps aim a little inside of intervals: at their ends, half of the
    designs would be out by the model's error.

    Args:
        targets: as they are.
        inside: the same, whose intervals are a little narrower.
        variance: of the responses, mean over Dy.
        tolerance: of it: a smaller error of an exact target is none.
    """

    targets: Targets
    inside: Targets
    variance: float
    tolerance: float

    @classmethod
    def of(cls, targets: Targets, variance: float, tolerance: float) -> WantedResponses:
        """For targets that are measured in the responses' spread."""
        inside = targets.narrowed(_INSIDE * targets.spread.to(targets.low), _MOST)
        return cls(targets, inside, variance, tolerance)

    @property
    def counts(self) -> Tensor:
        """Which responses (B, Dy) a target speaks of: bool. Others may be unknown."""
        return self.targets.wanted | (self.targets.goals(torch.ones_like(self.targets.low)) != 0)

    @property
    def scale(self) -> Tensor:
        """The responses' units (B, Dy) in residuals."""
        if self.targets.exact:
            return torch.full_like(self.targets.low, max(self.variance, 1e-300) ** 0.5)
        return self.targets.scale.to(self.targets.low)

    def error(self, y: Tensor, rows: Tensor, *, inside: bool = True) -> Tensor:
        """What is to be small (n,) of responses (n, Dy): ``Targets.objective``; infinite where it
        is not known.
        """
        own = self.inside if inside else self.targets
        return own[rows].objective(y[:, None])[:, 0].nan_to_num(torch.inf, torch.inf)

    def reached(self, y: Tensor, rows: Tensor) -> Tensor:
        """Whether nothing is left to be done (n,); of targets with goals something always is."""
        own = self.targets[rows]
        error = own.error(y[:, None])[:, 0]
        if own.exact:
            return error <= self.tolerance * self.variance
        goals = (own.goals(torch.ones_like(own.low)) != 0).any(dim=1)
        return own.met(y[:, None])[:, 0] & (error <= _ZERO) & ~goals

    def aim(self, y: Tensor, rows: Tensor) -> Aim:
        """What a step from responses (n, Dy) aims at, in units of ``scale``.

        From where all is met, goals are levels, a bit better than what there is.
        """
        own, scale = self.inside[rows], self.scale[rows]
        if self.targets.exact:
            return Aim(own.low / scale, own.low / scale)
        low, high, weight = own.low, own.high, torch.where(own.wanted, own.weight, 0.0)
        met = (own.objective(y[:, None])[:, 0] < 0)[:, None]
        more = _GOAL * own.spread.to(y)
        for name, sign in (("minimise", -1.0), ("maximise", 1.0)):
            asked = met & (own.goal == GOALS.index(name))
            level = (y + sign * more).clamp(low, high)
            low = torch.where(asked, level if sign > 0 else low, low)
            high = torch.where(asked, level if sign < 0 else high, high)
            weight = torch.where(asked, _GOAL_FACTOR**2 * own.weight, weight)
        weight = weight / weight.mean(dim=1, keepdim=True).clamp(min=1e-300)
        return Aim(low / scale, high / scale, weight.sqrt())

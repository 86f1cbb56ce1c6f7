"""The judge: an ensemble of surrogates that says how far a prediction may be off, from held-out
rows. It stands in for a simulator where there is only a table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from invcore.learning import (
    Scaling,
    Surrogate,
    SurrogateConfig,
    TrainingConfig,
    fit_surrogate,
    substate,
)
from invcore.plugin import (
    Config,
    ConfigError,
    Field,
    FitEnvironment,
    FittedJudge,
    Space,
    Splits,
    Targets,
    Verdict,
)
from invcore_solve.judging.probability.scenarios import Scenarios
from invcore_solve.judging.probability.targets import chance

_ROWS = 65536


class JudgeConfig(Config):
    """How the judge is made."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"members": 3, "surrogate": {"training": {"epochs": 30}}}
    }
    members: int = Field(5, ge=2, description="Surrogates, each of which misses one fold.")
    coverage: float = Field(
        0.9, gt=0, lt=1, description="Share of held-out rows that the error must cover."
    )
    surrogate: SurrogateConfig = SurrogateConfig(
        training=TrainingConfig(epochs=100, average=0.99, patience=30)
    )


@dataclass(frozen=True)
class Judge(FittedJudge):
    """An ensemble, and how its spread translates to error.

    The members differ in weights and in the fold that they never saw. A row's error is its
    spread (with a floor) times a factor, the smallest for which the stated share of *held-out*
    rows is covered: split conformal prediction with normalised residuals. That holds for rows
    like those of the table; designs that a method searched for are not quite such rows, so take
    the error as a guide, not as a promise.

    References:
        Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, JASA 2018, https://arxiv.org/abs/1604.04173.

    Args:
        members: frozen surrogates with one scaling.
        floor: (Dy,), least spread, scaled.
        factor: (Dy,), error over spread.
        calibrated_on: how many held-out rows the factor rests on.
        residuals: (R, Dy), of those rows: response less prediction, over spread; None for a judge
            that was stored before there were such.
        coverage: the level that the factor is for.
    """

    members: tuple[Surrogate, ...]
    floor: Tensor
    factor: Tensor
    calibrated_on: int
    residuals: Tensor | None = None
    coverage: float = 0.9

    @classmethod
    def fit(cls, config: JudgeConfig, designs: Space, data: Splits, env: FitEnvironment) -> Judge:
        """Train the members on training rows, choose by validation rows, calibrate on test rows."""
        scaling = Scaling.fit(designs, data.train)
        fold = torch.randperm(len(data.train), generator=env.generator("folds"))
        fold = fold % config.members
        members = tuple(
            fit_surrogate(
                config.surrogate,
                scaling,
                data.train[(fold != i).nonzero()[:, 0]],
                data.val,
                env,
                label=f"judge {i + 1}/{config.members}",
            )[0]
            for i in range(config.members)
        )
        zero = torch.zeros(data.test.y.shape[1], dtype=torch.float64)
        raw = cls(members, zero, zero, len(data.test))
        on_val, _ = raw._scaled(data.val.x)
        floor = 0.1 * (on_val - scaling.y.deviation(data.val.y)).square().mean(0).sqrt() + 1e-9
        mean, spread = raw._scaled(data.test.x)
        residuals = (scaling.y.deviation(data.test.y) - mean) / (spread + floor)
        factor = _factor(residuals, config.coverage)
        return cls(members, floor, factor, len(data.test), residuals, config.coverage)

    def __call__(self, designs: Tensor) -> Verdict:
        """Judge designs (N, Dx) at the level that was asked for when the judge was fitted."""
        return self.predict(designs, self.coverage)

    def predict(self, x: Tensor, level: float = 0.9) -> Verdict:
        """The members' mean, and the error that covers held-out rows at a level.

        Raises:
            ConfigError: a level between 0 and 1 is expected; an old judge has one level alone.
        """
        if not 0 < level < 1:
            raise ConfigError(f"level: expected a number between 0 and 1, got {level}")
        factor = self.factor if level == self.coverage else _factor(self._residuals, level)
        mean, spread = self._scaled(x)
        y = self.members[0].scaling.y
        error = (spread + self.floor) * factor * y.scale.to(mean)
        return Verdict(y.inverse(mean), error)

    def scenarios(self, x: Tensor) -> Scenarios:
        """What true responses of designs (N, Dx) may be, by the errors of held-out rows."""
        residuals, y = self._residuals.numpy(), self.members[0].scaling.y
        mean, spread = self._scaled(x)
        scale = (spread + self.floor) * y.scale.to(mean)
        even = np.full(len(residuals), 1 / len(residuals))
        return Scenarios(y.inverse(mean).numpy(), scale.numpy(), residuals, even)

    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """The share of held-out rows whose errors, at a design, would meet its target.

        A row's errors of all responses count together, so that it is joint over responses.
        """
        return chance(self.scenarios(x.flatten(0, 1)), targets, x.shape[1])

    @property
    def _residuals(self) -> Tensor:
        if self.residuals is None:
            raise ConfigError(
                f"this judge was stored by an earlier version, for the level {self.coverage} alone"
            )
        return self.residuals

    def _scaled(self, designs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and spread of the members, scaled: two (N, Dy)."""
        scaling = self.members[0].scaling
        parts = []
        for rows in scaling.encode(designs).split(_ROWS):
            features = rows.to(self.members[0].device)
            with torch.no_grad():
                each = torch.stack([member(features) for member in self.members]).cpu().double()
            each = scaling.y.kept(each)
            parts.append((each.mean(dim=0), each.std(dim=0)))
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        state = {"floor": self.floor, "factor": self.factor}
        state["calibrated_on"] = torch.tensor(self.calibrated_on)
        if self.residuals is not None:
            state["residuals"] = self.residuals
        for i, member in enumerate(self.members):
            state |= {f"{i}.{name}": value for name, value in member.state().items()}
        return state

    @classmethod
    def restore(cls, config: JudgeConfig, designs: Space, state: dict[str, Tensor]) -> Judge:
        """The judge that ``state`` came from."""
        members = tuple(
            Surrogate.restore(config.surrogate, designs, substate(state, f"{i}."))
            for i in range(config.members)
        )
        return cls(
            members, state["floor"], state["factor"], int(state["calibrated_on"]),
            state.get("residuals"), config.coverage,
        )  # fmt: skip


def _factor(residuals: Tensor, level: float) -> Tensor:
    """Error over spread (Dy,): the smallest that covers the share ``level`` of held-out rows."""
    rank = math.ceil((len(residuals) + 1) * level)  # finite-sample correction
    return residuals.abs().sort(dim=0).values[min(rank, len(residuals)) - 1]

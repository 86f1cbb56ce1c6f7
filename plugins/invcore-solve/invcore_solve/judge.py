"""The judge: an ensemble of surrogates that says how far a prediction may be off, from held-out
rows. It stands in for a simulator where there is only a table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
from invcore.plugin import Config, Field, FitEnvironment, Space, Splits

_ROWS = 65536


class JudgeConfig(Config):
    """How the judge is made."""

    members: int = Field(5, ge=2, description="Surrogates, each of which misses one fold.")
    coverage: float = Field(
        0.9, gt=0, lt=1, description="Share of held-out rows that the error must cover."
    )
    surrogate: SurrogateConfig = SurrogateConfig(
        training=TrainingConfig(epochs=100, average=0.99, patience=30)
    )


@dataclass(frozen=True)
class Verdict:
    """What the judge says of designs.

    Args:
        response: (N, Dy), in the responses' own units.
        error: (N, Dy), half-width that covers the held-out rows' differences at the stated rate.
    """

    response: Tensor
    error: Tensor


@dataclass(frozen=True)
class Judge:
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
    """

    members: tuple[Surrogate, ...]
    floor: Tensor
    factor: Tensor
    calibrated_on: int

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
        ratio = (mean - scaling.y.deviation(data.test.y)).abs() / (spread + floor)
        rank = math.ceil((len(ratio) + 1) * config.coverage)  # finite-sample correction
        factor = ratio.sort(dim=0).values[min(rank, len(ratio)) - 1]
        return cls(members, floor, factor, len(data.test))

    def __call__(self, designs: Tensor) -> Verdict:
        """Judge designs (N, Dx)."""
        mean, spread = self._scaled(designs)
        y = self.members[0].scaling.y
        error = (spread + self.floor) * self.factor * y.scale.to(mean)
        return Verdict(y.inverse(mean), error)

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
        return cls(members, state["floor"], state["factor"], int(state["calibrated_on"]))

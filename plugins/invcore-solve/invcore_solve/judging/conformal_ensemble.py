"""The judge ``conformal-ensemble``: the component that others can replace."""

from __future__ import annotations

from torch import Tensor

from invcore.plugin import FitEnvironment, Judge, Problem, Splits
from invcore_solve.judging.ensemble import Judge as Ensemble
from invcore_solve.judging.ensemble import JudgeConfig


class ConformalEnsemble(Judge[JudgeConfig]):
    """An ensemble of networks whose spread is calibrated on held-out rows.

    References:
        Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, JASA 2018, https://arxiv.org/abs/1604.04173.
    """

    Config = JudgeConfig

    def fit(self, problem: Problem, data: Splits, env: FitEnvironment) -> Ensemble:
        """Train the members, and calibrate their spread."""
        return Ensemble.fit(self.config, problem.designs, data, env)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> Ensemble:
        """The ensemble that ``state`` came from."""
        return Ensemble.restore(self.config, problem.designs, state)

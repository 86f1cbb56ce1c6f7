"""How many of a target's separate solutions the candidates find."""

from typing import Any

import torch
from torch import Tensor

from invcore.plugin import (
    BudgetError,
    Config,
    Estimate,
    Evaluation,
    Field,
    Metric,
    Task,
    UnfitError,
)
from invcore.results import bootstrap
from invcore_metrics.prior_scale import has_prior, response_scale


class ModeRecallConfig(Config):
    """Settings of ``mode-recall``."""

    targets: int = Field(100, ge=1, description="How many targets, the first ones, to judge by.")
    tolerance: float = Field(
        1e-4,
        gt=0,
        description="The error up to which a candidate finds its mode, each response in units of "
        "its variance over the prior.",
    )


class ModeRecall(Metric[ModeRecallConfig]):
    """The share of a target's modes that at least one good candidate belongs to.

    What a mode is, the task says: see ``Task.modes``. Only for tasks that know them.
    """

    Config = ModeRecallConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """The mean over targets that have modes, and the modes' mean number."""
        evaluation.need_exact()
        task = evaluation.task
        if task is None or not has_prior(task):
            return []
        first = slice(self.config.targets)
        try:
            modes = task.modes(evaluation.targets[first], evaluation.candidates[first])
        except BudgetError:
            raise UnfitError(
                "to find all modes takes more simulator calls than metrics may make"
            ) from None
        if modes is None or not bool((modes.count > 0).any()):
            return []
        good = self._errors(evaluation, task, first) <= self.config.tolerance  # NaN is not
        label = torch.where(good, modes.label, -1).cpu()  # (B, K)
        count = modes.count.cpu()
        hit = torch.zeros(len(count), int(count.max()) + 1, dtype=torch.bool)
        hit.scatter_(1, label + 1, True)  # place 0 is for those of no mode
        share = hit[:, 1:].sum(dim=1) / count  # NaN where a target has none
        recall = bootstrap(share, evaluation.generator("mode-recall"))
        mean = float(count[count > 0].double().mean())
        return [
            Estimate("mode-recall", *recall, better="higher"),
            Estimate("modes", mean, better=""),
        ]

    def _errors(self, evaluation: Evaluation, task: Task[Any], rows: slice) -> Tensor:
        """(B, K), in units of the responses' variance."""
        scale = response_scale(evaluation, task).to(evaluation.targets.device)
        away = (evaluation.resimulated[rows] - evaluation.targets[rows, None]) / scale
        return away.square().mean(dim=2)

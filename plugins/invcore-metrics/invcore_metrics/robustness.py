"""What becomes of candidates when they are made with tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.plugin import (
    Config,
    Estimate,
    Evaluation,
    Field,
    MadeDesigns,
    Metric,
    Targets,
    Task,
    Tolerances,
    UnfitError,
)
from invcore.results import bootstrap, worst_mean

_FEWEST = 32  # made copies that say something of a yield
_FEWEST_TARGETS = 5


class RobustnessConfig(Config):
    """Settings of ``robustness``."""

    tolerances: tuple[str, ...] = Field(
        (), description="How far made designs are off, as width=±0.01; empty: as the task says."
    )
    targets: int = Field(100, ge=1, description="How many targets, the first ones, to judge by.")
    T: int = Field(10, ge=1, description="Candidates among which the most robust is looked for.")
    copies: int = Field(256, ge=_FEWEST, description="Made copies of each design.")
    within: float = Field(
        0.01,
        gt=0,
        description="How near an exact target must be met, in standard deviations of the response.",
    )


class Robustness(Metric[RobustnessConfig]):
    """The yield: the share of made designs that still meet the target.

    Of the candidate with the smallest error, and of the one with the largest yield among the ``T``
    with the smallest errors. That one is chosen by copies of its own, apart from those that tell
    its yield. Each copy is a simulator call, so that there are fewer copies and fewer targets where
    the simulator may not be called freely.
    """

    Config = RobustnessConfig

    def applies(self, task: Task[Any]) -> bool:
        """Where there are tolerances, of the settings or of the task."""
        return bool(self.config.tolerances or task.tolerances)

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Mean yields over targets, and the mean error of the worst of what is made."""
        task = evaluation.task
        if task is None or not self.applies(task):
            return []
        texts = self.config.tolerances or [f"{name}={v}" for name, v in task.tolerances.items()]
        tolerances = Tolerances.of_texts(texts, task.designs, task.responses)
        errors = evaluation.counted.double().cpu()
        best = errors.topk(min(self.config.T, errors.shape[1]), dim=1, largest=False).indices
        plan = self._plan(evaluation, len(errors), best.shape[1])
        best = best[: plan.targets, : plan.candidates]
        x = evaluation.candidates.double().cpu()[: plan.targets]
        x = x.gather(1, best[..., None].expand(-1, -1, x.shape[2]))  # (B, T, Dx)
        copies = [self._made(evaluation, tolerances, task, plan.copies, k) for k in (0, 1)]
        met, off = self._simulated(evaluation, task, copies[0], x[:, :1])
        first = met[:, 0].double().mean(dim=1)
        random = evaluation.generator("robustness")
        numbers = [
            Estimate("yield", *bootstrap(first, random), better="higher", T=1),
            Estimate("worst-error", *bootstrap(worst_mean(off[:, 0]), random)),
        ]
        if plan.candidates > 1:
            rest, _ = self._simulated(evaluation, task, copies[0], x[:, 1:])
            shares = torch.cat([met, rest], dim=1).double().mean(dim=2)  # (B, T)
            chosen = shares.argmax(dim=1)[:, None, None].expand(-1, 1, x.shape[2])
            again, _ = self._simulated(evaluation, task, copies[1], x.gather(1, chosen))
            most = again[:, 0].double().mean(dim=1)
            value = bootstrap(most, random)
            numbers.insert(1, Estimate("yield", *value, better="higher", T=plan.candidates))
        return numbers

    def _plan(self, evaluation: Evaluation, targets: int, candidates: int) -> _Plan:
        """As much as calls allow: first fewer copies, then fewer targets, then one candidate."""
        config, left = self.config, evaluation.calls_left()
        wanted = min(config.targets, targets)
        if left is None:
            return _Plan(wanted, candidates, config.copies)
        for few in (candidates, 1):
            each = few + (few > 1)  # designs of a target, whose copies are simulated
            for number in (wanted, min(wanted, _FEWEST_TARGETS)):
                copies = left // (each * number)
                if copies >= _FEWEST:
                    return _Plan(number, few, min(copies, config.copies))
        raise UnfitError(
            f"the task's simulator may not be called freely, and the {left} calls that metrics may "
            f"make are too few for {_FEWEST} made copies of {min(wanted, _FEWEST_TARGETS)} designs"
        )

    def _made(
        self, evaluation: Evaluation, tolerances: Tolerances, task: Task[Any], count: int, part: int
    ) -> MadeDesigns:
        seed = evaluation.generator("robustness", part).initial_seed()
        return MadeDesigns.draw(tolerances, task.designs, task.responses, count, seed=seed)

    def _simulated(
        self, evaluation: Evaluation, task: Task[Any], made: MadeDesigns, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Which copies of designs (B, T, Dx) meet their targets, and their errors: (B, T, S)."""
        copies = made.of(x)
        flat = copies.flatten(0, 2)
        context = evaluation.context and {
            name: value[: len(x)].repeat_interleave(copies.shape[1] * copies.shape[2], dim=0)
            for name, value in evaluation.context.items()
        }
        simulate = getattr(task.simulate, "as_made", task.simulate)
        y = made.measured(simulate(flat, context).double().cpu().view(*copies.shape[:3], -1))
        targets = self._targets(evaluation, len(x))
        exact = evaluation.specification is None
        errors = Targets(targets.low).error(y) if exact else targets.error(y)
        worst = evaluation.worst[: len(x)].double().cpu()[:, None, None]
        return targets.met(y), torch.where(errors.isfinite(), errors, worst)

    def _targets(self, evaluation: Evaluation, count: int) -> Targets:
        """The specifications; or exact targets, met within a share of the responses' deviation."""
        if evaluation.specification is not None:
            return evaluation.specification[:count].to(torch.device("cpu"))
        y = evaluation.targets[:count].double().cpu()
        variance = evaluation.variance
        if variance is None:
            variance = evaluation.targets.double().var(dim=0, correction=0)
        spread = variance.double().cpu().sqrt()
        within = self.config.within * torch.where(spread > 0, spread, 1.0)
        parts = (y, y, torch.zeros_like(y, dtype=torch.long), torch.ones_like(y))
        return Targets.of_parts(*parts, within.expand_as(y).clone())


@dataclass(frozen=True)
class _Plan:
    """How many targets, candidates of each, and copies of those."""

    targets: int
    candidates: int
    copies: int

"""The share of problems on which a method ends below a reference method."""

from typing import Any

import torch
from torch import Tensor

from invcore.pipeline import build, check_fits
from invcore.plugin import (
    BudgetError,
    Config,
    ConfigError,
    Estimate,
    Evaluation,
    Field,
    FitEnvironment,
    InverseMethod,
    Metric,
    Needs,
    Pairs,
    Problem,
    Simulator,
    Targets,
    Task,
    UnfitError,
    installed,
)
from invcore.results import bootstrap, expected_best
from invcore_metrics.tensor_digest import digest

_DRAWN = 256  # responses that say how they scale


class BetterThanReferenceConfig(Config):
    """Settings of ``better-than-reference``."""

    reference: str = Field(
        "", description="The method to compare with; empty: the one that the task names, if any."
    )
    T: int = Field(1, ge=1, description="Candidates of the judged method that count.")
    tie: float = Field(
        0.01, ge=0, description="Errors that differ by less than this share of them are a tie."
    )
    solved: float = Field(
        1e-8,
        ge=0,
        description="Errors below this share of the responses' variance, or of that of the task's "
        "noise if it is larger, are a tie too: both have solved the problem.",
    )


class BetterThanReference(Metric[BetterThanReferenceConfig]):
    """How often, problem by problem, a method ends below one run of the reference, or level.

    The reference works on each problem alone, from one start that is drawn from the prior. It is
    run once for a task and its targets, with its default settings, and kept in the cache. Where the
    simulator may not be called freely, its calls are bounded, and may not suffice.

    References:
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119
    """

    Config = BetterThanReferenceConfig

    def applies(self, task: Task[Any]) -> bool:
        """Where a reference is named, by the task or in the settings."""
        return bool(self.config.reference or task.reference)

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Shares of problems: below the reference, and level with it."""
        evaluation.need_exact()
        task = evaluation.task
        if task is None or not self.applies(task):
            return []
        name = self.config.reference or task.reference
        try:
            reference = reference_errors(evaluation, task, name)
            responses = _prior_responses(evaluation, task)
        except BudgetError:
            raise UnfitError(
                f"the reference {name} needs more simulator calls than metrics may make"
            ) from None
        count = min(self.config.T, evaluation.errors.shape[1])
        # One without a response is no better than a reference that has none
        own = expected_best(evaluation.errors, [count], ranked=evaluation.ranked)[0].double().cpu()
        spread = responses.var(dim=0, unbiased=False).mean()
        solved = self.config.solved * max(float(spread), task.noise_floor)
        below, level = compared(own, reference, tie=self.config.tie, solved=solved)
        return [
            Estimate(
                "better-than-reference",
                *bootstrap(below.double(), evaluation.generator("below")),
                better="higher",
            ),
            Estimate(
                "level-with-reference",
                *bootstrap(level.double(), evaluation.generator("level")),
                better="",
            ),
        ]


def compared(
    own: Tensor, reference: Tensor, *, tie: float = 0.01, solved: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Which problems end below the reference, and which level with it.

    Args:
        own: errors (B,), infinite without a response.
        reference: those of the reference (B,).
        tie: errors that differ by less than this share of the smaller one are level.
        solved: errors below this are level.

    Returns:
        Two (B,), bool.

    Example:
        >>> own, reference = torch.tensor([1.0, 1.0, 2.0]), torch.tensor([2.0, 1.001, 1.0])
        >>> [part.tolist() for part in compared(own, reference)]
        [[True, False, False], [False, True, False]]
    """
    level = (own - reference).abs() <= tie * torch.minimum(own, reference)
    level |= torch.maximum(own, reference) <= solved
    level |= own.isinf() & reference.isinf()
    return (own < reference) & ~level, level


def reference_errors(evaluation: Evaluation, task: Task[Any], name: str) -> Tensor:
    """The errors (B,) of one candidate of a method that learns nothing; infinite where it fails.

    Raises:
        ConfigError: the method needs pairs to learn from, or gradients that the task has not, or
            does not use what is known of each problem.
        UnknownNameError: no such method is installed.
    """
    part = build(installed(), "method", name)
    method: InverseMethod[Any] = part.component
    if Needs.PAIRS in method.needs:
        raise ConfigError(
            f"better-than-reference: {name} learns from pairs; take another reference"
        )
    try:
        check_fits(name, method, differentiable=task.differentiable, contexts=task.context_shapes)
    except UnfitError as error:
        raise ConfigError(
            f"better-than-reference: {error}; take another reference, such as cma-es"
        ) from None
    targets = evaluation.targets.double().cpu()
    parts = [targets, *(value for _, value in sorted((evaluation.context or {}).items()))]
    key = {
        **_key(evaluation, task),
        "problems": [digest(part) for part in parts],
        "method": name,
        "settings": part.config,
        "version": part.entry.version,
        "scale": "prior",  # not to read what was kept when the targets gave it
    }

    def compute() -> dict[str, Tensor]:
        # It learns nothing from pairs but the responses' scale, whatever the targets are
        responses = _prior_responses(evaluation, task)
        middle = torch.full((len(responses), task.designs.dim), 0.5, dtype=torch.float64)
        pairs = Pairs(task.designs.from_unit(middle), responses)
        problem = Problem("reference", task.designs, task.responses, task.differentiable)
        model = method.fit(problem, pairs, pairs, FitEnvironment(evaluation.seed))
        shape = (len(targets), 1, model.point_dim)
        starts = torch.rand(shape, generator=evaluation.generator("reference"), dtype=torch.float64)
        simulator = Simulator(task)
        problems = Targets(targets, evaluation.context)
        x = model.propose(problems, starts.clamp(2.0**-33, 1 - 2.0**-33), simulator=simulator).x
        y = simulator(x[:, 0].double().cpu(), evaluation.context)
        error = (y - targets).square().mean(dim=1).nan_to_num(torch.inf, torch.inf)
        return {"errors": error, "calls": torch.tensor([simulator.calls])}

    return evaluation.cache.tensors("reference-run", key, compute)["errors"]


def _prior_responses(evaluation: Evaluation, task: Task[Any]) -> Tensor:
    """Responses (N, Dy) of designs drawn from the prior, kept in the cache."""

    def compute() -> dict[str, Tensor]:
        return {"y": task.pairs(_DRAWN, evaluation.generator("responses")).y.double().cpu()}

    return evaluation.cache.tensors("responses", _key(evaluation, task), compute)["y"]


def _key(evaluation: Evaluation, task: Task[Any]) -> dict[str, Any]:
    return {
        "task": f"{type(task).__module__}:{type(task).__qualname__}",
        "config": task.config.model_dump(mode="json"),
        "fingerprint": task.fingerprint,
        "seed": evaluation.seed,
    }

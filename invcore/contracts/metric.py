"""Metrics: numbers, with their intervals, that judge one run."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from invcore.base import seeding
from invcore.base.types import Context
from invcore.contracts.configurable import C, Configurable
from invcore.contracts.task import Task
from invcore.spaces.space import Space
from invcore.storage.cache import Cache

_CHUNK = 1 << 21  # numbers of designs in one chunk


@dataclass(frozen=True)
class Estimate:
    """One number with its interval.

    Args:
        name: of the quantity, for instance ``r_T``.
        value: NaN where it cannot be said.
        ci_low: lower end of the 95% interval; None where there is none.
        ci_high: upper end.
        unit: for people.
        better: which direction is good; empty where neither is.
        T: number of candidates, for quantities that depend on it.
    """

    name: str
    value: float
    ci_low: float | None = None
    ci_high: float | None = None
    unit: str = ""
    better: Literal["lower", "higher", ""] = "lower"
    T: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a metric sees of a run.

    Args:
        designs: space of x.
        targets: (B, Dy).
        candidates: (B, K, Dx).
        resimulated: (B, K, Dy), NaN where a candidate has no response.
        errors: (B, K), mean over Dy of the squared difference; NaN where there is no response.
        ranked: whether candidates come best first.
        predicted: (B, K, Dy), what the model expected, or None.
        timings: seconds by stage: ``fit_s``, ``propose_s``, ``simulate_s``.
        simulator_calls: rows simulated by the method and to judge it.
        parameters: numbers in the model's state.
        seed: for bootstraps.
        order: (B, K), the candidates' places, best first, by a surrogate that is the same for all
            methods; None where no re-ranking was asked for.
        truth: (B, Dx), the designs whose responses the targets are; None where not known.
        log_density: (B,), the model's log p(truth | target) in nats, for designs in their own
            units; None for methods without a density.
        task: for metrics that compare with its posterior; None where there is none.
        context: what is known of each target's problem; None for most tasks.
        cache: keeps what is costly and the same for many runs, such as reference samples.
    """

    designs: Space
    targets: Tensor
    candidates: Tensor
    resimulated: Tensor
    errors: Tensor
    ranked: bool = False
    predicted: Tensor | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    simulator_calls: int = 0
    parameters: int = 0
    seed: int = 0
    order: Tensor | None = None
    truth: Tensor | None = None
    log_density: Tensor | None = None
    task: Task[Any] | None = None
    context: Context | None = None
    cache: Cache = field(default_factory=Cache)

    def chunks(self) -> Iterator[slice]:
        """Targets a few at a time, for metrics that need memory for each candidate."""
        step = max(1, _CHUNK // max(1, self.candidates[0].numel()))
        for start in range(0, len(self.targets), step):
            yield slice(start, start + step)

    def generator(self, *names: object) -> torch.Generator:
        """A generator for one use within a metric."""
        return seeding.generator(self.seed, "metric", *names)


class Metric(Configurable[C]):
    """A judge of runs."""

    @abstractmethod
    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Compute the estimates; never writes into the evaluation's tensors."""

    def applies(self, task: Task[Any]) -> bool:
        """Whether it has something to say about runs on a task; the default is yes.

        A metric of one task alone says no to the others, and then is no part of their runs.
        """
        return True

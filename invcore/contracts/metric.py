"""Metrics: numbers, with their intervals, that judge one run."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from invcore.base import seeding
from invcore.base.errors import UnfitError
from invcore.base.types import Context
from invcore.configs.configurable import C, Configurable
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.call_record import History
from invcore.contracts.task import Task
from invcore.numerics.largest_difference import largest_squared_difference
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


class Known(NamedTuple):
    """What known responses reach of goals, all in the sense of ``Targets.goals``: small is good.

    Args:
        best: (B, Dy), the smallest among those that meet the target; NaN where none does.
        worst: (B, Dy), the largest of all.
    """

    best: Tensor
    worst: Tensor


@dataclass(frozen=True)
class Evaluation:
    """What a metric sees of a run.

    Args:
        designs: space of x.
        targets: (B, Dy), the responses that are wanted exactly; NaN where none is.
        candidates: (B, K, Dx).
        resimulated: (B, K, Dy), NaN where a candidate has no response.
        errors: (B, K), mean over Dy of the squared difference, or ``Targets.error`` of the
            specification; NaN where there is no response.
        ranked: whether candidates come best first.
        predicted: (B, K, Dy), what the model expected, or None.
        timings: seconds by stage: ``fit_s``, ``propose_s``, ``simulate_s``.
        simulator_calls: rows simulated by the method and to judge it.
        search_calls: those of them that the method made, and refinement.
        training_calls: rows simulated for the pairs that the method learnt from.
        parameters: numbers in the model's state.
        seed: for bootstraps.
        order: (B, K), the candidates' places, best first, by a surrogate that is the same for all
            methods; None where no re-ranking was asked for.
        truth: (B, Dx), the designs whose responses the targets are; None where not known.
        log_density: (B,), the model's log p(truth | target) in nats, for designs in their own
            units; None for methods without a density.
        penalty: (B,), what a candidate without a response counts as: the largest mean squared
            difference between the target and another response that the run has, see ``counted``.
        variance: (Dy,), of the responses that the run has.
        history: what simulator calls have brought each target; None where nothing was written.
        independent: whether the points behind a target's candidates are independent of each other;
            those of a space-filling sampler are not.
        draws: (B, S, Dx), further candidates, of independent points, where the others' are not.
        task: for metrics that compare with its posterior; None where there is none. Simulations by
            it are counted, and bounded where the task's simulator may not be called freely.
        context: what is known of each target's problem; None for most tasks.
        cache: keeps what is costly and the same for many runs, such as reference samples.
        calls_left: how many rows metrics may still simulate; None for any number.
        responses: space of y; None in what was stored by earlier versions.
        specification: what is wanted, of a run with wishes; None: ``targets``, exactly.
        known: what training pairs reach of its goals; None where there are no goals.
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
    search_calls: int = 0
    training_calls: int = 0
    parameters: int = 0
    seed: int = 0
    order: Tensor | None = None
    truth: Tensor | None = None
    log_density: Tensor | None = None
    penalty: Tensor | None = None
    variance: Tensor | None = None
    history: History | None = None
    independent: bool = True
    draws: Tensor | None = None
    task: Task[Any] | None = None
    context: Context | None = None
    cache: Cache = field(default_factory=Cache)
    calls_left: Callable[[], int | None] = lambda: None
    responses: Space | None = None
    specification: Targets | None = None
    known: Known | None = None

    def need_exact(self) -> None:
        """For metrics that compare with exact responses.

        Raises:
            UnfitError: the targets are none.
        """
        if self.specification is not None and not self.specification.exact:
            raise UnfitError("it compares with exact responses, and intervals or goals are wanted")

    def need_errors(self) -> None:
        """For metrics of errors.

        Raises:
            UnfitError: goals alone are wanted, so that no candidate has an error.
        """
        if self.specification is not None and not bool(self.specification.wanted.any()):
            raise UnfitError("it judges violations, and nothing but goals is wanted")

    @cached_property
    def counted(self) -> Tensor:
        """The errors (B, K) in which a candidate without a response counts as the penalty."""
        worst = self.worst[:, None].to(self.errors)
        return torch.where(self.errors.isfinite(), self.errors, worst)

    @cached_property
    def worst(self) -> Tensor:
        """The penalty (B,); that of the other targets where nothing more is known."""
        if self.penalty is not None:
            return self.penalty
        penalty = largest_squared_difference(self.targets, self.targets)
        return torch.where(penalty > 0, penalty, torch.inf)

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
        """Compute the estimates; never writes into the evaluation's tensors.

        All that it reads is stored with the run, so that it can be asked again, and later.

        Raises:
            UnfitError: it cannot say anything of this run, and why: that is recorded.
        """

    def applies(self, task: Task[Any]) -> bool:
        """Whether it has something to say about runs on a task; the default is yes.

        A metric of one task alone says no to the others, and then is no part of their runs.
        """
        return True

"""The steps of a request in order, each timed and logged: pairs, fit, propose, judge, record.

A run on a task, `solve` on a table and `solve` on a simulator differ in where their pairs come from
and who judges; they call the same steps.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from invcore.base.progress import Progress
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseModel
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Splits
from invcore.pipeline.fit import fit_model
from invcore.pipeline.judge import resimulate
from invcore.pipeline.proposals import propose
from invcore.pipeline.record import begin_record, failure
from invcore.pipeline.request import Request
from invcore.storage.run_record import RunRecord, Timings


class Pipeline:
    """The work on one request.

    Args:
        request: what to do.
        progress: shows what goes on; silent.
        on_stage: is told when a stage has ended: its name and its seconds.
    """

    def __init__(
        self, request: Request, *, progress: Progress | None = None,
        on_stage: Callable[[str, float], None] | None = None,
    ) -> None:  # fmt: skip
        self.request, self.progress = request, progress or Progress()
        self._on_stage = on_stage
        self.log: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.seconds: dict[str, float] = {}
        self._begun = begin_record(request)

    @property
    def env(self) -> FitEnvironment:
        """Where and how fits of this request happen."""
        return FitEnvironment(
            self.request.seed, self.request.device, self.progress, self.log.append
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block; a stage that is entered again goes on."""
        start = time.perf_counter()
        try:
            yield
            if self.request.device.type == "cuda":
                torch.cuda.synchronize(self.request.device)
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
        if self._on_stage is not None:
            self._on_stage(name, self.seconds[name])

    def pairs(self, source: Callable[[], Splits]) -> Splits:
        """The pairs: drawn from a task, read from a table, or simulated, and split."""
        with self.stage("data"):
            return source()

    def fit(self, problem: Problem, splits: Splits) -> InverseModel:
        """Fit the method on training pairs."""
        with self.stage("fit"):
            return fit_model(self.request.method.component, problem, splits, self.env)

    def propose(
        self, model: InverseModel, problem: Problem, targets: Targets,
        simulator: Simulator | None = None,
    ) -> Candidates:  # fmt: skip
        """Propose candidates (B, K, Dx) for all targets."""
        request = self.request
        assert request.sampler is not None
        with self.stage("propose"):
            return propose(
                model, problem, request.sampler.component, targets, request.candidates,
                seed=request.seed, simulator=simulator, progress=self.progress,
            )  # fmt: skip

    def resimulate(self, simulator: Simulator, designs: Tensor, targets: Targets) -> Tensor:
        """Responses (B, K, Dy) of candidates (B, K, Dx) by the true simulator."""
        with self.stage("simulate"):
            return resimulate(simulator, designs, targets)

    def note(self, message: str) -> None:
        """What a user should be told of the work, beside its result."""
        self.notes.append(message)
        self.log.append({"warning": message})

    @property
    def timings(self) -> Timings:
        """Seconds of the stages that records have."""
        fields = {f"{stage}_s": seconds for stage, seconds in self.seconds.items()}
        return Timings(**{name: fields[name] for name in Timings.model_fields if name in fields})

    def record(self, **facts: Any) -> RunRecord:
        """The record as the work stands, with further facts of it."""
        update = {"timings": self.timings, "notes": tuple(self.notes)} | facts
        return self._begun.model_copy(update=update)

    def failed(self, error: BaseException, **facts: Any) -> RunRecord:
        """The record of work that ended with an error."""
        return self.record(**failure(error), **facts)

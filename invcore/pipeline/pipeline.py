"""The steps of a request in order, each timed and logged: pairs, fit, propose, judge, record.

A run on a task, `solve` on a table and `solve` on a simulator differ in where their pairs come from
and who judges; they call the same steps.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from invcore.base.process.settled import settled
from invcore.base.process.signs import sign
from invcore.base.progress import Progress
from invcore.base.types import Files
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.events import Event, EventName
from invcore.contracts.method import InverseMethod, InverseModel
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs, Splits
from invcore.learning.response_density import ResponseDensity
from invcore.pipeline.components import Part
from invcore.pipeline.feasibility import Residual
from invcore.pipeline.fit import fit_model
from invcore.pipeline.judge import resimulate
from invcore.pipeline.keeper import RunKeeper
from invcore.pipeline.proposals import propose
from invcore.pipeline.record import begin_record, failure
from invcore.pipeline.request import Request
from invcore.pipeline.warm_up import warm_up
from invcore.registry.loader import Plugins
from invcore.search import RefinedCandidates, refined_candidates
from invcore.storage.moves import Moves
from invcore.storage.run_record import RunRecord, Timings
from invcore.storage.store import ARTEFACTS, Store


class Pipeline:
    """The work on one request.

    Args:
        request: what to do.
        progress: shows what goes on; silent.
        plugins: that see the events of the work; None: nobody does.
        store: where the work is kept in the end; None keeps nothing.
        bench: that it is a part of; empty for none.
    """

    def __init__(
        self, request: Request, *, progress: Progress | None = None, plugins: Plugins | None = None,
        store: Store | None = None, bench: str = "",
    ) -> None:  # fmt: skip
        self.request, self.progress = request, progress or Progress()
        self.store, self._plugins, self._bench = store, plugins, bench
        self.keeper = RunKeeper(lambda line: self.emit("epoch", **line), self.note)
        self.log = self.keeper.lines
        self.notes: list[str] = []
        self.seconds: dict[str, float] = {}
        self.moves: Moves | None = None
        self._begun = begin_record(request)
        self._density: ResponseDensity | None = None
        self._train: Pairs | None = None

    @property
    def env(self) -> FitEnvironment:
        """Where and how fits of this request happen."""
        request = self.request
        return FitEnvironment(request.seed, request.device, self.progress, keeper=self.keeper)

    @property
    def density(self) -> ResponseDensity | None:
        """Over the training responses of the last fit, made when it is first asked for: what
        specifications are answered with. None before there was a fit.
        """
        if self._density is None and self._train is not None:
            generator = self.env.generator("responses")
            self._density = ResponseDensity.fit(self._train, generator)
        return self._density

    def emit(self, event: EventName, /, **data: Any) -> None:
        """Show an event to the plugins; what goes wrong there is logged."""
        if self._plugins is not None:
            for problem in self._plugins.emit(Event(event, self.request.id, data)):
                self.warn(problem)

    def begin(self) -> None:
        """Say that the work begins."""
        store = "" if self.store is None else str(self.store.root.absolute())
        self.emit(
            "run-started", kind=self.request.kind, config=self.record().config, store=store,
            bench=self._bench,
        )  # fmt: skip

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block; a stage that is entered again goes on."""
        sign(name)
        start = time.perf_counter()
        try:
            yield
            if self.request.device.type == "cuda":
                torch.cuda.synchronize(self.request.device)
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
        self.emit("stage-ended", stage=name, seconds=self.seconds[name])

    @contextmanager
    def settled(self, *, children: bool = True) -> Iterator[None]:
        """Have the block find the process as it usually is, and leave it as it was; what the block
        has changed is noted.

        Args:
            children: whether processes that it has left running are ended.
        """
        changes: list[str] = []
        try:
            with settled(self.request.seed, children=children) as changes:
                yield
        finally:
            for change in changes:
                self.note(change)

    def pairs(self, source: Callable[[], Splits]) -> Splits:
        """The pairs: drawn from a task, read from a table, or simulated, and split."""
        with self.stage("data"):
            return source()

    def fit(self, problem: Problem, splits: Splits, part: Part | None = None) -> InverseModel:
        """Fit the request's method, or another part of it, on training pairs, when the process is
        warm.
        """
        own = part or self.request.method
        assert own is not None
        method: InverseMethod[Any] = own.component
        self._train, self._density = splits.train, None
        if method.trains:
            with self.stage("warm-up"):
                warm_up(self.request.device)
        with self.stage("fit"):
            return fit_model(method, problem, splits, self.env)

    def propose(
        self, model: InverseModel, problem: Problem, targets: Targets,
        simulator: Simulator | None = None, *, residual: Residual | None = None,
    ) -> Candidates:  # fmt: skip
        """Propose candidates (B, K, Dx) for all targets, allowed ones where there are constraints.

        With ``residual``, those of the task's own code too.
        """
        request = self.request
        assert request.sampler is not None
        with self.stage("propose"):
            return propose(
                model, problem, request.sampler.component, targets, request.candidates,
                seed=request.seed, simulator=simulator, progress=self.progress,
                env=FitEnvironment(0, request.device, self.progress, keeper=self.keeper),
                density=None if targets.exact else self.density,
                residual=residual, told=self._moved,
            )  # fmt: skip

    def refine(
        self, model: InverseModel, problem: Problem, targets: Targets, candidates: Candidates,
        simulator: Simulator, calls: int, *, pairs: Pairs, variance: float, ranked: bool,
        responses: Tensor | None = None,
    ) -> RefinedCandidates:  # fmt: skip
        """Spend simulator calls on the best candidates of each target; see
        ``refined_candidates``.
        """
        with self.stage("propose"):
            return refined_candidates(
                model, problem, targets, candidates, simulator, calls, pairs=pairs,
                variance=variance, generator=self.env.generator("refine"), ranked=ranked,
                responses=responses, progress=self.progress,
            )  # fmt: skip

    def _moved(self, moves: Moves) -> None:
        self.moves = moves
        if moves.outside:
            self.note(f"{moves.outside} candidates are not allowed: no allowed design was found")

    def resimulate(self, simulator: Simulator, designs: Tensor, targets: Targets) -> Tensor:
        """Responses (B, K, Dy) of candidates (B, K, Dx) by the true simulator."""
        with self.stage("simulate"):
            return resimulate(simulator, designs, targets)

    def note(self, message: str) -> None:
        """What a user should be told of the work, beside its result."""
        self.notes.append(message)
        self.warn(message)

    def warn(self, message: str) -> None:
        """What stands in the log alone: it does not concern the result."""
        self.log.append({"warning": message})

    @property
    def timings(self) -> Timings:
        """Seconds of the stages that records have."""
        fields = {f"{stage}_s": seconds for stage, seconds in self.seconds.items()}
        return Timings(**{name: fields[name] for name in Timings.model_fields if name in fields})

    def record(self, **facts: Any) -> RunRecord:
        """The record as the work stands, with further facts of it."""
        update = {"timings": self.timings, "notes": tuple(self.notes)}
        update |= {"moves": self.moves} | facts
        return self._begun.model_copy(update=update)

    def failed(self, error: BaseException, **facts: Any) -> RunRecord:
        """The record of work that ended with an error."""
        return self.record(**failure(error), **facts)

    def finish(
        self, record: RunRecord, *, tensors: Mapping[str, Mapping[str, Tensor]] | None = None,
        documents: Mapping[str, Any] | None = None, files: Files | None = None,
    ) -> RunRecord:  # fmt: skip
        """Keep the work in the store, if there is one, and say that it has ended.

        Args:
            record: of the work.
            tensors: by file, by name.
            documents: JSON data, by file.
            files: of the model.

        Returns:
            The record with the checksums of its files.

        Raises:
            StoreError: it cannot be written.
        """
        if len(self.notes) > len(record.notes):  # of what came to light since
            record = record.model_copy(update={"notes": tuple(self.notes)})
        kept = dict(tensors or {})
        if self.keeper.tensors:
            kept["diagnostics"] = self.keeper.tensors

        def written() -> RunRecord:
            if self.store is None:
                return record
            return self.store.write(
                record, tensors=kept, documents=documents, log=self.log, files=files,
                artefacts=self.keeper.artefacts,
            )  # fmt: skip

        record, lines = written(), len(self.log)
        path = "" if self.store is None else str(self.store.path(record.id).absolute())
        for name, artefact in self.keeper.artefacts.items():
            place = artefact if self.store is None else f"{path}/{ARTEFACTS}/{name}"
            self.emit("artefact", name=name, path=str(place))
        self.emit("run-finished", record=record.model_dump(mode="json"), path=path)
        return written() if len(self.log) > lines else record  # what went wrong then is logged too

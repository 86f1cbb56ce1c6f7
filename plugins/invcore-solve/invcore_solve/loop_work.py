"""The search of a loop on a simulator: a journal, workers, and the best of all that they did."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from invcore.pipeline import Pipeline, Request, identity, rebuild
from invcore.plugin import (
    Answers,
    FitEnvironment,
    Loop,
    Pairs,
    Plugins,
    Problem,
    Requests,
    Results,
    SimulatorError,
    Stage,
    UnfitError,
    generator,
)
from invcore.results import Store
from invcore.search import LoopJournal
from invcore_solve.answers.asked import Ask, Wanted
from invcore_solve.loop_progress import Shown, ending
from invcore_solve.simulators.recorded_simulator import best_rows
from invcore_solve.simulators.row_workers import RowWorkers
from invcore_solve.simulators.task import SimulatorTask

_PATIENCE = 20  # rows without a response, after which a simulator that gave none is given up
_SCALING = 10  # rows that tell in which units violations count
_CALLS_OF_ONE = 250  # for each target, that a further search of a loop is worth
_APART = (
    "budget",
    "candidates",
    "pairs",
    "check",
    "refine",
    "tolerances",
    "yield_calls",
    "method_choice",
)
_ENDLESS = 1_000_000  # calls per target: the budget ends a loop


@dataclass(frozen=True)
class LoopAnswer:
    """What a loop has found.

    Args:
        wanted: B targets, in units of the responses that were simulated.
        group: (R,), whose each row is.
        designs: (R, Dx), the best of each target.
        responses: (R, Dy).
        calls: rows simulated in all.
        pairs: those that have a response.
        spread: (Dy,), of all responses.
        notes: how it ended.
    """

    wanted: Wanted
    group: Tensor
    designs: Tensor
    responses: Tensor
    calls: int
    pairs: Pairs
    spread: Tensor
    notes: tuple[str, ...]


class LoopWork:
    """A loop at work on a simulator, within a budget.

    Args:
        request: what to do; its method is a loop's.
        task: the simulator.
        pipeline: times the stages.
        budget: the most rows.
        workers: rows simulated at the same time.
        limited: whether the loop's own limit of calls (a setting ``calls``) was asked for; else the
            budget is the limit.
        store: where the journal is kept, to go on with; None keeps nothing.
        plugins: where names are looked up.
    """

    def __init__(
        self, request: Request, task: SimulatorTask, pipeline: Pipeline, *, budget: int,
        workers: int, limited: bool, store: Store | None, plugins: Plugins,
    ) -> None:  # fmt: skip
        assert request.method is not None and request.sampler is not None
        self.request, self.task, self.pipeline = request, task, pipeline
        self.budget, self.workers, self._plugins = budget, workers, plugins
        self._name, self._config = request.method.name, request.method.config
        if "calls" in self._config and not limited:
            self._config = {**self._config, "calls": _ENDLESS}
        self._sampler = request.sampler.component
        self._store = store
        # A loop that searches from one point each does not share its calls among too many
        each = budget // (_CALLS_OF_ONE * max(1, request.targets))
        joint = plugins.registry.load("loop", self._name).joint  # all that it does is one search
        self.searches = 1 if joint else max(1, min(request.candidates, each))

    def go(self, ask: Ask) -> LoopAnswer:
        """Search until the loop or the budget ends, and give the best of all rows.

        Raises:
            UnfitError: the loop cannot take such targets.
            SimulatorError: the simulator raised, or gave no response at all.
            StoreError: the journal is damaged.
        """
        with self._folder() as folder:
            journal = self._journal(folder, ask)
            rows = journal.rows
            told, failed = (int(part.sum()) for part in (rows.told, rows.failed))
            bars = self.pipeline.progress.stage("simulator calls", self.budget)
            with self.task.one_by_one(_PATIENCE, told, failed), bars as stage:
                stage.advance(told)
                with RowWorkers(self.task, self.workers) as workers:
                    self._search(journal, workers, stage, ask)
            self._check_answers(journal)
            return self._answer(journal, ask)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        if self._store is None:
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder) / "loop"
            return
        document = {k: v for k, v in self.request.document.items() if k not in _APART}
        document |= {"searches": self.searches, "workers": self.workers}
        yield self._store.place("loops", identity(document))

    def _journal(self, folder: Path, ask: Ask) -> LoopJournal:
        """The journal of this work, begun or found."""
        env = FitEnvironment(self.request.seed, self.request.device, keeper=self.pipeline.keeper)
        if LoopJournal.at(folder):
            return LoopJournal.open(folder, self._built(str(folder)), env=env)
        task, targets = self.task, ask.of(self.task.responses).targets
        loop = self._built(str(folder))(self._name, self._config)
        wants = Answers.EXACT if targets.exact else Answers.INTERVALS
        wants = wants | Answers.GOALS if targets.has_goals else wants
        if wants not in loop.answers | Answers.EXACT:
            raise UnfitError(
                f"method {self._name!r} takes exact responses alone; intervals and goals take "
                "closed-loop, cma-es and random-search"
            )
        problem = Problem(task.name, task.designs, task.responses)
        random = generator(self.request.seed, "own", "points")
        shape = len(targets), self.searches, loop.point_dim(problem)
        points = self._sampler.batch(*shape, random) if shape[2] else torch.empty(shape)
        return LoopJournal.create(
            folder, loop, problem, targets, name=self._name, points=points.double(), env=env,
            facts={"measured": targets.exact},
        )  # fmt: skip

    def _built(self, where: str) -> Callable[[str, Any], Loop[Any]]:
        def make(name: str, config: Any) -> Loop[Any]:
            part = rebuild(self._plugins, "loop", name, config, where=where)
            loop: Loop[Any] = part.component
            return loop

        return make

    def _search(self, journal: LoopJournal, workers: RowWorkers, stage: Stage, ask: Ask) -> None:
        """Keep all workers busy; what was under way when the work was stopped comes first."""
        asked, designs = len(journal.rows), dict[int, Tensor]()

        def start(requests: Requests) -> None:
            for number, x in zip(requests.id.tolist(), requests.designs, strict=True):
                designs[number] = x
                workers.start(number, x)

        start(journal.pending())
        show = Shown(journal, stage)
        while True:
            while workers.running < self.workers and asked < self.budget:
                with self._timed("propose"):
                    requests = journal.ask(min(self.workers - workers.running, self.budget - asked))
                if not len(requests):
                    break
                start(requests)
                asked = int(requests.id[-1]) + 1  # those of other processes among them
            if not workers.running:
                return
            with self._timed("simulate"):
                number, y = workers.next()
            x = designs.pop(number)
            journal.tell(Results(torch.tensor([number]), x[None], y[None]))
            show.row(y)
            self._measure(journal, ask)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        """Add to a stage's time, which is told once, when the search has ended."""
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = self.pipeline.seconds
            seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start

    def _check_answers(self, journal: LoopJournal) -> None:
        """Check that some row has all responses, and tell of the stages."""
        for stage in ("propose", "simulate"):
            seconds = self.pipeline.seconds.get(stage, 0.0)
            self.pipeline.emit("stage-ended", stage=stage, seconds=seconds)
        rows = journal.rows
        if bool(rows.whole.any()):
            return
        self.task.check_derived(rows.responses[rows.told])
        self.task.check_hope()
        raise SimulatorError(
            f"simulator {self.task.name}: none of {len(rows)} rows has all responses"
        )

    def _measure(self, journal: LoopJournal, ask: Ask) -> None:
        """Have violations measured in the responses' deviations, once some are known."""
        if journal.facts["measured"]:
            return
        rows = journal.rows
        y = rows.responses[rows.whole]
        if len(y) >= _SCALING:
            targets = ask.of(self.task.responses, y.std(dim=0, correction=0).numpy()).targets
            journal.change(targets=targets, facts={"measured": True})

    def _answer(self, journal: LoopJournal, ask: Ask) -> LoopAnswer:
        rows = journal.rows
        x, y = rows.made[rows.whole], rows.responses[rows.whole]
        spread = y.std(dim=0, correction=0)
        wanted = ask.of(self.task.responses, spread.numpy())
        targets = wanted.targets.measured_in(spread)
        group, designs, responses = best_rows(
            targets, x, y, self.request.candidates, self.task.designs
        )
        left = not bool(journal.finished().all())
        notes = ending(targets, group, responses, len(rows), left, exact=wanted.targets.exact)
        return LoopAnswer(wanted, group, designs, responses, len(rows), Pairs(x, y), spread, notes)

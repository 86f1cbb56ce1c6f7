"""The search of a loop on a simulator: a journal, workers, and the best of all that they did."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterator
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
    SimulatorError,
    Stage,
    StoreError,
    UnfitError,
    generator,
)
from invcore.results import Store
from invcore.search import LoopJournal, Rows
from invcore_solve.answers.asked import Ask, Wanted
from invcore_solve.loop_progress import Shown, ending
from invcore_solve.loop_search import search
from invcore_solve.measured.known import KnownRows, nothing_known
from invcore_solve.measured.simulated_rows import SimulatedRows
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
        pairs: those that have a response, and those that were known.
        spread: (Dy,), of all responses.
        notes: how it ended.
        rows: all of them, those without a response among them.
    """

    wanted: Wanted
    group: Tensor
    designs: Tensor
    responses: Tensor
    calls: int
    pairs: Pairs
    spread: Tensor
    notes: tuple[str, ...]
    rows: SimulatedRows


class LoopWork:
    """A loop at work on a simulator, within a budget.

    Args:
        request: what to do; its method is a loop's.
        task: the simulator.
        pipeline: times the stages.
        budget: the most rows.
        workers: rows simulated at the same time.
        limited: names of settings of the loop that were said. Where ``calls`` is none of them, the
            budget is the limit; where ``designs`` is none, ``wished`` stands in its place.
        wished: different designs that shall meet a specification, before a loop ends that can look
            for several.
        store: where the journal is kept, to go on with; None keeps nothing.
        plugins: where names are looked up.
    """

    def __init__(
        self, request: Request, task: SimulatorTask, pipeline: Pipeline, *, budget: int,
        workers: int, limited: Collection[str], wished: int, store: Store | None, plugins: Plugins,
    ) -> None:  # fmt: skip
        assert request.method is not None and request.sampler is not None
        self.request, self.task, self.pipeline = request, task, pipeline
        self.budget, self.workers, self._plugins = budget, workers, plugins
        self._name, self._config = request.method.name, request.method.config
        if "calls" in self._config and "calls" not in limited:
            self._config = {**self._config, "calls": _ENDLESS}
        self._wished = wished if "designs" in self._config and "designs" not in limited else None
        self._sampler = request.sampler.component
        self._store = store
        # A loop that searches from one point each does not share its calls among too many
        each = budget // (_CALLS_OF_ONE * max(1, request.targets))
        joint = plugins.registry.load("loop", self._name).joint  # all that it does is one search
        self.searches = 1 if joint else max(1, min(request.candidates, each))

    def go(self, ask: Ask, known: KnownRows | None = None) -> LoopAnswer:
        """Search until the loop or the budget ends, and give the best of all rows.

        Args:
            ask: what is wanted.
            known: rows that cost no call.

        Raises:
            UnfitError: the loop cannot take such targets.
            SimulatorError: the simulator raised, or gave no response at all.
            StoreError: the journal is damaged.
        """
        with self._folder() as folder:
            journal = self._journal(folder, ask, known)
            rows = _asked(journal)
            told, failed = (int(part.sum()) for part in (rows.told, rows.failed))
            if told:
                done = f"{told:,} row{'s' * (told != 1)} that {'are' if told > 1 else 'is'} done"
                self.pipeline.progress.say(f"goes on from {done}: {folder}")
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
        if "known" in document:  # whatever it is called
            document["known"] = document["known"]["content"]
        yield self._store.place("loops", identity(document))

    def _journal(self, folder: Path, ask: Ask, known: KnownRows | None) -> LoopJournal:
        """The journal of this work, begun or found, which knows what is known."""
        journal = self._begun(folder, ask, known)
        config = journal.loop.config
        if self._wished is not None and not ask.exact and config.get("designs", 1) != self._wished:
            journal.change(config=config | {"designs": self._wished})
        if known is not None and len(known.rest):
            journal.tell(known.rest)  # again where it was told: that says nothing new
        return journal

    def _begun(self, folder: Path, ask: Ask, known: KnownRows | None) -> LoopJournal:
        env = FitEnvironment(self.request.seed, self.request.device, keeper=self.pipeline.keeper)
        if not LoopJournal.at(folder):
            try:
                return self._create(folder, ask, known, env)
            except StoreError:
                if not LoopJournal.at(folder):  # another process has begun it meanwhile
                    raise
        return LoopJournal.open(folder, self._built(str(folder)), env=env)

    def _create(
        self, folder: Path, ask: Ask, known: KnownRows | None, env: FitEnvironment
    ) -> LoopJournal:
        task = self.task
        pairs = nothing_known(task.designs, task.responses).pairs if known is None else known.pairs
        enough = len(pairs) >= _SCALING
        spread = pairs.y.std(dim=0, correction=0).numpy() if enough else None
        targets = ask.of(task.responses, spread).targets
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
            pairs=pairs, facts={"measured": targets.exact or enough},
        )  # fmt: skip

    def _built(self, where: str) -> Callable[[str, Any], Loop[Any]]:
        def make(name: str, config: Any) -> Loop[Any]:
            part = rebuild(self._plugins, "loop", name, config, where=where)
            loop: Loop[Any] = part.component
            return loop

        return make

    def _search(self, journal: LoopJournal, workers: RowWorkers, stage: Stage, ask: Ask) -> None:
        """Search, and show each row."""
        show = Shown(journal, stage)

        def told(y: Tensor) -> None:
            show.row(y)
            self._measure(journal, ask)

        search(journal, workers, self.workers, self.budget, told, timed=self._timed)

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
        rows = _asked(journal)
        if bool(rows.whole.any()) or len(journal.pairs):
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
        y = _whole(journal).y
        if len(y) >= _SCALING:
            targets = ask.of(self.task.responses, y.std(dim=0, correction=0).numpy()).targets
            journal.change(targets=targets, facts={"measured": True})

    def _answer(self, journal: LoopJournal, ask: Ask) -> LoopAnswer:
        rows, pairs = _asked(journal), _whole(journal)
        spread = pairs.y.std(dim=0, correction=0)
        wanted = ask.of(self.task.responses, spread.numpy())
        targets = wanted.targets.measured_in(spread)
        group, designs, responses = best_rows(
            targets, pairs.x, pairs.y, self.request.candidates, self.task.designs
        )
        left = not bool(journal.finished().all())
        notes = ending(
            targets, group, responses, len(rows), left, exact=wanted.targets.exact,
            wished=self._wished or 1,
        )  # fmt: skip
        return LoopAnswer(
            wanted, group, designs, responses, len(rows), pairs, spread, notes,
            self._rows(journal),
        )  # fmt: skip

    def _rows(self, journal: LoopJournal) -> SimulatedRows:
        rows, known = journal.rows, journal.pairs
        told, asked = rows[rows.told], rows.asked_in[rows.told] >= 0
        return SimulatedRows.joined(
            self.task.designs, self.task.responses, (known.x, known.y, True),
            *((told.made[part], told.responses[part], mine) for part, mine in
              ((~asked, True), (asked, False))),
        )  # fmt: skip


def _asked(journal: LoopJournal) -> Rows:
    """The rows that were asked for: those that cost a call each."""
    rows = journal.rows
    return rows[rows.asked_in >= 0]


def _whole(journal: LoopJournal) -> Pairs:
    """All rows with all responses, those that were known first."""
    rows, known = journal.rows, journal.pairs
    rows = rows[rows.whole]
    return Pairs(torch.cat([known.x, rows.made]), torch.cat([known.y, rows.responses]))

"""The work of finding designs with a simulator: pairs from it, a fit or a search, and a check."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from torch import Tensor

from invcore.pipeline import SEARCHES, Pipeline, Request
from invcore.plugin import (
    BudgetError,
    ConfigError,
    Needs,
    Pairs,
    Plugins,
    Problem,
    Progress,
    generator,
)
from invcore.results import RunRecord, Store
from invcore_solve.answers.asked import Ask
from invcore_solve.answers.proposal import Proposal, categories_of
from invcore_solve.answers.ranking import by_error, checked, without_copies
from invcore_solve.answers.refined import refined_proposal
from invcore_solve.default_method import Choice, check_budget, check_method, is_loop, unmoved
from invcore_solve.designer import Designer
from invcore_solve.from_table import fit_pairs
from invcore_solve.loop_work import LoopWork
from invcore_solve.measured.known import KnownRows, nothing_known
from invcore_solve.measured.learning_pairs import known_pairs, learning_pairs
from invcore_solve.measured.simulated_rows import FILE, SimulatedRows
from invcore_solve.measured.warm_start import WarmStart, marked
from invcore_solve.robustness.simulated_copies import YieldRequest
from invcore_solve.simulators.recorded_simulator import RecordedSimulator
from invcore_solve.simulators.task import SimulatorTask
from invcore_solve.solution import Solution, metrics_of
from invcore_solve.tables.table_data import TableData, check_names

_PAIRS = 30  # fewer cannot be split in three and say anything about error
_FEWEST = 10  # pairs that show a method that searches how the responses scale


SIMULATOR_JUDGE = "conformal-ensemble"
"""Who judges what a method learnt from a simulator's pairs, before it is simulated."""


class SimulatorWork:
    """One call of ``solve_with``, and what is known of it if it ends early.

    Args:
        request: what to do.
        task: the simulator.
        pairs: how many to simulate.
        budget: the most simulator calls; None for no limit.
        check: simulate what is proposed.
        settings: of the method, as they were given.
        preset: of the method and the judge.
        store: where the work is recorded; None keeps nothing.
        plugins: where names are looked up.
        progress: shows what goes on.
        yields: what is asked of designs as they are made; None for nothing.
        workers: rows that a loop has simulated at the same time.
        choice: of the method, and why.
        refine: simulator calls for each target on steps from its best designs.
        warm: rows that are known; None: none are.
        wished: different designs that a loop shall find for a specification.
    """

    def __init__(
        self, request: Request, task: SimulatorTask, *, pairs: int, budget: int | None, check: bool,
        settings: dict[str, Any], preset: str, store: Store | None, plugins: Plugins,
        progress: Progress | None = None, yields: YieldRequest | None = None,
        workers: int = 1, choice: Choice | None = None, refine: int = 0,
        warm: WarmStart | None = None, wished: int = 1,
    ) -> None:  # fmt: skip
        store = None if store is None else store.absolute()  # wherever a simulator goes
        self.request, self.task, self.store, self.plugins = request, task, store, plugins
        self.pairs, self.budget, self.check, self.refine = pairs, budget, check, refine
        self.settings, self.preset, self.yields = settings, preset, yields or YieldRequest()
        if budget is not None:  # what made copies take is put aside
            self.budget = budget - (self.yields.calls or 0)
        self.warm = warm
        self.known: KnownRows | None = None
        self._pairs: Pairs | None = None  # of the known rows, those to learn from
        assert request.method is not None
        self.method, self.method_name = request.method.component, request.method.name
        self.pipeline = Pipeline(request, progress=progress, plugins=plugins, store=store)
        if choice is not None and choice.why:
            self.pipeline.notes.append(choice.why)
        self.calls = 0  # by a loop
        self.rows: SimulatedRows | None = None  # likewise
        self.loop: LoopWork | None = None
        if self.budget is not None and is_loop(plugins, self.method_name):
            self.loop = LoopWork(
                request, task, self.pipeline, budget=self.budget - refine * request.targets,
                workers=workers, store=store, plugins=plugins, limited={*settings}, wished=wished,
            )  # fmt: skip

    def go(self, ask: Ask) -> Solution:
        """All of it, for the wanted responses; see ``solve_with``."""
        self._check_budget(0 if self.warm is None else len(self.warm.table))
        self.pipeline.begin()
        self.task.restart()
        with self._journal(), self.pipeline.settled(children=False):
            with self._failures_recorded():
                check_method(self.method_name, self.method, self.task, self.plugins)
                responses = self.task.responses  # a function is tried for it
            check_names(self.task.designs.names, responses.names)
            self._read_known()
            ask.of(responses)  # what is wrong there is told before anything is simulated
            with self._failures_recorded():
                ranked, designer = self._found(ask)
                ranked = self._made(self._refined(ranked, designer), designer)
            if self.known is not None:
                ranked, notes = marked(ranked, self.known)
                self.pipeline.notes.extend(notes)
            return self._stored(ranked, designer)

    def _read_known(self) -> None:
        """Read the rows that are known, once it is known what responses are called."""
        if self.warm is None:
            return
        self.known = self.warm.rows(self.task)
        self.pipeline.notes.extend(self.known.notes)
        if self.loop is None:
            self._pairs, notes = known_pairs(self.known, self.task)
            self.pipeline.notes.extend(notes)
            self._check_budget(len(self._pairs))

    def _found(self, ask: Ask) -> tuple[Proposal, Designer | None]:
        if self.loop is not None:
            return self._looped(self.loop, ask)
        return self._search(ask) if self._searches else self._learn(ask)

    @contextmanager
    def _journal(self) -> Iterator[None]:
        """Keep finished batches in the store, unless the simulator has a journal of its own."""
        self.task.tell_damage(self.pipeline.warn)
        if self.store is not None:
            self.store.check_writable()
        if self.store is None or self.task.journal is not None:
            return (yield)
        self.task.keep_in(self.store.place("simulations"))
        try:
            yield
        finally:
            self.task.keep_in(None)

    @cached_property
    def simulator(self) -> RecordedSimulator:
        """The simulator, counted; made when it is first asked, since a function is tried for it."""
        return RecordedSimulator(self.task, self.budget, remembers=bool(self.refine))

    @property
    def _searches(self) -> bool:
        return bool(self.method.needs & SEARCHES)

    def _check_budget(self, known: int) -> None:
        """Refuse what cannot be done, before anything is simulated; so many pairs are known."""
        request, more = self.request, self.yields.calls or 0
        self.yields.check(request.targets, judged=not self._searches)
        if request.candidates < 1:
            raise ConfigError(f"candidates: expected at least 1, got {request.candidates}")
        loops = self.loop is not None
        if loops and not self.check:
            raise ConfigError("a loop simulates all that it proposes: check it")
        if not loops and self.pairs < _PAIRS:
            raise ConfigError(f"pairs: expected at least {_PAIRS}, got {self.pairs}")
        if self._searches and not self.check:
            raise ConfigError(f"method {self.method_name!r} simulates what it proposes: check it")
        if self.refine < 0 or (self.refine and not self.check):
            raise ConfigError(
                "refine: a number of simulator calls from 0, for designs that are checked"
            )
        if self.budget is not None:
            each = 1 if loops else request.candidates if self._searches else int(self.check)
            pairs = max(0, self.pairs - known)
            check_budget(
                self.budget, pairs, request.targets, each, self.refine, more, loops, self.check
            )

    def _simulated_pairs(self) -> TableData:
        """Pairs that are known, and others at designs that fill the space."""
        task, request = self.task, self.request
        assert request.sampler is not None
        known = self._pairs or nothing_known(task.designs, task.responses).pairs
        self.simulator.remember(known)
        pairs, notes = learning_pairs(
            task, request.sampler, self.pairs, known, generator(request.seed, "own", "pairs"),
            lambda x: self._simulate("pairs", x),
            _PAIRS if Needs.PAIRS in self.method.needs else _FEWEST,
        )  # fmt: skip
        self.pipeline.notes.extend(notes)
        self.spread = pairs.y.std(dim=0, correction=0)
        return TableData.simulated(pairs, task.designs, task.responses, task.name)

    def _learn(self, ask: Ask) -> tuple[Proposal, Designer]:
        """By a method that learns from pairs."""
        request, pipeline = self.request, self.pipeline
        data = self._simulated_pairs()
        with pipeline.stage("fit"):
            designer = fit_pairs(
                data, method=self.method_name, settings=self.settings, preset=self.preset,
                seed=request.seed, device=str(request.device), store=self.store,
                progress=pipeline.progress, plugins=self.plugins, judge=SIMULATOR_JUDGE, near=False,
            )  # fmt: skip
        assert request.sampler is not None
        with pipeline.stage("propose"):
            ranked = designer.propose(
                candidates=request.candidates, sampler=request.sampler.name, seed=request.seed,
                progress=pipeline.progress, tolerances=self.yields.tolerances, **ask.options,
            )  # fmt: skip
        for number, rows in enumerate(ranked.groups(), start=1):
            if ranked.reach[rows[0]]:
                pipeline.notes.append(f"target {number}: {ranked.reach[rows[0]]}")
        if not self.check:
            return ranked, designer
        if self.budget is not None:
            affordable = (self.budget - self.simulator.calls) // request.targets - self.refine
            if affordable < int(ranked.rank.max()):
                pipeline.notes.append(
                    f"the budget suffices to check {affordable} designs of each target: those that "
                    "looked best"
                )
            ranked = ranked.top(affordable)
        return checked(ranked, self._simulate("check", ranked.designs)), designer

    def _search(self, ask: Ask) -> tuple[Proposal, None]:
        """By a method that searches on the simulator; if its budget ends, the best it has seen."""
        task, request, pipeline = self.task, self.request, self.pipeline
        data = self._simulated_pairs()
        wanted = ask.of(task.responses, data.pairs.y.std(dim=0, correction=0).numpy())
        targets, splits = wanted.targets, data.split(request.seed)
        problem = Problem(task.name, task.designs, task.responses, task.differentiable)
        model = pipeline.fit(problem, splits)
        if self.budget is not None:  # what the check takes is put aside
            each = request.candidates + self.refine
            self.simulator.budget = self.budget - len(targets) * each
        pipeline.notes.extend(unmoved(self.method_name, self.method, task.designs))
        try:
            proposed = pipeline.propose(model, problem, targets, self.simulator)
            self.simulator.budget = self.budget
            group, designs = without_copies(task.designs, proposed.x, self.method_name)
            y = self._simulate("check", designs)
        except BudgetError:
            group, designs, y = self.simulator.best(targets, request.candidates)
            pipeline.notes.append(
                f"method {self.method_name!r} wanted more than the budget: these are the best "
                f"of the {self.simulator.calls} simulator calls that it made"
            )
        names = (task.designs.names, task.responses.names)
        ranked = by_error(targets, group, designs, y, names, wanted.texts)
        return replace(ranked, categories=categories_of(task.designs)), None

    def _looped(self, loop: LoopWork, ask: Ask) -> tuple[Proposal, None]:
        """By a loop, all of whose rows are simulated; the best of them are the answer."""
        found = loop.go(ask, self.known)
        self.calls, self.spread, self.rows = found.calls, found.spread, found.rows
        self.budget = self.refine * self.request.targets  # what is left
        self.simulator.remember(found.pairs)
        self.pipeline.notes.extend(found.notes)
        names = (self.task.designs.names, self.task.responses.names)
        ranked = by_error(
            found.wanted.targets, found.group, found.designs, found.responses, names,
            found.wanted.texts,
        )  # fmt: skip
        return replace(ranked, categories=categories_of(self.task.designs)), None

    def _refined(self, ranked: Proposal, designer: Designer | None) -> Proposal:
        """The same designs, the best of each target refined, where that was asked for."""
        if not self.refine:
            return ranked
        task, pipeline, simulator = self.task, self.pipeline, self.simulator
        simulator.budget = self.budget
        model = None if designer is None else designer.models.get(self.method_name)
        problem = Problem(task.name, task.designs, task.responses, task.differentiable)
        rows = self.refine * self.request.targets
        with pipeline.stage("simulate"), task.on_bar(pipeline.progress, "refine", rows):
            ranked, calls = refined_proposal(
                ranked, model, problem, simulator, self.refine, pairs=simulator.pairs(),
                variance=float(self.spread.square().mean()),
                generator=generator(self.request.seed, "own", "refine"),
                judge=None if designer is None else designer.judge,
            )  # fmt: skip
        pipeline.notes.append(f"refined by {calls} of the simulator calls")
        return ranked

    def _made(self, ranked: Proposal, designer: Designer | None) -> Proposal:
        """The same designs with their yields, where there are tolerances."""
        if not self.yields.tolerances:
            return ranked
        task, seed = self.task, generator(self.request.seed, "own", "made").initial_seed()
        if self.budget is not None:
            self.simulator.budget = self.budget + (self.yields.calls or 0)

        def simulate(x: Tensor) -> Tensor:
            with self.pipeline.stage("simulate"), task.on_bar(
                self.pipeline.progress, "made designs", len(x)
            ):  # fmt: skip
                return self.simulator.as_made(x)

        return self.yields.answered(
            ranked, self.spread, (task.designs, task.responses), seed, simulate=simulate,
            judge=None if designer is None else designer.judge,
        )  # fmt: skip

    def _simulate(self, label: str, x: Tensor) -> Tensor:
        pipeline = self.pipeline
        with pipeline.stage("simulate"), self.task.on_bar(pipeline.progress, label, len(x)):
            return self.simulator(x)

    def _record(self, **facts: Any) -> dict[str, Any]:
        calls = self.calls + (self.simulator.calls if "simulator" in vars(self) else 0)
        return {"simulator_calls": calls, **facts}

    @contextmanager
    def _failures_recorded(self) -> Iterator[None]:
        """Keep a record of work that fails in the block, with its reason."""
        try:
            yield
        except Exception as error:  # a method or a simulator may raise anything
            self._finish(self.pipeline.failed(error, **self._record(notes=())))
            raise

    def _finish(self, record: RunRecord, **parts: Any) -> RunRecord:
        """Keep the record, its log beginning with what the simulator did."""
        self.pipeline.log.insert(0, {"simulator": self.task.counts.document()})
        return self.pipeline.finish(record, **parts)

    def _stored(self, ranked: Proposal, designer: Designer | None) -> Solution:
        """The solution with its record, in the store if there is one."""
        facts = self._record(metrics=metrics_of(ranked, self.request.seed))
        if designer is not None:
            facts["parameters"] = designer.record.parameters
            facts["config"] = {**(self.request.config or {}), "model": designer.record.id}
        record: RunRecord = self.pipeline.record(**facts)
        tensors = {"candidates": ranked.tensors()} if ranked.error is not None else {}
        documents, rows = {}, self.rows
        if rows is not None:
            rows = rows.and_then(*self.simulator.asked())
            tensors[FILE], documents[FILE] = rows.tensors(), rows.document()
        record = self._finish(record, tensors=tensors, documents=documents)
        task = self.task
        simulator = {
            "name": task.name, "kind": task.kind, "differentiable": task.differentiable,
            **task.counts.document(),
        }  # fmt: skip
        return Solution(ranked, tuple(self.pipeline.notes), record, simulator, designer, rows)

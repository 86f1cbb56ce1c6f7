"""The stages of finding designs with a simulator, and the record of how far they got."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import (
    BudgetError,
    ConfigError,
    DivergedError,
    InvcoreError,
    SimulatorError,
)
from invcore.base.progress import Progress
from invcore.base.seeding import generator
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseMethod, Needs, Problem, Targets
from invcore.contracts.sampler import Sampler
from invcore.data.pairs import Pairs
from invcore.data.tables.check import check_table
from invcore.data.tables.table import Table
from invcore.pipeline.propose import draw_points, propose_in_batches
from invcore.registry.loader import Plugins
from invcore.runs.runner import reason_of
from invcore.scoring.intervals import bootstrap
from invcore.storage.run_record import MetricRecord, RunRecord, Timings
from invcore.storage.store import Store
from invcore_solve.designer import distinct
from invcore_solve.from_table import fit_pairs
from invcore_solve.simulators.recorded import Remembering
from invcore_solve.simulators.task import OwnSimulator
from invcore_solve.solution import Solution, proposal_rows
from invcore_solve.tables.schema import MIN_ROWS, OwnData, as_targets, check_names

_FEWEST = 10  # pairs that show a method that searches how the responses scale
_SKIPPED = 5  # the exit code of a method that cannot do the task


@dataclass
class Stages:
    """The stages of the work, and what is known of them if it ends early."""

    own: OwnSimulator
    method: InverseMethod[Any]
    sampler: Sampler[Any]
    record: RunRecord
    store: Store | None
    progress: Progress
    plugins: Plugins
    settings: dict[str, Any]
    preset: str
    pairs: int
    budget: int | None
    check: bool
    seconds: dict[str, float] = field(default_factory=dict)

    def go(self, wanted: Table) -> Solution:
        """All of them, for the wanted responses; see ``solve_with``."""
        self._affordable()
        self.own.restart()
        with self._kept():
            with self._recorded():
                self._fit_for_it()
                responses = self.own.responses  # a function is tried for it
            check_names(self.own.designs.names, responses.names)
            y = as_targets(wanted, responses)
            with self._recorded():
                if self._searches:
                    solution = self._search(y)
                else:
                    solution = self._learn(y)
            return self._stored(solution)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep finished batches in the store, unless the simulator has a journal of its own."""
        if self.store is not None:
            self.store.check_writable()
        if self.store is None or self.own.journal is not None:
            yield
            return
        self.own.keep_in(self.store.root / "simulations")
        try:
            yield
        finally:
            self.own.keep_in(None)

    @cached_property
    def simulator(self) -> Remembering:
        """The simulator, counted; made when it is first asked, since a function is tried for it."""
        return Remembering(self.own, self.budget)

    @property
    def _searches(self) -> bool:
        return bool(self.method.needs & (Needs.SIMULATOR | Needs.GRADIENT))

    def _affordable(self) -> None:
        """Refuse what cannot be done, before anything is simulated."""
        record = self.record
        if record.candidates < 1:
            raise ConfigError(f"candidates: expected at least 1, got {record.candidates}")
        if self.pairs < MIN_ROWS:
            raise ConfigError(f"pairs: expected at least {MIN_ROWS}, got {self.pairs}")
        if self._searches and not self.check:
            raise ConfigError(f"method {record.method!r} simulates what it proposes: check it")
        each = record.candidates if self._searches else int(self.check)
        least = self.pairs + record.targets * each
        if self.budget is not None and self.budget < least:
            parts = f"{self.pairs} pairs" + " and a check of what is found" * self.check
            raise ConfigError(
                f"a budget of {self.budget} is too small: {parts} take at least {least} "
                "simulator calls"
            )

    def _fit_for_it(self) -> None:
        if Needs.GRADIENT not in self.method.needs or self.own.differentiable:
            return
        registry = self.plugins.registry
        others = []
        for entry in registry.entries("method"):
            name = entry.component.name
            try:
                if Needs.GRADIENT not in registry.load("method", name).needs:
                    others.append(name)
            except InvcoreError:
                continue  # a broken plugin is of no use here
        refused = ConfigError(
            f"method {self.record.method!r} needs gradients, simulator {self.own.name} has none: "
            f"{self.own.why_no_gradient}; without gradients work {', '.join(sorted(set(others)))}"
        )
        refused.exit_code = _SKIPPED
        raise refused

    def _drawn(self) -> OwnData:
        """Pairs at designs that fill the space; those without a response are left out."""
        own, record = self.own, self.record
        points = self.sampler.sample(
            self.pairs, own.designs.dim, generator(record.seed, "own", "pairs")
        )
        x = own.designs.from_unit(points)
        y = self._simulated("pairs", x)
        good = y.isfinite().all(dim=1)
        least = MIN_ROWS if Needs.PAIRS in self.method.needs else _FEWEST
        if int(good.sum()) < least:
            raise SimulatorError(
                f"simulator {own.name}: {int(good.sum())} of {self.pairs} designs have a response, "
                f"at least {least} must ({own.counts.reasons()})"
            )
        check_table(Table(own.responses.names, y[good].numpy(), own.name, 1), what="responses")
        return OwnData(Pairs(x[good], y[good]), own.designs, own.responses, own.name)

    def _learn(self, targets: Tensor) -> Solution:
        """By a method that learns from pairs."""
        record = self.record
        data = self._drawn()
        with self._timed("fit"):
            designer = fit_pairs(
                data, method=record.method, settings=self.settings, preset=self.preset,
                seed=record.seed, device=record.device, store=self.store, progress=self.progress,
                plugins=self.plugins,
            )  # fmt: skip
        with self._timed("propose"):
            proposal = designer.propose(
                targets, candidates=record.candidates, sampler=record.sampler, seed=record.seed,
                extrapolate=True, progress=self.progress,
            )  # fmt: skip
        best = [proposal.notes[i] for i in (proposal.rank == 1).nonzero()[:, 0].tolist()]
        notes = tuple(f"target {b + 1}: {note}" for b, note in enumerate(best) if note)
        facts = {"record": record, "simulator": {}, "designer": designer}
        if not self.check:
            return Solution.unchecked(proposal, notes=notes, **facts)
        if self.budget is not None:
            affordable = (self.budget - self.simulator.calls) // len(targets)
            if affordable < int(proposal.rank.max()):
                notes += (
                    f"the budget suffices to check {affordable} designs of each target: those that "
                    "looked best",
                )
            proposal = proposal_rows(proposal, (proposal.rank <= affordable).nonzero()[:, 0])
        y = self._simulated("check", proposal.designs)
        group = (proposal.rank == 1).cumsum(0) - 1
        return Solution.checked(
            proposal.target, group, proposal.designs, y, proposal, proposal.names, notes=notes,
            **facts,
        )  # fmt: skip

    def _search(self, targets: Tensor) -> Solution:
        """By a method that searches on the simulator; if its budget ends, the best it has seen."""
        own, record = self.own, self.record
        splits = self._drawn().split(record.seed)
        problem = Problem(own.name, own.designs, own.responses, own.differentiable)
        env = FitEnvironment(record.seed, torch.device(record.device), self.progress)
        with self._timed("fit"):
            model = self.method.fit(problem, splits.train, splits.val, env)
        points = draw_points(
            self.sampler, model, len(targets), record.candidates, generator(record.seed, "points")
        )
        if self.budget is not None:  # what the check takes is put aside
            self.simulator.budget = self.budget - len(targets) * record.candidates
        notes = self._unmoved()
        try:
            with self._timed("propose"):
                found = propose_in_batches(
                    model, Targets(targets), points, self.simulator, self.progress
                )
            self.simulator.budget = self.budget
            group, designs = self._distinct(found.x)
            y = self._simulated("check", designs)
        except BudgetError:
            group, designs, y = self.simulator.best(targets, record.candidates)
            notes += (
                f"method {record.method!r} wanted more than the budget: these are the best of the "
                f"{self.simulator.calls} simulator calls that it made",
            )
        names = (own.designs.names, own.responses.names)
        return Solution.checked(
            targets[group], group, designs, y, None, names, notes=notes, record=record, simulator={}
        )

    def _unmoved(self) -> tuple[str, ...]:
        """That a search by gradients leaves some variables as its starts have them."""
        variables = self.own.designs.variables
        names = [v.name for v in variables if v.whole or v.categories]
        if Needs.GRADIENT not in self.method.needs or not names:
            return ()
        return (
            f"method {self.record.method!r} follows gradients and does not move "
            f"{', '.join(names)}: try cma-es, or a method that learns from pairs",
        )

    def _distinct(self, proposed: Tensor) -> tuple[Tensor, Tensor]:
        """Whose targets they are (R,), and the designs (R, Dx), without copies; of (B, K, Dx)."""
        kept, groups = [], []
        for b, rows in enumerate(self.own.designs.project(proposed)):  # of which there are few
            rows = rows[rows.isfinite().all(dim=1)]
            if len(rows) == 0:
                raise DivergedError(
                    f"target {b + 1}: method {self.record.method!r} gave no finite design"
                )
            kept.append(rows[distinct(self.own.designs.to_unit(rows))])
            groups.append(torch.full((len(kept[-1]),), b))
        return torch.cat(groups), torch.cat(kept)

    def _simulated(self, label: str, x: Tensor) -> Tensor:
        with self._timed("simulate"), self.own.shown(self.progress, label, len(x)):
            return self.simulator(x)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    def _so_far(self, **changes: Any) -> RunRecord:
        """The record with what has been counted and timed."""
        calls = self.simulator.calls if "simulator" in vars(self) else 0
        timings = Timings(**{f"{stage}_s": seconds for stage, seconds in self.seconds.items()})
        counted = {"timings": timings, "simulator_calls": calls}
        return self.record.model_copy(update=counted | changes)

    def _log(self) -> list[dict[str, Any]]:
        return [{"simulator": self.own.counts.document()}]

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Keep a record of work that fails in the block, with its reason."""
        try:
            yield
        except Exception as error:  # a method or a simulator may raise anything
            skipped = isinstance(error, InvcoreError) and error.exit_code == _SKIPPED
            status = "diverged" if isinstance(error, DivergedError) else "error"
            changes = {"status": "skipped" if skipped else status, "reason": reason_of(error)}
            if self.store is not None:
                self.store.write(self._so_far(**changes), log=self._log())
            raise

    def _stored(self, solution: Solution) -> Solution:
        """The solution with its record, in the store if there is one."""
        changes: dict[str, Any] = {"notes": solution.notes}
        if solution.error is not None:
            errors = solution.tensors()["errors"]
            best = torch.where(errors.isnan(), torch.inf, errors).amin(dim=1)
            best = torch.where(best.isfinite(), best, torch.nan)
            value = bootstrap(best, generator(self.record.seed, "own", "best"))
            mean, low, high = (end if math.isfinite(end) else None for end in value)
            changes["metrics"] = (
                MetricRecord(name="best-error", value=mean, ci_low=low, ci_high=high),
            )
        designer = solution.designer
        if designer is not None:
            changes["parameters"] = designer.record.parameters
            changes["config"] = {**self.record.config, "model": designer.record.id}
        record = self._so_far(**changes)
        if self.store is not None:
            tensors = {"candidates": solution.tensors()} if solution.error is not None else {}
            record = self.store.write(record, tensors=tensors, log=self._log())
        own = self.own
        facts = {
            "name": own.name, "kind": own.kind, "differentiable": own.differentiable,
            **own.counts.document(),
        }  # fmt: skip
        return replace(solution, record=record, simulator=facts)

"""A loop at work in a folder, every step of which is on disk before anybody sees it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from invcore.base.errors import ConfigError, DataError, StoreError
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.loop import Loop, Requests, Results, no_pairs
from invcore.contracts.problem import Problem, Targets
from invcore.data.pairs import Pairs
from invcore.search.loop_journal.best_rows import best_rows
from invcore.search.loop_journal.change_parts import change_parts
from invcore.search.loop_journal.documents import Beginning, LoopDocument
from invcore.search.loop_journal.event_files import Event, EventFolder, Kind
from invcore.search.loop_journal.fixed_choices import fixed_space
from invcore.search.loop_journal.ledger import Ledger
from invcore.search.loop_journal.loop_at_work import LoopAtWork
from invcore.search.loop_journal.rows import MOST_ASKED, NOBODY, Rows, Told, plain_results

Build = Callable[[str, Mapping[str, Any]], Loop[Any]]
"""Makes a loop from the name of the component and its settings."""

T = TypeVar("T")


class LoopJournal:
    """A loop at work in a folder, for days or for one search that may be stopped at any time.

    What has happened is a chain of events, a file each, written whole and never changed: rows that
    were asked for, what was told, changes. A row is on disk before ``ask`` gives it, and a result
    when ``tell`` returns; a process that is killed loses nothing but the step that it was in. The
    loop's state is kept beside them and can be lost: it is computed again from the events. Several
    processes may work in one folder; each reads first what the others have added.

    Make one by ``create``, go on by ``open``.

    Example:
        >>> import tempfile
        >>> from invcore.plugin import Space, Uniform, Variable, installed
        >>> x = Variable(name="x", prior=Uniform(low=0.0, high=2.0))
        >>> problem = Problem("square", Space.of(x), Space.of(Variable(name="y")))
        >>> loop = installed().registry.load("loop", "random-search")()
        >>> journal = LoopJournal.create(
        ...     tempfile.mkdtemp(), loop, problem, Targets(torch.tensor([[1.0]]).double()),
        ...     name="random-search", points=torch.full((1, 1, 1), 0.25).double())
        >>> requests = journal.ask(2)
        >>> requests.id.tolist(), requests.designs[0].tolist()
        ([0, 1], [0.5])
        >>> journal.tell(Results(requests.id[:1], requests.designs[:1], requests.designs[:1] ** 2))
        Told(new=1, completed=0, replicated=0, unasked=0, repeated=0, partial=0, failed=0)
        >>> journal.pending().id.tolist(), journal.best().predicted.tolist()
        ([1], [[[0.25]]])
    """

    def __init__(self, files: EventFolder, loop: Loop[Any], env: FitEnvironment) -> None:
        self.folder, self._files = files.folder, files
        self._ledger = Ledger(Beginning.read(files))
        self._work = LoopAtWork(loop, files, env)
        self._read()
        files.check_gaps()

    @classmethod
    def create(
        cls, folder: str | os.PathLike[str], loop: Loop[Any], problem: Problem, targets: Targets,
        *, name: str, points: Tensor, pairs: Pairs | None = None, variance: Tensor | None = None,
        facts: Mapping[str, Any] | None = None, env: FitEnvironment = SILENT,
    ) -> LoopJournal:  # fmt: skip
        """Begin a journal.

        Args:
            folder: made if there is none.
            loop: the component.
            problem: the spaces.
            targets: B of them.
            name: of the component, by which ``open`` has it built.
            points: (B, K, L), in the open unit cube: the only source of randomness.
            pairs: what is known already; none.
            variance: of the responses (Dy,), where it is known.
            facts: plain data that the owner wants to find again.
            env: progress, and what to keep.

        Raises:
            StoreError: the folder has a journal, or cannot be written.
            InvcoreError: what the loop refuses.
        """
        place = Path(folder)
        if cls.at(place):
            raise StoreError(f"{place}: there is a journal already")
        document = LoopDocument(name=name, config=loop.config.model_dump(mode="json"))
        pairs = no_pairs(problem) if pairs is None else pairs
        beginning = Beginning(document, problem, targets, pairs, points, variance, facts or {})
        beginning.check()
        loop.start(problem, targets, pairs, points, env, variance=variance)  # before it is written
        files = EventFolder(place)
        try:
            files.add(Event(0, "start", beginning.document(), beginning.tensors()))
        except FileExistsError:
            raise StoreError(f"{place}: there is a journal already") from None
        return cls(EventFolder(place), loop, env)

    @classmethod
    def open(
        cls, folder: str | os.PathLike[str], build: Build, *, env: FitEnvironment = SILENT
    ) -> LoopJournal:
        """Go on with a journal.

        Args:
            folder: of the journal.
            build: makes the loop from its name and its settings.
            env: progress, and what to keep.

        Raises:
            StoreError: there is none, an event is damaged or missing, or of another version.
        """
        files = EventFolder(Path(folder))
        document = Beginning.read(files).loop
        return cls(EventFolder(files.folder), build(document.name, document.config), env)

    @staticmethod
    def at(folder: str | os.PathLike[str]) -> bool:
        """Whether a folder holds a journal."""
        return EventFolder(Path(folder)).path(0).exists()

    @property
    def facts(self) -> dict[str, Any]:
        """What the owner wanted to find again."""
        return self._read().facts

    @property
    def loop(self) -> LoopDocument:
        """Name and settings of the loop, as they are by now."""
        return self._read().loop

    @property
    def problem(self) -> Problem:
        """The spaces, as they are by now."""
        return self._read().problem

    @property
    def targets(self) -> Targets:
        """What is wanted by now."""
        return self._read().targets

    @property
    def pairs(self) -> Pairs:
        """What was known at first."""
        return self._ledger.beginning.pairs

    @property
    def rows(self) -> Rows:
        """All rows, in the order in which they came up."""
        return self._read().rows

    @property
    def events(self) -> int:
        """How many there are."""
        return self._read().count

    @property
    def restarts(self) -> dict[int, str]:
        """Events at which the loop had to start anew with what was told, and why."""
        return dict(self._read().restarts)

    def ask(
        self, count: int | None = None, *, fixed: Mapping[str, float] | None = None,
        most: int | None = None,
    ) -> Requests:  # fmt: skip
        """Further rows, by ids that count from 0 over the whole life of the folder.

        Args:
            count: the most that are wanted; None: as many as the loop has use for at once.
            fixed: values that variables have in this batch, in their own units or as numbers of
                categories. Another loop of the kind is asked for it, which knows what was told.
            most: rows that may have been asked for in all, by whichever process.

        Returns:
            At most ``count``; none where the loop first has to be told of rows, or has finished.

        Raises:
            ConfigError: a count below one or above `MOST_ASKED`, or values that no design can have.
            UnknownNameError: no variable has a name.
        """
        if count is not None and not 1 <= count <= MOST_ASKED:
            raise ConfigError(f"count: expected at least 1, at most {MOST_ASKED:,}, got {count}")
        return self._step(lambda: self._ask(count, most, fixed))

    def _ask(self, count: int | None, most: int | None, fixed: Any) -> Requests:
        ledger, work = self._ledger, self._work
        if most is not None and most <= ledger.book.next_id:
            return Requests(torch.empty(0).long(), torch.empty(0, ledger.problem.designs.dim))
        left = None if most is None else most - ledger.book.next_id
        count = min((n for n in (count, left) if n is not None), default=None)
        if fixed:
            return self._ask_fixed(count, fixed)
        work.at(ledger)
        if work.anew(ledger):
            self._add("restart", {"reason": "the loop asks for other rows than it did"})
        try:
            requests = work.at(ledger).ask(count)
            if not len(requests):
                work.forget()  # it may not be what the events say any more
                return requests
            given, event = self._asked(requests, requests.id, {"count": count})
        except BaseException:
            work.forget()
            raise
        work.asked(event)
        return given

    def _ask_fixed(self, count: int | None, fixed: Mapping[str, float]) -> Requests:
        ledger, work = self._ledger, self._work
        start = ledger.start(fixed_space(ledger.problem.designs, fixed))
        requests = work.begin(start, ledger.count, ledger).ask(count)
        own = torch.full((len(requests),), NOBODY)
        return self._asked(requests, own, {"count": count, "fixed": dict(fixed)})[0]

    def choose(self, designs: Tensor) -> Requests:
        """Rows of somebody's own choice (N, Dx), such as designs to measure again."""
        self.problem.designs.check(designs, "designs")
        if not bool(designs.isfinite().all()):
            raise DataError("designs: expected finite numbers")
        body = {"count": len(designs), "fixed": {}}  # the loop has no part in it
        own = torch.full((len(designs),), NOBODY)
        return self._step(lambda: self._asked(Requests(own, designs), own, body)[0])

    def _asked(
        self, requests: Requests, own: Tensor, body: Mapping[str, Any]
    ) -> tuple[Requests, Event]:
        """Rows under the journal's ids, once they are written, and the event."""
        first = self._ledger.book.next_id
        ids = torch.arange(first, first + len(requests))
        x = requests.designs.detach().cpu().double()
        tensors = {"id": ids, "own": own.cpu().long(), "designs": x}
        if requests.target is not None:
            tensors["target"] = requests.target.cpu().long()
        event = self._add("ask", body, tensors) if len(ids) else Event(-1, "ask")
        return Requests(ids, x.clone(), tensors.get("target")), event

    def tell(self, results: Results) -> Told:
        """Take what came of rows: of some, in any order, in part, made otherwise, or unasked.

        A row that is told a second time with the same result is left aside. With responses that
        were unknown it completes what is known; with another result it counts as measured again.
        Numbers that are not finite count as unknown.

        Raises:
            DataError: an id that was never asked for; a design that is not finite.
            ShapeError: designs or responses of another width.
        """
        results = plain_results(results)
        self.problem.designs.check(results.designs, "designs as made")
        self.problem.responses.check(results.responses, "responses")
        if not bool(results.designs.isfinite().all()):
            raise DataError("designs as made: expected finite numbers")
        return self._step(lambda: self._tell(results))

    def _tell(self, results: Results) -> Told:
        told, counts = self._ledger.told(results)
        if told.counting:
            assert results.id is not None
            self._add("tell", {}, {
                "id": results.id[counts], "designs": results.designs[counts],
                "responses": results.responses[counts],
            })  # fmt: skip
        return told

    def change(
        self, *, targets: Targets | None = None, problem: Problem | None = None,
        facts: Mapping[str, Any] | None = None, config: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Go on for other targets, on other bounds or constraints, or with other facts or settings.

        What was told stays known. Pending rows may still be told.

        Args:
            targets: in the place of those before.
            problem: the same columns, whose bounds and constraints are others.
            facts: of the owner, in the place of those before.
            config: all settings of the loop, in the place of those before.

        Raises:
            ConfigError: settings that cannot be; other columns of designs or responses.
            InvcoreError: what the loop refuses; then nothing has changed.
        """
        self._step(lambda: self._change(targets, problem, facts, config))

    def _change(
        self, targets: Targets | None, problem: Problem | None, *rest: Mapping[str, Any] | None
    ) -> None:
        ledger = self._ledger
        body, tensors = change_parts(ledger, targets, problem, *rest)
        if problem is not None or targets is not None:  # a loop that refuses leaves all as it was
            trial = ledger.start_with(problem or ledger.problem, targets or ledger.targets)
            self._work.begin(trial, ledger.count, ledger)
        if "config" in body:
            self._work.check(body["config"])
        if body or tensors:
            self._add("change", body, tensors)

    def pending(self) -> Requests:
        """The rows that were asked for and not told, by their ids."""
        rows = self.rows
        rows = rows[(rows.asked_in >= 0) & ~rows.told]
        target = rows.target if bool((rows.target >= 0).any()) else None
        return Requests(rows.id, rows.asked, target)

    def best(self, count: int = 1) -> Candidates:
        """The best designs that are known for each target (B, count, Dx), best first.

        ``predicted`` are their responses. NaN where fewer are known. Where the space was changed,
        earlier rows that it does not allow any more are left out.
        """
        return best_rows(self._read(), count)

    def finished(self) -> Tensor:
        """Which targets the loop will ask nothing more for (B,), bool."""
        return self._work.at(self._read()).finished()

    def _read(self) -> Ledger:
        """The ledger, with what other processes have added."""
        for event in self._files.new():
            self._ledger.apply(event)
        return self._ledger

    def _step(self, work: Callable[[], T]) -> T:
        """Do one step alone in the folder, after all that others have done."""
        while True:
            with self._files.alone():
                self._read()
                try:
                    return work()
                except FileExistsError:  # without a lock, another process was first
                    self._work.forget()

    def _add(
        self, kind: Kind, body: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None
    ) -> Event:
        own = {name: value.detach().cpu().clone() for name, value in (tensors or {}).items()}
        event = Event(self._ledger.count, kind, body, own, self._files.last)
        self._files.add(event)
        self._ledger.apply(event)
        return event

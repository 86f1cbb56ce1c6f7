"""What events add up to: the rows, and the steps that the loop has to take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from invcore.base.errors import DataError, StoreError
from invcore.base.text import printable
from invcore.contracts.loop import Requests, Results
from invcore.contracts.problem import Problem, Targets
from invcore.data.pairs import Pairs, joined, rows_of
from invcore.numerics.point_randomness import scattered
from invcore.search.loop_journal.documents import Beginning, LoopDocument, ProblemDocument
from invcore.search.loop_journal.event_files import Event
from invcore.search.loop_journal.row_book import RowBook
from invcore.search.loop_journal.rows import (
    MOST_ASKED,
    NOBODY,
    Entry,
    Rows,
    Told,
    rows_of_entries,
)
from invcore.search.point_loop import stored_targets
from invcore.spaces.space import Space


@dataclass(frozen=True)
class Start:
    """The loop starts anew.

    Args:
        problem: the spaces.
        targets: B of them.
        pairs: all that is known.
        points: (B, K, L); None: of the event's number.
        failed: (N, Dx), designs that have no response.
    """

    problem: Problem
    targets: Targets
    pairs: Pairs
    points: Tensor | None
    failed: Tensor


@dataclass(frozen=True)
class Ask:
    """The loop was asked for ``count`` rows, and gave these, by its own numbers."""

    count: int | None
    requests: Requests


Step = Start | Ask | Results | Targets
"""Starts, asks, is told, or goes on for other targets."""


class Ledger:
    """The rows of a journal, after all of its events so far.

    Args:
        beginning: what the first event holds.
    """

    def __init__(self, beginning: Beginning) -> None:
        self.beginning, self.facts = beginning, dict(beginning.facts)
        self.problem, self.targets = beginning.problem, beginning.targets
        self.loop = beginning.loop
        self.book = RowBook()
        self.count = 1  # events
        self.era = 0
        """Number of the event at which the loop was last started."""
        self.changed = 0
        """Number of the event since which the space is what it is."""
        self.restarts: dict[int, str] = {}
        none = torch.empty(0, self.problem.designs.dim, dtype=torch.float64)
        first = Start(self.problem, self.targets, beginning.pairs, beginning.points, none)
        self.steps: dict[int, Step] = {0: first}

    @property
    def rows(self) -> Rows:
        """All of them."""
        return rows_of_entries(
            self.book.entries, (self.problem.designs.dim, self.problem.responses.dim)
        )

    def apply(self, event: Event) -> None:
        """Take the next event.

        Raises:
            StoreError: it says what cannot be.
        """
        try:
            {"ask": self._ask, "tell": self._tell, "change": self._change,
             "restart": self._restart}[event.kind](event)  # fmt: skip
        except (LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            raise StoreError(f"event {event.number} of the journal cannot be: {error}") from error
        self.count = event.number + 1

    def _ask(self, event: Event) -> None:
        ids, own, x = (event.tensors[name] for name in ("id", "own", "designs"))
        target, first = event.tensors.get("target"), self.book.next_id
        if ids.tolist() != list(range(first, first + len(ids))):
            raise ValueError(f"its rows are not numbered from {first} on")
        for i in range(len(ids)):
            whose = NOBODY if target is None else int(target[i])
            context = None if target is None else rows_of(self.targets.context, target[i : i + 1])
            self.book.ask(x[i], whose, event.number, int(own[i]), context)
        if "fixed" not in event.body:
            count = event.body["count"]
            if count is not None and not (type(count) is int and len(ids) <= count <= MOST_ASKED):
                raise ValueError(f"it asks for {printable(count, 40)} rows and has {len(ids)}")
            self.steps[event.number] = Ask(count, Requests(own, x, target))

    def _tell(self, event: Event) -> None:
        results = Results(*(event.tensors[name] for name in ("id", "designs", "responses")))
        _, new = self.book.tell(results, event.number)
        if not new:
            return
        x, y = torch.stack([each.design for each in new]), torch.stack([e.responses for e in new])
        pending = [each.way == "new" and each.entry.asked_in >= self.era for each in new]
        own = [e.entry.own if asked else NOBODY for e, asked in zip(new, pending, strict=True)]
        if NOBODY in own and self.targets.context is not None:
            self._start(event.number)  # which knows the problems of rows that nobody asked for
        else:
            self.steps[event.number] = Results(torch.tensor(own), x, y, ~y.isfinite().any(dim=1))

    def told(self, results: Results) -> tuple[Told, Tensor]:
        """What results would be, and which of them say something new (N,), bool.

        Raises:
            DataError: no row has that id, or a row's problem is not known.
        """
        told, new = self.book.copy().tell(results, self.count)
        if told.unasked and self.targets.context is not None:
            raise DataError("rows that nobody asked for: whose context they have is not known")
        counts = torch.zeros(len(results), dtype=torch.bool)
        counts[[each.place for each in new]] = True
        return told, counts

    def _change(self, event: Event) -> None:
        anew = False
        if "facts" in event.body:
            self.facts = dict(event.body["facts"])
        if "problem" in event.body:
            problem = ProblemDocument.parse(event.body["problem"]).problem()
            self.problem, self.changed, anew = problem, event.number, True
        if "config" in event.body:
            self.loop = LoopDocument(name=self.loop.name, config=dict(event.body["config"]))
            anew = True
        if "targets.low" in event.tensors:
            targets = stored_targets(dict(event.tensors))
            anew |= len(targets) != len(self.targets)
            self.targets = targets
            self.steps[event.number] = targets
        if anew:
            self._start(event.number)

    def _restart(self, event: Event) -> None:
        self.restarts[event.number] = str(event.body["reason"])
        self._start(event.number)

    def _start(self, number: int) -> None:
        self.era, self.steps = number, {number: self.start()}

    def start(self, space: Space | None = None) -> Start:
        """A loop that begins with all that is known now, on another space of designs or this."""
        problem = self.problem if space is None else replace(self.problem, designs=space)
        return self.start_with(problem, self.targets)

    def start_with(self, problem: Problem, targets: Targets) -> Start:
        """A loop that begins with all that is known now, on a problem and for targets."""
        good = [e for e in self.book.entries if e.told_in != NOBODY and not e.failed]
        bad = [e.made for e in self.book.entries if e.failed and e.made is not None]
        if self.targets.context is not None:  # then a row alone cannot say whose it is
            good, bad = [e for e in good if e.context is not None], []
        none = torch.empty(0, problem.designs.dim, dtype=torch.float64)
        failed = torch.stack(bad) if bad else none
        return Start(problem, targets, self._pairs(good), None, failed)

    def _pairs(self, entries: list[Entry]) -> Pairs:
        """What was known at first, and rows that were told."""
        first = self.beginning.pairs
        if not entries:
            return first
        rows = rows_of_entries(entries, (self.problem.designs.dim, self.problem.responses.dim))
        names = self.targets.context or {}
        context = {
            n: torch.cat([e.context[n] for e in entries if e.context is not None]) for n in names
        }
        facts = {}
        if first.weights is not None:
            facts["weights"] = torch.ones(len(rows)).to(first.weights)
        if first.noise is not None:  # as it was on the average
            facts["noise"] = first.noise.mean(dim=0).expand(len(rows), -1)
        if first.groups is not None:
            begin = int(first.groups.max()) + 1 if len(first) else 0
            facts["groups"] = torch.arange(begin, begin + len(rows))
        more = Pairs(rows.made, rows.responses, context or None, **facts)
        return joined([first, more.to(first.x.device, first.x.dtype)]) if len(first) else more

    def points(self, number: int, width: int, targets: Targets) -> Tensor:
        """Points (B, K, L) for what starts at an event: those of the beginning decide them.

        Args:
            number: of the event; not the first.
            width: L.
            targets: B of them.
        """
        given = self.beginning.points.double()
        flat, shape = given.reshape(1, -1), (len(targets), given.shape[1], width)
        size = shape[0] * shape[1] * shape[2]
        if not size or not flat.shape[1]:
            return torch.full(shape, 0.5, dtype=torch.float64)
        times = -(-size // flat.shape[1])
        return scattered(flat, number * times, (number + 1) * times).reshape(-1)[:size].view(shape)

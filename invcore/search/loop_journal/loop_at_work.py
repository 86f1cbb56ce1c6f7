"""The loop of a journal: brought to where the events are, by its kept state or step by step."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from invcore.base.errors import StoreError
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.loop import Loop, Requests, Results, StartedLoop
from invcore.contracts.problem import Targets
from invcore.search.loop_journal.documents import LoopDocument
from invcore.search.loop_journal.event_files import STATE, Event, EventFolder, read_event
from invcore.search.loop_journal.ledger import Ledger, Start, Step
from invcore.storage.atomic import replace_file
from invcore.storage.identity import identity


class LoopAtWork:
    """A loop that follows a ledger.

    Its state is kept after each time that it was asked, and found again if it is of the journal as
    it stands and of the same code. Else the steps since its last start are done again. Where it
    then asks for other rows than it did, as another version may, it has to start anew: ``anew``.

    Args:
        loop: the component; settings that a ledger has otherwise take the place of its own.
        files: the events.
        env: progress, and what to keep.
    """

    def __init__(self, loop: Loop[Any], files: EventFolder, env: FitEnvironment) -> None:
        self._loop, self._files, self._env = loop, files, env
        self._now = loop
        self._set: LoopDocument | None = None
        self._identity = ""
        self._started: StartedLoop | None = None
        self._done = -1  # number of the last event that the loop has taken part in
        self._other = -1  # the era in which it has been found to ask for other rows
        self._next: tuple[int, StartedLoop] | None = None  # what it is then from an event on

    def check(self, config: Mapping[str, Any]) -> Loop[Any]:
        """The loop with other settings.

        Raises:
            ConfigError: they cannot be.
        """
        return type(self._loop)(type(self._loop).Config.parse(config, where="settings of the loop"))

    def loop(self, ledger: Ledger) -> Loop[Any]:
        """The loop with the settings that the ledger has."""
        document = ledger.loop
        if document != self._set:
            changed = document != ledger.beginning.loop
            self._now = self.check(document.config) if changed else self._loop
            plain = document.model_dump(mode="json")
            self._identity = identity({"loop": plain, "code": _code(self._loop)})
            self._set = document
        return self._now

    def begin(self, start: Start, number: int, ledger: Ledger) -> StartedLoop:
        """A loop with what is known at a start, by an event's number."""
        points, loop = start.points, self.loop(ledger)
        if points is None:
            points = ledger.points(number, loop.point_dim(start.problem), start.targets)
        started = loop.start(
            start.problem, start.targets, start.pairs, points, self._env,
            variance=ledger.beginning.variance,
        )  # fmt: skip
        if len(start.failed):
            shape = len(start.failed), start.problem.responses.dim
            nothing = torch.full(shape, torch.nan, dtype=torch.float64)
            lost = torch.ones(len(start.failed), dtype=torch.bool)
            started.tell(Results(None, start.failed, nothing, lost))
        return started

    def at(self, ledger: Ledger) -> StartedLoop:
        """The loop after all events of the ledger."""
        if self.anew(ledger):
            return self._anew(ledger)
        if self._started is None or self._done < ledger.era:
            self._started, self._done = self._stored(ledger)
        try:
            while self._done < ledger.count - 1:
                self._take(ledger.steps.get(self._done + 1), self._done + 1, ledger)
                self._done += 1
        except _OtherRowsError:
            self.forget()
            self._other = ledger.era
            return self._anew(ledger)
        except BaseException:
            self.forget()  # it may have taken half of a step
            raise
        assert self._started is not None
        return self._started

    def anew(self, ledger: Ledger) -> bool:
        """Whether it has to start anew before it can be asked: its rows are others by now."""
        return self._other == ledger.era

    def _anew(self, ledger: Ledger) -> StartedLoop:
        """What it will be once the next event says that it starts anew."""
        if self._next is None or self._next[0] != ledger.count:
            self._next = ledger.count, self.begin(ledger.start(), ledger.count, ledger)
        return self._next[1]

    def asked(self, event: Event) -> None:
        """Note that the loop was asked, by an event, and keep its state."""
        self._done = event.number
        assert self._started is not None
        body = {"identity": self._identity, "checksum": event.checksum}
        state = Event(event.number, "state", body, self._started.state())
        with suppress(OSError):  # it can be computed again
            replace_file(self._files.folder / STATE, state.content(), lasting=False, follow=False)

    def forget(self) -> None:
        """Let go of the loop; the next time it is brought to where the events are."""
        self._started, self._done = None, -1

    def _take(self, step: Step | None, number: int, ledger: Ledger) -> None:
        if step is None:
            return
        if isinstance(step, Start):
            self._started = self.begin(step, number, ledger)
            return
        assert self._started is not None
        if isinstance(step, Targets):
            self._started.retarget(step)
        elif isinstance(step, Results):
            self._started.tell(step)
        elif not _same(self._started.ask(step.count), step.requests):
            raise _OtherRowsError

    def _stored(self, ledger: Ledger) -> tuple[StartedLoop | None, int]:
        """The loop as it was kept, and the event after which, if the same code kept it after one
        of these events; else none, before its last start.
        """
        none, loop = (None, ledger.era - 1), self.loop(ledger)
        try:
            kept = read_event(self._files.folder / STATE)
            if kept.kind != "state" or kept.body["identity"] != self._identity:
                return none
            if not ledger.era <= kept.number < ledger.count:
                return none
            if kept.body["checksum"] != read_event(self._files.path(kept.number)).checksum:
                return none
            started = loop.restore(ledger.problem, dict(kept.tensors), self._env)
        except (StoreError, LookupError, ValueError, RuntimeError, TypeError):
            return none  # damaged, or of another make
        return started, kept.number


class _OtherRowsError(Exception):
    """A loop asks for other rows than it did when the journal was written."""


def _same(a: Requests, b: Requests) -> bool:
    """Whether the same rows are wanted, bit for bit."""
    targets = [torch.empty(0).long() if r.target is None else r.target.cpu() for r in (a, b)]
    same = torch.equal(a.id.cpu(), b.id) and torch.equal(*targets)
    return same and torch.equal(a.designs.detach().cpu().double(), b.designs)


def _code(loop: Loop[Any]) -> dict[str, str]:
    """What decides which rows a loop asks for, beside its settings."""
    parts = {name: version(name) for name in ("invcore", "torch")}
    return parts | {"files": _files_checksum(type(loop).__module__)}


@cache
def _files_checksum(module: str) -> str:
    """Of the module, and of those beside it and below."""
    digest = hashlib.sha256(module.encode())
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return digest.hexdigest()
    for path in sorted(Path(file).parent.rglob("*.py")):
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()

"""Events as files: numbered without gaps, each whole or absent, checked, in a chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock
from pydantic import ValidationError
from torch import Tensor

from invcore.base.errors import StoreError
from invcore.configs.config import Config
from invcore.storage.atomic import SCRATCH, create_file, replace_file
from invcore.storage.json_text import dump
from invcore.storage.sealed_tensors import checksum_of, read_sealed, sealed_tensors

Kind = Literal["start", "ask", "tell", "change", "restart", "state"]

STATE = "state.safetensors"
"""The file of what is kept of a loop after one of its events."""
LAST = "last"
"""The file beside events that has the number of the last one."""
_KIND = "event"
FORMAT = 1
"""Of the files; another one is refused."""


class Head(Config):
    """What is said of an event beside its tensors.

    Args:
        format: of the file.
        number: of the event, from 0.
        kind: what happened; ``state`` is no event but what is kept of a loop after one.
        previous: checksum of the event before; empty for the first.
        created: when, UTC.
        body: what the kind has to say; plain data.
    """

    format: Literal[1] = 1
    number: int
    kind: Kind
    previous: str
    created: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One step of a journal.

    Args:
        number: from 0.
        kind: what happened.
        body: plain data.
        tensors: what belongs to it.
        previous: checksum of the event before.
        created: when, UTC.
    """

    number: int
    kind: Kind
    body: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    previous: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def head(self) -> str:
        """All but the tensors, as JSON text."""
        return dump({
            "format": FORMAT, "number": self.number, "kind": self.kind, "previous": self.previous,
            "created": self.created, "body": dict(self.body),
        })  # fmt: skip

    @property
    def checksum(self) -> str:
        """SHA-256 of all of it."""
        return checksum_of(self.head, self.tensors)

    def content(self) -> bytes:
        """The file's content: tensors, and in its header the rest with the checksum."""
        return sealed_tensors(self.tensors, self.head, kind=_KIND)


def read_event(path: Path) -> Event:
    """The event in a file.

    Raises:
        StoreError: it is damaged, of another format, or cannot be read.
    """
    try:
        found = read_sealed(path, kind=_KIND)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError:
        raise StoreError(f"{path}: it is damaged") from None
    if found.text is None:
        raise StoreError(f"{path}: it is no event of a journal")
    try:
        head = Head.model_validate_json(found.text)
    except ValidationError as error:
        why = "damaged"
        if error.errors()[0]["loc"] == ("format",):
            why = f"of another format than {FORMAT}, which this invcore reads"
        raise StoreError(f"{path}: it is {why}") from None
    if not found.whole:
        raise StoreError(f"{path}: it is damaged: its checksum is another")
    return Event(head.number, head.kind, head.body, found.tensors, head.previous, head.created)


class EventFolder:
    """The events of one journal in its folder, read one after another.

    Args:
        folder: of the journal.

    Raises:
        StoreError: its events are a link, which may lead anywhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.events = folder, folder / "events"
        if self.events.is_symlink():
            raise StoreError(f"{self.events}: is a link, which is not followed")
        self.count, self.last = 0, ""  # how many were read, and the checksum of the last
        self._swept = False

    def path(self, number: int) -> Path:
        """The file of an event."""
        return self.events / f"{number:06d}.safetensors"

    def new(self) -> Iterator[Event]:
        """The events that were not read yet.

        Raises:
            StoreError: one is damaged, or of another journal.
        """
        while self.path(self.count).exists():
            event = read_event(self.path(self.count))
            if (event.number, event.previous) != (self.count, self.last):
                raise StoreError(f"{self.path(self.count)}: it does not follow the event before it")
            self.count, self.last = self.count + 1, event.checksum
            yield event

    def check_gaps(self) -> None:
        """Check that nothing comes after the last event.

        Raises:
            StoreError: some event is missing.
        """
        names = sorted(path.name for path in self.events.glob("[0-9]*.safetensors"))
        if names and names[-1] > self.path(self.count).name and not self.path(self.count).exists():
            raise StoreError(f"{self.path(self.count)} is missing, though {names[-1]} is there")
        last = self._last_added()
        if last >= self.count and not self.path(last).exists():  # else it has just come
            raise StoreError(f"{self.path(last)} is missing, though {LAST} says that it was there")

    def _last_added(self) -> int:
        """The number of the last event that was added, if a whole file says so; else -1."""
        try:
            number, _, checksum = (self.events / LAST).read_text("ascii").partition(" ")
        except (OSError, ValueError):
            return -1
        return int(number) if checksum == checksum_of(number, {}) else -1

    def note_last(self, number: int) -> None:
        """Note which event is the last one, so that its loss is noticed."""
        text = f"{number} {checksum_of(str(number), {})}"
        with suppress(OSError):  # then a loss of this one is not noticed
            replace_file(self.events / LAST, text.encode(), lasting=False, follow=False)

    def add(self, event: Event) -> None:
        """Keep an event, the next one.

        Raises:
            FileExistsError: another process has added one meanwhile.
            StoreError: the folder cannot be written.
        """
        path = self.path(event.number)
        try:
            self.events.mkdir(parents=True, exist_ok=True)
            create_file(path, event.content())
        except FileExistsError:
            raise
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from None
        self.count, self.last = event.number + 1, event.checksum
        self.note_last(event.number)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only process that adds events; the lock of a process that died is free.

        Where no lock can be had nobody waits: two that add at once are told apart by the events'
        names, and the second begins its step again.
        """
        try:
            lock = FileLock(self.folder / ".lock")
            lock.acquire()
        except (OSError, NotImplementedError):
            yield
            return
        try:
            if not self._swept:  # what processes that were killed have left half-written
                for path in self.events.glob(f"{SCRATCH}*"):
                    with suppress(OSError):
                        path.unlink()
                self._swept = True
            yield
        finally:
            lock.release()

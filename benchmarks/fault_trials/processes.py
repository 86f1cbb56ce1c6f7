"""The command line in real processes that begin with all imports done, and can be hurt."""

from __future__ import annotations

import multiprocessing
import os
import resource
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = (
    "fault_trials.processes", "fault_trials.loops", "fault_trials.warm", "invcore_closed_loop",
)  # fmt: skip
MARK = "INVCORE_FAULT_TRIAL"  # by which all processes of a trial are found
_PATIENCE_S = 300.0
_GRACE_S = 20.0

Hurt = Callable[[], None]
"""Is done in a process before its command begins."""


@dataclass
class Command:
    """A command line in a process of its own.

    Args:
        words: of it, without ``invcore``.
        folder: in which it runs, and has what it says in ``log``.
        hurt: what is done in the process before.
    """

    words: Sequence[str]
    folder: Path
    hurt: Hurt | None = None
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def start(self) -> Command:
        """Begin."""
        self.process = CONTEXT.Process(
            target=_command, args=(list(self.words), self.folder, self.hurt, self.mark)
        )
        self.process.start()
        return self

    def send(self, number: int) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            assert self.process.pid is not None
            os.kill(self.process.pid, number)

    def wait(self, patience: float = _PATIENCE_S) -> int | None:
        """Its exit code, negative for a signal; None where it hangs, and is killed."""
        self.process.join(patience)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            return None
        return self.process.exitcode

    def run(self) -> int | None:
        """Begin, and wait for the end."""
        return self.start().wait()

    def workers(self) -> list[int]:
        """Its worker processes."""
        mine = [pid for pid in marked(self.mark) if pid != self.process.pid]
        return [pid for pid in mine if b"resource_tracker" not in _command_line(pid)]

    def orphans(self) -> int:
        """How many of its processes live on, some time after its end; they are ended."""
        end = time.monotonic() + _GRACE_S
        while (left := marked(self.mark)) and time.monotonic() < end:
            time.sleep(0.05)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(left)


def marked(mark: str) -> list[int]:
    """The processes whose environment has the mark."""
    found = []
    needle = f"{MARK}={mark}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if needle in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_bytes()
    return b""


def _command(words: list[str], folder: Path, hurt: Hurt | None, mark: str) -> None:
    os.environ[MARK] = mark
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    out = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    from invcore.cli.main import main

    if hurt is not None:
        hurt()
    main(words)


# What hurts


def small_files(most: int) -> Hurt:
    """No file may grow beyond so many bytes, as on a disk without room."""
    return partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))


def failing(name: str, nth: int, number: int) -> Hurt:
    """The nth call of a function of ``os`` fails, and so do all later ones."""
    return partial(_fail, name, nth, number)


def _fail(name: str, nth: int, number: int) -> None:
    real, count = getattr(os, name), 0

    def fails(*args: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count >= nth:
            raise OSError(number, os.strerror(number))
        return real(*args, **options)

    setattr(os, name, fails)


def jumping_clock(shift: float, after: int) -> Hurt:
    """``time.time`` jumps by so many seconds after some calls."""
    return partial(_jump, shift, after)


def _jump(shift: float, after: int) -> None:
    real, count = time.time, 0

    def jumped() -> float:
        nonlocal count
        count += 1
        return real() + (shift if count > after else 0.0)

    time.time = jumped
    time.time_ns = lambda: int(jumped() * 1e9)


def begin() -> None:
    """Have all that commands import in the process that others come from."""
    here = str(Path(__file__).resolve().parents[1])
    if here not in sys.path:
        sys.path.insert(0, here)
    paths = os.environ.get("PYTHONPATH", "")
    if here not in paths.split(os.pathsep):  # the process that others come from has to find us
        os.environ["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [paths])])
    CONTEXT.set_forkserver_preload(list(PRELOADED))

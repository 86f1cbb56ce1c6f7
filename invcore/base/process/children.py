"""Processes that code has started, found by a mark in their environment and ended."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARK = "INVCORE_RUN"
"""Name in the environment of all that a run starts; its value tells runs apart."""
_KEPT = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")
_ROUNDS = 20  # that what goes on starting processes is looked for
_PAUSE_S = 0.02


@contextmanager
def marked(mark: str = "") -> Iterator[str]:
    """Have all processes that the block starts carry a mark, in sessions of their own too.

    Args:
        mark: empty: a new one, which begins with that of the block around it.

    Example:
        >>> with marked() as mark:
        ...     os.environ[MARK] == mark
        True
    """
    before = os.environ.get(MARK)
    mark = mark or "-".join([*([before] if before else []), secrets.token_hex(8)])
    os.environ[MARK] = mark
    try:
        yield mark
    finally:
        if before is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = before


def last_number() -> str:
    """The number of the process that was started last on this machine, where the system tells it.

    Where it is as before, nothing was started meanwhile, and nothing needs to be looked for.
    """
    try:
        return Path("/proc/loadavg").read_text().rpartition(" ")[2]
    except OSError:
        return ""


def marked_processes(mark: str) -> list[int]:
    """The numbers of the running processes that carry a mark, or one within it; not this one's.

    They are found in ``/proc``, where the system has that; elsewhere none is.
    """
    entry, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        number = int(folder.name)
        with suppress(OSError):  # it has ended, or is another user's
            if number == os.getpid() or not _carries(folder, entry):
                continue
            if any(word in (folder / "cmdline").read_bytes() for word in _KEPT):
                continue  # of Python itself, for as long as this process lives
            if (folder / "stat").read_text().rpartition(") ")[2][:1] != "Z":
                found.append(number)
    return found


def _carries(folder: Path, entry: bytes) -> bool:
    environment = b"\0" + (folder / "environ").read_bytes()
    return b"\0" + entry in environment  # that of a block within begins with it


def end_marked(mark: str) -> int:
    """Kill the processes that carry a mark, and those that they start meanwhile; how many."""
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        left = marked_processes(mark)
        if not left:
            break
        for number in left:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
        ended.update(left)
        time.sleep(_PAUSE_S)
        for number in left:
            with suppress(OSError):  # a child of ours stays until it is waited for
                os.waitpid(number, os.WNOHANG)
    return len(ended)

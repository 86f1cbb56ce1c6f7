"""What a reader is, and what becomes of one input."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hypothesis.strategies import SearchStrategy

from invcore.base.errors import InvcoreError

Outcome = Literal["accepted", "refused", "internal", "slow", "memory", "outside"]
OUTCOMES: tuple[Outcome, ...] = (
    "accepted", "refused", "internal", "slow", "memory", "outside"
)  # fmt: skip
BAD = OUTCOMES[2:]
SECONDS = 10.0
"""How long a reader may take for one input."""
BYTES = 2 << 30
"""How much memory it may take for one input, beside what the process has."""
_LONGEST = 2000  # characters of a message


@dataclass(frozen=True)
class Reader:
    """Something that reads what comes from outside.

    Args:
        name: on the command line.
        inputs: bytes to give it.
        read: is given the bytes and an empty folder; raises what the reader raises.
    """

    name: str
    inputs: Callable[[], SearchStrategy[bytes]]
    read: Callable[[bytes, Path], Any]


class _Slow(BaseException):
    """The time of one input is over."""


def outcome_of(reader: Reader, data: bytes, root: Path) -> tuple[Outcome, str]:
    """Give a reader one input.

    Args:
        reader: which.
        data: the input.
        root: a folder of the caller's; the reader works in ``root/work``.

    Returns:
        What became of it, and why.
    """
    work = root / "work"
    work.mkdir(exist_ok=True)
    for path in work.iterdir():
        _remove(path)
    before = sorted(os.listdir(root))
    try:
        with _alarm(), _inside(work):
            reader.read(data, work)
        found: tuple[Outcome, str] = ("accepted", "")
    except InvcoreError as error:
        text = str(error)
        short = len(text) <= _LONGEST and "\n" not in text and text.isprintable()
        found = ("refused" if short else "internal", f"{type(error).__name__}: {text[:3000]}")
    except _Slow:
        found = "slow", f"more than {SECONDS:g} s"
    except MemoryError as error:
        found = "memory", _place(error)
    except RecursionError as error:
        found = "internal", f"RecursionError {_place(error)}"
    except Exception as error:
        found = "internal", f"{type(error).__name__}: {error!s:.300} {_place(error)}"
    if sorted(os.listdir(root)) != before:
        found = "outside", f"{sorted(os.listdir(root))}"
    return found


def limit_memory() -> None:
    """From now on the process gets no more than ``BYTES`` beside what it has."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _Slow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _place(error: BaseException) -> str:
    """Where it was raised: the last lines of ours."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "invcore" in code.co_filename:
            places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(places[-4:]))


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()

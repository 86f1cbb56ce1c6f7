"""A time limit for Python code, where the system has one."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SOON_S = 0.001  # for an alarm that should have rung in the block


class _TimeUp(BaseException):
    """No Exception, so that code that catches those does not catch this one."""


@contextmanager
def time_limit(seconds: float | None, error: Exception) -> Iterator[None]:
    """Interrupt the block after some seconds.

    By an alarm signal, which only the main thread of Unix-like systems has; elsewhere nothing
    limits the block. An alarm that somebody else has set goes on: where it would ring earlier, it
    is the limit. Code that does not come back to the interpreter (a loop in C) is interrupted
    when it does.

    Args:
        seconds: positive; None for no limit.
        error: is raised when the time is up.

    Raises:
        Exception: ``error``.

    Example:
        >>> with time_limit(60.0, TimeoutError("too long")):
        ...     2 + 2
        4
    """
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    others = signal.getitimer(signal.ITIMER_REAL)[0] if here else 0.0
    if seconds is None or not here or 0.0 < others <= seconds:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _TimeUp

    before, begun = signal.signal(signal.SIGALRM, end), time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    except _TimeUp:
        raise error from None
    finally:
        signal.signal(signal.SIGALRM, before)
        if others:
            left = others - (time.monotonic() - begun)
            signal.setitimer(signal.ITIMER_REAL, max(left, _SOON_S))

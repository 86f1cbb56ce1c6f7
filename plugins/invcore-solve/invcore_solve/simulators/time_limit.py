"""A time limit for Python code, where the system has one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from invcore.plugin import SimulatorError


class _TimeUp(BaseException):
    """No Exception, so that a simulator that catches those does not catch this one."""


@contextmanager
def time_limit(seconds: float | None, name: str) -> Iterator[None]:
    """Interrupt the block after some seconds.

    By an alarm signal, which only the main thread of Unix-like systems has; elsewhere nothing
    limits the block. Code that never comes back to the interpreter (a loop in C) is interrupted
    when it does.

    Args:
        seconds: positive; None for no limit.
        name: of the simulator, for the message.

    Raises:
        SimulatorError: the time was up.

    Example:
        >>> with time_limit(60.0, "mine"):
        ...     2 + 2
        4
    """
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if seconds is None or not here:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, end)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    except _TimeUp:
        raise SimulatorError(
            f"simulator {name} took longer than its time limit of {seconds:g} s a batch"
        ) from None
    finally:
        signal.signal(signal.SIGALRM, before)

"""Whether somebody has really interrupted this process, or code has only said so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Interrupts:
    """What ``watched`` has seen.

    Args:
        seen: whether a signal has come that interrupts.
        certain: whether signals can be seen here: handlers belong to the main thread.
    """

    def __init__(self, certain: bool) -> None:
        self.seen, self.certain = False, certain

    def explain(self, error: BaseException) -> bool:
        """Whether an error is an interrupt by a person, or by the process's parent.

        One that nobody can have watched counts as such.
        """
        return isinstance(error, KeyboardInterrupt) and (self.seen or not self.certain)


@contextmanager
def watched() -> Iterator[Interrupts]:
    """See the signals that interrupt the block, which do what they do without it.

    Example:
        >>> with watched() as interrupts:
        ...     try:
        ...         raise KeyboardInterrupt
        ...     except KeyboardInterrupt as error:
        ...         interrupts.explain(error)
        False
    """
    certain = threading.current_thread() is threading.main_thread()
    found = Interrupts(certain)
    if not certain:
        yield found
        return

    def seeing(handler: Callable[[int, FrameType | None], Any]) -> Callable[..., Any]:
        def see(number: int, frame: FrameType | None) -> Any:
            found.seen = True
            return handler(number, frame)

        return see

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if callable(handler):  # else it is ignored, or ends the process at once
            signal.signal(number, seeing(handler))
    try:
        yield found
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: it was not set from Python
                signal.signal(number, handler)

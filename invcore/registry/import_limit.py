"""How long a plugin may take to be imported, so that one that hangs does not hang everybody."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from invcore.base.errors import PluginError

LIMIT_S = 120.0
"""For one import, with all that it imports."""


class _TimeUp(BaseException):
    """No Exception, so that code that catches those does not catch this one."""


@contextmanager
def importing(what: str) -> Iterator[None]:
    """Give up an import that takes too long.

    By an alarm signal, which only the main thread of Unix-like systems has; where there is none, or
    somebody else has set one, nothing limits the import. Code that does not come back to the
    interpreter is given up when it does.

    Args:
        what: is imported, for the message.

    Raises:
        PluginError: it took too long.

    Example:
        >>> with importing("json"):
        ...     import json
    """
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if not here or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, end)
    try:
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    except _TimeUp:
        raise PluginError(f"{what} took more than {LIMIT_S:g} s to be imported") from None
    finally:
        signal.signal(signal.SIGALRM, before)

"""Standard output and error that code cannot take away."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

_NUMBERS = (0, 1, 2)


class Unclosable(io.TextIOBase):
    """A text stream that passes on what is written, and whose end is not that of the other.

    Args:
        stream: that is written to; what that cannot take any more is dropped.

    Example:
        >>> below = io.StringIO()
        >>> stream = Unclosable(below)
        >>> stream.close()
        >>> below.closed
        False
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass text on."""
        with suppress(ValueError):  # whoever owns it has closed it
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass that on."""
        with suppress(ValueError):
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: it is the process's."""

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """As the other."""
        with suppress(ValueError):
            return self._stream.isatty()
        return False

    def __getattr__(self, name: str) -> Any:
        """Everything else (``buffer``, ``encoding``, ``fileno``) is the other's."""
        return getattr(self._stream, name)


@contextmanager
def streams_kept() -> Iterator[list[str]]:
    """Have standard input, output and error after the block as before.

    In the block ``sys.stdout`` and ``sys.stderr`` cannot be closed; a closed file descriptor, and
    streams that were replaced, are put back.

    Yields:
        Names of what was closed or replaced, filled when the block ends.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    copies = {}
    for number in _NUMBERS:
        with suppress(OSError):  # it is closed already
            copies[number] = os.dup(number), _identity(number)
    shields = [stream and Unclosable(stream) for stream in before[1:]]
    sys.stdout, sys.stderr = shields
    changed: list[str] = []
    try:
        yield changed
    finally:
        names = ("standard input", "standard output", "standard error")
        streams = (before[0], *shields)
        for name, own, now in zip(names, streams, (sys.stdin, sys.stdout, sys.stderr), strict=True):
            if own is not now:
                changed.append(name)
        sys.stdin, sys.stdout, sys.stderr = before
        for number, name in enumerate(("stdout", "stderr"), start=1):
            if getattr(before[number], "closed", False):  # by its other name, ``sys.__stdout__``
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))
        for number, (copy, identity) in copies.items():
            if _identity(number) != identity:
                os.dup2(copy, number)
                if names[number] not in changed:
                    changed.append(names[number])
            os.close(copy)


def _identity(number: int) -> tuple[int, int] | None:
    """Which file a descriptor is of; None where it is closed."""
    try:
        stat = os.fstat(number)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino

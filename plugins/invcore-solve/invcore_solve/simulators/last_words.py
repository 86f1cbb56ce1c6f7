"""The end of what a program prints: all is read, however much it is, and little of it kept."""

from __future__ import annotations

import contextlib
import threading
from typing import IO

_TAIL = 4096  # bytes in which the last line is looked for
_PIECE = 2**16
_PATIENCE_S = 5.0  # until a pipe is closed whose program has ended


class LastWords:
    r"""Reads standard error and output of a program, so that it never waits to be read.

    Args:
        streams: in the order in which the last line is looked for.

    Example:
        >>> import io
        >>> LastWords([io.BytesIO(b""), io.BytesIO(b"one\ntwo\n")]).line()
        'two'
    """

    def __init__(self, streams: list[IO[bytes]]) -> None:
        self._streams, self._tails = streams, [b""] * len(streams)
        self._threads = [
            threading.Thread(target=self._read, args=(number,), daemon=True)
            for number in range(len(streams))
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            while piece := self._streams[number].read(_PIECE):
                self._tails[number] = (self._tails[number] + piece)[-_TAIL:]

    def line(self) -> str:
        """The last line, printable, at most 200 characters; call it when the program has ended."""
        for thread, stream in zip(self._threads, self._streams, strict=True):
            thread.join(_PATIENCE_S)
            if not thread.is_alive():
                stream.close()
        for tail in self._tails:
            for line in reversed(tail.decode(errors="replace").split("\n")):
                text = "".join(char for char in line if char.isprintable()).strip()
                if text:
                    return text[:200]
        return ""

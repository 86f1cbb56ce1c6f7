r"""The way to the screen: what commands print cannot steer a terminal, whatever names it holds.

A name from a file may hold escape codes that recolour, erase or retitle a terminal, marks that turn
the direction of writing, or signs without width. Within ``harmless_streams`` they are shown as
Python would write them (``\x1b``), by whatever a command prints with.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from invcore.base.text import harmless


class Screen:
    """A stream of text that makes harmless what is written to it; otherwise the stream.

    Our consoles style what they write with escape codes of their own: they look for
    ``rich_proxied_file``, and have made the texts harmless before.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: Any) -> None:
        self.rich_proxied_file = stream

    buffer = None  # nobody writes past it

    def write(self, text: str) -> int:
        """Write a text, harmless."""
        self.rich_proxied_file.write(harmless(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Within the block standard output and standard error are harmless."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        stream if stream is None or isinstance(stream, Screen) else Screen(stream)
        for stream in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before

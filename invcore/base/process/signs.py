"""Signs of life: what a job is doing, told to whoever watches it from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_watcher: Callable[[str], None] | None = None


def sign(stage: str) -> None:
    """Say what the process is doing now; nobody may listen."""
    if _watcher is not None:
        _watcher(stage)


@contextmanager
def signs_to(watcher: Callable[[str], None]) -> Iterator[None]:
    """Have signs of the block go somewhere.

    Example:
        >>> heard = []
        >>> with signs_to(heard.append):
        ...     sign("fit")
        >>> heard
        ['fit']
    """
    global _watcher
    before, _watcher = _watcher, watcher
    try:
        yield
    finally:
        _watcher = before

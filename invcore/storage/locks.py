"""Who is writing: a lock on what is being written, which ends with its process."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

IDLE_S = 600.0
"""Seconds without a change after which nobody writes any more, on disks without locks too."""


def hold(number: int) -> None:
    """Lock an open file or folder until it is closed; where there are no locks, nothing happens."""
    with suppress(ImportError, OSError):
        import fcntl  # not everywhere

        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a file or folder in the block, beside others who may; where that cannot be, go on."""
    number = None
    with suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        hold(number)
    try:
        yield
    finally:
        if number is not None:
            os.close(number)


@contextmanager
def alone(path: Path, number: int) -> Iterator[None]:
    """Be the only process that has a number of a file, which one of many things stands for.

    Others wait. The number of a process that died is free; where there are no locks, nobody waits.

    Args:
        path: of the file, made if need be; it stays empty.
        number: from 0 to 2^62.

    Example:
        >>> import tempfile
        >>> with alone(Path(tempfile.mkdtemp()) / "runs.lock", 7):
        ...     pass
    """
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl  # not everywhere

            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("ab"))
            fcntl.lockf(file, fcntl.LOCK_EX, 1, number)  # until the file is closed
        yield


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Have a folder for oneself in the block; where there are no locks, one has it.

    Args:
        path: a folder, made if need be.

    Yields:
        Whether it is ours: no other living process has it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with claimed(folder) as first, claimed(folder) as second:
        ...     first, second
        (True, False)
    """
    with ExitStack() as stack:
        ours = True
        with suppress(ImportError, OSError):
            import fcntl  # not everywhere

            path.mkdir(parents=True, exist_ok=True)
            number = os.open(path, os.O_RDONLY)
            stack.callback(os.close, number)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                ours = False
        yield ours


def held(path: Path) -> bool:
    """Whether a living process holds a file or folder.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     before = held(Path(file.name))
        ...     hold(file.fileno())
        ...     before, held(Path(file.name))
        (False, True)
    """
    with suppress(ImportError, OSError):
        import fcntl

        number = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(number)
    return False


def abandoned(path: Path) -> bool:
    """Whether nobody writes a file or folder any more: it is not held, and has long been idle."""
    inside = [*path.rglob("*")] if path.is_dir() and not path.is_symlink() else []
    try:
        latest = max(part.lstat().st_mtime for part in (path, *inside))
    except OSError:  # it has just changed
        return False
    return time.time() - latest >= IDLE_S and not any(held(part) for part in (path, *inside))

"""Folders that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_TRIES = 100  # against others who replace the same folder at the same time


def replace_folder(new: Path, final: Path) -> None:
    """Put a finished folder in the place of another, on the same disk, or where there is none.

    If that fails, the earlier one is there again. Where several do so at once, one of theirs stands
    in the end. A process that is killed between the two renames leaves the earlier folder beside
    its place, in one that begins with a dot.

    Raises:
        OSError: it cannot be done.

    Example:
        >>> root = Path(tempfile.mkdtemp())
        >>> for name in ("new", "final"):
        ...     (root / name).mkdir()
        >>> _ = (root / "new" / "page").write_text("hello")
        >>> replace_folder(root / "new", root / "final")
        >>> (root / "final" / "page").read_text(), os.listdir(root)
        ('hello', ['final'])
    """
    for tries in range(1, _TRIES + 1):
        aside = Path(tempfile.mkdtemp(prefix=f".{final.name}-replaced-", dir=final.parent))
        old = aside / final.name
        try:
            with suppress(FileNotFoundError):  # there is none
                os.replace(final, old)
            os.replace(new, final)
        except OSError as error:
            if tries == _TRIES or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
        finally:
            with suppress(OSError):  # where another's stands by now
                if old.exists() and not final.exists():
                    os.replace(old, final)
            if final.exists() or not old.exists():
                shutil.rmtree(aside, ignore_errors=True)

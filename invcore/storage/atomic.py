"""Folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from invcore.base.errors import DataError
from invcore.base.text import printable

_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)  # what a rename says where a folder stands
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
        old, settled = aside / final.name, False
        try:
            with suppress(FileNotFoundError):  # there is none
                os.replace(final, old)
            os.replace(new, final)
            settled = True
            return
        except OSError as error:
            if tries == _TRIES or error.errno not in _TAKEN:
                raise
        finally:
            # By what the renames said: others may have moved `final` away since.
            if settled or _put_back(old, final):
                shutil.rmtree(aside, ignore_errors=True)


def _put_back(old: Path, final: Path) -> bool:
    """Whether the earlier folder is in its place again, or not wanted there."""
    try:
        os.replace(old, final)
    except FileNotFoundError:  # there was none
        return True
    except OSError as error:
        return error.errno in _TAKEN  # another's stands by now
    return True


def replace_file(path: str | os.PathLike[str], data: bytes, place: str) -> None:
    """Write a file under another name in its folder, then rename it: all or nothing.

    Raises:
        DataError: no such folder, no rights, a full disk.
    """
    temporary = None
    try:
        target = Path(os.path.realpath(path))  # a link stays a link, to the new content
        if not target.parent.is_dir():
            raise DataError(f"{place}: its folder does not exist; create it first")
        temporary = target.with_name(f".invcore-{secrets.token_hex(8)}.tmp")
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or a crash could leave the new name on an empty file
        os.replace(temporary, target)
    except DataError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        why = printable(getattr(error, "strerror", None) or error, 120)
        raise DataError(f"{place}: cannot be written ({why}); check the path and disk") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # the rename has usually taken it away
                temporary.unlink(missing_ok=True)

"""Files and folders that are there whole or not at all: the one place that renames."""

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from invcore.storage.locks import hold

_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)  # what a rename says where a folder stands
SCRATCH = ".writing-"
"""How the names of unfinished files and folders begin; nobody reads them."""
REPLACED = "-replaced-"
"""In the name of a folder that holds another for the moment in which that is replaced."""
_TRIES = 100  # against others who replace the same folder at the same time


def replace_file(
    path: str | os.PathLike[str], data: bytes, *, lasting: bool = True, follow: bool = True
) -> None:
    """Write a file under another name in its folder, then rename it: all or nothing.

    Args:
        path: where; what stands there is replaced.
        data: its content.
        lasting: off: a power cut may leave it torn, which its reader has to notice. It is quicker.
        follow: a link stays a link, to the new content; off: the file takes the link's place, so
            that nothing is written where the link leads.

    Raises:
        OSError: no such folder, no rights, a full disk; nothing is left behind.

    Example:
        >>> root = Path(tempfile.mkdtemp())
        >>> replace_file(root / "a.txt", b"whole")
        >>> os.listdir(root), (root / "a.txt").read_bytes()
        (['a.txt'], b'whole')
    """
    target = Path(os.path.realpath(path)) if follow else Path(path)
    scratch = target.with_name(f"{SCRATCH}{secrets.token_hex(8)}")
    try:
        with scratch.open("xb") as file:
            hold(file.fileno())
            file.write(data)
            file.flush()
            if lasting:  # or a crash could leave the new name on an empty file
                os.fsync(file.fileno())
        os.replace(scratch, target)
    finally:
        with contextlib.suppress(OSError):  # the rename has usually taken it away
            scratch.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file to write to, which stands at ``path`` when the block has ended well.

    Args:
        path: where; what stands there is replaced then.

    Raises:
        OSError: it cannot be written; nothing is left behind, an earlier file stays.

    Example:
        >>> root = Path(tempfile.mkdtemp())
        >>> with whole_file(root / "a.txt") as file:
        ...     _ = file.write(b"whole")
        >>> os.listdir(root), (root / "a.txt").read_bytes()
        (['a.txt'], b'whole')
    """
    target = Path(os.path.realpath(path))
    scratch = target.with_name(f"{SCRATCH}{secrets.token_hex(8)}")
    try:
        with scratch.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def create_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that is not there yet: all or nothing, and never over another's.

    Of several processes that create one name at once, one succeeds. Once this returns, the file
    stays, whatever happens to the process or the machine.

    Raises:
        FileExistsError: there is one.
        OSError: it cannot be written; nothing is left behind.

    Example:
        >>> root = Path(tempfile.mkdtemp())
        >>> create_file(root / "a.txt", b"first")
        >>> create_file(root / "a.txt", b"second")
        Traceback (most recent call last):
        FileExistsError: [Errno 17] File exists
        >>> (root / "a.txt").read_bytes(), os.listdir(root)
        (b'first', ['a.txt'])
    """
    target = Path(path)
    scratch = target.with_name(f"{SCRATCH}{secrets.token_hex(8)}")
    try:
        with scratch.open("xb") as file:
            hold(file.fileno())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, target)
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            if target.exists():  # a disk without hard links: who locks is alone here
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            os.replace(scratch, target)
        _sync(target.parent)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have a file's content, or a folder's new names, on the disk, where it can be opened."""
    with suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def whole_folder(final: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """A new folder to write into, which stands at ``final`` when the block has ended well.

    Files and folders in it are readable by others, as a lab shares its results.

    Args:
        final: where; what stands there is replaced, folders above it are made.
        overwrite: off: what stands there is kept, and it is an error.

    Raises:
        OSError: it cannot be written; nothing is left behind, an earlier folder stays.

    Example:
        >>> root = Path(tempfile.mkdtemp())
        >>> with whole_folder(root / "final") as new:
        ...     _ = (new / "page").write_text("hello")
        >>> (root / "final" / "page").read_text(), os.listdir(root)
        ('hello', ['final'])
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=final.parent))
    number = _held(scratch)
    try:
        yield scratch
        for path in (*scratch.rglob("*"), scratch):
            path.chmod(0o755 if path.is_dir() else 0o644)
            _sync(path)  # or a power cut could leave the final name on empty files
        if overwrite:
            replace_folder(scratch, final)
        else:
            os.rename(scratch, final)
    finally:
        if number is not None:
            os.close(number)
        shutil.rmtree(scratch, ignore_errors=True)


def _held(folder: Path) -> int | None:
    """A folder, opened and locked for as long as it is written; None where that cannot be."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        hold(number)
        return number
    return None


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
    with suppress(OSError):  # where nothing stands, one rename is all; elsewhere it fails
        os.rename(new, final)
        return
    for tries in range(1, _TRIES + 1):
        aside = Path(tempfile.mkdtemp(prefix=f".{final.name}{REPLACED}", dir=final.parent))
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

"""The report's folder: written elsewhere and renamed, so that nobody sees half of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invcore.plugin import StoreError, whole_folder

PAGE, PICTURES = "index.html", "pictures"
MARK = '<meta name="generator" content="invcore-report">'
_ANOTHER = "to=FOLDER names another"
_HEAD = 4096  # characters of a page in which its mark must be


def check(folder: Path) -> None:
    """See that a report may be written there.

    Raises:
        StoreError: the folder has something that is no report of ours.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StoreError(f"{folder}: is no folder", remedy=_ANOTHER)
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder):
        raise StoreError(
            f"{folder}: holds other things than a report, which would be lost: empty it first",
            remedy=_ANOTHER,
        )


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of ``folder`` when the block ends well.

    Raises:
        StoreError: it cannot be written, or ``folder`` is not ours to replace.
    """
    check(folder)
    try:
        with whole_folder(folder) as new:
            (new / PICTURES).mkdir()
            yield new
            check(folder)  # it may have changed while we were drawing
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from None


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds a report, and nothing that somebody else put there."""
    page = folder / PAGE
    try:
        with page.open(encoding="utf-8") as file:
            marked = MARK in file.read(_HEAD)
    except (OSError, UnicodeDecodeError):
        return False
    pictures = folder / PICTURES
    inside = list(pictures.iterdir()) if pictures.is_dir() else []
    paths = {page, pictures}
    return (
        marked
        and set(folder.iterdir()) <= paths
        and all(path.suffix in (".svg", ".png") and path.is_file() for path in inside)
    )

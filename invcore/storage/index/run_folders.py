"""The folders of a store's runs, as the disk lists them. Light: the shell's completion uses it."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ID = re.compile(r"^[0-9a-f]{12}\Z")
"""What a run's folder is called."""
RECORD = "run.json"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder.

    Args:
        id: its name.
        changed: when a file in it was added, replaced or removed, in nanoseconds.
        stamp: stands for the state of the folder and its record: times, size and inode.
        recorded: when its record was written, in nanoseconds; 0 where there is none.
    """

    id: str
    changed: int
    stamp: str
    recorded: int


def run_ids(root: str | os.PathLike[str]) -> list[str]:
    """The names of the folders of runs, in no order; empty where there is no store.

    Example:
        >>> run_ids("no-such-store")
        []
    """
    return [entry.name for entry in _entries(root)]


def run_folders(root: str | os.PathLike[str]) -> list[RunFolder]:
    """The folders of runs, whole or not, the newest last."""
    folders = []
    for entry in _entries(root):
        try:
            own = entry.stat()
        except OSError:  # removed meanwhile
            continue
        folders.append(_folder(entry.name, own, Path(entry.path)))
    return sorted(folders, key=lambda folder: (folder.changed, folder.id))


def run_folder(path: Path) -> RunFolder | None:
    """The folder of one run as it is now; None if it is gone."""
    try:
        return _folder(path.name, path.stat(), path)
    except OSError:
        return None


def _folder(name: str, own: os.stat_result, path: Path) -> RunFolder:
    stamp, recorded = f"{own.st_mtime_ns}:{own.st_ino}", 0
    try:
        record = os.stat(f"{path}{os.sep}{RECORD}")
    except OSError:
        stamp += ":none"
    else:
        recorded = record.st_mtime_ns
        stamp += f":{record.st_mtime_ns}:{record.st_size}:{record.st_ino}"
    return RunFolder(name, own.st_mtime_ns, stamp, recorded)


def _entries(root: str | os.PathLike[str]) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if ID.match(entry.name) and entry.is_dir():
                    yield entry
    except (FileNotFoundError, NotADirectoryError):
        return

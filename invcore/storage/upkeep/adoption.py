"""Runs of another store taken into one: whole ones, and never over another that is there."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from invcore.base.errors import StoreError
from invcore.storage.atomic import SCRATCH
from invcore.storage.index.run_folders import RECORD
from invcore.storage.store import Store

Outcome = Literal["taken", "there", "other", "damaged"]


class Adopted(NamedTuple):
    """What became of a run.

    Args:
        run: its id.
        outcome: ``taken``; ``there`` where the store has it, byte by byte; ``other`` where it has
            one of that id and other content, which stays; ``damaged``.
        reason: why it is damaged, or what differs; else empty.
    """

    run: str
    outcome: Outcome
    reason: str = ""


def adopt(store: Store, run: str, write: Callable[[Path], None]) -> Adopted:
    """Take a run in: written beside the runs, read with all its checks, then renamed.

    Args:
        store: that takes it.
        run: its id.
        write: writes the run's folder, which is not there yet.

    Raises:
        StoreError: the store cannot be written; nothing is left behind.
    """
    final = store.path(run)
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=store.root) as scratch:
            beside = Store(scratch)
            write(beside.path(run))
            try:
                beside.read(run)
            except StoreError as error:
                return Adopted(run, "damaged", str(error).replace(f"{scratch}{os.sep}", ""))
            for path in [beside.path(run), *beside.path(run).rglob("*")]:
                path.chmod(0o755 if path.is_dir() else 0o644)
            if not final.exists():
                try:
                    os.rename(beside.path(run), final)
                    return Adopted(run, "taken")
                except OSError:
                    if not final.exists():
                        raise
            return _compared(run, beside.path(run), final)
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(f"{store.root}: cannot be written ({why})") from None


def copy_run(source: Store, run: str) -> Callable[[Path], None]:
    """Writes a run's files as another store has them; links and what is no file are left out."""

    def write(folder: Path) -> None:
        def left_out(place: str, names: list[str]) -> list[str]:
            paths = [Path(place, name) for name in names]
            return [p.name for p in paths if p.is_symlink() or not (p.is_file() or p.is_dir())]

        shutil.copytree(source.path(run), folder, ignore=left_out)

    return write


def same_run(source: Store, run: str, store: Store) -> bool:
    """Whether two stores have the same record of a run, and both are whole."""
    try:
        first, second = ((s.path(run) / RECORD).read_bytes() for s in (source, store))
        if first != second:
            return False
        source.read(run)
        store.read(run)
    except (OSError, StoreError):
        return False
    return True  # a record has the checksums of all other files


def _compared(run: str, new: Path, there: Path) -> Adopted:
    """What to say of a whole run where one of its id stands already."""
    try:
        Store(there.parent).read(run)
    except StoreError as error:
        return Adopted(run, "other", f"the one that is there is damaged: {error}")
    if (new / RECORD).read_bytes() == (there / RECORD).read_bytes():
        return Adopted(run, "there")
    return Adopted(run, "other", "the one that is there has other content, and stays")

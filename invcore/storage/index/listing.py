"""The runs of a store as listings show them: from the index where it holds, else read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invcore.base.errors import StoreError
from invcore.base.progress import Progress, Stage
from invcore.storage.index.index_file import NAME, IndexRow, replace_rows, rows, stamps
from invcore.storage.index.listed_run import ListedRun, are_facts, listed
from invcore.storage.index.run_folders import RunFolder, run_folder, run_folders

if TYPE_CHECKING:
    from invcore.storage.run_record import RunRecord

CACHE = ".cache"
"""The folder in a store of what may be deleted at any time, the index too."""
_SETTLED = 2_000_000_000
"""Nanoseconds: what was written since could be written again within what a disk's clock shows."""
_TOGETHER = 2500  # runs that are read before the index has them
_AT_ONCE = 500  # runs whose rows are in memory


def run_listing(
    root: Path, cache: Path, read: Callable[[str], RunRecord], *, details: bool = False,
    progress: Progress | None = None,
) -> Iterator[ListedRun]:  # fmt: skip
    """All runs of a store, whole or not, the newest last.

    The index says what a run's record holds as long as the folder and the record are those that
    were read: by their times, size and inode. Any other run is read, all its files are checked,
    and it is put into the index. What the index says of folders that are gone counts for nothing.

    Args:
        root: of the store.
        cache: the folder of the index; where it cannot be written, runs are read each time.
        read: reads a run and checks its files; a ``StoreError`` says that it is damaged.
        details: with their numbers.
        progress: shows how runs are read that the index lacks.
    """
    place, folders = cache / NAME, run_folders(root)
    apart = _renewed(place, folders, root, read, progress)
    for start in range(0, len(folders), _AT_ONCE):
        some = folders[start : start + _AT_ONCE]
        names = [folder.id for folder in some if folder.id not in apart]
        known = {row.id: row for row in rows(place, names, details=details)}
        for folder in some:
            row = known.get(folder.id)
            if folder.id in apart:
                yield apart[folder.id]
            elif row and row.stamp == folder.stamp and (facts := _facts(row.facts)):
                yield ListedRun(row.id, facts, row.details)
            else:
                yield _read(folder.id, read)


def known_facts(root: Path, cache: Path) -> dict[str, Mapping[str, Any]]:
    """The facts of all runs by id, the newest last; empty of those that the index lacks.

    Nothing is read but the index.
    """
    folders = run_folders(root)
    known = {row.id: row for row in rows(cache / NAME, details=False)}
    facts: dict[str, Mapping[str, Any]] = {}
    for folder in folders:
        row = known.get(folder.id)
        current = row is not None and row.stamp == folder.stamp
        facts[folder.id] = _facts(row.facts) if row is not None and current else {}
    return facts


def _renewed(
    place: Path, folders: Sequence[RunFolder], root: Path, read: Callable[[str], RunRecord],
    progress: Progress | None,
) -> dict[str, ListedRun]:  # fmt: skip
    """Bring the index up to date; runs that were read and are not for it, by id."""
    before = stamps(place)
    missing = [folder for folder in folders if before.get(folder.id) != folder.stamp]
    names = {folder.id for folder in folders}
    apart: dict[str, ListedRun] = {}
    if not missing and before.keys() <= names:
        return apart
    with (progress or Progress()).stage("reading runs", len(missing)) as bar, suppress(OSError):
        if not _writable(place.parent):
            return apart
        for start in range(0, max(len(missing), 1), _TOGETHER):
            some = missing[start : start + _TOGETHER]
            replace_rows(place, _fresh(some, root, read, apart, bar), names)
    return apart


def _fresh(
    folders: Iterable[RunFolder], root: Path, read: Callable[[str], RunRecord],
    apart: dict[str, ListedRun], bar: Stage,
) -> Iterator[IndexRow]:  # fmt: skip
    """Rows of runs that are read now; those that the index must not have go to ``apart``."""
    for folder in folders:
        run = _read(folder.id, read)
        settled = time.time_ns() - max(folder.recorded, folder.changed) > _SETTLED
        if run.problem or not settled or run_folder(root / folder.id) != folder:
            apart[run.id] = run
        else:
            yield IndexRow(run.id, folder.stamp, json.dumps(dict(run.facts)), run.details)
        bar.advance(1)


def _read(run: str, read: Callable[[str], RunRecord]) -> ListedRun:
    try:
        return listed(read(run))
    except StoreError as error:
        return ListedRun(run, {}, problem=str(error))


def _facts(text: str) -> Mapping[str, Any]:
    """What an index says of a run; nothing where no invcore has written it."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) and are_facts(facts) else {}


def _writable(folder: Path) -> bool:
    """Whether the index can be kept: runs are not read for one that cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK)

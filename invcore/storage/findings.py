"""What faults have left in a store, and how it is mended; nothing that a living process writes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from invcore.base.errors import ConfigError, StoreError
from invcore.base.progress import Progress
from invcore.configs.documents import LARGEST_RECORD, MOST_OF_RECORD, parse_document, read_text
from invcore.storage.atomic import REPLACED, SCRATCH
from invcore.storage.index.run_folders import RECORD
from invcore.storage.locks import abandoned, held
from invcore.storage.run_record import SCHEMA
from invcore.storage.seal import unsealed
from invcore.storage.store import Store

ASIDE = "damaged"
"""The folder of a store, or of a loop, that damaged things are moved to."""
LOOPS, SIMULATIONS, BENCHES = "loops", "simulations", "benches"


@dataclass(frozen=True)
class Finding:
    """Something that a fault has left.

    Args:
        what: which kind of thing, for people: ``run``, ``cache`` …
        path: where.
        found: what is wrong with it.
        repair: what mends it, in words: ``it is removed``; empty where nothing does.
        mend: does it; None where nothing does.
        harmless: whether no result is touched.
        advice: what people can do where nothing mends it.
    """

    what: str
    path: Path
    found: str
    repair: str = ""
    mend: Callable[[], None] | None = None
    harmless: bool = False
    advice: str = ""


def findings(store: Store, progress: Progress | None = None) -> Iterator[Finding]:
    """All of a store but its benches' manifests, the cheap ones first.

    Args:
        store: that is read whole.
        progress: shows how many runs have been read.
    """
    for place in [*_places(store)]:
        if place.is_symlink() and place != store.root:
            yield Finding(
                "link", place, "is a link, which is not followed",
                advice="put the folder that it stands for in its place",
            )  # fmt: skip
        elif place.is_dir():
            yield from unfinished(place)
    yield from _cache(store.cache)
    yield from _batches(store.root / SIMULATIONS)
    runs = store.ids()
    with (progress or Progress()).stage("reading runs", len(runs)) as bar:
        for run in runs:
            yield from _run(store, run)
            bar.advance(1)


def _places(store: Store) -> Iterator[Path]:
    """Folders of a store in which files are written."""
    root = store.root
    yield from (root, root / BENCHES, store.cache, root / SIMULATIONS)
    if (root / SIMULATIONS).is_dir() and not (root / SIMULATIONS).is_symlink():
        yield from sorted(path for path in (root / SIMULATIONS).iterdir() if path.is_dir())
    yield from (path for run in store.ids() if not (path := store.path(run)).is_symlink())


def unfinished(folder: Path) -> Iterator[Finding]:
    """What processes that have ended left half-written in a folder, and what they moved away."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(SCRATCH):
            if abandoned(path):
                mend = partial(_remove, path)
                yield Finding(
                    "unfinished", path, "nobody writes it any more", "removed", mend, True
                )
        elif (moved := re.fullmatch(rf"\.(.+){REPLACED}\w+", path.name)) and abandoned(path):
            final = folder / moved[1]
            if final.exists() or not (path / final.name).exists():
                mend = partial(_remove, path)
                yield Finding("unfinished", path, "was replaced", "removed", mend, True)
            else:
                mend = partial(_put_back, path / final.name, final)
                found = f"{final.name} was to be replaced, and its place is empty"
                yield Finding("unfinished", path, found, "put back", mend)


def _cache(folder: Path) -> Iterator[Finding]:
    if folder.is_symlink() or not folder.is_dir():
        return
    from invcore.storage.cache import DamagedEntryError, read_entry

    for path in sorted(folder.iterdir()):
        if path.name.endswith(".lock"):
            if not held(path) and abandoned(path):
                mend = partial(_remove, path)
                yield Finding("lock", path, "nobody holds it", "removed", mend, True)
        elif path.suffix == ".safetensors":
            try:
                read_entry(path)
            except DamagedEntryError as error:
                mend = partial(_remove, path)
                yield Finding("cache", path, str(error), "removed", mend, True)
            except OSError as error:
                yield Finding("cache", path, f"cannot be read ({error.strerror or error})")


def _batches(folder: Path) -> Iterator[Finding]:
    """Finished batches of one's own simulators."""
    if folder.is_symlink() or not folder.is_dir():
        return
    from invcore.storage.sealed_tensors import read_sealed

    for path in sorted(folder.glob("*/*.safetensors")):
        if path.parent.is_symlink():
            continue
        try:
            batch = read_sealed(path, kind="batch")
            why = "" if batch.whole or batch.text is None else "its checksum is another"
        except ValueError as error:
            why = str(error)
        except OSError as error:
            yield Finding("batch", path, f"cannot be read ({error.strerror or error})")
            continue
        if why:
            yield damaged("batch", path, f"damaged, {why}", folder.parent)


def _run(store: Store, run: str) -> Iterator[Finding]:
    why, path = store.damage(run), store.path(run)
    if not why:
        return
    if _of_another_version(path / RECORD):
        yield Finding("run", path, why, advice="read it by the invcore that wrote it")
    else:
        yield damaged("run", path, why.removeprefix(f"{path}{os.sep}"), store.root)


def _of_another_version(path: Path) -> bool:
    """Whether a record is whole, and of a later schema than is read here."""
    try:
        text, whole = unsealed(read_text(path, largest=LARGEST_RECORD).encode())
        document = parse_document(
            text.decode(), "json", str(path), largest=LARGEST_RECORD, most_values=MOST_OF_RECORD
        )
        schema = document["schema_version"]
    except (ConfigError, LookupError, TypeError):
        return False
    return whole is not False and type(schema) is int and schema > SCHEMA


def damaged(what: str, path: Path, found: str, root: Path) -> Finding:
    """A damaged file or folder, which is moved to ``damaged/`` below a folder."""
    return Finding(what, path, found, f"moved to {ASIDE}/", partial(set_aside, path, root))


def set_aside(path: Path, root: Path) -> None:
    """Move a file or folder to ``damaged/`` below a folder, beside what is there.

    Raises:
        StoreError: it cannot be moved.
    """
    folder, number = root / ASIDE, 1
    final = folder / path.name
    try:
        if folder.is_symlink():
            raise StoreError(f"{folder}: is a link, which is not followed; remove it")
        folder.mkdir(exist_ok=True)
        while final.exists() or final.is_symlink():
            number += 1
            final = folder / f"{path.name}-{number}"
        os.rename(path, final)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be moved ({error.strerror})") from None


def _remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all in it; of links, never what they lead to."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be removed ({error.strerror})") from None


def _put_back(old: Path, final: Path) -> None:
    try:
        os.rename(old, final)
        old.parent.rmdir()
    except OSError as error:
        raise StoreError(f"{final}: cannot be put back ({error.strerror})") from None

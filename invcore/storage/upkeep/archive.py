"""Runs of a store in one compressed file, and back: checksummed, bounded, never executed."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from invcore.base.errors import ConfigError, StoreError
from invcore.base.progress import Progress
from invcore.base.text import printable
from invcore.configs.config import Config
from invcore.configs.documents import LARGEST_RECORD, MOST_OF_RECORD, parse_document
from invcore.storage.atomic import whole_file
from invcore.storage.index.run_folders import RECORD
from invcore.storage.json_text import dump
from invcore.storage.seal import sealed, unsealed
from invcore.storage.store import Store
from invcore.storage.upkeep.adoption import Adopted, adopt

_CONTENTS = "contents.json"
_BLOCK = 1 << 20
_FILE = r"^(?:(?:files|artefacts)/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"


class ArchivedFile(Config):
    """One file of a run in an archive."""

    name: str = Field(pattern=_FILE)
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ArchivedRun(Config):
    """A run in an archive."""

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    files: tuple[ArchivedFile, ...] = Field(max_length=10_000)


class Contents(Config):
    """What ``contents.json`` in an archive holds, with its own checksum."""

    format: int = Field(1, ge=1, le=1)
    runs: tuple[ArchivedRun, ...]


def write_archive(
    store: Store, runs: Sequence[str], path: Path, *, progress: Progress | None = None
) -> dict[str, str]:
    """Write whole runs to one file.

    Args:
        store: where they are.
        runs: their ids.
        path: the file; there must be none.
        progress: shows how it goes.

    Returns:
        Why runs were left out, by id: those that are damaged.

    Raises:
        StoreError: the file cannot be written, or is there already.
    """
    if path.exists():
        raise StoreError(f"{path}: is there already; name another file")
    left_out: dict[str, str] = {}
    archived = []
    try:
        with (
            whole_file(path) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive,
            (progress or Progress()).stage("archiving", len(runs)) as bar,
        ):
            for run in runs:
                try:
                    record = store.read(run)
                except StoreError as error:
                    left_out[run] = str(error)
                else:
                    names = [*record.files, RECORD]
                    files = tuple(_add(archive, store.path(run), run, name) for name in names)
                    archived.append(ArchivedRun(id=run, files=files))
                bar.advance(1)
            text = dump(Contents(runs=tuple(archived)).model_dump(mode="json"), indent=1)
            if len(text) > LARGEST_RECORD // 2:  # what a reader takes, with room
                raise StoreError(
                    f"{path}: {len(archived):,} runs are too many for one archive: archive some "
                    "at a time"
                )
            archive.writestr(_CONTENTS, sealed(text.encode()))
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
    except ValidationError:
        raise StoreError(
            f"{path}: a run has files of names that an archive does not take"
        ) from None
    return left_out


def read_archive(
    path: Path, store: Store, *, progress: Progress | None = None
) -> Iterator[Adopted]:
    """Put the runs of an archive into a store, each whole or not at all.

    Nothing of the file is trusted: names are those that runs have, no file is larger than the
    list says, and all of them fit on the disk; each run is read with its checks before it is
    there.

    Args:
        path: the file.
        store: that takes them.
        progress: shows how it goes.

    Raises:
        StoreError: the file is no archive, or is damaged; or the store cannot be written.
    """
    with _opened(path) as archive:
        contents = _contents(archive, path)
        store.check_writable()
        total = sum(file.size for run in contents.runs for file in run.files)
        free = shutil.disk_usage(store.root).free
        if total > free:
            raise StoreError(f"{path}: its runs take {total:,} bytes, of which {free:,} are free")
        with (progress or Progress()).stage("unpacking", len(contents.runs)) as bar:
            for run in contents.runs:
                yield adopt(store, run.id, _unpacking(archive, run, path))
                bar.advance(1)


def archived_runs(path: Path) -> dict[str, str]:
    """The runs in an archive, after every file in it has been checked.

    Returns:
        By id, the SHA-256 of the record, which has those of all other files.

    Raises:
        StoreError: it is none, or is damaged.
    """
    with _opened(path) as archive:
        contents = _contents(archive, path)
        for run in contents.runs:
            for file in run.files:
                for _ in _blocks(archive, run, file, path):
                    pass
    return {run.id: f.sha256 for run in contents.runs for f in run.files if f.name == RECORD}


def _add(archive: zipfile.ZipFile, folder: Path, run: str, name: str) -> ArchivedFile:
    digest, size = hashlib.sha256(), 0
    info = zipfile.ZipInfo(f"{run}/{name}")  # of one date: equal runs are equal files
    info.compress_type = zipfile.ZIP_DEFLATED
    with (folder / name).open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return ArchivedFile(name=name, size=size, sha256=digest.hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise StoreError(f"{path}: is no archive, or damaged ({printable(error, 120)})") from None


def _contents(archive: zipfile.ZipFile, path: Path) -> Contents:
    try:
        with archive.open(_CONTENTS) as file:
            text, whole = unsealed(file.read(LARGEST_RECORD))
        document = parse_document(
            text.decode(), "json", str(path), largest=LARGEST_RECORD, most_values=MOST_OF_RECORD
        )
        contents = Contents.model_validate(document)
    except (KeyError, ValueError, ConfigError):
        raise StoreError(f"{path}: is no archive of runs, or its list is damaged") from None
    names = [run.id for run in contents.runs]
    if not whole or len(set(names)) != len(names):
        raise StoreError(f"{path}: its list of files is damaged")
    return contents


def _unpacking(archive: zipfile.ZipFile, run: ArchivedRun, path: Path) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        folder.mkdir()
        for file in run.files:
            place = folder / file.name
            place.parent.mkdir(exist_ok=True)
            with place.open("xb") as target:
                for block in _blocks(archive, run, file, path):
                    target.write(block)

    return write


def _blocks(
    archive: zipfile.ZipFile, run: ArchivedRun, file: ArchivedFile, path: Path
) -> Iterator[Any]:
    """The content of a file, of the size and checksum that the list says."""
    name, left, digest = f"{run.id}/{file.name}", file.size, hashlib.sha256()
    try:
        source = archive.open(name)
    except KeyError:
        raise StoreError(f"{path}: {name} is missing in it") from None
    with source:
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            digest.update(block)
            yield block
    if left or digest.hexdigest() != file.sha256:
        raise StoreError(f"{path}: {name} in it is damaged")

"""The store: run folders that are whole or absent, checked by their checksums, never pickled."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from safetensors import SafetensorError

from invcore.base.errors import ConfigError, StoreError, UnknownNameError, close_names
from invcore.base.text import checked_name, one_line
from invcore.configs.config import stored_problem
from invcore.configs.documents import (
    LARGEST_RECORD,
    MOST_OF_RECORD,
    parse_document,
    read_text,
)
from invcore.storage.atomic import replace_file, whole_folder
from invcore.storage.index.listed_run import ListedRun
from invcore.storage.index.listing import CACHE, run_listing
from invcore.storage.index.run_folders import ID, RECORD, run_folders
from invcore.storage.json_text import dump
from invcore.storage.run_record import SCHEMA, RunRecord
from invcore.storage.seal import read_sealed_text
from invcore.storage.seal import sealed as seal

if TYPE_CHECKING:
    from torch import Tensor

    from invcore.base.progress import Progress
    from invcore.base.types import Files

FILES, ARTEFACTS = "files", "artefacts"
"""Folders of a run: of what its model needs beside tensors, and of what its fit has left."""
_AGAIN = "force=True repeats the run"
_DAMAGE = "damaged, its checksum is not the recorded one"


class Store:
    """A folder of runs.

    Args:
        root: made when something is written.
    """

    def __init__(self, root: str | os.PathLike[str] = "runs") -> None:
        self.root = self._said = Path(root)  # as messages have it

    def absolute(self) -> Store:
        """The same store, wherever the process goes from here."""
        store = Store(self.root.absolute())
        store._said = self._said
        return store

    def path(self, run: str) -> Path:
        """The folder of a run.

        Raises:
            StoreError: that is no run's id, and could lead out of the store.
        """
        if not ID.match(run):
            raise StoreError(f"{self.root}: {run!r} is no run's id (12 hexadecimal digits)")
        return self.root / run

    def place(self, *names: str) -> Path:
        """Where a file or folder of the store is, or will be.

        Args:
            names: of the folders that lead there, and its own.

        Raises:
            StoreError: there is a link on the way, which could lead out of the store.
        """
        return self._unlinked(self.root.joinpath(*names))

    def _unlinked(self, path: Path) -> Path:
        """A path in the store, if no link stands on the way; the store itself may be one."""
        at = self.root
        for part in path.relative_to(self.root).parts:
            at = at / part
            if at.is_symlink():
                raise StoreError(
                    f"{at}: is a link, which is not followed; put the real thing there"
                )
        return path

    @property
    def cache(self) -> Path:
        """The folder of what several runs share; it may be deleted at any time."""
        return self.root / CACHE

    def ids(self) -> list[str]:
        """The ids of all run folders, whole or not, the newest last."""
        return [folder.id for folder in run_folders(self.root)]

    def listing(
        self, *, details: bool = False, progress: Progress | None = None
    ) -> Iterator[ListedRun]:
        """What listings show of all runs, whole or not, the newest last.

        It is taken from an index for runs whose folder and record are as they were when the index
        took them up, after a check of all their files; other runs are read and checked now. A file
        beside the record that has been changed in place since is noticed by ``read``.

        Args:
            details: with their numbers.
            progress: shows how runs are read that the index lacks.
        """
        return run_listing(self.root, self.cache, self.read, details=details, progress=progress)

    def find(self, prefix: str) -> str:
        """The one run whose id begins with ``prefix``.

        Raises:
            UnknownNameError: none does, or several do.
        """
        if ID.match(prefix) and self.path(prefix).is_dir():
            return prefix
        matches = [run for run in self.ids() if prefix and run.startswith(prefix)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UnknownNameError(f"run {prefix!r} could be {', '.join(matches)}")
        hint = close_names(prefix, self.ids())
        raise UnknownNameError(f"no run {prefix!r} in {self.root}. {hint}")

    def read(self, run: str) -> RunRecord:
        """The record of a run, after all its files have been checked.

        Raises:
            StoreError: a file is missing, cut short or changed; the message names it.
        """
        record = self._record(run)
        for name in record.files:
            self._check(record, name)
        return record

    def _record(self, run: str) -> RunRecord:
        """The record, when it has been checked, before its files are."""
        path = self._unlinked(self.path(run) / RECORD)
        try:
            text, whole = read_sealed_text(path)
            if whole is False:
                raise StoreError(f"{path}: {_DAMAGE}", remedy=_AGAIN)
            record = RunRecord.model_validate_json(text, strict=True)
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error.strerror})") from None
        except ValidationError as error:
            problem = stored_problem(error, SCHEMA)
            raise StoreError(f"{path}: {problem}", remedy=_AGAIN) from None
        if record.id != run:
            raise StoreError(f"{path}: says that it is run {record.id}")
        if whole is None and not record.outdated:
            raise StoreError(f"{path}: {_DAMAGE}", remedy=_AGAIN)
        return record

    def _check(self, record: RunRecord, name: str) -> Path:
        """A run's file, when it has been checked."""
        parts = Path(name).parts  # of its own files, or of those two folders: nowhere else
        inside = parts[-2:] if parts[:-1] in ((FILES,), (ARTEFACTS,)) else parts[-1:]
        file = self._unlinked(self.path(record.id).joinpath(*inside))
        if name not in record.files or not file.is_file():
            raise StoreError(f"{file}: missing", remedy=_AGAIN)
        try:
            whole = _checksum(file) == record.files[name]
        except OSError as error:
            raise StoreError(f"{file}: cannot be read ({error.strerror})") from None
        if not whole:
            raise StoreError(f"{file}: {_DAMAGE}", remedy=_AGAIN)
        return file

    def get(self, run: str) -> RunRecord | None:
        """The record of a run; None if it is absent or damaged, and so to be done again."""
        if not self.path(run).exists():
            return None
        try:
            return self.read(run)
        except StoreError:
            return None

    def damage(self, run: str) -> str:
        """What is wrong with a run's folder; empty if nothing is, or there is none."""
        try:
            if self.path(run).exists():
                self.read(run)
        except StoreError as error:
            return error.message
        return ""

    def tensors(self, run: str, name: str) -> dict[str, Tensor]:
        """The tensors of ``candidates`` or ``model`` of a run.

        Raises:
            StoreError: the file is missing or damaged.
        """
        from safetensors.torch import load_file  # here: listing runs needs no torch

        path = self._check(self._record(run), f"{name}.safetensors")
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise StoreError(f"{path}: cannot be read ({one_line(error)})") from None

    def files(self, run: str) -> Files:
        """What the model of a run needs beside its tensors; mostly nothing.

        Raises:
            StoreError: a file cannot be read.
        """
        record = self._record(run)
        names = sorted(name for name in record.files if Path(name).parts[:-1] == (FILES,))
        paths = [self._check(record, name) for name in names]
        try:
            return {path.name: path.read_bytes() for path in paths}
        except OSError as error:
            raise StoreError(f"{self.path(run)}: cannot be read ({error.strerror})") from None

    def json(self, run: str, name: str) -> Any:
        """A JSON file of a run.

        Raises:
            StoreError: the file is missing or damaged.
        """
        path = self._check(self._record(run), f"{name}.json")
        try:
            text = read_text(path, largest=LARGEST_RECORD)
            return parse_document(
                text, "json", str(path), largest=LARGEST_RECORD, most_values=MOST_OF_RECORD
            )
        except ConfigError as error:
            raise StoreError(str(error)) from None

    def write(
        self, record: RunRecord, *, tensors: Mapping[str, Mapping[str, Tensor]] | None = None,
        documents: Mapping[str, Any] | None = None, log: list[dict[str, Any]] | None = None,
        files: Files | None = None, artefacts: Mapping[str, Path] | None = None,
    ) -> RunRecord:  # fmt: skip
        """Write a run's folder, all at once; an earlier one of that id is replaced.

        Args:
            record: what goes to ``run.json``.
            tensors: by file name without ending, tensors by name.
            documents: by file name without ending, JSON data.
            log: lines of ``log.jsonl``.
            files: what the model needs beside tensors, by name.
            artefacts: files to copy, by name.

        Returns:
            The record with the checksums of its files.

        Raises:
            StoreError: the store cannot be written; nothing is left behind.
        """
        from safetensors.torch import save_file

        try:
            with whole_folder(self.path(record.id)) as folder:
                for name, group in (tensors or {}).items():
                    flat = {k: v.detach().cpu().contiguous().clone() for k, v in group.items()}
                    save_file(flat, folder / f"{name}.safetensors")
                for name, document in (documents or {}).items():
                    (folder / f"{name}.json").write_text(dump(document, indent=1))
                if log is not None:
                    lines = "".join(dump(line, fallback=str) + "\n" for line in log)
                    (folder / "log.jsonl").write_text(lines)
                for name, content in (files or {}).items():
                    (folder / FILES).mkdir(exist_ok=True)
                    (folder / FILES / checked_name(name)).write_bytes(content)
                for name, path in (artefacts or {}).items():
                    (folder / ARTEFACTS).mkdir(exist_ok=True)
                    shutil.copyfile(path, folder / ARTEFACTS / checked_name(name))
                paths = sorted(path for path in folder.rglob("*") if path.is_file())
                sums = {path.relative_to(folder).as_posix(): _checksum(path) for path in paths}
                record = record.model_copy(update={"files": sums})
                (folder / RECORD).write_bytes(_text(record))
        except (OSError, SafetensorError) as error:
            why = getattr(error, "strerror", None) or one_line(error)
            raise StoreError(f"{self.root}: cannot be written ({why})") from None
        return record

    def update(self, record: RunRecord) -> None:
        """Write a run's record anew, as when it has new numbers; its other files stay.

        Raises:
            StoreError: it cannot be written, or is of an earlier schema; the old one stays.
        """
        path = self._unlinked(self.path(record.id) / RECORD)
        if record.outdated:
            raise StoreError(f"{path}: has schema {record.schema_version}; it is kept as it is")
        try:
            replace_file(path, _text(record), follow=False)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from None

    def check_writable(self) -> None:
        """Try to write in the store.

        Raises:
            StoreError: that cannot be done.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise StoreError(f"{self._said}: cannot be written ({error.strerror})") from None


def _text(record: RunRecord) -> bytes:
    return seal(dump(record.model_dump(mode="json"), indent=1).encode())


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

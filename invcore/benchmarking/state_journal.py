"""How far the cells of a bench are while it runs: a line a change, beside its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from invcore.base.errors import ConfigError
from invcore.configs.documents import parse_document
from invcore.storage.atomic import replace_file
from invcore.storage.json_text import dump
from invcore.storage.seal import read_bytes

_LARGEST = 1 << 28  # bytes of a journal
_SUM = 16  # digits of a line's checksum


class StateJournal:
    """The file that a sweep adds to; of constant cost, however many cells there are.

    Args:
        path: of the file; an earlier one is replaced.
        manifest: the bytes of the manifest whose cells it is about.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, manifest: bytes) -> None:
        self._path = path
        replace_file(path, _line({"manifest": _digest(manifest)}), lasting=False)
        self._file = path.open("ab", buffering=0)  # a line is there as soon as it is written

    def add(self, run: str, status: str, reason: str, seconds: float | None) -> None:
        """Say how far a run is.

        Raises:
            OSError: it cannot be written.
        """
        change = {"id": run, "status": status, "reason": reason, "seconds": seconds}
        self._file.write(_line(change))

    def close(self, *, remove: bool) -> None:
        """End it; with ``remove`` the manifest has all that it says."""
        self._file.close()
        if remove:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def changes(path: Path, manifest: bytes) -> dict[str, dict[str, Any]]:
    """The last state of each run that a journal names; none of one of another manifest.

    A line that was cut short or changed, as by a power cut, is passed over: the runs in the store
    tell what became of it when the bench goes on.

    Args:
        path: of the journal, which need not be there.
        manifest: the bytes of the manifest.
    """
    try:
        head, *lines = read_bytes(path, largest=_LARGEST).split(b"\n")
    except (OSError, ValueError):
        return {}
    if (_read(head) or {}).get("manifest") != _digest(manifest):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        change = _read(line)
        if change is not None and isinstance(change.get("id"), str):
            found[change.pop("id")] = change
    return found


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _line(document: Mapping[str, Any]) -> bytes:
    text = dump(document).encode()
    return _digest(text)[:_SUM].encode() + b" " + text + b"\n"


def _read(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    if not text or _digest(text)[:_SUM].encode() != checksum:
        return None
    try:
        document = parse_document(text.decode(), "json", "the journal")
    except (ConfigError, UnicodeError):
        return None
    return document if isinstance(document, dict) else None

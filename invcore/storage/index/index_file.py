"""The index's file: rows of a SQLite database that is only ever read, or replaced as a whole.

Nobody writes into it, so that it needs no locks, which disks in a network often do not keep: who
reads it has the file as it was when it was opened, and of several who replace it the last counts.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from invcore.storage.atomic import replace_file

NAME = "index.sqlite"
_OURS, _VERSION = 0x696E7663, 1
"""What is in the header of a file of ours, and of rows of this meaning."""
_TABLE = (
    "CREATE TABLE run (id TEXT PRIMARY KEY, stamp TEXT, facts TEXT, facts_checksum INTEGER, "
    "details TEXT, details_checksum INTEGER)"
)
_MOST = 1 << 30  # bytes that are taken for an index


class IndexRow(NamedTuple):
    """A run in the index: its folder's stamp, and JSON texts of what listings show."""

    id: str
    stamp: str
    facts: str
    details: str


def stamps(path: Path) -> dict[str, str]:
    """The stamps of an index's rows, by run; none of one that is missing or another's."""
    found: dict[str, str] = {}
    with suppress(OSError, sqlite3.Error, UnicodeError), closing(_opened(path)) as file:
        for run, stamp in file.execute("SELECT id, stamp FROM run"):
            if isinstance(run, str) and isinstance(stamp, str):
                found[run] = stamp
    return found


def rows(
    path: Path, runs: Sequence[str] | None = None, *, details: bool = True
) -> Iterator[IndexRow]:
    """The rows of an index; none, or fewer, of one that is missing, cut short or another's.

    Args:
        path: the file.
        runs: of these alone, at most some hundreds; None for all.
        details: with them, or with empty texts in their place.
    """
    columns = "details, details_checksum" if details else "'', 0"
    ask = f"SELECT id, stamp, facts, facts_checksum, {columns} FROM run"
    if runs is not None:
        ask += f" WHERE id IN ({', '.join('?' * len(runs))})"
    with suppress(OSError, sqlite3.Error, UnicodeError), closing(_opened(path)) as file:
        for run, stamp, facts, facts_sum, more, more_sum in file.execute(ask, runs or ()):
            row = IndexRow(run, stamp, facts, more)
            if all(isinstance(text, str) for text in row) and _sums(row) == (facts_sum, more_sum):
                yield row


def replace_rows(path: Path, new: Iterable[IndexRow], kept: Collection[str] | None = None) -> None:
    """Write the index anew: rows of the file that is there, in part, and new ones.

    Args:
        path: the file; its folder is made.
        new: rows to add, or to put in the place of those of their runs.
        kept: the runs whose rows may stay; None for all.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(f"PRAGMA application_id = {_OURS}")
        memory.execute(f"PRAGMA user_version = {_VERSION}")
        memory.execute(_TABLE)
        old = (row for row in rows(path) if kept is None or row.id in kept)
        for some in (old, new):
            memory.executemany(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?)",
                ((*row[:3], _sums(row)[0], row.details, _sums(row)[1]) for row in some),
            )
        memory.commit()
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, memory.serialize())


def _opened(path: Path) -> sqlite3.Connection:
    """The file, if it is an index of ours; nothing in it is run, and nobody waits for it.

    Raises:
        sqlite3.Error: it is none.
        OSError: there is none.
    """
    if not 0 < path.stat().st_size <= _MOST:
        raise sqlite3.DatabaseError("no index")
    place = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    file = sqlite3.connect(place, uri=True)
    try:
        file.execute("PRAGMA trusted_schema = OFF")
        ours = [file.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")]  # fmt: skip
        tables = [sql for (sql,) in file.execute("SELECT sql FROM sqlite_master") if sql]
        if ours != [_OURS, _VERSION] or tables != [_TABLE]:
            raise sqlite3.DatabaseError("no index")
    except BaseException:
        file.close()
        raise
    return file


def _sums(row: IndexRow) -> tuple[int, int]:
    """Checksums of the facts and of the details: the first may be read without the others."""
    return zlib.crc32("\0".join(row[:3]).encode()), zlib.crc32(row.details.encode())

"""The parts of a table of designs: each a file, whole and checked, beside what they become."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from invcore.data.tables import table_stream
from invcore.plugin import Column, DataError, StoreError, replace_file

_PART = re.compile(r"part-(\d{6,})-([0-9a-f]{16})\.parquet")
_FILL: dict[str, Any] = {"reach": "ok", "beyond": ""}
"""What columns hold in parts that lack them; others are numbers, of which there is none."""
_ROWS = 20_000  # of a part that are in memory as texts


class Parts:
    """Parts in a folder of their own, which is named by what they are parts of.

    Args:
        out: the file that they become.
        key: stands for all that decides them; parts of another key are not taken for these.
    """

    def __init__(self, out: Path, key: str) -> None:
        self.out = out
        self.folder = out.with_name(f".{out.name}.parts-{key}")

    def ready(self) -> dict[int, Path]:
        """Those that are there and whole, by their numbers."""
        found = {}
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            match = _PART.fullmatch(path.name)
            if match and _sum(path.read_bytes()) == match[2]:
                found[int(match[1])] = path
        return found

    def add(self, number: int, columns: Mapping[str, Column]) -> Path:
        """Keep a part.

        Raises:
            StoreError: it cannot be written.
        """
        import pyarrow
        import pyarrow.parquet

        buffer = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(dict(columns)), buffer)
        data = buffer.getvalue()
        path = self.folder / f"part-{number:06d}-{_sum(data)}.parquet"
        try:
            self.folder.mkdir(exist_ok=True)
            replace_file(path, data)
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written ({error.strerror})") from None
        return path

    def join(self, count: int, advance: Callable[[], None]) -> tuple[int, int]:
        """Make the file of all parts, and remove them.

        Args:
            count: how many parts there are.
            advance: called after each.

        Returns:
            The number of its rows, and of the targets that are out of reach.

        Raises:
            DataError: the file cannot be written.
        """
        import pyarrow.parquet

        paths = self.ready()
        if len(paths) < count:
            raise DataError(f"{self.folder}: some of its files were removed; start again")
        order = _merged(pyarrow.parquet.read_schema(paths[n]).names for n in range(count))
        unreached = 0
        with table_stream(self.out, order) as stream:
            for number in range(count):
                with paths[number].open("rb") as opened:
                    for batch in pyarrow.parquet.ParquetFile(opened).iter_batches(_ROWS):
                        columns = _completed(batch, order)
                        stream.extend(columns)
                        unreached += _unreached(columns)
                advance()
        shutil.rmtree(self.folder, ignore_errors=True)
        return stream.rows, unreached


def key_of(facts: Sequence[Any]) -> str:
    """A short text that stands for facts, each by its ``repr``."""
    return hashlib.sha256(repr(list(facts)).encode()).hexdigest()[:12]


def _unreached(columns: Mapping[str, Any]) -> int:
    """How many targets of some rows the data do not reach: by the best design of each."""
    if "reach" not in columns:
        return 0
    pairs = zip(columns["reach"], columns["rank"], strict=True)
    return sum(1 for note, rank in pairs if note != "ok" and rank == 1)


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _merged(lists: Iterator[Sequence[str]]) -> list[str]:
    """All names, each after the one that it follows in some list."""
    order: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name in order:
                place = order.index(name) + 1
            else:
                order.insert(place, name)
                place += 1
    return order


def _completed(batch: Any, order: Sequence[str]) -> dict[str, Any]:
    there, rows = set(batch.schema.names), batch.num_rows
    columns = {}
    for name in order:
        if name not in there:
            columns[name] = [_FILL.get(name, float("nan"))] * rows
        elif batch.column(name).type in ("string", "large_string"):
            columns[name] = batch.column(name).to_pylist()
        else:
            columns[name] = batch.column(name).to_numpy(zero_copy_only=False)
    return columns

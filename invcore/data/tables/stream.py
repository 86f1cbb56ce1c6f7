"""Tables that are written some rows at a time, so that their length costs no memory."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import printable
from invcore.data.tables.binary_files import import_arrow
from invcore.data.tables.formats import PARQUET, check_names, why
from invcore.data.tables.formulas import guarded
from invcore.data.tables.write import Column, check_output, checked_columns, encode, texts
from invcore.storage.atomic import whole_file

_ROWS = 10_000  # in memory

Arrays = Mapping[str, npt.NDArray[Any]]


class TableStream:
    """A table that grows; made by ``table_stream``.

    Args:
        file: to write to.
        names: the columns, in order.
        suffix: of the file, which says its format.
        place: what messages begin with.
    """

    def __init__(self, file: BinaryIO, names: Sequence[str], suffix: str, place: str) -> None:
        self.rows = 0
        self._file, self._names, self._suffix, self._place = file, names, suffix, place
        self._waiting: list[Sequence[Any]] = []
        self._parquet: Any = None
        self._parts: list[Arrays] = []
        if suffix in (".csv", ".tsv"):
            self._write_lines([list(map(guarded, names))])

    def add(self, row: Sequence[Any]) -> None:
        """Add a row: a number or a text for each column, of the same kind in all rows."""
        self._waiting.append(row)
        if len(self._waiting) >= _ROWS:
            self._flush()

    def extend(self, columns: Mapping[str, Column]) -> None:
        """Add rows as columns, of the same kinds each time.

        Raises:
            DataError: columns that do not fit together.
        """
        self._flush()
        self._write(checked_columns(self._names, columns, self._place))

    def close(self) -> None:
        """Write what waits, and the file's end."""
        self._flush()
        if self._parquet is not None:
            self._parquet.close()
        if self._parts:
            whole = {n: np.concatenate([part[n] for part in self._parts]) for n in self._names}
            self._file.write(encode(whole, self._suffix, self._place))

    def _flush(self) -> None:
        if self._waiting:
            columns = dict(zip(self._names, zip(*self._waiting, strict=True), strict=True))
            self._waiting = []
            self._write(checked_columns(self._names, columns, self._place))

    def _write(self, columns: Arrays) -> None:
        self.rows += len(next(iter(columns.values())))
        if self._suffix in (".csv", ".tsv"):
            self._write_lines(zip(*map(texts, columns.values()), strict=True))
        elif self._suffix in PARQUET:
            self._write_group(columns)
        else:  # a workbook or an archive, which is made as a whole
            self._parts.append(columns)

    def _write_lines(self, lines: Any) -> None:
        buffer = io.StringIO(newline="")
        delimiter = "," if self._suffix == ".csv" else "\t"
        csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(lines)
        self._file.write(buffer.getvalue().encode())

    def _write_group(self, columns: Arrays) -> None:
        arrow, parquet = (import_arrow(n, self._place) for n in ("pyarrow", "pyarrow.parquet"))
        group = arrow.table({name: arrow.array(column) for name, column in columns.items()})
        if self._parquet is None:
            self._parquet = parquet.ParquetWriter(self._file, group.schema)
        self._parquet.write_table(group)


@contextmanager
def table_stream(path: str | os.PathLike[str], names: Sequence[str]) -> Iterator[TableStream]:
    r"""A table to add rows to, which stands at ``path`` when the block has ended well.

    It is written as ``write_table`` writes it. The rows of .csv, .tsv and .parquet go to the disk
    as they come; those of .xlsx and .npz are in memory until the end.

    Args:
        path: the file; one that exists is replaced then, and not before.
        names: the columns, in order.

    Raises:
        DataError: another suffix, columns that do not fit together, a file that cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "runs.csv"
        >>> with table_stream(path, ["x", "status"]) as stream:
        ...     stream.add([0.1, "ok"])
        ...     stream.extend({"x": [0.2], "status": ["skipped"]})
        >>> path.read_text()
        'x,status\n0.1,ok\n0.2,skipped\n'
    """
    place = printable(os.fspath(path))
    check_names(names, place)
    check_output(path)
    try:
        with whole_file(path) as file:
            stream = TableStream(file, names, Path(path).suffix.lower(), place)
            yield stream
            stream.close()
    except (OSError, UnicodeError) as error:
        fault = f"cannot be written ({why(error)}); check the path and disk"
        raise DataError(f"{place}: {fault}") from error

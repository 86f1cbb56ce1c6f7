"""Large text files of plain numbers, read by pyarrow: the same table, a hundred times sooner."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from invcore.data.tables import import_arrow
from invcore_solve.tables.raw_table import RawTable

LARGE = 1 << 20
"""Bytes from which on a file is looked at for this."""
_HEAD = 60  # lines that the careful reader sees
_LONGEST = 1 << 20  # bytes that they take at most
_EXACT = 2**53  # from there on float64 has no place for every whole number


def plain_numbers(
    data: bytes, source: str, careful: Callable[[bytes], RawTable]
) -> RawTable | None:
    """The table of a file that holds a line of names and below it nothing but numbers.

    Names, units and the decimal sign are what the careful reader finds in the first lines. Where
    anything is unusual (quotes, comments, texts, blank lines, lines of other lengths, numbers that
    float64 does not hold), the answer is None, and the careful reader has to read it all.

    Args:
        data: the file.
        source: the path as it was given.
        careful: reads the first lines.
    """
    start, end = data.find(b"\n") + 1, len(data)
    while end and data[end - 1] in b"\r\n":
        end -= 1
    first = data[: min(_LONGEST, end)].replace(b"\r\n", b"\n").split(b"\n")[:-1][:_HEAD]
    if not start or len(first) < 2:
        return None
    head = careful(b"\n".join(first) + b"\n")
    width = first[0].count(b",") + 1
    usual = head.named and not head.notes and len(head.names) == width > 1
    if not usual or head.rows.tolist() != list(range(2, len(first) + 1)):
        return None
    arrow, csv = (import_arrow(name, head.place) for name in ("pyarrow", "pyarrow.csv"))
    names = [str(number) for number in range(width)]
    try:
        table = csv.read_csv(
            arrow.BufferReader(arrow.py_buffer(memoryview(data)[start:end])),
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                null_values=[""], column_types=dict.fromkeys(names, arrow.float64())
            ),
        )
    except arrow.ArrowInvalid:  # texts, or lines of several lengths
        return None
    cells, gone = [], np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        values = column.to_numpy()
        missing = np.isnan(values)
        if missing.sum() != column.null_count or not _exact(values):
            return None
        gone &= missing
        cells.append(values)
    if gone.any():  # a line of commas alone, which is no row
        return None
    rows = np.arange(2, table.num_rows + 2)
    return RawTable(head.names, tuple(cells), source, rows, head.units, (), True, head.decimal)


def _exact(values: npt.NDArray[np.float64]) -> bool:
    """Whether float64 has a place for what the texts said, as far as whole numbers go."""
    low, high = np.fmin.reduce(values, initial=0.0), np.fmax.reduce(values, initial=0.0)
    return bool(-_EXACT < low and high < _EXACT)

"""Delimited text as names and numbers: fast when it is clean, exact about where it is not."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import printable, quoted
from invcore.data.tables.formats import Parsed, check_names
from invcore.data.tables.formulas import unguarded

# No part of these can match the same text in two ways: a hostile field may have 100,000 digits.
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|nan|inf|infinity)", re.ASCII | re.IGNORECASE
)
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def read_text(path: Path, place: str, header: bool | None) -> Parsed:
    """Read a table whose columns are separated by semicolons, tabs, commas or spaces.

    Between semicolons, numbers may have decimal commas, as Excel writes them in half of Europe.

    Args:
        path: the file.
        place: how messages name it.
        header: whether the first row holds names; None: it does if it holds anything but numbers.

    Raises:
        DataError: not UTF-8, no rows, a ragged row, an empty field, text where a number belongs.
    """
    lines = _decode(path.read_bytes(), place)
    while lines and _blank(lines[-1]):
        lines.pop()
    start = next((index for index, line in enumerate(lines) if not _blank(line)), None)
    if start is None:
        raise DataError(f"{place}: is empty, expected rows of numbers")
    delimiter = _sniff(lines[start:], "\t" if path.suffix.lower() == ".tsv" else ",")
    records = _records(lines, start, delimiter, place)
    _, first = next(records)
    if header is None:
        header = any(field and _number(field, delimiter) is None for field in first)
    if not header:
        bare = len(first) > 1 and first[-1] == ""
        bare = bare and all(line.rstrip(" ").endswith(delimiter) for line in lines[start:])
        width = len(first) - bare
        return Parsed(None, _numbers(lines, start, delimiter, [""] * width, place), start + 1)
    row, second = next(records, (0, [""]))
    if not row:
        raise DataError(f"{place}: row {start + 1} is a header, but no rows of numbers follow it")
    names = [" ".join(name.split()) for name in first]
    names[0] = names[0].removeprefix("#").strip()  # numpy.savetxt comments its header out
    if len(names) > 1 and not names[0] and delimiter == " ":
        del names[0]
    if len(names) > 1 and not names[-1] and (len(second) < len(names) or not second[-1]):
        del names[-1]  # a trailing delimiter, not a column without a name
    names = [unguarded(name) for name in names]
    check_names(names, f"{place}: row {start + 1}")
    return Parsed(names, _numbers(lines, row - 1, delimiter, names, place), row)


def _decode(data: bytes, place: str) -> list[str]:
    """The lines of a file. Only line feeds end a line, as in editors, so that numbers agree."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row, byte = data[: error.start].count(b"\n") + 1, data[error.start]
        fault = f"row {row} is not UTF-8 text (byte 0x{byte:02x})"
        raise DataError(f"{place}: {fault}; save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _blank(line: str) -> bool:
    """Whether a line holds nothing; Excel leaves rows of bare delimiters behind."""
    return not line.replace(",", "").replace(";", "").strip()


def _sniff(lines: Sequence[str], otherwise: str) -> str:
    """The delimiter: the first of ``; tab , space`` in most rows below the first.

    The semicolon is asked for before the comma, which may be a decimal one. The first row is left
    out because a header may hold any of them, as in "stress, max".
    """
    sample = [re.sub(r'"[^"]*"', '"', line).strip(" ") for line in lines[1:51] or lines[:1]]
    sample = [re.sub(r"([,;])[ \t]+", r"\1", line) for line in sample]  # space, no delimiter
    for delimiter in (";", "\t", ",", " "):
        if 2 * sum(delimiter in line for line in sample) > len(sample):
            return delimiter
    return otherwise


def _records(
    lines: Sequence[str], start: int, delimiter: str, place: str
) -> Iterator[tuple[int, list[str]]]:
    """Each record from index ``start`` on: the 1-based line it starts on, and its fields."""

    def feed() -> Iterator[str]:
        for line in islice(lines, start, None):
            line = " ".join(line.split()) if delimiter == " " else line
            # NumPy lets space follow a closing quote, csv does not: they must agree
            yield (padding.sub('"', line) if '"' in line else line) + "\n"

    space = " " if delimiter == "\t" else r" \t"
    padding = re.compile(rf'"[{space}]+(?={delimiter}|$)')
    reader = csv.reader(feed(), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        row = start + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"has broken quotes or a huge field ({printable(error, 80)})"
            raise DataError(f"{place}: row {row} {fault}; correct the row") from None
        yield row, [field.strip() for field in fields]


def _number(field: str, delimiter: str) -> float | None:
    """The number that a field holds, None if it holds something else."""
    if delimiter == ";" and _COMMA_NUMBER.fullmatch(field):
        return float(field.replace(",", "."))
    return float(field) if _NUMBER.fullmatch(field) else None


def _numbers(
    lines: Sequence[str], start: int, delimiter: str, names: Sequence[str], place: str
) -> npt.NDArray[np.float64]:
    """The rows from index ``start`` on, as (N, len(names)).

    NumPy's parser is ten times as fast as ours but cannot say where it fails, and skips blank
    lines: what it refuses, or gives another shape, is read again slowly.
    """
    body = lines[start:]
    split = None if delimiter == " " else delimiter
    try:
        values = np.loadtxt(body, np.float64, None, split, quotechar='"', ndmin=2)
    except ValueError:
        values = np.empty((0, 0))
    if values.shape == (len(body), len(names)):
        return values
    return _numbers_slowly(lines, start, delimiter, names, place)


def _numbers_slowly(
    lines: Sequence[str], start: int, delimiter: str, names: Sequence[str], place: str
) -> npt.NDArray[np.float64]:
    """As `_numbers`, with Python's parser; names the row and the column of the first problem."""
    width = len(names)
    values: list[list[float]] = []
    commas = points = 0  # the first rows with a decimal comma and with a decimal point
    for row, fields in _records(lines, start, delimiter, place):
        if not fields:
            raise DataError(f"{place}: row {row} is empty; fill it in or remove it")
        if len(fields) == width + 1 and not fields[-1]:
            fields = fields[:-1]  # a trailing delimiter
        if len(fields) != width:
            fault = f"{len(fields)} field{'s' * (len(fields) != 1)}, expected {width}"
            raise DataError(f"{place}: row {row} has {fault}, as in the first row; correct the row")
        numbers = [_number(field, delimiter) for field in fields]
        if None in numbers:
            column = numbers.index(None)
            _refuse(fields[column], row, f"column {column + 1}", names[column], delimiter, place)
        if delimiter == ";":
            commas = commas or row * any("," in field for field in fields)
            points = points or row * any("." in field for field in fields)
            if commas and points:
                both = f"decimal commas (row {commas}) and decimal points (row {points})"
                raise DataError(f"{place}: has {both}; use one of them throughout")
        values.append([number for number in numbers if number is not None])
    return np.array(values, dtype=np.float64)


def _refuse(field: str, row: int, column: str, name: str, delimiter: str, place: str) -> None:
    """Raise the DataError about a field that is no number."""
    where = f"{place}: row {row}, {column}" + (f" ({quoted(name)})" if name else "")
    if not field:
        raise DataError(f"{where} is missing (an empty field); fill it in or remove the row")
    hint = "correct it, or remove the row or column"
    if _COMMA_NUMBER.fullmatch(field) and delimiter != ";":
        hint = "decimal commas are read only where semicolons separate the columns"
    raise DataError(f"{where}: {quoted(field)} is not a number; {hint}")

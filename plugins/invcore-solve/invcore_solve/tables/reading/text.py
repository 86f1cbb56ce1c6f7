"""Delimited text as rows of cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from invcore import DataError
from invcore.data.tables import printable, quoted, unguarded
from invcore_solve.tables.reading.decode import decoded
from invcore_solve.tables.reading.delimiter import find_delimiter
from invcore_solve.tables.reading.grid import Grid, numbered

_MARKERS = ("#", "%", "//")
_ERRORS = re.compile(r"#(?:N/A|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!)", re.IGNORECASE)
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # which Excel understands above a table

Lines = list[tuple[int, str]]  # with their numbers


def text_grid(
    data: bytes, place: str, *, encoding: str | None = None, comment: str | None = None,
    tabs: bool = False,
) -> Grid:  # fmt: skip
    r"""The rows of a text file.

    Args:
        data: the file.
        place: what messages begin with.
        encoding: None: it is found.
        comment: what lines to skip begin with; None: ``#``, ``%`` or ``//``.
        tabs: whether a file that shows no delimiter is one of tabs.

    Raises:
        DataError: no text, nothing in it, or broken quotes.

    Example:
        >>> text_grid(b"// mine\n\na,b\n1,2\n", "t.csv").rows
        [['a', 'b'], ['1', '2']]
    """
    text, notes = decoded(data, place, encoding)
    # Only line feeds end a line, as in editors, so that numbers agree.
    split = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = [(number, line) for number, line in enumerate(split, 1)]
    while lines and _blank(lines[-1][1]):
        lines.pop()
    start = next((index for index, (_, line) in enumerate(lines) if not _blank(line)), None)
    if start is None:
        raise DataError(f"{place}: is empty, expected rows of cells")
    lines = lines[start:]
    delimiter = ""
    if match := _SEPARATOR.fullmatch(lines[0][1].strip()):
        delimiter, lines = match[1], lines[1:]
    lines, remarks = _without_comments(lines, comment)
    body = [line for _, line in lines if not _blank(line)]
    if not body:
        raise DataError(f"{place}: holds no rows of cells, only comments")
    delimiter = delimiter or find_delimiter(body, "\t" if tabs else ",")
    quotes = "'" in text
    rows, numbers, blank = _kept(_records(lines, delimiter, place, quotes))
    if not rows:
        raise DataError(f"{place}: holds no cells, only delimiters ({quoted(delimiter)})")
    if remarks:
        said = f"Comments were skipped ({numbered([number for number, _ in remarks])})."
        notes = (*notes, said)
    if blank:
        notes = (*notes, f"Blank lines were skipped ({numbered(blank)}).")
    above = [(number, line) for number, line in remarks if number < numbers[0]]
    remark = _names(above[-1][1], delimiter, place) if above else []
    number = above[-1][0] if above else 0
    decimal = "." if delimiter == "," else ""
    return Grid(rows, numbers, place, notes, remark, number, decimal)


def _blank(line: str) -> bool:
    """Whether a line holds nothing; Excel leaves rows of bare delimiters behind."""
    return not line.replace(",", "").replace(";", "").strip()


def _without_comments(lines: Lines, comment: str | None) -> tuple[Lines, Lines]:
    """The lines that are no comments, and those that are.

    A sign that most lines begin with marks no comments: it belongs to the cells.
    """
    markers = (comment,) if comment else _MARKERS
    found = {
        number: line
        for number, line in lines
        if line.lstrip().startswith(markers) and not _ERRORS.match(line.lstrip())
    }
    if comment is None and 2 * len(found) > sum(not _blank(line) for _, line in lines):
        others = [number for number, line in lines if number not in found and not _blank(line)]
        first = others[0] if others else 0
        found = {number: line for number, line in found.items() if number < first}
    return [pair for pair in lines if pair[0] not in found], [*found.items()]


def _names(line: str, delimiter: str, place: str) -> list[list[str]]:
    """What a comment may name the columns, such as numpy.savetxt's: without its sign, and whole."""
    text = line.lstrip()
    bare = text.removeprefix("//").lstrip("#")
    bare = bare[1:] if bare.startswith("% ") else bare
    found = []
    for each in (bare.strip(), text) if delimiter != " " else (bare.strip(),):
        try:
            found += [fields for _, fields in _records([(1, each)], delimiter, place, True)]
        except DataError:
            continue
    return found


def _records(
    lines: Lines, delimiter: str, place: str, quotes: bool
) -> Iterator[tuple[int, list[str]]]:
    """Each record: the number of the line that it starts on, and its fields."""
    space = " " if delimiter == "\t" else r" \t"
    padding = re.compile(rf'"[{space}]+(?={re.escape(delimiter)}|$)')

    def feed() -> Iterator[str]:
        for _, line in lines:
            line = " ".join(line.split()) if delimiter == " " else line.replace("\0", "\ufffd")
            yield (padding.sub('"', line) if '"' in line else line) + "\n"

    reader = csv.reader(feed(), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        row = lines[min(reader.line_num, len(lines) - 1)][0]
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"has broken quotes or a huge field ({printable(error, 80)})"
            raise DataError(f"{place}: row {row} {fault}; correct the row") from None
        cells = [field.strip() for field in fields]
        yield row, [unguarded(cell) for cell in cells] if quotes else cells


def _kept(
    records: Iterator[tuple[int, list[str]]],
) -> tuple[list[list[str]], list[int], list[int]]:
    """The rows that hold anything, their lines, and the lines of those that do not.

    In a lone column, a blank line is a missing value: row i may belong to row i elsewhere.
    """
    everything = list(records)
    if all(len(fields) <= 1 for _, fields in everything):
        everything = [(row, fields or [""]) for row, fields in everything]
        return [fields for _, fields in everything], [row for row, _ in everything], []
    rows = [(row, fields) for row, fields in everything if any(fields)]
    blank = [row for row, fields in everything if not any(fields)]
    return [fields for _, fields in rows], [row for row, _ in rows], blank

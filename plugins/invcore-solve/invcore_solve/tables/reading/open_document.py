"""Sheets of OpenDocument workbooks (.ods) as rows of cells, read as a stream of XML."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from invcore_solve.tables.reading.grid import empty

_SPACES = {
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
}
_LARGEST = 2**30  # bytes of XML
_CELLS = 20_000_000  # of all sheets, those that are said to be repeated among them
_TEXT = 100_000  # characters of a cell that are kept; nobody's numbers or names have as many
_PIECE = 2**16  # bytes at a time
_TABLE, _ROW, _PARAGRAPH = "table:table", "table:table-row", "text:p"
_CELL = ("table:table-cell", "table:covered-table-cell")
_APART = ("office:annotation", "table:shapes", "table:table")  # in a cell, but not its value


def open_document_sheets(data: bytes) -> dict[str, list[Sequence[Any]]]:
    """All sheets of a workbook, by name.

    Cells are None, bool, int, float, datetime, or text; nothing is computed, and the archive's
    other parts are not looked at.

    Args:
        data: of the file.

    Raises:
        ValueError: it is no such workbook, is encrypted, or is too large.
        zipfile.BadZipFile, KeyError, expat.ExpatError: it is damaged.

    Example:
        >>> open_document_sheets(b"PK")
        Traceback (most recent call last):
        zipfile.BadZipFile: File is not a zip file
    """
    reader = _Reader()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "META-INF/manifest.xml" in archive.namelist():
            with archive.open("META-INF/manifest.xml") as manifest:
                if b"encryption-data" in manifest.read(2**20):
                    raise ValueError("it has a password; save it without one")
        with archive.open("content.xml") as content:
            read = 0
            while piece := content.read(_PIECE):
                read += len(piece)
                if read > _LARGEST:
                    raise ValueError("it unpacks to more than 1 GiB; save the table as .csv")
                reader.parser.Parse(piece)
            reader.parser.Parse(b"", True)
    return reader.sheets


class _Reader:
    """What the parser calls; the sheets so far."""

    def __init__(self) -> None:
        self.sheets: dict[str, list[Sequence[Any]]] = {}
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self._rows: list[Sequence[Any]] | None = None  # of the sheet that is being read
        self._row: list[Any] = []
        self._cell: dict[str, str] | None = None  # the attributes of the cell that is being read
        self._text: list[str] = []
        self._length = self._apart = self._blank_rows = self._blank_cells = self._count = 0
        self._repeated = 1

    def _doctype(self, *_: Any) -> None:
        raise ValueError("it declares a document type, which no spreadsheet does")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        tag, attributes = _short(tag), {_short(name): value for name, value in given.items()}
        if self._apart or (self._cell is not None and tag in _APART):
            self._apart += 1
        elif tag == _TABLE:
            name = attributes.get("table:name", "")
            if not name or name in self.sheets:
                name = f"{name or 'Sheet'} ({len(self.sheets) + 1})"
            self._rows = self.sheets[name] = []
            self._blank_rows = 0
        elif tag == _ROW and self._rows is not None:
            self._row, self._blank_cells = [], 0
            self._repeated = _times(attributes.get("table:number-rows-repeated"))
        elif tag in _CELL and self._rows is not None:
            self._cell, self._text, self._length = attributes, [], 0
        elif self._cell is not None:
            if tag == _PARAGRAPH and self._text:
                self._characters("\n")
            elif tag == "text:s":
                self._characters(" " * min(_times(attributes.get("text:c")), _TEXT))
            elif tag in ("text:tab", "text:line-break"):
                self._characters(" ")

    def _characters(self, text: str) -> None:
        if self._cell is not None and not self._apart and self._length < _TEXT:
            self._text.append(text)
            self._length += len(text)

    def _end(self, tag: str) -> None:
        tag = _short(tag)
        if self._apart:
            self._apart -= 1
        elif tag in _CELL and self._cell is not None:
            self._put(_value(self._cell, "".join(self._text)), self._cell)
            self._cell = None
        elif tag == _ROW and self._rows is not None:
            if not self._row:
                self._blank_rows += self._repeated
                return
            self._grow((self._blank_rows + self._repeated) * len(self._row))
            self._rows += [()] * self._blank_rows + [self._row] * self._repeated
            self._blank_rows = 0
        elif tag == _TABLE:
            self._rows = None

    def _put(self, value: Any, attributes: dict[str, str]) -> None:
        """A cell's value, as often as it is said; blank ones only once another follows."""
        times = _times(attributes.get("table:number-columns-repeated"))
        if empty(value):
            self._blank_cells += times
            return
        self._grow(self._blank_cells + times)
        self._row += [None] * self._blank_cells + [value] * times
        self._blank_cells = 0

    def _grow(self, cells: int) -> None:
        self._count += cells
        if self._count > _CELLS:
            raise ValueError(f"it has more than {_CELLS:,} cells; save the table as .csv")


def _short(name: str) -> str:
    """A name with the usual prefix in place of its namespace."""
    space, _, local = name.rpartition(" ")
    return f"{_SPACES.get(space, space)}:{local}"


def _times(text: str | None) -> int:
    """How often something is said to be repeated.

    Raises:
        ValueError: no whole number of usual size.
    """
    return 1 if text is None else max(int(text[:10]), 1)


def _value(attributes: dict[str, str], text: str) -> Any:
    """The value of a cell, which stands in an attribute, except for texts."""
    kind = attributes.get("office:value-type")
    if kind in ("float", "percentage", "currency"):
        number = float(attributes["office:value"])
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "boolean":
        return attributes["office:boolean-value"] == "true"
    if kind == "date":
        with suppress(ValueError):  # before the year 1, say: its text
            return datetime.datetime.fromisoformat(attributes["office:date-value"])
    return text if text or kind != "string" else attributes.get("office:string-value")

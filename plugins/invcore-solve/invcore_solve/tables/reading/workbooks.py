"""Sheets of Excel and OpenDocument workbooks as rows of cells; formulas are their stored values."""

from __future__ import annotations

import importlib.util
import io
import os
import warnings
import zipfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from invcore import DataError
from invcore.data.tables import attempt, listing, quoted
from invcore_solve.tables.reading.cells import is_number
from invcore_solve.tables.reading.grid import Grid, empty
from invcore_solve.tables.reading.open_document import open_document_sheets

EXCEL = (".xlsx", ".xlsm")
OTHER = (".xls", ".ods")
_OLD = b"\xd0\xcf\x11\xe0"  # the start of an encrypted workbook, and of one of before 2007
_LARGEST = 2**30  # bytes unpacked; more than any sheet of numbers needs
_ROWS = 1_048_576  # what a sheet has room for

Row = Sequence[Any]


def workbook_grid(file: Path, place: str, sheet: str | int | None) -> Grid:
    """The rows of one sheet.

    Args:
        file: .xlsx, .xlsm, .xls or .ods.
        place: what messages begin with.
        sheet: its name, or its number from 1; None: the first that holds a table.

    Raises:
        DataError: damaged, encrypted, no such sheet, nothing in it, or what reads it is absent.
    """
    suffix = file.suffix.lower()
    data = file.read_bytes()
    if not data:
        raise DataError(f"{place}: is empty, expected a workbook")
    if suffix in EXCEL:
        return _excel(data, place, sheet)
    if suffix == ".ods":
        sheets = attempt(lambda: open_document_sheets(data), place)
    else:
        if importlib.util.find_spec("xlrd") is None:
            advice = "run: pip install xlrd; or save the file as .xlsx"
            raise DataError(f"{place}: .xls files need xlrd; {advice}")
        sheets = attempt(lambda: _by_pandas(data), place)
    return _chosen([*sheets], sheets.__getitem__, place, sheet)


def _excel(data: bytes, place: str, sheet: str | int | None) -> Grid:
    """A sheet of an .xlsx file, by openpyxl, which neither computes nor loads anything."""
    if data.startswith(_OLD):
        fault = "is encrypted, or an old .xls file with the wrong ending"
        raise DataError(f"{place}: {fault}; save it as .xlsx without a password")
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise DataError(f"{place}: is no Excel workbook, or damaged; save it as .xlsx again")
    if attempt(lambda: _unpacked(data), place) > _LARGEST:
        raise DataError(f"{place}: unpacks to more than 1 GiB; save the table as .csv")
    with warnings.catch_warnings():  # of styles and the like, which are not read
        warnings.simplefilter("ignore")
        book = attempt(lambda: _opened(data), place)
        try:
            sheets = {each.title: each for each in book.worksheets}

            def rows(name: str) -> list[Row]:
                return list(attempt(lambda: _rows(sheets[name]), place))

            return _chosen([*sheets], rows, place, sheet)
        finally:
            book.close()


def _unpacked(data: bytes) -> int:
    """The bytes of all parts, as the archive says; none of them gives more."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(part.file_size for part in archive.infolist())


def _opened(data: bytes) -> Any:
    import openpyxl

    source = io.BytesIO(data)
    return openpyxl.load_workbook(source, read_only=True, data_only=True, keep_links=False)


def _rows(sheet: Any) -> list[Row]:
    """The rows of a sheet of openpyxl's."""
    sheet.reset_dimensions()  # the file may claim any size
    rows = sheet.iter_rows(max_row=_ROWS, values_only=True)
    return [_short(row) for row in rows]


def _by_pandas(data: bytes) -> dict[str, list[Row]]:
    """All sheets of a workbook of before 2007, by pandas and xlrd."""
    import pandas as pd

    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:  # xlrd prints what it thinks
        warnings.simplefilter("ignore")
        frames = pd.read_excel(
            io.BytesIO(data), sheet_name=None, header=None, dtype=object, engine="xlrd",
            engine_kwargs={"logfile": nowhere},
        )  # fmt: skip
    return {
        str(name): [
            _short([None if item != item else item for item in row]) for row in frame.to_numpy()
        ]
        for name, frame in frames.items()
    }


def _short(row: Row) -> Row:
    """A row without the empty cells at its end."""
    end = len(row)
    while end and empty(row[end - 1]):
        end -= 1
    return row[:end]


def _chosen(
    names: Sequence[str],
    rows_of: Callable[[str], list[Row]],
    place: str,
    sheet: str | int | None,
) -> Grid:
    """The rows of the sheet that was asked for, or of the first that holds a table."""
    if not names:
        raise DataError(f"{place}: has no sheets of cells; save the table on one")
    notes = []
    if sheet is not None:
        name = _named(names, sheet, place)
        found = rows_of(name)
        where = f"{place}: sheet {quoted(name)}"
    else:
        name, found = names[0], rows_of(names[0])
        for other in names[1:]:
            if _is_table(found):
                break
            rows = rows_of(other)
            if _is_table(rows) or not any(found):
                name, found = other, rows
        where = place if len(names) == 1 else f"{place}: sheet {quoted(name)}"
        others = [quoted(n) for n in names if n != name]
        if others:
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            notes.append(
                f"The sheet {quoted(name)} was read; say sheet for another "
                f"({', '.join(others[:5])}{more})."
            )
    numbered = [(number, row) for number, row in enumerate(found, 1) if len(row)]
    if not numbered:
        raise DataError(f"{where}: is empty, expected rows of cells")
    left = min(_first(row) for _, row in numbered)
    cells = [[_plain(cell) for cell in row[left:]] for _, row in numbered]
    return Grid(cells, [number for number, _ in numbered], where, tuple(notes), ragged=True)


def _first(row: Row) -> int:
    return next(index for index, cell in enumerate(row) if not empty(cell))


def _named(names: Sequence[str], sheet: str | int, place: str) -> str:
    """The sheet of a name, or of a number from 1; a name that looks like a number counts."""
    if str(sheet) in names and isinstance(sheet, str):
        return sheet
    text = str(sheet).strip()
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(names):
        return names[int(text) - 1]
    count = f"(or a number, 1 to {len(names)})"
    raise DataError(f"{place}: no sheet {quoted(sheet)}; {listing(names, text)} {count}")


def _is_table(rows: list[Row]) -> bool:
    """Whether a sheet has two rows or more, and a number."""
    some = [row for row in islice(rows, 1000) if len(row)]
    return len(some) > 1 and any(is_number(cell) for row in some for cell in row)


def _plain(cell: Any) -> Any:
    """A cell's value; texts without blanks around them."""
    return cell.strip() if isinstance(cell, str) else cell

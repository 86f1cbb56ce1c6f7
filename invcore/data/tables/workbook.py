"""A table as the bytes of an Excel workbook: numbers with every digit, texts that stay texts."""

import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import quoted
from invcore.data.tables.formulas import looks_like_formula

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
        '<sheet name="Table" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>'
    ),
    # style 1: a text that stays one when somebody edits the cell
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf xfId="0"/><xf xfId="0" quotePrefix="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    ),
}
_DATE = (1980, 1, 1, 0, 0, 0)  # of all parts, so that equal tables are equal files
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in XML
_ROWS, _COLUMNS = 1_048_576, 16_384  # what a sheet has room for


def as_workbook(columns: Mapping[str, npt.NDArray[Any]], place: str) -> bytes:
    """The bytes of a workbook with one sheet; a missing number is an empty cell.

    Args:
        columns: (N,) each, of numbers or texts.
        place: what messages begin with.

    Raises:
        DataError: more rows or columns than a sheet has, or a text that XML has no place for.
    """
    rows = len(next(iter(columns.values()))) + 1
    if rows > _ROWS or len(columns) > _COLUMNS:
        fault = f"{rows} rows and {len(columns)} columns are more than a sheet has room for"
        raise DataError(f"{place}: {fault} ({_ROWS} and {_COLUMNS}); write .csv or .parquet")
    sheet = "".join(_sheet(columns, place)).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = {name: (_HEAD + text).encode() for name, text in _PARTS.items()}
        for name, data in {**parts, "xl/worksheets/sheet1.xml": sheet}.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def _sheet(columns: Mapping[str, npt.NDArray[Any]], place: str) -> Iterator[str]:
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData><row>'
    yield from (_cell(name, place) for name in columns)
    yield "</row>"
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        yield "<row>" + "".join(_cell(item, place) for item in row) + "</row>"
    yield "</sheetData></worksheet>"


def _cell(item: Any, place: str) -> str:
    """A cell; where the next one stands follows from those before it."""
    if isinstance(item, str):
        if any(
            (ord(char) < 32 and char not in "\t\n\r") or char in "\ufffe\uffff" for char in item
        ):
            fault = f"the text {quoted(item)} has control characters"
            raise DataError(f"{place}: {fault}, which a workbook has no place for; remove them")
        style = ' s="1"' if looks_like_formula(item) else ""
        text = escape(item, {"\r": "&#13;"})
        return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{text}</t></is></c>'
    if isinstance(item, float) and not math.isfinite(item):
        return "<c/>" if math.isnan(item) else _cell(str(item), place)
    return f"<c><v>{item!r}</v></c>"

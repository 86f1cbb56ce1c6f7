"""Workbooks of OpenDocument and of Excel before 2007, honest ones and hostile ones."""

from __future__ import annotations

import importlib.util
import struct
import zipfile

import pytest
from invcore_solve.tables.read import read

from invcore.base.errors import DataError

SPACES = "urn:oasis:names:tc:opendocument:xmlns"


def cell(text="", inside="", **attributes):
    """A cell with attributes, such as ``office_value_type``."""
    said = " ".join(
        f'{name.replace("_", ":", 1).replace("_", "-")}="{value}"'
        for name, value in attributes.items()
    )
    return f"<table:table-cell {said}>{inside}<text:p>{text}</text:p></table:table-cell>"


def number(value, **attributes):
    return cell(office_value_type="float", office_value=value, **attributes)


def row(*cells, repeated=1):
    attribute = f'table:number-rows-repeated="{repeated}"'
    return f"<table:table-row {attribute}>{''.join(cells)}</table:table-row>"


@pytest.fixture
def written(tmp_path):
    """Writes the shortest OpenDocument workbook of sheets of XML."""

    def write(*sheets, beside="", **parts):
        names = " ".join(f'xmlns:{n}="{SPACES}:{n}:1.0"' for n in ("office", "table", "text"))
        tables = "".join(
            f'<table:table table:name="{n}">{rows}</table:table>' for n, rows in sheets
        )
        text = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        with zipfile.ZipFile(tmp_path / "w.ods", "w") as archive:
            archive.writestr(
                "content.xml",
                f"{beside}<office:document-content {names}>{text}</office:document-content>",
            )
            for name, content in parts.items():
                archive.writestr(f"META-INF/{name}.xml", content)
        return tmp_path / "w.ods"

    return write


def test_open_documents(written, complaint):
    remark = "<office:annotation><text:p>not 7</text:p></office:annotation>"
    blank = cell(table_number_columns_repeated=2)
    values = (
        number(1.5), cell(office_value_type="date", office_date_value="2024-01-02"),
        cell("yes", office_value_type="boolean", office_boolean_value="true"),
        cell("12 %", office_value_type="percentage", office_value="0.12"),
        cell('a<text:s text:c="2"/><text:span>b</text:span>', remark),
    )  # fmt: skip
    data = [
        row(blank, *map(cell, ("w", "when", "ok", "share", "kind"))),
        row(),
        row(blank, *values, cell(table_number_columns_repeated=16_000), repeated=3),
        row(cell(), repeated=1_048_000),
    ]
    path = written(("Notes", row(cell("hello"))), ("Data", "".join(data)))
    table = read(path)
    assert table.names == ("w", "when", "ok", "share", "kind")
    assert table.rows.tolist() == [3, 4, 5] and "'Data'" in table.notes[0]
    assert table.column("w").values.tolist() == [1.5] * 3 and table.column("when").kind == "date"
    assert table.column("ok").values.tolist() == [1] * 3
    assert table.column("share").values.tolist() == [0.12] * 3
    assert table.column("kind").texts == ("a  b",) * 3
    assert "no sheet 'Dta'; did you mean 'Data'?" in complaint(DataError, read, path, sheet="Dta")


REFUSED = {
    "columns": (row(number(1, table_number_columns_repeated=10**9)), "", "20,000,000 cells"),
    "rows": (row(number(1), repeated=10**9), "", "20,000,000 cells"),
    "entities": (row(cell("&b;")), '<!DOCTYPE a [<!ENTITY b "bb">]>', "document type"),
    "no value": (row(cell(office_value_type="float")), "", "damaged"),
    "no number": (row(number("1,5 mm")), "", "damaged"),
    "unended": (row(cell("x"))[:-5], "", "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_open_documents_are_refused(written, name, complaint):
    rows, beside, said = REFUSED[name]
    assert said in complaint(DataError, read, written(("A", rows), beside=beside))


HARMLESS = {
    "blank columns": row(cell(table_number_columns_repeated=10**9)) + row(number(1)),
    "blank rows at the end": row(number(1)) + row(cell(), repeated=10**9),
    "repeated less than once": row(number(1, table_number_columns_repeated=-5)),
    "many spaces": row(number(1)) + row(cell('<text:s text:c="1000000000"/>')),
    "a table in a cell": row(cell("", f"<table:table>{row(number(7))}</table:table>"), number(1)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_open_documents_are_read(written, name):
    table = read(written(("A", HARMLESS[name])))
    assert table.column(table.names[0]).values.tolist() == [1]


def test_cells_of_all_sheets_count(written, complaint):
    sheet = row(number(1), repeated=10**7)
    path = written(*((name, sheet) for name in "abc"))
    assert "20,000,000 cells" in complaint(DataError, read, path)


def test_sheets_of_one_name_stay_apart_and_odd_dates_are_texts(written):
    day = cell("year 0", office_value_type="date", office_date_value="0000-01-02")
    twice = [("A", row(number(n)) + row(number(n), day)) for n in (1, 2)]
    path = written(*twice)
    assert read(path).column("column 1").values.tolist() == [1, 1]
    table = read(path, sheet=2)
    assert table.column("column 1").values.tolist() == [2, 2]
    assert table.column("column 2").texts == (None, "year 0")


def test_open_documents_with_a_password(written, complaint):
    path = written(("A", "what is no table"), manifest="<manifest:encryption-data/>")
    assert "save it without" in complaint(DataError, read, path)


def old_excel(*rows):
    """A worksheet as Excel 2 wrote it: records of a kind, a length, and content."""
    records = [(0x0009, struct.pack("<HH", 2, 0x10))]
    for r, values in enumerate(rows):
        for c, value in enumerate(values):
            place = struct.pack("<HH3x", r, c)
            if isinstance(value, str):
                records.append((0x0004, place + bytes([len(value)]) + value.encode("latin-1")))
            elif value is not None:
                records.append((0x0003, place + struct.pack("<d", value)))
    records.append((0x000A, b""))
    return b"".join(struct.pack("<HH", kind, len(data)) + data for kind, data in records)


def test_workbooks_before_2007(tmp_path, capfd):
    path = tmp_path / "w.xls"
    path.write_bytes(old_excel(["w", "h"], ["mm", "mm"], [1, 2.5], [3, None], ["n/a", 4]))
    table = read(path)
    assert table.names == ("w", "h") and table.units == ("mm", "mm")
    assert table.column("h").values.tolist()[::2] == [2.5, 4]
    assert table.column("w").missing.tolist() == [False, False, True]
    assert capfd.readouterr().out == "", "xlrd may print, but not among the output of a command"


def test_workbooks_before_2007_need_xlrd(tmp_path, monkeypatch, complaint):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "w.xls").write_bytes(old_excel([1, 2]))
    assert "pip install xlrd" in complaint(DataError, read, tmp_path / "w.xls")

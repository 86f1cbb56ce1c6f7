"""Workbooks, data frames, arrays and binary files as tables of cells; targets from any of them."""

from __future__ import annotations

import datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest
import torch
from invcore_solve.tables.read import read
from invcore_solve.tables.sources import as_table, as_targets, target_table

from invcore.base.errors import DataError
from invcore.data.tables.columns import split_columns
from invcore.data.tables.table import Table
from invcore.data.tables.write import write_table
from invcore.spaces.space import Space, Variable


@pytest.fixture
def book(tmp_path):
    file = openpyxl.Workbook()
    file.active.title = "Notes"
    file.active["A1"] = "just text"
    sheet = file.create_sheet("Data")
    for row in (
        ["My title"], [], [None, "w", "h", "when", "sum"], [None, "mm", "mm", "-", None],
        [None, 1, 2.5, datetime.datetime(2024, 1, 2), "=1+1"], [None, True, "#N/A", None, 7],
        [], [None, "Source: me"],
    ):  # fmt: skip
        sheet.append(row)
    file.save(tmp_path / "w.xlsx")
    return tmp_path / "w.xlsx"


def test_workbooks(book, complaint):
    table = read(book)
    assert table.names == ("w", "h", "when", "sum") and table.units == ("mm", "mm", "", "")
    assert table.rows.tolist() == [5, 6] and "'Notes'" in table.notes[0]
    assert table.column("w").values.tolist() == [1, 1] and table.column("when").kind == "date"
    assert table.column("h").missing.tolist() == [False, True]
    assert table.column("sum").missing.tolist() == [True, False], "no formula is computed"
    assert read(book, sheet="Data").names == read(book, sheet=2).names == table.names
    assert "no sheet 'Dta'; did you mean 'Data'?" in complaint(DataError, read, book, sheet="Dta")
    assert "sheet 'Notes': row 1" in complaint(DataError, read, book, sheet=1)


BROKEN = {
    "empty.xlsx": (b"", "is empty"),
    "old.xlsx": (b"\xd0\xcf\x11\xe0" + bytes(99), "is encrypted, or an old .xls file"),
    "junk.xlsx": (b"PK\x03\x04junk", "is no Excel workbook, or damaged"),
    "old.xls": (b"x", "cannot be read"),
    "t.ods": (b"x", "cannot be read"),
    "t.parquet": (b"x", "cannot be read"),
    "t.npz": (b"x", "never loaded"),
    "t.doc": (b"x", "unknown kind of file '.doc'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_said_in_one_line(tmp_path, name, complaint):
    content, said = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    message = complaint(DataError, read, tmp_path / name)
    assert said in message and message.startswith(str(tmp_path / name))


def test_damaged_missing_and_folders(tmp_path, book, complaint):
    (tmp_path / "half.xlsx").write_bytes(book.read_bytes()[:-200])
    assert "damaged" in complaint(DataError, read, tmp_path / "half.xlsx")
    assert "is a folder" in complaint(DataError, read, tmp_path)
    assert "did you mean 'w.xlsx'" in complaint(DataError, read, tmp_path / "v.xlsx")


def test_data_frames():
    frame = pd.DataFrame({
        "a": [1, 2], "b": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["x", "y"]),
        "d": pd.to_datetime(["2024-01-01", None]), "e": [True, False], "f": ["1,5", "2"],
        "g": pd.array([1.5, None], dtype="Float64"), "h": pd.Categorical([1, 2]), 850.0: [1.0, 2.0],
    })  # fmt: skip
    table = read(frame)
    assert table.names == (*"abcdefgh", "850") and table.named
    kinds = [table.column(name).kind for name in table.names]
    assert kinds == ["number", "number", "text", "date", *["number"] * 5]
    assert table.column("b").missing.tolist() == table.column("g").missing.tolist() == [False, True]
    assert table.column("f").values.tolist() == [1.5, 2.0]
    levels = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    assert read(pd.DataFrame([[1, 2]], columns=levels)).names == ("a x", "a y")
    assert not read(pd.DataFrame([[1, 2]])).named
    assert "index ('a')" in read(frame.set_index("a")).notes[0]
    assert as_table(frame[["a", "f"]], "x").values.tolist() == [[1, 1.5], [2, 2]]


@pytest.mark.parametrize(
    "source",
    [[[1, 2], [3, 4]], np.array([[1, 2], [3, 4]]), torch.tensor([[1.0, 2], [3, 4]]),
     np.array([["1", "2"], ["3", "4"]]), Table(("p", "q"), np.array([[1, 2], [3, 4]]), "t", 1)],
)  # fmt: skip
def test_arrays_and_lists(source):
    table = read(source)
    assert [table.column(name).values.tolist() for name in table.names] == [[1, 3], [2, 4]]
    assert table.named == isinstance(source, Table) and read(table) is table
    mixed = read([[1, "a"], [2, None]])
    assert mixed.column("column 2").texts == ("a", None)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "parquet", "npz"])
def test_what_is_written_is_read(tmp_path, suffix):
    names = ["=cmd()", "+1", "-x", "@a", "width [mm]", "[bold]", ":smile:", "'=q"]
    values = {name: np.array([0.1, 1 / 3 + number]) for number, name in enumerate(names)}
    write_table(tmp_path / f"t.{suffix}", names, values)
    table = read(tmp_path / f"t.{suffix}")
    assert table.names == tuple(names) and table.units[4] == "mm"
    for name in names:
        assert table.column(name).values.tolist() == values[name].tolist()


TWO = Space.of(Variable(name="850.0"), Variable(name="852.0"))


def test_targets_by_name_in_any_order_and_by_value(tmp_path, complaint):
    path = tmp_path / "t.csv"
    for text in ("850.0,852.0\n1,2\n", "852,850\n2,1\n", "852,label,850\n2,first,1\n", "1,2\n"):
        path.write_text(text)
        assert as_targets(path, TWO).tolist() == [[1, 2]], text
    path.write_text("852,label,850\n2,first,1\n")
    assert "left out: 'label'" in target_table(path, TWO.names).notes[-1]
    frame = pd.DataFrame({"852.0": [2.0], "850": [1.0]})
    assert as_targets(frame, TWO).tolist() == [[1, 2]]
    path.write_text("850,x,y\n1,2,3\n")
    assert "there is no column '852.0'" in complaint(DataError, as_targets, path, TWO)
    path.write_text("850,852\n1,?\n")
    assert "row 2, column 2 ('852.0') is missing" in complaint(DataError, as_targets, path, TWO)


def test_names_with_commas():
    names = ["stress, max", "stress", "a", "1"]
    assert split_columns("stress, max,a,3-4", names) == ["stress, max", "a", "3-4"]
    assert split_columns('stress,"stress, max"', names) == ["stress", "stress, max"]
    assert split_columns("`stress, max` , a", []) == ["stress, max", "a"]

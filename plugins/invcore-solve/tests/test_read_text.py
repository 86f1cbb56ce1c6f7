"""Text tables as people have them: every encoding, delimiter and decimal sign, and the rest."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from invcore_solve.tables.read import read

from invcore.base.errors import DataError
from invcore.data.tables.write import write_table

ENCODINGS = {
    "utf-8": "utf-8", "utf-8 with a mark": "utf-8-sig", "utf-16": "utf-16", "cp1252": "cp1252",
    "utf-16 without a mark": "utf-16-le",
}  # fmt: skip
DELIMITERS = {"semicolon": ";", "tab": "\t", "comma": ",", "pipe": "|", "blanks": "  "}
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "tables"


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("encoding", "delimiter", "decimal"), [*itertools.product(ENCODINGS, DELIMITERS, ".,")]
)
def test_encodings_delimiters_and_decimal_signs(tmp_path, encoding, delimiter, decimal):
    sign = DELIMITERS[delimiter]
    values = [[1.5, -20.25], [0.5, 1e-3], [7.0, 12345.678]]
    cells = [[f"{value!r}".replace(".", decimal) for value in row] for row in values]
    if sign == decimal:
        cells = [[f'"{cell}"' for cell in row] for row in cells]
    lines = [sign.join(row) for row in [["größe", "load"], *cells]]
    path = written(tmp_path, "\n".join(lines).encode(ENCODINGS[encoding]))
    table = read(path)
    assert table.names == ("größe", "load") and table.rows.tolist() == [2, 3, 4]
    assert np.stack([table.column(name).values for name in table.names], 1).tolist() == values
    assert any("Windows-1252" in note for note in table.notes) == (encoding == "cp1252")


# content, names, units, kinds, values of the last column, a word of the notes
LAYOUTS = {
    "title": ("My title\n\na,b\n1,2\n3,4\n", "a b", ",", "nn", [2, 4], "My title"),
    "title with delimiters": ("T,,\nx,a,b\n0,1,2\n", "x a b", ",,", "nnn", [2], "'T'"),
    "title of several": ("Made, in 2020\nx,a,b\n0,1,2\n", "x a b", ",,", "nnn", [2], "row 1"),
    "units": ("a,b\nmm,[MPa]\n1,2\n", "a b", "mm,MPa", "nn", [2], "units"),
    "units and none": ("a,b,c\n(°C),-,kg/m³\n1,2,3\n", "a b c", "°C,,kg/m³", "nnn", [3], "units"),
    "no units": ("a,b\nlow,high\n1,2\n", "a b", ",", "tt", None, ""),
    "unit of a name": ("a [mm],b (kN)\n1,2\n", "a~[mm] b~(kN)", "mm,kN", "nn", [2], ""),
    "comments": ("# mine\na,b\n1,2\n// x\n3,4\n", "a b", ",", "nn", [2, 4], "rows 1, 4"),
    "savetxt": ("# a b\n1 2\n3 4\n", "a b", ",", "nn", [2, 4], ""),
    "comments above numbers": ("# by me\n# at home\n1,2\n", "", ",", "nn", [2], "rows 1-2"),
    "error values": ("#N/A,1\n#DIV/0!,2\n3,4\n", "", ",", "nn", [1, 2, 4], ""),
    "blank lines": ("a,b\n1,2\n\n,,\n3,4\n", "a b", ",", "nn", [2, 4], "rows 3-4"),
    "empty sides": (",,,\n,a,b,\n,1,2,\n", "a b", ",", "nn", [2], ""),
    "a blank name": ("a,,b\n1,2,3\n", "a column~2 b", ",,", "nnn", [3], "column 2"),
    "excel's hint": ("sep=;\na;b\n1,5;2,5\n", "a b", ",", "nn", [2.5], ""),
    "wavelengths": (
        "850.0,852.0,854.1,856.1\n2.6,2.7,2.6,2.5\n2.5,2.4,2.6,2.7\n",
        "850.0 852.0 854.1 856.1", ",,,", "nnnn", [2.5, 2.7], "even steps"),
    "no wavelengths": ("1,2,3\n4,5,6\n", "", ",,", "nnn", [3, 6], ""),
    "dates": ("d,v\n2024-01-02,1\n2024-02-03 12:30,2\n", "d v", ",", "dn", [1, 2], ""),
    "dates without names": ("1.2.2024;1\n3.2.2024;2\n", "", ",", "dn", [1, 2], ""),
    "American dates": ("d,v\n12/31/2024,1\n1/2/2024,2\n", "d v", ",", "dn", [1, 2], ""),
    "percent": ("a,b\n1,12 %\n2,5%\n", "a b", ",", "nn", [12, 5], ""),
    "thousands": ('a,b\n1,"1,234.5"\n2,999\n', "a b", ",", "nn", [1234.5, 999], ""),
    "thousands in points": ("a;b\n1;1.234,5\n2;2.000\n", "a b", ",", "nn", [1234.5, 2000], ""),
    "quoted thousands": ('a,b\n1,"1,234"\n2,500\n', "a b", ",", "nn", [1234, 500], ""),
    "blanks in numbers": ("a;b\n1;1 234,5\n2;\u2212 5\n", "a b", ",", "nn", [1234.5, -5], ""),
    "one column": ("gap\n1,5\n\n2,5\n", "gap", "", "n", [1.5, np.nan, 2.5], ""),
    "infinity": ("a,b\n1,inf\n2,-Infinity\n", "a b", ",", "nn", [np.inf, -np.inf], ""),
    "missing": (
        "a,b\n1,NA\n2,n/a\n3,-\n4,?\n5,#VALUE!\n6,None\n7,7\n",
        "a b", ",", "nn", [np.nan] * 6 + [7], ""),
    "a formula's name": ("'=a,'-b\n1,2\n", "=a -b", ",", "nn", [2], ""),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts(tmp_path, case):
    content, names, units, kinds, last, said = LAYOUTS[case]
    table = read(written(tmp_path, content))
    assert table.named == bool(names)
    if names:
        assert table.names == tuple(name.replace("~", " ") for name in names.split())
    assert ",".join(table.units) == units
    assert "".join(table.column(name).kind[0] for name in table.names) == kinds
    if last is not None:
        np.testing.assert_array_equal(table.column(table.names[-1]).values, last)
    assert said in " ".join(table.notes)


def test_only_columns_in_use_are_parsed(tmp_path):
    text = "id,when,a,a,b\nx1,2024-01-01,1,2,1\nx2,2024-01-02,3,4,<0.1\nx3,never,5,6,broken\n"
    table = read(written(tmp_path, text))
    chosen = table.select(["3"])
    assert chosen.names == ("a",) and chosen.column("a").values.tolist() == [1, 3, 5]
    bad = table.column("b")
    assert bad.kind == "text" and bad.mixed and bad.bad is not None
    assert (bad.bad.row, bad.bad.text, bad.bad.count, bad.bad.numbers) == (3, "<0.1", 2, 1)
    with pytest.raises(DataError, match="columns 3 and 4 are both named 'a'"):
        table.select(["a"])
    with pytest.raises(DataError, match="asked for twice"):
        table.select(["1-2", "id"])
    kept = table.take(np.array([True, False, True]))
    assert kept.rows.tolist() == [2, 4] and kept.column("id").texts == ("x1", "x3")


BAD = {
    "empty": (b"", {}, "is empty"),
    "comments alone": (b"# a\n# b\n", {"comment": "#"}, "only comments"),
    "only names": (b"a,b\n", {}, "row 1 is a header, but no rows follow"),
    "short row": (b"a,b,c\n1,2,3\n4,5\n", {}, "row 3 has 2 fields, expected 3"),
    "long row": (b"a,b\n1,2\n3,4,5\n", {}, "row 3 has 3 fields, expected 2"),
    "open quote": (b'a,b\n1,"2\n3,4\n', {}, "row 2 has broken quotes"),
    "no such encoding": (b"a\n1\n", {"encoding": "utf-99"}, "no text encoding 'utf-99'"),
    "no text encoding": (b"a\n1\n", {"encoding": "zlib"}, "no text encoding 'zlib'"),
    "another encoding": (b"a\n1\n\xff\n", {"encoding": "utf-8"}, "row 3 is no text"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), {}, "binary data"),
    "a key": (b"a\n1\n", {"key": "k"}, "key 'k' is for NPZ files"),
    "a sheet": (b"a\n1\n", {"sheet": 2}, "sheet '2' is for workbooks"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read(tmp_path, case, complaint):
    content, options, said = BAD[case]
    path = written(tmp_path, content)
    message = complaint(DataError, read, path, **options)
    assert said in message and message.startswith(str(path))


def test_decimal_signs_are_one_in_a_column(tmp_path, complaint):
    table = read(written(tmp_path, "a;b\n1,5;2\n1.5;2\n"))
    message = complaint(DataError, table.column, "a")
    assert "decimal commas (row 2) and decimal points (row 3); use one of them" in message
    assert table.column("b").kind == "number"


def test_header_units_comment_and_expected_can_be_said(tmp_path):
    path = written(tmp_path, "850,852\n1,2\n3,4\n")
    assert not read(path).named and read(path, header=True).names == ("850", "852")
    assert read(path, expected=["852.0"]).names == ("850", "852")
    assert read(path, prefix="x").names == ("x1", "x2")
    path = written(tmp_path, "a,b\nmm,-\n1,2\n")
    assert read(path, units=False).column("a").kind == "text"
    path = written(tmp_path, "a,b\nwide,high\n1,2\n")
    assert read(path, units=True).units == ("wide", "high")
    path = written(tmp_path, "!x\na,b\n1,2\n")
    assert read(path, comment="!").names == ("a", "b")


def test_a_large_table_is_exact_whichever_way_it_is_written(tmp_path):
    values = np.random.default_rng(0).normal(size=(3000, 5))
    names = list("abcde")
    write_table(tmp_path / "t.csv", names, dict(zip(names, values.T, strict=True)))
    text = (tmp_path / "t.csv").read_text()
    for path in (
        tmp_path / "t.csv",
        written(tmp_path, text.replace(",", ";").replace(".", ","), "u.csv"),
    ):
        table = read(path)
        assert all(
            (table.column(n).values == v).all() for n, v in zip(names, values.T, strict=True)
        )


def test_reading_imports_no_torch(tmp_path):
    path = written(tmp_path, "a,b\n1,x\n")
    code = (
        "import sys; from invcore_solve.tables.read import read; "
        f"t = read({str(path)!r}); t.column('b'); t.select(['a']); "
        "assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["concrete.csv", "tecator.csv", "energy_efficiency.csv"])
def test_real_tables(name):
    if not SHARED.is_dir():
        pytest.skip("no real tables here")
    table = read(SHARED / name)
    assert table.named and all(table.column(column).kind == "number" for column in table.names)

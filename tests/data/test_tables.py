"""Tables: what is read is exact, and what is wrong is named by file, row and column."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from invcore.base.errors import DataError
from invcore.data.tables.read import read_table
from invcore.data.tables.table import Table
from invcore.data.tables.write import write_table

ROOT = Path(__file__).resolve().parents[1]


def message(call: Callable[[], object]) -> str:
    """The one printable line of the DataError that a call must raise."""
    with pytest.raises(DataError) as caught:
        call()
    text = str(caught.value)
    assert text.isprintable() and len(text) < 600, text
    return text


def table(values: list[list[float]], names: str = "abcdefg", first_row: int = 2) -> Table:
    array = np.array(values, dtype=float)
    return Table(tuple(names[: array.shape[1]]), array, "t.csv", first_row)


# text that is fine: content, names, values, line of row 0
GOOD = {
    "plain": ("a,b\n1,2\n3,4\n", "a b", [[1, 2], [3, 4]], 2),
    "no header": ("1,2\n3,4", "x1 x2", [[1, 2], [3, 4]], 1),
    "one column": ("0\n0.28\n0", "x1", [[0], [0.28], [0]], 1),
    "one column, header": ("gap\n0.28\n", "gap", [[0.28]], 2),
    "one value": ("5", "x1", [[5]], 1),
    "bom": ("\ufeffa,b\n1,2\n", "a b", [[1, 2]], 2),
    "bom, no header": ("\ufeff1,2\n", "x1 x2", [[1, 2]], 1),
    "crlf": ("a,b\r\n1,2\r\n", "a b", [[1, 2]], 2),
    "old mac": ("a,b\r1,2\r", "a b", [[1, 2]], 2),
    "trailing empty lines": ("a,b\n1,2\n\n \r\n,\n", "a b", [[1, 2]], 2),
    "leading empty lines": ("\n\na,b\n1,2\n", "a b", [[1, 2]], 4),
    "trailing delimiter": ("a,b,\n1,2,\n3,4,\n", "a b", [[1, 2], [3, 4]], 2),
    "trailing delimiter, rows only": ("a,b\n1,2,\n3,4\n", "a b", [[1, 2], [3, 4]], 2),
    "trailing delimiter, header only": ("a,b,\n1,2\n", "a b", [[1, 2]], 2),
    "trailing delimiter, no header": ("1,2, \n3,4,\n", "x1 x2", [[1, 2], [3, 4]], 1),
    "spaces": (" a , b \n 1 ,\t2 \n", "a b", [[1, 2]], 2),
    "quotes": ('"a","b"\n"1","2"\n', "a b", [[1, 2]], 2),
    "space before quotes": ('a, "b"\n1, "2"\n', "a b", [[1, 2]], 2),
    "space after quotes": ('"a" ,"b"\n"1" , "2" \n', "a b", [[1, 2]], 2),
    "delimiters in a header": ('"a, max",b;c\n1,2\n', "a,~max b;c", [[1, 2]], 2),
    "line break in a header": ('"a\nmax",b\n1,2\n', "a~max b", [[1, 2]], 3),
    "tab": ("a\tb\n1\t2\n", "a b", [[1, 2]], 2),
    "whitespace": ("  a   b\n 1  2e0\n3\t 4\n", "a b", [[1, 2], [3, 4]], 2),
    "savetxt": ("# a b\n1.0e+00 2.0e+00\n", "a b", [[1, 2]], 2),
    "savetxt, commas": ("# a,b\n1,2\n", "a b", [[1, 2]], 2),
    "semicolons": ("a;b\n1.5;2\n", "a b", [[1.5, 2]], 2),
    "decimal commas": ("a;b\n1,5;-2\n,5;1,e3\n".replace("1,e3", "1,0e3"), "a b",
                       [[1.5, -2], [0.5, 1000]], 2),
    "decimal commas, no header": ("1,5;2,25\n", "x1 x2", [[1.5, 2.25]], 1),
    "nan passes": ("a,b\nnan,-Infinity\n", "a b", [[np.nan, -np.inf]], 2),
    "mixed header": ("speed,400\n1,2\n", "speed 400", [[1, 2]], 2),
    "extremes": ("5e-324,-0.0,1.7976931348623157e308,.1,+2.\n", "x1 x2 x3 x4 x5",
                 [[5e-324, -0.0, 1.7976931348623157e308, 0.1, 2]], 1),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_text_that_is_fine(tmp_path: Path, case: str) -> None:
    content, names, values, first_row = GOOD[case]
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    read = read_table(path)
    assert read.names == tuple(name.replace("~", " ") for name in names.split())
    assert read.values.tobytes() == np.array(values, dtype=float).tobytes()
    assert (read.first_row, read.source) == (first_row, str(path))


# text that is wrong: content, what the message must hold
BAD = {
    "empty": (b"", ["is empty"]),
    "only a bom": (b"\xef\xbb\xbf", ["is empty"]),
    "only blanks": (b" \n\n,,\n", ["is empty"]),
    "only a header": (b"\na,b\n", ["row 2 is a header"]),
    "not utf-8": (b"a,b\n1,2\n1,\xff\n", ["row 3", "UTF-8", "0xff"]),
    "utf-16": ("a,b\n1,2".encode("utf-16"), ["row 1", "UTF-8"]),
    "short row": (b"a,b,c\n1,2,3\n4,5\n", ["row 3 has 2 fields, expected 3"]),
    "one field": (b"a,b,c\n1,2,3\n4\n5,6,7\n", ["row 3 has 1 field, expected 3"]),
    "long row": (b"1,2\n3,4\n5,6,7\n", ["row 3 has 3 fields, expected 2"]),
    "long rows": (b"a,b\n1,2,3\n4,5,6\n", ["row 2 has 3 fields, expected 2"]),
    "row past blanks": (b"\n\na,b\n1,2\n3\n", ["row 5 has 1 field"]),
    "row past a long header": (b'"a\n\nb",c\n1,2\n3,x\n', ["row 5, column 2 ('c')", "'x'"]),
    "text": (b"a,b\n1,2\n3,abc\n", ["row 3, column 2 ('b'): 'abc' is not a number"]),
    "text, no header": (b"1,2\n3,abc\n", ["row 2, column 2: 'abc'"]),
    "text, spaces": (b"a b\n1 2\n3 abc\n", ["row 3, column 2 ('b'): 'abc'"]),
    "underscores": (b"a\n1_000\n", ["row 2, column 1 ('a'): '1_000'"]),
    "hexadecimal": (b"a\n0x10\n", ["row 2", "'0x10'"]),
    "wide digits": ("a\n\uff11\n".encode(), ["row 2"]),
    "null byte": (b"a\n1\x00\n", ["row 2", r"'1\x00'"]),
    "terminal codes": (b"a\n\x1b[2J\n", ["row 2", r"'\x1b[2J'"]),
    "long field": (b"a\n" + b"z" * 100_000 + b"\n", ["row 2", "zzz…'"]),
    "long digits": (b"a\n" + b"1" * 100_000 + b"z\n", ["row 2", "111…'"]),
    "huge field": (b"a\n" + b"z" * 200_000 + b"\n", ["row 2", "huge field"]),
    "empty field": (b"a,b\n1,\n3,4\n", ["row 2, column 2 ('b') is missing"]),
    "empty field, inside": (b"a,b\n1,2\n,4\n", ["row 3, column 1 ('a') is missing"]),
    "empty field, no header": (b"1,\n3,4\n", ["row 1, column 2 is missing"]),
    "empty column": (b"a,b\n1,\n3,\n", ["row 2, column 2 ('b') is missing"]),
    "empty row": (b"a\n1\n\n3\n", ["row 3 is empty"]),
    "same names": (b"a,b, a\n1,2,3\n", ["row 1", "columns 1 and 3 are both named 'a'"]),
    "no name": (b",a\n0,1\n", ["row 1", "column 1 has no name"]),
    "no last name": (b"a,\n0,1\n", ["row 1", "column 2 has no name"]),
    "name of codes": (b"a,\x1b[2J\n0,1\n", ["row 1", "column 2", "control characters"]),
    "open quote": (b'a,b\n1,2\n3,"4\n5,6\n', ["row 3", "quotes"]),
    "text after a quote": (b'a,b\n1,"2"3\n', ["row 2", "quotes"]),
    "commas and points": (b"a;b\n1,5;2\n1.5;2\n", ["commas (row 2)", "points (row 3)"]),
    "thousands": (b"a;b\n1.234,5;2\n", ["row 2, column 1 ('a'): '1.234,5'"]),
    "commas, tabs": (b"a\tb\n1,5\t2\n", ["row 2, column 1", "semicolons"]),
    "text, semicolons": (b"a;b\n1,5;2\nsee p. 3, there;2\n", ["row 3, column 1", "'see p. 3"]),
}


@pytest.mark.parametrize("case", BAD)
def test_text_that_is_wrong(tmp_path: Path, case: str) -> None:
    content, parts = BAD[case]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    text = message(lambda: read_table(path))
    assert text.startswith(f"{path}: ")
    assert all(part in text for part in parts), text


def test_header_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "spectra.csv"
    path.write_text("400,410\n1,2\n")
    assert read_table(path).values.shape == (2, 2)
    assert read_table(path, header=True).names == ("400", "410")
    path.write_text("a,b\n1,2\n")
    assert "row 1, column 1: 'a'" in message(lambda: read_table(path, header=False))
    path.write_text("1,2\n")
    assert read_table(path, prefix="y", header=False).names == ("y1", "y2")


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("1\n")
    for wrong, part in {
        tmp_path / "pair.csv": "no such file; did you mean 'pairs.csv'?",
        tmp_path / "none" / "pairs.csv": "its folder does not exist",
        tmp_path / "pairs.xlsx": "'.xlsx', expected one of .csv",
        tmp_path / "pairs": "unknown kind of file ''",
        tmp_path / "a\n\x1b.csv": "no such file",
        tmp_path / "a\0.csv": "",
        tmp_path / ("n" * 300 + ".csv"): "cannot be opened",
    }.items():
        assert part in message(partial(read_table, wrong))
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in message(lambda: read_table(tmp_path / "folder.csv"))
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a regular file" in message(lambda: read_table(tmp_path / "pipe.csv"))
    assert "key 'k'" in message(lambda: read_table(path, key="k"))
    path.rename(tmp_path / "pairs.CSV")
    assert read_table(str(tmp_path / "pairs.CSV")).values.tolist() == [[1.0]]

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "(Permission denied)" in message(lambda: read_table(tmp_path / "pairs.CSV"))


class Spy:
    """Something that would run code if it were unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return pytest.fail, ("a file was unpickled",)


NPZ_BAD: dict[str, tuple[dict[str, Any], str | None, list[str]]] = {
    "several": ({"x": [1.0], "y": [2.0]}, None, ["2 arrays", "by key", "'x', 'y'"]),
    "none": ({}, None, ["0 arrays"]),
    "unknown key": (
        {"xs": [1.0], "y": [2.0]},
        "xz",
        ["no array 'xz'", "did you mean 'xs'?", "'y'"],
    ),
    "objects": ({"x": np.array([Spy()])}, None, ["array 'x'", "pickle", "float64"]),
    "scalar": ({"x": 1.0}, None, ["array 'x'", "shape ()"]),
    "cube": ({"x": np.zeros((2, 2, 2))}, None, ["array 'x'", "shape (2, 2, 2)"]),
    "text": ({"x": ["a"]}, None, ["array 'x'", "<U1"]),
    "complex": ({"x": [1j]}, None, ["array 'x'", "complex128"]),
    "bool": ({"x": [True]}, None, ["array 'x'", "bool"]),
    "dates": ({"x": np.array(["2020-01-01"], "M8[D]")}, None, ["array 'x'", "datetime64"]),
    "no rows": ({"x": np.zeros((0, 3))}, None, ["is empty", "(0, 3)"]),
    "no columns": ({"x": np.zeros((3, 0))}, None, ["is empty", "(3, 0)"]),
    "too few names": ({"values": np.zeros((2, 2)), "names": ["a"]}, None, ["2 columns", "holds 1"]),
    "same names": ({"values": np.zeros((2, 2)), "names": ["a"] * 2}, None, ["both named 'a'"]),
    "names are objects": (
        {"values": [1.0], "names": np.array([Spy()])},
        None,
        ["'names'", "pickle"],
    ),
}


@pytest.mark.parametrize("case", NPZ_BAD)
def test_npz_that_is_wrong(tmp_path: Path, case: str) -> None:
    arrays, key, parts = NPZ_BAD[case]
    path = tmp_path / "t.npz"
    np.savez(path, **arrays)
    text = message(lambda: read_table(path, key=key))
    assert text.startswith(str(path)) and all(part in text for part in parts), text


def test_numpy_that_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(
        path,
        x=np.arange(6, dtype=np.int16).reshape(3, 2, order="F"),
        y=np.array([1, 2, 3], np.float32),
    )
    assert read_table(path, key="x").names == ("x1", "x2")
    column = read_table(path, key="y", prefix="y")
    assert (column.names, column.values.tolist()) == (("y1",), [[1.0], [2.0], [3.0]])
    np.save(tmp_path / "t.npy", np.eye(3, order="F"))
    read = read_table(tmp_path / "t.npy")
    assert read.values.flags.c_contiguous and not read.values.flags.writeable
    assert (read.values == np.eye(3)).all() and read.first_row == 1
    assert "leave out the key" in message(lambda: read_table(tmp_path / "t.npy", key="x"))


@pytest.mark.parametrize("suffix", ["npz", "npy", "parquet", "pq"])
def test_binary_that_is_corrupt(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    if suffix == "npy":
        np.save(path, np.arange(50.0))
    else:
        write_table(path, ["a"], {"a": np.arange(50.0)})
    whole = path.read_bytes()
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (9**99,)}"
    for content in (b"", b"junk", b"a,b\n1,2\n", whole[:40], whole[: len(whole) // 2], header):
        path.write_bytes(content)
        text = message(lambda: read_table(path))
        assert text.startswith(f"{path}: ") and "written" not in text


def test_parquet_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    cases: list[tuple[list[Any], list[str], list[str]]] = [
        ([[1.0, 2.0], [3.0, None]], ["a", "b"], ["row 2, column 'b' is missing (null)"]),
        ([["u", "v"]], ["a"], ["column 'a' holds string"]),
        ([[True, False]], ["a"], ["column 'a' holds bool"]),
        ([[[1.0], [2.0]]], ["a"], ["column 'a' holds list"]),
        ([[1.0], [2.0]], ["a", "a"], ["columns 1 and 2 are both named 'a'"]),
        ([[]], ["a"], ["column 'a' holds null"]),
        ([arrow.array([], "double")], ["a"], ["is empty"]),
        ([], [], ["is empty"]),
    ]
    for columns, names, parts in cases:
        arrays = [arrow.array(column) for column in columns]
        parquet.write_table(arrow.Table.from_arrays(arrays, names=names), path)
        text = message(lambda: read_table(path))
        assert text.startswith(f"{path}: ") and all(part in text for part in parts), text
    good = {"a": arrow.array([1, 2], "int8"), "b": arrow.array([0.5, 1.5], "float"),
            "__index_level_0__": arrow.array([7, 9])}  # fmt: skip
    parquet.write_table(arrow.table(good), path)
    read = read_table(path)
    assert read.names == ("a", "b") and read.values.tolist() == [[1.0, 0.5], [2.0, 1.5]]
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert 'pip install "invcore[parquet]"' in message(lambda: read_table(path))
    assert 'pip install "invcore[parquet]"' in message(lambda: write_table(path, ["a"], {"a": [1]}))


def test_select() -> None:
    whole = Table(("a", "b", "2", "E field"), np.arange(8.0).reshape(2, 4), "t.csv", 2)
    for columns, found in {
        ("E field", "a"): [3, 0],
        ("1", "4"): [0, 3],
        ("2",): [2],  # a name counts before a number
        ("2-4",): [1, 2, 3],
        (" 3 - 4 ", "b"): [2, 3, 1],
    }.items():
        chosen = whole.select(columns)
        assert chosen.names == tuple(whole.names[index] for index in found)
        assert (chosen.values == whole.values[:, found]).all()
        assert chosen.values.flags.c_contiguous and not chosen.values.flags.writeable
        assert (chosen.source, chosen.first_row) == ("t.csv", 2)
    assert whole.select("b").names == ("b",)


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        (["efield"], ["no column 'efield'", "did you mean 'E field'?", "'a', 'b', '2'"]),
        (["z"], ["no column 'z'", "there are 'a'", "1 to 4"]),
        (["0"], ["no column '0'"]),
        (["5"], ["no column '5'", "1 to 4"]),
        (["3-5"], ["no column '3-5'"]),
        (["4-3"], ["no column '4-3'"]),
        (["1-999999999"], ["no column"]),
        (["9" * 5000], ["no column", "…"]),
        (["²"], ["no column"]),
        ([""], ["no column ''"]),
        ([], ["no column is asked for"]),
        (["1-3", "b"], ["column 'b' is asked for twice"]),
    ],
)
def test_select_what_is_not_there(columns: list[str], parts: list[str]) -> None:
    whole = Table(("a", "b", "2", "E field"), np.zeros((2, 4)), "t.csv", 2)
    text = message(lambda: whole.select(columns))
    assert text.startswith("t.csv: ") and all(part in text for part in parts), text


def test_a_table_owns_its_values() -> None:
    given = np.ones((2, 1))
    kept = Table(("a",), given, "t.csv", 1)
    given[:] = 5
    assert given.flags.writeable and (kept.values == 1).all()
    assert "expected values (N, 2)" in message(lambda: Table(("a", "b"), given, "t.csv", 1))
    assert "both named 'a'" in message(lambda: Table(("a", "a"), np.ones((1, 2)), "t.csv", 1))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "pq", "npz"])
def test_round_trip_is_bit_exact(tmp_path: Path, suffix: str) -> None:
    bits = np.random.default_rng(0).integers(0, 2**64, 3000, dtype=np.uint64)
    hard = [0.1, -0.0, 5e-324, 1.7976931348623157e308, np.inf, -np.inf, 1 / 3]
    values = bits.view(np.float64)
    values = np.concatenate([hard, values[~np.isnan(values)]])
    names = ["a, max", 'quo"ted', "É", "1-2", "a;b"]
    values = values[: len(values) // 5 * 5].reshape(-1, 5)
    path = tmp_path / f"t.{suffix}"
    write_table(path, names, {name: values[:, i] for i, name in enumerate(names)})
    read = read_table(path)
    assert read.names == tuple(names) and read.values.tobytes() == values.tobytes()
    write_table(path, ["a,b"], {"a,b": [float("nan")], "unused": [1.0, 2.0]})  # replaces the file
    assert read_table(path).names == ("a,b",) and np.isnan(read_table(path).values).all()
    assert os.listdir(tmp_path) == [path.name]


def test_written_columns_keep_their_kind(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "rank": [1, 2],
        "x": np.array([0.1, 2], np.float32),
        "ok": [True, False],
        "why": ["", 'a "b"\n'],
    }
    path = tmp_path / "t.csv"
    write_table(path, list(columns), columns)
    expected = 'rank,x,ok,why\n1,0.10000000149011612,1,\n2,2.0,0,"a ""b""\n"\n'
    assert path.read_bytes() == expected.encode()
    pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(tmp_path / "t.parquet", list(columns), columns)
    stored = parquet.ParquetFile(tmp_path / "t.parquet").read()
    assert [str(kind) for kind in stored.schema.types] == ["int64", "double", "int64", "string"]
    assert stored.column("why").to_pylist() == columns["why"]


WRITE_BAD: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "suffix": ("t.ods", {"a": [1.0]}, ["cannot write '.ods'"]),
    "npy": ("t.npy", {"a": [1.0]}, ["cannot write '.npy'"]),
    "no folder": ("none/t.csv", {"a": [1.0]}, ["its folder does not exist"]),
    "a folder": ("folder.csv", {"a": [1.0]}, ["cannot be written"]),
    "null byte": ("a\0.csv", {"a": [1.0]}, ["cannot be written"]),
    "lengths": ("t.csv", {"a": [1.0], "b": [1.0, 2.0]}, ["one length", "'a' has 1, 'b' has 2"]),
    "no columns": ("t.csv", {}, ["no columns"]),
    "no name": ("t.csv", {"": [1.0]}, ["column 1 has no name"]),
    "matrix": ("t.csv", {"a": np.ones((2, 2))}, ["column 'a' has shape (2, 2)"]),
    "ragged": ("t.csv", {"a": [[1.0], [1.0, 2.0]]}, ["column 'a' is no list of numbers"]),
    "objects": ("t.csv", {"a": [None, 1.0]}, ["column 'a'", "object"]),
    "mixed": ("t.csv", {"a": [1.0, "b"]}, ["column 'a'"]),
    "complex": ("t.csv", {"a": [1j]}, ["column 'a'", "complex128"]),
    "text in npz": ("t.npz", {"a": [1.0], "b": ["u"]}, ["column 'b' is text"]),
    "surrogate": ("t.csv", {"a": ["\ud800"]}, ["not valid Unicode"]),
    "surrogate, parquet": ("t.parquet", {"a": ["\ud800"]}, ["not valid Unicode"]),
}


@pytest.mark.parametrize("case", WRITE_BAD)
def test_writing_what_cannot_be_written(tmp_path: Path, case: str) -> None:
    name, columns, parts = WRITE_BAD[case]
    (tmp_path / "folder.csv").mkdir()
    text = message(lambda: write_table(tmp_path / name, list(columns), columns))
    assert text.startswith(str(tmp_path)) and all(part in text for part in parts), text
    assert os.listdir(tmp_path) == ["folder.csv"]


def test_named_columns_need_values(tmp_path: Path) -> None:
    assert "column 'b'" in message(lambda: write_table(tmp_path / "t.csv", ["b"], {"a": [1.0]}))
    path = tmp_path / "t.csv"
    assert "both named 'a'" in message(lambda: write_table(path, ["a", "a"], {"a": [1.0]}))


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "t.csv"
    write_table(path, ["a"], {"a": [1.0]})

    def fail(descriptor: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((DataError, KeyboardInterrupt)):
        write_table(path, ["a"], {"a": [2.0]})
    assert path.read_text() == "a\n1.0\n" and os.listdir(tmp_path) == ["t.csv"]


def test_writing_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table(tmp_path / "link.csv", ["a"], {"a": [1.0]})
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "a\n1.0\n"


def test_a_large_table_is_read_and_its_error_is_found(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(10_798, 7))
    path = tmp_path / "t.csv"
    names = [f"x{i}" for i in range(7)]
    write_table(path, names, dict(zip(names, values.T, strict=True)))
    assert (read_table(path).values == values).all()
    lines = path.read_text().split("\n")
    lines[9_000] = lines[9_000].replace(",", ",?", 1)
    path.write_text("\n".join(lines))
    assert "row 9001, column 2 ('x1'): '?" in message(lambda: read_table(path))


NAMES = ["=cmd()", "+1", "-x", "@a", "'=q", "''-", "it's", "[bold]", ":smile:"]


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_no_text_becomes_a_formula(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    write_table(path, NAMES, {name: [1.5, -2.0] for name in NAMES})
    assert read_table(path).names == tuple(NAMES)
    delimiter = "," if suffix == "csv" else "\t"
    first, *rows = path.read_text().split("\n")
    assert all(cell[0] not in "=+-@" for cell in first.split(delimiter))
    assert rows[1].split(delimiter)[0] == "-2.0", "numbers stay as they are"
    write_table(path, ["status"], {"status": ["=1+1", "\tx", "ok"]})
    assert path.read_text().split("\n")[1:4] == [
        "'=1+1",
        "'\tx" if suffix == "csv" else '"\'\tx"',
        "ok",
    ]


def test_a_workbook_keeps_digits_and_texts(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "t.xlsx"
    values = [0.1 + 0.2, 1 / 3, -5e-324, float("nan")]
    texts = ["=1+1", "<&>", " é ", "a\nb"]
    write_table(path, ["=x", "n", "text"], {"=x": values, "n": [1, 2, 3, 4], "text": texts})
    (head, *rows) = openpyxl.load_workbook(path).active.iter_rows()
    assert [cell.value for cell in head] == ["=x", "n", "text"]
    assert {cell.data_type for cell in head} == {"s"} and head[0].quotePrefix
    assert [row[0].value for row in rows] == [*values[:3], None]
    assert [(row[1].value, row[2].value) for row in rows] == [*enumerate(texts, 1)]
    assert all(row[2].data_type == "s" for row in rows)
    again = path.read_bytes()
    write_table(path, ["=x", "n", "text"], {"=x": values, "n": [1, 2, 3, 4], "text": texts})
    assert path.read_bytes() == again
    assert "control characters" in message(lambda: write_table(path, ["a"], {"a": ["\x01"]}))
    many = {"a": np.zeros(1_048_576)}
    assert "more than a sheet" in message(lambda: write_table(path, ["a"], many))


def test_mos2() -> None:
    named = os.environ.get("INVCORE_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not named and not folder.is_dir():
        pytest.skip("no MoS2 table here; name its folder by INVCORE_DATA")
    x = read_table(folder / "mos2" / "data_x.csv")
    y = read_table(folder / "mos2" / "data_y.csv", prefix="y")
    assert (x.values.shape, y.values.shape, y.names) == ((10_798, 7), (10_798, 1), ("y1",))
    assert x.values[0, 0] == 3.141776659 and x.values[0, 6] == -0.771024618
    assert y.values[1, 0] == 0.28

"""Readers of tables, and of what programs write."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from hypothesis.strategies import SearchStrategy

from fuzzing.reader import Reader
from fuzzing.strategies import changed, mutated, rendered, texts

_CSV = b'width [mm],load;x,metal,"a ""b"""\nmm,N,,\n1,2.5,steel,3\n2,,brass,4e5\n3,-1,steel,nan\n'
_WORDS = (
    "1", "2.5", ",", ",", ";", "\t", "\n", "\n", "\r\n", "a", '"', "nan", "0,5", "#", "% ", "mm",
    "sep=;", "2020-01-02", "TRUE", "\xa0", "'=a", "±", "<0.5", "1/2",
)  # fmt: skip


def table_readers() -> list[Reader]:
    """All of them."""
    text = partial(_texts, _CSV, b"x;y\n0,5;1\n1,5;2\n", _CSV.decode().encode("utf-16"))
    found = [Reader("table-csv", text, partial(_table, "given.csv"))]
    found.append(Reader("numbers-csv", text, partial(_numbers, "given.csv")))
    for name in ("npz", "npy", "parquet", "xlsx", "ods", "xls"):
        inputs = _sheets if name == "ods" else partial(_binary, name)
        found.append(Reader(f"table-{name}", inputs, partial(_table, f"given.{name}")))
    inputs = partial(_binary, "npz")
    found.append(Reader("numbers-npz", inputs, partial(_numbers, "given.npz")))
    inputs = partial(_texts, b"name,index,density\na,1,2\nb,3,4\n")
    found.append(Reader("descriptors", inputs, partial(_descriptors, "given.csv")))
    found.append(Reader("output-json", _outputs, partial(_output, "json")))
    inputs = partial(_texts, b"u,v\n1,2\n3,4\n", b"1,2\n3,4\n")
    found.append(Reader("output-csv", inputs, partial(_output, "csv")))
    inputs = partial(_binary, "npz")
    found.append(Reader("output-npz", inputs, partial(_output, "npz")))
    return found


def _texts(*examples: bytes) -> SearchStrategy[bytes]:
    return texts(*_WORDS) | mutated(*examples)


def _outputs() -> SearchStrategy[bytes]:
    rows = [{"u": 1.0, "v": 2}, {"u": None, "v": 4.5}]
    made = rendered(changed(rows), json.dumps) | rendered(changed([[1, 2], [3, 4]]), json.dumps)
    return made | mutated(json.dumps(rows).encode()) | texts("[", "]", '{"u":', '"v":', "}", ",")


def _binary(kind: str) -> SearchStrategy[bytes]:
    return mutated(*_examples(kind))


@cache
def _examples(kind: str) -> tuple[bytes, ...]:
    """Valid files, and some that claim what is not there."""
    from invcore.data.tables.write import encode

    if kind == "xls":
        return (_old_excel(),)
    columns: dict[str, Any] = {"a": np.arange(5.0), "b": np.arange(5)}
    if kind == "npy":
        return _npy(np.ones((4, 2))), _npy(np.arange(3)), *map(_claimed, (10**6, 10**12, 2**62))
    if kind == "npz":
        arrays = io.BytesIO()
        np.savez_compressed(arrays, x=np.zeros((30, 3)), y=np.zeros((2, 2)))
        bomb = (
            _zipped({"y.npy": _claimed(10**11)}),
            _zipped({"y.npy": _claimed(40_000_000)[:128] + bytes(1 << 24)}),
        )
        return encode(columns, ".npz", "x"), arrays.getvalue(), *bomb
    texts_too = {**columns, "c": np.array(["u", "=v", "w", "u", "u"])}
    found = [encode(texts_too, f".{kind}", "x"), encode(columns, f".{kind}", "x")]
    if kind == "xlsx":
        found.append(_zipped({"xl/worksheets/sheet1.xml": bytes(1 << 22), "../outside": b"x"}))
    return tuple(found)


def _sheets() -> SearchStrategy[bytes]:
    """OpenDocument workbooks: whole ones of odd cells, of damaged XML, and damaged ones."""
    number = {"office:value-type": "float", "office:value": "1.5"}
    day = {"office:value-type": "date", "office:date-value": "2024-01-02"}
    twice = {"table:number-columns-repeated": "2", **number}
    rows = [{"cells": ["a", "b"]}, {"table:number-rows-repeated": "2", "cells": [twice, day]}]
    content = _sheet(rows).encode()
    made = rendered(changed(rows), _sheet) | mutated(content)
    return made.map(lambda xml: _zipped({"content.xml": xml})) | mutated(
        _zipped({"content.xml": content})
    )


def _sheet(rows: Any) -> str:
    """Plain data as a sheet: anything that is no dictionary is a text."""
    space = "urn:oasis:names:tc:opendocument:xmlns"
    names = "".join(f' xmlns:{n}="{space}:{n}:1.0"' for n in ("office", "table", "text"))

    def element(tag: str, given: Any) -> str:
        given = given if isinstance(given, dict) else {"text": given}
        inside = "".join(element("table-cell", each) for each in _listed(given.get("cells")))
        said = "".join(
            f" {name}={quoteattr(str(value)[:5000])}"
            for name, value in given.items()
            if name.startswith(("office:", "table:"))
        )
        text = escape(str(given.get("text", ""))[:30_000])
        return f"<table:{tag}{said}>{inside}<text:p>{text}</text:p></table:{tag}>"

    body = "".join(element("table-row", row) for row in _listed(rows))
    table = f'<table:table table:name="A">{body}</table:table>'
    return f"<office:spreadsheet{names}>{table}</office:spreadsheet>"


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _old_excel() -> bytes:
    """Two rows of two cells as Excel 2 wrote them: records of a kind, a length, and content."""
    cells = [(r, c, struct.pack("<d", r + c)) for r in (1, 2) for c in (0, 1)]
    records = [(0x0009, struct.pack("<HH", 2, 0x10))]
    records += [(0x0004, struct.pack("<HH3xB", 0, c, 1) + b"ab"[c : c + 1]) for c in (0, 1)]
    records += [(0x0003, struct.pack("<HH3x", r, c) + value) for r, c, value in cells]
    records.append((0x000A, b""))
    return b"".join(struct.pack("<HH", kind, len(data)) + data for kind, data in records)


def _npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _claimed(rows: int) -> bytes:
    """An array of one number that claims to be of many."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows},), }}"
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode() + bytes(8)


def _zipped(parts: dict[str, bytes]) -> bytes:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def kept_file(name: str, data: bytes, folder: Path) -> Path:
    """A file of an input, under a name."""
    path = folder / name
    path.write_bytes(data)
    return path


def _table(name: str, data: bytes, folder: Path) -> Any:
    from invcore_solve.tables.read import read

    table = read(kept_file(name, data, folder))
    return [table.column(name) for name in table.names[:20]]


def _numbers(name: str, data: bytes, folder: Path) -> Any:
    from invcore.plugin import read_table

    return read_table(kept_file(name, data, folder))


def _descriptors(name: str, data: bytes, folder: Path) -> Any:
    from invcore_solve.tables.descriptors import read_descriptors

    return read_descriptors(kept_file(name, data, folder))


def _output(form: str, data: bytes, folder: Path) -> Any:
    from invcore_solve.simulators.program import Program
    from invcore_solve.simulators.program_processes import Processes

    from invcore.plugin import SimulatorError

    program = Program(command=("p", "{input}", "{output}"), format=form)
    keep: Callable[..., None] = lambda x, y: None  # noqa: E731
    processes = Processes(program, None, ["u", "v"], "p", keep)  # type: ignore[arg-type]
    outcome = processes._read(kept_file(f"output.{form}", data, folder), 2, "")
    if outcome.y is None:
        raise SimulatorError(outcome.reason + outcome.detail)
    return outcome

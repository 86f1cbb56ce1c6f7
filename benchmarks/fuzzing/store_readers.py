"""Readers of what a store has beside runs, of archives, and of what a campaign is told and keeps.

Checksums are made right again after each change, as in ``stored_readers``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from functools import cache, partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from fuzzing.reader import Reader
from fuzzing.stored_readers import called, copied, valid_folders
from fuzzing.strategies import NASTY, VALUES, changed, mutated, rendered, texts
from fuzzing.table_readers import kept_file
from invcore import Store
from invcore.storage.seal import sealed

_WORDS = ("id,", "cu,", "oven,", "s\n", "0,1.5,A,3\n", "1,", "A,", "failed", "\n", "note", "broken")


def store_readers() -> list[Reader]:
    """All of them."""
    table = Path("told.csv"), Path("told.xlsx")
    return [
        *(Reader(f"campaign-{path.name.replace('.', '-')}", partial(_told, path.suffix),
                 partial(_read_told, path.name)) for path in table),
        Reader("store-index", _indices, _read_index),
        Reader("store-cells", _cells, _read_cells),
        Reader("store-journal", _journals, _read_journal),
        Reader("store-archive", _archives, _read_archive),
    ]  # fmt: skip


@cache
def _tables() -> dict[str, bytes]:
    """What comes back of the two rows that the campaign has asked for."""
    from invcore_closed_loop import Campaign

    found = {}
    frame: Any = Campaign.open(valid_folders() / "campaign").pending().frame()
    frame["s"] = [1.5, "failed"]
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".csv", ".xlsx"):
            path = Path(folder) / f"told{suffix}"
            frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_excel(
                path, index=False
            )
            found[suffix] = path.read_bytes()
    return found


def _told(suffix: str) -> SearchStrategy[bytes]:
    example = _tables()[suffix]
    if suffix == ".csv":
        return texts(*_WORDS) | mutated(example)
    with zipfile.ZipFile(io.BytesIO(example)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in parts if name.endswith("sheet1.xml"))
    return mutated(example) | mutated(parts[sheet]).map(lambda new: _zip({**parts, sheet: new}))


def _read_told(name: str, data: bytes, folder: Path) -> Any:
    from invcore_closed_loop import Campaign

    place = folder / "campaign"
    shutil.copytree(valid_folders() / "campaign", place)
    campaign = Campaign.open(place)
    result = campaign.tell(kept_file(name, data, folder))
    again = Campaign.open(place)
    return result.lines(), again.status(), again.best(2)


def _zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@cache
def _row() -> tuple[bytes, tuple[Any, ...]]:
    """An index of the store with one run, and its row."""
    from invcore.storage.index.index_file import NAME

    with tempfile.TemporaryDirectory() as root:
        run = next((valid_folders() / "runs").glob("*/run.json")).parent
        shutil.copytree(run, Path(root) / run.name)
        store = Store(root)
        for path in (run, *run.iterdir()):
            os.utime(Path(root) / path.relative_to(run.parent), (1e9, 1e9))
        time.sleep(2.2)  # what was written within two seconds is not taken up
        list(store.listing())
        path = store.cache / NAME
        file = sqlite3.connect(path)
        row = file.execute("SELECT id, stamp, facts, details FROM run").fetchone()
        file.close()
        return path.read_bytes(), row


def _indices() -> SearchStrategy[bytes]:
    """Changed files, and files whose rows say what they like, with checksums that are right."""
    data, (run, _, facts, details) = _row()
    said = rendered(changed(json.loads(facts)), json.dumps)
    more = rendered(changed(json.loads(details)), json.dumps)
    kept = st.tuples(said, more, VALUES | st.just(run)).map(
        lambda parts: json.dumps(
            [parts[2] if isinstance(parts[2], str) else run,
             *(part.decode(errors="replace") for part in parts[:2])]
        ).encode()
    )  # fmt: skip
    return mutated(data) | kept


def _read_index(data: bytes, folder: Path) -> Any:
    from invcore.cli.main import main
    from invcore.storage.index.index_file import NAME, IndexRow, replace_rows
    from invcore.storage.index.listing import known_facts
    from invcore.storage.index.run_folders import run_folders

    root = copied("runs", folder / "runs", "run.json", _record())
    store = Store(root)
    store.cache.mkdir(exist_ok=True)
    path = store.cache / NAME
    try:
        name, facts, details = json.loads(data)
        stamp = run_folders(store.root)[0].stamp
        replace_rows(path, [IndexRow(name, stamp, facts, details)])
    except (ValueError, TypeError):
        path.write_bytes(data)
    for words in (["list"], ["list", "--json"], ["export", "out.csv"]):
        called(main, ["results", *words, "--store", str(root)])
    return known_facts(store.root, store.cache)


@cache
def _record() -> bytes:
    return next((valid_folders() / "runs").glob("*/run.json")).read_bytes()


_BENCH = """
name = "mine"
seeds = [0, 1]
tasks = ["sine-wave"]
samplers = ["random"]
methods = ["na"]
device = "cpu"
"""


_NOW = "those of now"
"""In the place of what stands for the circumstances, which are others in each folder."""


@cache
def _planned() -> dict[str, Any]:
    """The cells of a bench as they are kept."""
    from invcore.benchmarking import kept_cells
    from invcore.plugin import installed

    with tempfile.TemporaryDirectory() as root:
        begun, kept_cells._BEGUN = kept_cells._BEGUN, 2**63
        file = _bench(Path(root))
        kept_cells.planned_cells(file, Store(root), installed())
        kept_cells._BEGUN = begun
        document = json.loads((Path(root) / ".cache" / "cells-mine.json").read_bytes())
    document.pop("checksum")
    return {**document, "circumstances": _NOW, "read": document["read"][:2]}


def _bench(folder: Path) -> Any:
    from invcore.benchmarking.file import BenchFile

    path = folder / "mine.toml"
    path.write_text(_BENCH)
    return BenchFile.read(path)


def _cells() -> SearchStrategy[bytes]:
    document = _planned()
    return rendered(changed(document), json.dumps) | mutated(json.dumps(document).encode())


def _read_cells(data: bytes, folder: Path) -> Any:
    from invcore.benchmarking import kept_cells
    from invcore.benchmarking.circumstances import circumstances
    from invcore.plugin import installed

    (folder / ".cache").mkdir()
    now = circumstances(_bench(folder), installed())[0]
    data = data.replace(_NOW.encode(), now.encode())
    try:
        text = json.dumps(json.loads(data), indent=1).encode()
        data = sealed(text)
    except (ValueError, RecursionError):
        pass
    (folder / ".cache" / "cells-mine.json").write_bytes(data)
    return kept_cells.planned_cells(_bench(folder), Store(folder), installed())


_MANIFEST = {
    "schema_version": 1, "name": "mine", "created": "", "file": "", "title": "t",
    "cells": [{"id": "0" * 12, "task": "a", "method": "b", "sampler": "c", "seed": 0}],
}  # fmt: skip
_CHANGE = {"id": "0" * 12, "status": "ok", "reason": "", "seconds": 1.5}


def _line(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode() + b" " + text + b"\n"


def _head() -> bytes:
    data = sealed(json.dumps(_MANIFEST, indent=1).encode())
    return _line(json.dumps({"manifest": hashlib.sha256(data).hexdigest()}).encode())


def _journals() -> SearchStrategy[bytes]:
    line = (rendered(changed(_CHANGE), json.dumps) | st.sampled_from(NASTY).map(_encoded)).map(
        _line
    )
    lines = st.lists(line, max_size=4).map(lambda some: _head() + b"".join(some))
    return lines | mutated(_head() + _line(json.dumps(_CHANGE).encode()) * 2)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _read_journal(data: bytes, folder: Path) -> Any:
    (folder / "benches").mkdir()
    (folder / "benches" / "mine.journal").write_bytes(data)
    manifest = sealed(json.dumps(_MANIFEST, indent=1).encode())
    (folder / "benches" / "mine.json").write_bytes(manifest)
    from invcore.results import read_bench

    return read_bench(Store(folder), "mine")


@cache
def _archived() -> dict[str, bytes]:
    """The files of an archive of one run."""
    from invcore.storage.upkeep.archive import write_archive

    with tempfile.TemporaryDirectory() as root:
        store, path = Store(valid_folders() / "runs"), Path(root) / "all.zip"
        write_archive(store, store.ids(), path)
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def _archives() -> SearchStrategy[bytes]:
    parts = _archived()
    contents = json.loads(parts["contents.json"])
    contents.pop("checksum")

    def listed(new: Any) -> bytes:
        try:
            text = sealed(json.dumps(new, indent=1).encode())
        except ValueError:
            text = json.dumps(new, indent=1).encode()
        return _zip({**parts, "contents.json": text})

    def renamed(parts_new: tuple[str, str]) -> bytes:
        old, new = parts_new
        return _zip({new if name == old else name: data for name, data in parts.items()})

    names = st.sampled_from(NASTY[1:]).map(lambda n: n.encode("utf-8", "replace").decode())
    return (
        mutated(_zip(parts)) | changed(contents).map(listed)
        | st.tuples(st.sampled_from(sorted(parts)), names).map(renamed)
    )  # fmt: skip


def _read_archive(data: bytes, folder: Path) -> Any:
    from invcore.base.errors import StoreError
    from invcore.storage.upkeep.archive import read_archive

    path = kept_file("all.zip", data, folder)
    found = [*read_archive(path, Store(folder / "restored"))]
    if wrong := [each for each in found if each.outcome == "damaged"]:
        raise StoreError(wrong[0].reason)
    return found

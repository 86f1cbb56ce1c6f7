"""Manifests of benches that say something else than the store, and how they are mended."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from invcore.base.errors import StoreError
from invcore.benchmarking.manifest import (
    Bench,
    BenchCell,
    bench_names,
    manifest_path,
    read_bench,
    write_bench,
)
from invcore.storage.findings import Finding, damaged
from invcore.storage.locks import held
from invcore.storage.store import Store


def manifest_findings(store: Store) -> Iterator[Finding]:
    """What is wrong with the manifests of a store; while a bench is at work in it, nothing."""
    names = bench_names(store)
    if names and held(manifest_path(store, names[0]).parent):
        return
    for name in names:
        path = manifest_path(store, name)
        try:
            bench = read_bench(store, name)
        except StoreError as error:
            found = str(error).removeprefix(f"{path}: ")
            if "has schema" in found or path.is_symlink() or path.parent.is_symlink():
                yield Finding("bench", path, found)
            else:
                yield damaged("bench", path, found, store.root)
            continue
        cells = tuple(_as_stored(store, cell) for cell in bench.cells)
        count = sum(a != b for a, b in zip(bench.cells, cells, strict=True))
        if count:
            mend = partial(_rewrite, store, name)
            found = f"{count} of {len(cells)} runs are in the store otherwise than it says"
            yield Finding("bench", path, found, "made anew by the store", mend, True)


def _as_stored(store: Store, cell: BenchCell) -> BenchCell:
    """A cell of a bench that nobody works on, as the store has its run."""
    record = store.get(cell.id)
    if record is None:
        update = {"status": "waiting", "reason": ""}
        return cell if cell.status == "waiting" else cell.model_copy(update=update)
    if record.status == cell.status:
        return cell
    return cell.model_copy(update={"status": record.status, "reason": record.reason})


def _rewrite(store: Store, name: str) -> None:
    bench: Bench = read_bench(store, name)
    cells = tuple(_as_stored(store, cell) for cell in bench.cells)
    write_bench(store, bench.model_copy(update={"cells": cells}))

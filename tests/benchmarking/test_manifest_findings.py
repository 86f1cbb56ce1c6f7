"""Manifests that disagree with their store are made anew by it; those of benches at work stay."""

from __future__ import annotations

import pytest

from invcore import Store
from invcore.benchmarking.manifest import (
    Bench,
    BenchCell,
    manifest_path,
    read_bench,
    write_bench,
)
from invcore.benchmarking.manifest_findings import manifest_findings
from invcore.storage.locks import holding
from invcore.storage.run_record import RunRecord

IDS = [f"{number:012x}" for number in range(5)]
SAID = ["ok", "running", "waiting", "ok", "error"]
STORED = [None, None, "ok", "ok", "diverged"]
MENDED = ["waiting", "waiting", "ok", "ok", "diverged"]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    facts = {"task": "t", "method": "m", "sampler": "s", "seed": 0}
    cells = [BenchCell(id=i, status=s, **facts) for i, s in zip(IDS, SAID, strict=True)]
    write_bench(store, Bench(name="mine", created="now", cells=tuple(cells)))
    for run, status in zip(IDS, STORED, strict=True):
        if status:
            store.write(RunRecord(
                id=run, status=status, candidates=1, targets=1, device="cpu", **facts
            ))  # fmt: skip
    return store


def statuses(store):
    return [cell.status for cell in read_bench(store, "mine").cells]


def test_they_are_made_anew_by_the_store(store):
    (found,) = manifest_findings(store)
    assert found.found.startswith("4 of 5 runs") and statuses(store) == SAID
    found.mend()
    assert statuses(store) == MENDED and list(manifest_findings(store)) == []


def test_those_of_a_bench_at_work_stay(store):
    with holding(manifest_path(store, "mine").parent):
        assert list(manifest_findings(store)) == []
    assert len(list(manifest_findings(store))) == 1


def test_a_damaged_one_is_set_aside(store):
    path = manifest_path(store, "mine")
    path.write_text(path.read_text().replace("waiting", "skipped"))
    (found,) = manifest_findings(store)
    assert "checksum" in found.found
    found.mend()
    assert not path.exists() and (store.root / "damaged" / "mine.json").is_file()

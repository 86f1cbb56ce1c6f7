"""States of a bench's cells beside its manifest: one line a change, checked, of one manifest."""

from __future__ import annotations

import pytest

from invcore.benchmarking.joined import join_benches, joined
from invcore.benchmarking.manifest import (
    Bench,
    BenchCell,
    Components,
    journal_path,
    manifest_path,
    read_bench,
    write_bench,
)
from invcore.benchmarking.state_journal import StateJournal, changes
from invcore.storage.store import Store

IDS = [f"{n:012x}" for n in range(3)]


def bench(*statuses, **facts):
    cells = tuple(
        BenchCell(id=run, task="t", method="m", sampler="s", seed=n, status=status)
        for n, (run, status) in enumerate(zip(IDS, statuses, strict=True))
    )
    names = Components(tasks={"t": "line"}, methods={"m": "toy"}, samplers={"s": "lhs"})
    return Bench(**{"name": "b", "created": "2", "cells": cells, "components": names} | facts)


def said(store):
    return [(c.status, c.reason, c.seconds) for c in read_bench(store, "b").cells]


@pytest.fixture
def begun(tmp_path):
    store = Store(tmp_path)
    data = write_bench(store, bench("waiting", "waiting", "waiting"))
    path = journal_path(manifest_path(store, "b"))
    journal = StateJournal(path, data)
    journal.add(IDS[0], "running", "", None)
    journal.add(IDS[0], "ok", "", 1.5)
    journal.add(IDS[2], "error", "no\nway", 0.5)
    yield store, path, journal
    journal.close(remove=False)


def test_a_manifest_is_read_with_its_journal(begun):
    store, path, journal = begun
    assert said(store) == [("ok", "", 1.5), ("waiting", "", None), ("error", "no\nway", 0.5)]
    size = path.stat().st_size
    journal.add(IDS[1], "running", "", None)
    assert path.stat().st_size - size < 150  # whatever the number of cells
    write_bench(store, read_bench(store, "b"))
    assert said(store)[1] == ("running", "", None)  # the journal of another manifest is void
    journal.close(remove=True)
    assert not path.exists() and said(store)[0] == ("ok", "", 1.5)


def test_a_torn_or_changed_line_is_passed_over(begun):
    store, path, _ = begun
    data = path.read_bytes()
    path.write_bytes(data[:-3])
    assert [status for status, *_ in said(store)] == ["ok", "waiting", "waiting"]
    path.write_bytes(data.replace(b'"seconds": 1.5', b'"seconds": 9.5').replace(b":1.5", b":9.5"))
    assert [status for status, *_ in said(store)] == ["running", "waiting", "error"]
    path.write_bytes(b"\xff\x00" * 50)
    assert [status for status, *_ in said(store)] == ["waiting"] * 3
    assert changes(path.with_name("none"), b"") == {}


def test_benches_of_two_stores_are_joined(tmp_path, begun):
    mine, _, _ = begun
    other = Store(tmp_path / "other")
    write_bench(other, bench("skipped", "ok", "ok", created="1"))
    write_bench(other, bench("ok", "ok", "ok", name="new"))
    assert join_benches(other, mine) == (["b", "new"], {})
    assert [c.status for c in read_bench(mine, "b").cells] == ["ok", "ok", "ok"]
    assert read_bench(mine, "b").created == "1"
    assert join_benches(other, mine) == ([], {})
    clash = Components(tasks={"t": "another"})
    write_bench(other, bench("ok", "ok", "ok", components=clash))
    taken, left_out = join_benches(other, mine)
    assert taken == [] and "another component" in left_out["b"]
    assert joined(bench("ok", "ok", "ok"), bench("ok", "ok", "ok", components=clash)) is None

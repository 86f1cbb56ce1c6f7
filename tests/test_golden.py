"""What earlier versions wrote still loads; see ``tests/golden/README.md``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from invcore_solve import Designer, solve_with

from invcore import Store
from invcore.base.errors import StoreError
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.sweep import Sweep
from invcore.results import read_bench

GOLDEN = Path(__file__).parent / "golden"
OLD = GOLDEN / "0.1.0"
SMALL = {"surrogate": {"width": 8, "depth": 1, "training": {"epochs": 3}}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A copy of the store: nothing is written among the golden files."""
    shutil.copytree(OLD / "store", tmp_path / "store")
    return Store(tmp_path / "store")


def test_all_runs_are_read_with_their_files(store):
    records = {run: store.read(run) for run in store.ids()}
    assert len(records) == 6
    assert {r.kind for r in records.values()} == {"run", "solve"}
    network = records["168161302c9d"]
    assert network.metric("r_T", 1).value == 1.8915015820335899
    assert store.tensors("168161302c9d", "candidates")["candidates"].shape == (5, 4, 2)
    assert "history.calls" in store.tensors("93e5cc1b4c55", "candidates")
    lost = records["fe06426e9441"]
    assert (lost.status, lost.reason.split(":")[0]) == (
        "diverged", "surrogate diverged in epoch 1 (loss nan)"
    )  # fmt: skip


def test_results_list_and_show_them(call, store):
    listed = call("results", "list", "--store", store.root, "--json")
    assert listed.code == 0
    assert {row["status"] for row in json.loads(listed.out)} == {"ok", "diverged"}
    assert all(row["outdated"] for row in json.loads(listed.out))
    assert "ok, old" in call("results", "list", "--store", store.root).out
    shown = call("results", "show", "1681", "--store", store.root).out
    assert "r_T, T=1" in shown and "an equal run is done again" in shown
    assert call("results", "export", store.root / "all.csv", "--store", store.root).code == 0


def test_a_bench_is_read_and_reported(call, store):
    bench = read_bench(store, "golden")
    assert [cell.method for cell in bench.cells] == ["na", "search"]
    assert bench.count("ok") == 2 and bench.published[0].value == 0.01
    made = call("report", "--store", store.root, "--bench", "golden", "--to", store.root / "page")
    assert made.code == 0, made.err


def test_a_bench_goes_on_and_does_again_what_has_no_known_code(call, store):
    sweep = Sweep(BenchFile.read(OLD / "bench.toml"), store)
    assert [cell.method for cell in sweep.cells] == ["na", "search"]
    assert [cell.method for cell in sweep.waiting()] == ["na", "search"]
    bench = sweep.go()
    assert bench.count("ok") == 2 and len(store.ids()) == 8, "the earlier runs stay"
    again = Sweep(BenchFile.read(OLD / "bench.toml"), store)
    assert again.waiting() == [] and again.old_scores == set()
    listed = call("results", "list", "--store", store.root, "--json").json
    assert sorted(row["outdated"] for row in listed) == [False] * 2 + [True] * 6
    assert call("report", "--store", store.root, "--to", store.root / "page").code == 0
    # What is not stored of the earlier ones stays as it was
    (new,) = (c.id for c in bench.cells if c.method == "na")
    old, fresh = store.read("168161302c9d"), store.read(new)
    assert fresh.metric("r_T", 1).value == pytest.approx(old.metric("r_T", 1).value, rel=1e-4)
    refused = call("rescore", "1681", "--store", store.root, "--json").json
    assert "run it again" in refused["left_out"]["168161302c9d"]


def test_a_model_of_a_table_is_refused_in_one_line(call, store):
    assert store.read("52f5a4077d44").kind == "solve", "its record is read all the same"
    with pytest.raises(StoreError, match="fitted by an earlier version; fit the table again"):
        Designer.load(store, "52f5", device="cpu")
    done = call("solve", "--model", "52f5", "--target", "1", "--store", store.root)
    assert done.code == 3 and done.err.count("\n") == 1 and "earlier version" in done.err


def test_a_journal_is_read_back_and_nothing_is_simulated_again(store, monkeypatch):
    monkeypatch.chdir(GOLDEN / "simulator")
    monkeypatch.syspath_prepend(str(GOLDEN / "simulator"))
    found = solve_with(
        "golden_spring:deflection",
        {"width": (1, 10), "height": (1, 5), "load": (10, 100)},
        targets=[[1.0]], responses=["deflection"], method="na", settings=SMALL, pairs=40,
        candidates=3, preset="quick", store=store, device="cpu",
    )  # fmt: skip
    assert found.simulator["recalled"] >= 40, "the pairs are in the journal"

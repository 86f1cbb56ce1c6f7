"""A run has the same id and the same bytes, whoever does it, where, and in which order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

import invcore
from invcore import RunConfig, Store
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.sweep import Sweep
from invcore.testing import stored_bytes

HEAD = """
name = "small"
targets = 6
candidates = 4
pairs = 40
device = "cpu"
samplers = ["lhs"]
metrics = { c2st = false, mmd = false }
"""
CELLS = 'tasks = ["sine-wave", "robotic-arm"]\nseeds = [0]\n'
BACKWARDS = 'tasks = ["robotic-arm", "sine-wave"]\nseeds = [0]\n'
NA, MDN, SEARCH = METHODS = (
    '{ name = "na", surrogate.width = 8, surrogate.training.epochs = 2 }',
    '{ name = "mdn", network.width = 8, training.epochs = 2, enlarge.times = 0 }',
    '{ name = "random-search", tries = 5 }',
)


CANDIDATES, ERRORS = 1e-5, 1e-4
"""How far runs with other numbers of threads may be: of the designs' ranges; relative."""


def bench(cells: str = CELLS, methods: tuple[str, ...] = METHODS) -> str:
    return HEAD + cells + f"methods = [{', '.join(methods)}]\n"


def sweep(folder: Path, text: str, how: object = None) -> Store:
    folder.mkdir()
    (folder / "bench.toml").write_text(text)
    store = Store(folder / "runs")
    made = Sweep(BenchFile.read(folder / "bench.toml"), store).go(how)
    assert made.count("ok") == len(made.cells)
    return store


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What six small runs store, done one after another in this process."""
    found = stored_bytes(sweep(tmp_path_factory.mktemp("plain") / "here", bench()))
    files = {"run.json", "candidates.safetensors", "model.safetensors", "model.json", "log.jsonl"}
    assert len(found) == 6 and all(set(run) == files for run in found.values())
    assert len({run["candidates.safetensors"] for run in found.values()}) == 6
    return found


def configs() -> list[RunConfig]:
    (Path("bench.toml")).write_text(bench(BACKWARDS, METHODS[::-1]))
    return [cell.config for cell in Sweep(BenchFile.read("bench.toml"), Store("none")).cells]


def test_another_order_and_another_folder(plain, tmp_path):
    """Runs that share a task's pairs, and what a process has learnt before, change nothing."""
    store = sweep(tmp_path / "other place", bench(BACKWARDS, METHODS[::-1]))
    assert stored_bytes(store) == plain


def test_python_and_a_worker_in_another_working_directory(plain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    records = list(invcore.do_runs(configs(), store=Store("kept")))
    assert {record.id for record in records} == set(plain)
    assert stored_bytes(Store(tmp_path / "kept")) == plain


@pytest.mark.parametrize("threads", [2, 4])
def test_other_numbers_of_threads(plain, tmp_path, threads):
    """The same up to rounding: as docs/executors.md states it, of short trainings."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        store = sweep(tmp_path / "threads", bench())
    finally:
        torch.set_num_threads(before)
    assert set(store.ids()) == set(plain)
    for run in store.ids():
        assert store.read(run).threads == threads
        found, expected = (
            store.tensors(run, "candidates"),
            load(plain[run]["candidates.safetensors"]),
        )
        ranges = expected["truth"].amax(dim=0) - expected["truth"].amin(dim=0)
        apart = (found["candidates"] - expected["candidates"]).abs() / ranges
        assert float(apart.max()) <= CANDIDATES
        torch.testing.assert_close(found["errors"], expected["errors"], rtol=ERRORS, atol=0)


PROCESS = [sys.executable, "-m", "invcore"]
RUN = (
    *("run", "--task", "robotic-arm", "--method", "mdn", "--sampler", "lhs", "--seed", "0"),
    *("--targets", "6", "--candidates", "4", "--device", "cpu"),
    *("--set", "pairs=40", "--set", "network.width=8", "--set", "training.epochs=2"),
    *("--set", "enlarge.times=0", "--set", "metrics.c2st=false", "--set", "metrics.mmd=false"),
)


@pytest.mark.parametrize(
    ("hashes", "words"), [("0", RUN), ("1", ("bench", "bench.toml", "--jobs", "2"))]
)
def test_commands_in_fresh_processes(plain, tmp_path, hashes, words):
    """By commands, and two workers; hash seeds, and thus orders of sets, are not those here."""
    (tmp_path / "bench.toml").write_text(bench())
    environment = os.environ | {"PYTHONHASHSEED": hashes, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*PROCESS, *words, "--store", "runs"], cwd=tmp_path, env=environment, check=True,
        capture_output=True,
    )  # fmt: skip
    found = stored_bytes(Store(tmp_path / "runs"))
    assert found == {run: files for run, files in plain.items() if run in found}
    assert len(found) == (1 if words == RUN else len(plain))

"""Kept cells: dry runs need no torch for them, and whatever they follow from is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

from invcore import Store
from invcore.benchmarking import circumstances as seen
from invcore.benchmarking import kept_cells
from invcore.benchmarking.circumstances import UnseenError, circumstances, files_read, stamp
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.grid import cells_of
from invcore.benchmarking.kept_cells import planned_cells
from invcore.registry.loader import Plugins, installed

BENCH = """
name = "mine"
seeds = [3, 0, 7]
tasks = ["sine-wave", { name = "robotic-arm", label = "arm" }]
samplers = ["random", "lhs"]
targets = 4
candidates = 3
pairs = 40
device = "cpu"
[[methods]]
name = "na"
label = "wide"
surrogate = { width = 7 }
[metrics]
robustness = false
"""
PLUGIN = """
from invcore import Component, hookimpl
API_VERSION = 1
NOTE = "a"

@hookimpl
def invcore_samplers():
    return [Component("mine", "As random.", "invcore_samplers.random:Random")]
"""


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store, and a process that began after all files were written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kept_cells, "_BEGUN", 2**63)
    (tmp_path / "runs").mkdir()
    return Store("runs")


@pytest.fixture
def plans(monkeypatch):
    """How often cells were planned."""
    found = []
    planned = kept_cells._planned

    def counting(file, plugins):
        found.append(file.grid.name)
        return planned(file, plugins)

    monkeypatch.setattr(kept_cells, "_planned", counting)
    return found


def bench(text=BENCH, name="mine.toml"):
    """A bench's file, in the working folder."""
    with open(name, "w") as file:
        file.write(text)
    return BenchFile.read(name)


def place(store):
    return store.root / ".cache" / "cells-mine.json"


def test_kept_cells_are_those_that_were_planned(store, plans):
    file = bench()
    first = planned_cells(file, store, installed())
    assert first == cells_of(file, installed()) and len({cell.id for cell in first}) == 12
    assert planned_cells(file, store, installed()) == first
    assert plans == ["mine"]
    assert planned_cells(file, None, installed()) == first and plans == ["mine"] * 2


def test_a_dry_run_of_kept_cells_imports_no_torch(store):
    file = bench()
    cells = planned_cells(file, store, installed())
    code = (
        "import sys\nfrom invcore.cli.main import main\n"
        "try:\n    main(['bench', 'mine.toml', '--dry-run'])\n"
        "finally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "False"
    assert [line.split()[0] for line in lines[2:14]] == [cell.id for cell in cells]


@pytest.mark.parametrize("change", ["bench", "damage", "cut", "link", "gone", "of another bench"])
def test_what_does_not_hold_is_planned_again(change, store, plans, tmp_path):
    file = bench()
    planned_cells(file, store, installed())
    data = place(store).read_bytes()
    if change == "bench":
        file = bench(BENCH.replace("seeds = [3", "seeds = [4"))
    elif change == "damage":
        place(store).write_bytes(data.replace(b'"seed": 3', b'"seed": 4', 1))
    elif change == "cut":
        place(store).write_bytes(data[: len(data) // 2])
    elif change == "link":
        place(store).rename(tmp_path / "away")
        place(store).symlink_to(tmp_path / "away")
    elif change == "gone":
        place(store).unlink()
    else:
        planned_cells(bench(BENCH.replace('"mine"', '"other"'), "b.toml"), store, installed())
        (store.root / ".cache" / "cells-other.json").replace(place(store))
    plans.clear()
    assert planned_cells(file, store, installed()) == cells_of(file, installed())
    assert plans == ["mine"]
    assert planned_cells(file, store, installed()) == cells_of(file, installed())
    assert plans == ["mine"] * (2 if change == "link" else 1)  # nothing is put in a link's place


def test_nothing_is_kept_of_what_may_be_younger_than_the_process(store, plans, monkeypatch):
    file = bench()
    monkeypatch.setattr(kept_cells, "_BEGUN", os.stat(seen.__file__).st_ctime_ns)
    planned_cells(file, store, installed())
    assert not place(store).exists()


def test_nothing_is_made_where_there_is_no_store(store, plans):
    planned_cells(bench(), Store("none"), installed())
    assert not os.path.exists("none")


def test_a_plugin_edited_in_place_is_seen(store, plans, tmp_path, monkeypatch):
    module = tmp_path / "edited_plugin.py"
    module.write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    points = [*entry_points(group="invcore"), EntryPoint("mine", "edited_plugin", "invcore")]
    plugins = Plugins(points)
    file = bench(BENCH.replace('"lhs"', '"mine"'))
    for _ in range(2):
        planned_cells(file, store, plugins)
    assert plans == ["mine"]
    before = os.stat(module)
    module.write_text(PLUGIN.replace('"a"', '"b"'))
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(module).st_size == before.st_size
    planned_cells(file, store, plugins)
    assert plans == ["mine"] * 2
    (tmp_path / "edited_plugin.py").unlink()
    planned_cells(file, store, plugins)
    assert plans == ["mine"] * 3


def test_another_set_of_plugins_is_seen(store, plans):
    file = bench()
    some = [p for p in entry_points(group="invcore") if p.name != "submitit"]
    for plugins in (installed(), Plugins(some), installed()):
        planned_cells(file, store, plugins)
    assert plans == ["mine"] * 3


def test_files_that_a_bench_names_are_seen(store, plans, tmp_path):
    wishes = tmp_path / "wanted.csv"
    text = BENCH.replace("targets = 4", 'want_file = "wanted.csv"')
    text = text.replace('"sine-wave", { name = "robotic-arm", label = "arm" }', '"sine-wave"')
    wishes.write_text("y\n0.1:0.2\n")
    file = bench(text)
    first = planned_cells(file, store, installed())
    assert planned_cells(file, store, installed()) == first and plans == ["mine"]
    wishes.write_text("y\n0.1:0.3\n")
    second = planned_cells(file, store, installed())
    assert plans == ["mine"] * 2 and second[0].id != first[0].id


def test_what_is_below_a_folder_that_a_bench_names_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arm" / "deep").mkdir(parents=True)  # as a label is called
    file = bench()
    found = [circumstances(file, installed())[0]]
    (tmp_path / "arm" / "deep" / "a").write_text("1")
    found.append(circumstances(file, installed())[0])
    (tmp_path / "arm" / "deep" / "a").write_text("2")
    found.append(circumstances(file, installed())[0])
    assert len(set(found)) == 3
    (tmp_path / "arm" / "link").symlink_to("/")
    with pytest.raises(UnseenError):
        circumstances(file, installed())


def test_what_planning_reads_beside_is_seen(store, plans, tmp_path, monkeypatch):
    beside = tmp_path / "beside.txt"
    beside.write_text("1")
    planned = kept_cells._planned

    def reading(file, plugins):
        beside.read_text()
        return planned(file, plugins)

    monkeypatch.setattr(kept_cells, "_planned", reading)
    for _ in range(2):
        planned_cells(bench(), store, installed())
    assert plans == ["mine"]
    beside.write_text("2")
    planned_cells(bench(), store, installed())
    assert plans == ["mine"] * 2


def test_reading_is_noticed_only_in_the_block(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b.py").write_text("")
    with files_read() as read:
        (tmp_path / "a").read_text()
        (tmp_path / "b.py").read_text()
        with pytest.raises(OSError):
            open(tmp_path / "none")
    (tmp_path / "c").write_text("")
    assert {p for p in read if p.startswith(str(tmp_path))} == {
        str(tmp_path / "a"), str(tmp_path / "none")
    }  # fmt: skip


def test_a_stamp_of_nothing_is_another():
    assert stamp("none\0") == [os.path.abspath("none\0"), 0]
    assert len(stamp(__file__)) == 5


VERSION = "__version__ = '2.9.0'\ncuda: Optional[str] = {}\nhip: Optional[str] = {}\n"


@pytest.mark.parametrize(
    ("name", "cuda", "hip", "expected"),
    [
        ("cpu", "'13.2'", "None", "nothing"), ("auto", "None", "None", "nothing"),
        ("auto", "'13.2'", "None", "driver"), ("cuda:1", "'13.2'", "None", "driver"),
        ("auto", "None", "'6.1'", "unseen"), ("mps", "None", "None", "unseen"),
        ("cpu", "None", "'6.1'", "nothing"),
    ],
)  # fmt: skip
def test_devices(name, cuda, hip, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(seen, "_driver", lambda: [0, 0, 0, 13020, 1])
    path = tmp_path / "version.py"
    path.write_text(VERSION.format(cuda, hip))
    if expected == "unseen":
        with pytest.raises(UnseenError):
            seen._device_facts(name, path)
    else:
        drives = {"nothing": [], "driver": [0, 0, 0, 13020, 1]}
        assert seen._device_facts(name, path) == drives[expected]


def test_the_driver_says_what_torch_says():
    import torch

    facts = seen._driver()
    assert (bool(facts) and facts[0] == 0 and facts[-1] > 0) == torch.cuda.is_available()

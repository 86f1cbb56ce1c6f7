"""``invcore bench``: what it prints, its exit codes, and that stopping it loses nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path

import pytest

from invcore import Store
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.manifest import read_bench
from invcore.benchmarking.sweep import Sweep
from invcore.registry.loader import Plugins, installed

ROOT = Path(__file__).resolve().parents[2]
SMALL = 'targets = 4\ncandidates = 3\npairs = 40\ndevice = "cpu"\nsamplers = ["random"]\n'
NA = """
[[methods]]
name = "na"
surrogate = { width = 4, training = { epochs = 1 } }
"""
WILD = NA + 'label = "wild"\n'
WILD = WILD.replace("epochs = 1", "epochs = 1, lr = 1e30")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with a bench of two seeds on two tasks, and one whose method fails."""
    monkeypatch.chdir(tmp_path)
    head = 'seeds = [0, 1]\ntasks = ["sine-wave", "robotic-arm"]\n' + SMALL
    (tmp_path / "good.toml").write_text('name = "good"\n' + head + NA)
    (tmp_path / "mixed.toml").write_text('name = "mixed"\n' + head + NA + WILD)
    return tmp_path


def test_a_bench(call, folder):
    done = call("bench", "good.toml")
    assert done.code == 0
    lines = done.err.splitlines()
    assert lines[0] == "good: 4 runs, 0 ok, 4 to do"
    assert [re.sub(r"r_1 \S+  .* s$", "", line) for line in lines[1:]] == [
        f"[{i}/4] ok  {task} na seed {seed}  "
        for i, (seed, task) in enumerate(
            [(0, "sine-wave"), (0, "robotic-arm"), (1, "sine-wave"), (1, "robotic-arm")], 1
        )
    ]
    assert re.search(r"robotic-arm +na +\S+ +- +100% +2/2", done.out)
    assert "next: " in done.out and "invcore report --bench good" in done.out
    again = call("bench", "good.toml")
    day = datetime.now(UTC).date().isoformat()
    counts = "good: 4 runs, 4 ok, 0 to do"
    assert again.err == f"{counts}, 4 stored before ({day})\n"
    assert again.out == done.out.replace(counts, again.err.strip())


def test_failures_give_exit_code_1(call, folder):
    done = call("bench", "mixed.toml", "--json")
    assert done.code == 1
    document = json.loads(done.out)
    assert document["path"] == "runs/benches/mixed.json" and Path(document["path"]).is_file()
    found = {(c["task"], c["method"], c["seed"]): c for c in document["cells"]}
    assert len(found) == 8
    store = Store("runs")
    for (task, method, _), cell in found.items():
        assert cell["status"] == ("ok" if method == "na" else "diverged"), task
        record = store.read(cell["id"])
        assert cell["reason"] == record.reason
        if method == "na":
            assert cell["r_1"] == record.metric("r_T", 1).value and cell["r_50"] is None
    rows = {(row["task"], row["method"]): row for row in document["summary"]}
    for task in ("sine-wave", "robotic-arm"):
        ones = [found[task, "na", seed]["r_1"] for seed in (0, 1)]
        assert rows[task, "na"]["r_1"] == pytest.approx(sum(ones) / 2)
        assert rows[task, "wild"]["diverged"] == 2 and rows[task, "wild"]["r_1"] is None
    shown = call("bench", "mixed.toml")
    assert shown.code == 1 and "lower lr" in shown.out and "--retry" in shown.out
    assert shown.err.startswith("mixed: 8 runs, 4 ok, 4 failed, 0 to do, 4 stored before (")
    again = call("bench", "mixed.toml", "--retry")
    assert again.code == 1 and re.match(
        r"mixed: 8 runs, 4 ok, 4 to do, 4 stored before \(\S+\)\n\[5/8\] diverged", again.err
    )


def test_dry_run(call, folder):
    done = call("bench", "mixed.toml", "--dry-run")
    assert done.code == 0 and done.err == "" and done.out.count("to do") == 8 + 1
    assert not (folder / "runs").exists()
    call("bench", "good.toml")
    before = sorted(path.name for path in (folder / "runs").iterdir())
    done = call("bench", "mixed.toml", "--dry-run")
    assert "mixed: 8 runs, 4 ok, 4 to do" in done.out and done.code == 0
    document = json.loads(call("bench", "mixed.toml", "--dry-run", "--json").out)
    expected = {"na": "ok", "wild": "waiting"}
    assert all(cell["status"] == expected[cell["method"]] for cell in document["cells"])
    assert sorted(path.name for path in (folder / "runs").iterdir()) == before
    assert not (folder / "runs" / "benches" / "mixed.json").exists()


LINES = {
    "no file": (["absent.toml"], "absent.toml: cannot be read"),
    "jobs": (["good.toml", "--jobs", "0"], "--jobs"),
    "executor": (["good.toml", "--executor", "proceses"], "Did you mean 'processes'"),
    "jobs of serial": (["good.toml", "--executor", "serial", "--jobs", "2"], "leave --jobs out"),
    "setting": (["good.toml", "--jobs", "2", "--set", "retry=3"], "Did you mean 'retries'"),
    "value": (["good.toml", "--jobs", "2", "--set", "retries=-1"], "field 'retries'"),
    "nothing to set": (["good.toml", "--set", "retries=1"], "--executor"),
    "limit": (["good.toml", "--time-limit", "soon"], "expected a time such as 90s or 10min"),
    "memory": (["good.toml", "--memory-limit", "4 s"], "expected a size such as 4G or 500MB"),
    "no limits": (
        ["good.toml", "--executor", "serial", "--time-limit", "9"],
        "'serial' keeps no limits",
    ),
    "mistake": (["bad.toml"], "bad.toml, line 11: no method 'nna'. Did you mean 'na'"),
}


@pytest.mark.parametrize("name", LINES)
def test_bad_lines(name, call, folder):
    (folder / "bad.toml").write_text((folder / "good.toml").read_text().replace('"na"', '"nna"'))
    words, said = LINES[name]
    done = call("bench", *words)
    assert (done.code, done.out) == (2, "") and said in done.err
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert not (folder / "runs").exists()


def test_without_the_executors(call, folder, monkeypatch):
    points = entry_points(group="invcore")
    some = Plugins([point for point in points if point.dist.name != "invcore-executors"])
    monkeypatch.setattr("invcore.registry.loader.installed", lambda: some)
    done = call("bench", "good.toml", "--jobs", "2")
    assert done.code == 2 and "pip install invcore-executors" in done.err
    assert call("bench", "good.toml").code == 0


@pytest.mark.parametrize("columns", [100, 60])
def test_the_live_table(folder, columns):
    from rich.console import Console

    from invcore.benchmarking.cell import State
    from invcore.cli.views.bench_progress import Table

    sweep = Sweep(BenchFile.read("mixed.toml"), Store("runs"))
    ids = [cell.id for cell in sweep.cells]
    sweep.states[ids[0]] = State("ok", seconds=30.0)
    sweep.states[ids[1]] = State("diverged", "too [bold]wild", 1.0)
    sweep.states[ids[2]] = State("running", since=time.monotonic() - 25)
    console = Console(width=columns, force_terminal=True, record=True, file=StringIO())
    table = Table(sweep, 1, console)
    console.print(table.render())
    table.ended(sweep.cells[1], sweep.states[ids[1]])
    shown = console.export_text()
    assert re.search(r"na +1/2 +0/2", shown) and re.search(r"wild +1/2 1 failed +0/2", shown)
    assert "running: robotic-arm na seed 0 (25 s)" in shown
    left = 5 + 30 + 30 + 30 * 3  # a run of "na", and what all need, for "wild"
    assert f"about {round(left / 60)} min left" in shown
    assert "too [bold]wild" in shown


def test_the_files_of_the_docs():
    """Every bench that we ship can be planned, and says where each published figure is from."""
    found = sorted((ROOT / "docs" / "benchmarks").glob("*.toml"))
    assert [path.stem for path in found] == [
        "ablations", "flow-matching", "joint", "matrix", "neurips2020", "quick", "real-searches",
        "real-tasks", "surrogates",
    ]  # fmt: skip
    known = {e.component.name for e in installed().registry.entries("method")}
    for path in found:
        file = BenchFile.read(path)
        assert file.grid.name == path.stem and file.grid.title
        missing = {entry.name for entry in file.grid.methods} - known
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")
        sweep = Sweep(file, Store("nowhere"))
        grid = file.grid
        most = len(grid.tasks) * len(grid.methods) * len(grid.samplers) * len(grid.seeds)
        assert len({cell.id for cell in sweep.cells}) == most
        figures = [(f.task, f.method, f.metric, f.T) for f in grid.published]
        assert len(set(figures)) == len(figures)


def test_the_benches_of_the_page_are_valid(tmp_path):
    page = (ROOT / "docs" / "bench.md").read_text()
    blocks = re.findall(r"^```(toml|yaml)\n(.*?)^```$", page, re.M | re.S)
    assert {ending for ending, _ in blocks} == {"toml", "yaml"}
    for ending, text in blocks:
        (tmp_path / f"b.{ending}").write_text(text)
        assert Sweep(BenchFile.read(tmp_path / f"b.{ending}"), Store(tmp_path)).cells


# Stopping it

GATE = """
import os, time
from pathlib import Path
import torch
from invcore import Component, hookimpl
from invcore.plugin import Candidates, Config, FitEnvironment, InverseMethod, InverseModel
from invcore.plugin import Space, Task, Uniform, Variable

API_VERSION = 1

@hookimpl
def invcore_tasks():
    return [Component("shift", "y = x1 + x2.", "fake_gate:Shift")]

class Shift(Task):
    designs = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in ("a", "b")))
    responses = Space.of(Variable(name="y"))
    def simulate(self, x, context=None):
        return x.sum(dim=1, keepdim=True)

@hookimpl
def invcore_methods():
    return [Component("gate", "Waits where it is told to.", "fake_gate:Gate")]

class Settings(Config):
    folder: str
    stop: tuple[int, ...] = ()
    die: tuple[int, ...] = ()

class Model(InverseModel):
    point_dim, ranked = 2, False
    def propose(self, targets, points, *, simulator=None, env=None):
        return Candidates(2 * points - 1)
    def state(self):
        return {"nothing": torch.zeros(1)}

class Gate(InverseMethod):
    Config = Settings
    def fit(self, problem, train, val, env):
        print("noise")
        folder = Path(self.config.folder)
        seed = next(s for s in range(100) if FitEnvironment(s).derive() == env.derive())
        (folder / f"{seed}-{os.getpid()}").touch()
        if seed in self.config.die:
            os.kill(os.getpid(), 9)
        while seed in self.config.stop and not (folder / "open").exists():
            time.sleep(0.05)
        return Model()
    def restore(self, problem, state, files=None):
        return Model()
"""


@pytest.fixture
def gate(tmp_path, monkeypatch):
    """Start a bench whose runs of seeds 2 and 3 wait, in a process of its own."""
    site, marks = tmp_path / "site", tmp_path / "marks"
    info = site / "fake_gate-1.0.dist-info"
    info.mkdir(parents=True)
    marks.mkdir()
    (site / "fake_gate.py").write_text(GATE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-gate\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[invcore]\ngate = fake_gate\n")
    (tmp_path / "b.toml").write_text(
        'name = "b"\nseeds = [0, 1, 2, 3]\ntasks = ["shift"]\n' + SMALL
        + f'[[methods]]\nname = "gate"\nfolder = "{marks}"\nstop = [2, 3]\n'
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    code = "from invcore.cli.main import main; main()"
    command = [sys.executable, "-c", code, "bench", "b.toml"]
    started = []

    def start(*words):
        process = subprocess.Popen(
            [*command, *words], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process, condition):
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def times(store):
    return {
        run: (store.read(run).created, (store.path(run) / "run.json").stat().st_mtime_ns)
        for run in store.ids()
    }


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


@pytest.mark.slow
def test_a_killed_bench_goes_on_where_it_was(gate, tmp_path):
    store, marks = Store("runs"), tmp_path / "marks"
    process = gate()
    wait_for(process, lambda: any(marks.glob("2-*")))
    process.kill()
    process.communicate()
    before = times(store)
    assert len(before) == 2
    killed = read_bench(store, "b")
    assert [cell.status for cell in killed.cells] == ["ok", "ok", "running", "waiting"]
    assert set(before) == {cell.id for cell in killed.cells[:2]}
    (marks / "open").touch()
    process = gate("--json")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    after = times(store)
    assert before.items() < after.items() and len(after) == 4
    made = read_bench(store, "b")
    assert [cell.status for cell in made.cells] == ["ok"] * 4
    assert made.created == killed.created and made.cells[0] == killed.cells[0]
    assert sorted(path.name[0] for path in marks.glob("?-*")) == ["0", "1", "2", "2", "3"]
    assert json.loads(out)["name"] == "b" and err.count("noise\n") == 2


@pytest.mark.slow
def test_a_bench_in_processes_is_interrupted(gate, tmp_path):
    """Workers end with it, and leave nothing that is not whole."""
    store, marks = Store("runs"), tmp_path / "marks"
    process = gate("--jobs", "2")
    wait_for(process, lambda: any(marks.glob("2-*")) and any(marks.glob("3-*")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    pids = {int(path.name.partition("-")[2]) for path in marks.glob("?-*")}
    end = time.monotonic() + 30
    while any(map(alive, pids)):
        assert time.monotonic() < end, "a worker is still there"
        time.sleep(0.05)
    made = read_bench(store, "b")
    assert process.returncode == 130 and "error: interrupted" in err
    assert [cell.status for cell in made.cells] == ["ok", "ok", "waiting", "waiting"]
    assert set(store.ids()) == {cell.id for cell in made.cells[:2]}
    assert all(store.read(run).status == "ok" for run in store.ids())
    assert not [path for path in store.root.iterdir() if path.name.startswith(".writing")]


@pytest.mark.slow
def test_runs_that_die_cost_themselves_alone(gate, tmp_path, monkeypatch):
    """One is killed, one takes too long; the others give the numbers that they give alone."""
    text = (tmp_path / "b.toml").read_text()
    (tmp_path / "b.toml").write_text(text.replace("stop = [2, 3]", "stop = [2]\ndie = [1]"))
    process = gate("--jobs", "2", "--time-limit", "30s", "--json")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    cells = json.loads(out)["cells"]
    assert [cell["status"] for cell in cells] == ["ok", "error", "error", "ok"]
    assert cells[1]["reason"] == "the worker died: killed by signal 9 (out of memory?)"
    assert cells[2]["reason"] == "stopped after 30 s, its time limit"
    for cell in cells[1:3]:
        record = Store("runs").read(cell["id"])
        assert (record.status, record.reason, record.method) == ("error", cell["reason"], "gate")
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)
    points = [*entry_points(group="invcore")]
    assert "gate" in {point.name for point in points}
    text = (tmp_path / "b.toml").read_text()
    (tmp_path / "one.toml").write_text(text.replace("[0, 1, 2, 3]", "[0]"))
    alone = Sweep(BenchFile.read("one.toml"), Store("alone"), plugins=Plugins(points))
    alone.go()
    assert [cell.id for cell in alone.cells] == [cells[0]["id"]]
    one, two = (Store(name).read(cells[0]["id"]).files for name in ("runs", "alone"))
    assert one["candidates.safetensors"] == two["candidates.safetensors"]
    sys.modules.pop("fake_gate", None)


def test_refinement_is_said_below_the_table(folder, call):
    text = 'name = "steps"\nrefine = 3\nseeds = [0]\ntasks = ["sine-wave"]\n' + SMALL + NA
    Path("steps.toml").write_text(text)
    outcome = call("bench", "steps.toml")
    assert outcome.code == 0
    assert "by at most 3 calls a target" in outcome.out

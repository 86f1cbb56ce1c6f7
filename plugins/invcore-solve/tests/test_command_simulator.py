"""``invcore solve --simulator``: a function, a program, mistakes, and being killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from invcore import Store
from invcore.data.tables.read import read_table

ROOT = Path(__file__).resolve().parents[3]
SMALL = {"width": 16, "depth": 1, "training": {"epochs": 8, "lr": 0.02, "batch_size": 32}}
QUICK = [
    "--preset", "quick", "--device", "cpu", "--sampler", "lhs", "--candidates", "6",
    "--set=surrogate.width=32", "--set=surrogate.depth=2", "--set=surrogate.training.epochs=20",
    "--set=localisation.steps=20",
]  # fmt: skip
BOUNDS = ["--bounds", "a=0:1", "--bounds", "b=-1:1"]
ONE = ["--target", "0.8"]
MINE = """
import numpy as np
import torch


def simulate(x):
    print("so many rows:", len(x))
    return x[:, :1] + x[:, 1:] ** 2


def arrays(x):
    return np.sin(x[:, 0])


def down(x):
    raise OSError("licence server is down")
"""
PROGRAM = """
import csv, os, sys, time
rows = list(csv.DictReader(open(sys.argv[1])))
with open("begun.txt", "a") as file:
    file.write(f"{len(rows)}\\n")
time.sleep(float(os.environ.get("SLEEP", "0")))
with open(sys.argv[2], "w") as file:
    file.write("gap\\n" + "".join(f"{float(r['a']) + float(r['b']) ** 2!r}\\n" for r in rows))
with open(os.environ.get("ENDED", "ended.txt"), "a") as file:
    file.write(f"{len(rows)}\\n")
"""
FILE = """
[simulator]
command = ["{python}", "-S", "sim.py", "{input}", "{output}"]
batch = 10
jobs = 2

[[design]]
name = "a"
low = 0.0
high = 1.0

[[design]]
name = "b"
low = -1.0
high = 1.0

[[response]]
name = "gap"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A user's simulators, in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("my_sims")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(
        "invcore_solve.judging.ensemble.JudgeConfig.presets",
        {"quick": {"members": 2, "surrogate": SMALL}},
    )
    (tmp_path / "my_sims.py").write_text(MINE)
    (tmp_path / "sim.py").write_text(PROGRAM)
    (tmp_path / "mine.toml").write_text(FILE)
    return tmp_path


def lines(name):
    return [int(line) for line in Path(name).read_text().split()] if Path(name).exists() else []


def documented(name):
    """The keys in the docs' table of a document."""
    text = (ROOT / "docs" / "own-simulator.md").read_text()
    part = text.partition(f"### {name}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`\[.]+)` \|", part, re.M))


def test_function_from_the_command_line(call):
    words = ["--simulator", "my_sims:simulate", *BOUNDS, *ONE, "--target", "1.2", "--pairs", "200"]
    code, out, err = call("solve", *words, *QUICK, "--budget", "208", "--top", "3", "--json")
    assert code == 0
    assert set(err.splitlines()) >= {"so many rows: 3", "so many rows: 200"}  # not on stdout
    document = json.loads(out)
    assert set(document) == documented("invcore solve --simulator --json")
    assert document["status"] == "ok" and document["simulator"]["calls"] == 208
    rows = document["designs"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 1, 2, 3]
    for row in rows:
        assert row["true y1"] == pytest.approx(row["a"] + row["b"] ** 2)
        assert row["error"] == pytest.approx((row["true y1"] - row["target y1"]) ** 2)
    assert max(row["error"] for row in rows if row["rank"] == 1) < 0.01
    table = read_table("designs.csv")
    assert [list(row.values()) for row in rows] == table.values.tolist()
    record = Store("runs").read(document["id"])
    assert record.task == "my_sims:simulate" and record.simulator_calls == 208
    assert Path(document["path"]).is_dir()

    code, out, _ = call("solve", "--model", document["model"], *ONE, "--out", "more.csv")
    assert code == 0 and "predicted" in out  # the model can be used without the simulator


def test_program_from_its_file(call, folder):
    words = ["solve", "--simulator", "mine.toml", *ONE, "--pairs", "40", *QUICK]
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    assert "gap, simulated" in out and "simulator sim.py: 46 calls\n" in out
    assert "record: runs/" in out and "best-error" in out
    assert lines("ended.txt") == [10, 10, 10, 10, 6]
    first = Path("designs.csv").read_bytes()
    code, out, _ = call(*words)
    assert code == 0 and "46 calls, 46 of them read back" in out
    assert len(lines("ended.txt")) == 5 and Path("designs.csv").read_bytes() == first
    code, out, _ = call(*words, "--no-check", "--json", "--out", "guess.npz")
    document = json.loads(out)
    assert code == 0 and document["simulator"]["calls"] == 40
    assert {"predicted gap", "error gap"} <= set(document["designs"][0])
    code, out, _ = call(*words, "--no-check")
    assert code == 0 and "gap, predicted" in out and "±" in out


def test_killed_work_goes_on_where_it_was(call, folder):
    words = ["solve", "--simulator", "mine.toml", *ONE, "--pairs", "80", *QUICK]
    start = f"from invcore.cli.main import main; main({[str(word) for word in words]!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", start], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"SLEEP": "0.5", "TMPDIR": str(folder), "ENDED": "first.txt"},
    )  # fmt: skip
    while len(lines("first.txt")) < 3:  # of eight batches
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = list(Path("runs/simulations").glob("*/*.safetensors"))
    assert 1 <= len(kept) <= len(lines("first.txt")) < 8 and not Store("runs").ids()
    assert not Path("designs.csv").exists()

    code, out, err = call(*words)
    assert (code, err) == (0, "")
    assert len(lines("ended.txt")) == (8 - len(kept)) + 1  # the last is the check
    assert f"86 calls, {10 * len(kept)} of them read back" in out
    found = Path("designs.csv").read_bytes()
    code, _, _ = call(*words, "--store", "other")  # as if it had not been killed
    assert code == 0 and Path("designs.csv").read_bytes() == found


def test_failures_are_shown(call, folder):
    text = PROGRAM.replace("import csv", "import random, csv", 1)
    bad = 'if begun == 3:\n    sys.exit("no licence")\n'
    text = text.replace(
        "time.sleep", 'begun = len(open("begun.txt").read().split())\n' + bad + "time.sleep", 1
    )
    (folder / "sim.py").write_text(text)
    (folder / "mine.toml").write_text(FILE.replace("jobs = 2", "retries = 0"))
    words = ["solve", "--simulator", "mine.toml", *ONE, "--pairs", "60", *QUICK]
    code, out, _ = call(*words)
    assert code == 0
    assert "simulator sim.py: 66 calls, 10 without a response (10 exit code 1)" in out
    code, out, _ = call(*words, "--json")  # what failed is tried again, and succeeds
    counts = json.loads(out)["simulator"]
    assert code == 0 and (counts["failed"], counts["failures"]) == (0, {})


ANY = ["--simulator", "my_sims:simulate"]
WRONG = {
    "table": ([*ANY, *BOUNDS, *ONE, "--x", "x.csv"], 2, "--simulator takes no --x"),
    "model": ([*ANY, *BOUNDS, *ONE, "--model", "abc"], 2, "--model is for tables"),
    "columns": ([*ANY, *BOUNDS, *ONE, "--y-key", "y"], 2, "--simulator takes no --y-key"),
    "header": ([*ANY, *BOUNDS, *ONE, "--no-header"], 2, "--simulator takes no --header"),
    "strict": ([*ANY, *BOUNDS, *ONE, "--strict"], 2, "--strict is for tables"),
    "among": ([*ANY, *BOUNDS, *ONE, "--among", "x.csv"], 2, "--among is for tables"),
    "novelty": ([*ANY, *BOUNDS, *ONE, "--novelty", "2"], 2, "--novelty is for tables"),
    "levels": ([*ANY, *BOUNDS, *ONE, "--levels", "c=0,1"], 2, "'c'"),
    "surrogate": ([*ANY, *BOUNDS, *ONE, "--surrogate", "linear"], 2, "--judge is for tables"),
    "methods": ([*ANY, *BOUNDS, *ONE, "--method", "na", "--method", "ipage"], 2, "one --method"),
    "no target": ([*ANY, *BOUNDS], 2, "--target 0.5"),
    "no bounds": ([*ANY, *ONE], 2, "--bounds NAME=LOW:HIGH"),
    "bounds' form": ([*ANY, *ONE, "--bounds", "a=1"], 2, "expected NAME=LOW:HIGH"),
    "bounds' room": ([*ANY, *ONE, "--bounds", "a=1:0"], 2, "leaves no room"),
    "whole": ([*ANY, *BOUNDS, *ONE, "--whole", "c"], 2, "no design 'c'"),
    "bounds and file": (["--simulator", "mine.toml", *BOUNDS, *ONE], 2, "says itself"),
    "bounds, no file": (["--simulator", "absent.toml", *BOUNDS, *ONE], 2, "cannot be read"),
    "file": (["--simulator", "absent.toml", *ONE], 2, "absent.toml: cannot be read"),
    "module": (["--simulator", "my_simz:f", *BOUNDS, *ONE], 2, "no module 'my_simz'"),
    "function": (["--simulator", "my_sims:simulat", *BOUNDS, *ONE], 2, "Did you mean 'simulate'"),
    "form": (["--simulator", "my_sims", *BOUNDS, *ONE], 2, "package.module:function"),
    "method": ([*ANY, *BOUNDS, *ONE, "--method", "nna"], 2, "Did you mean 'na'"),
    "setting": ([*ANY, *BOUNDS, *ONE, "--set", "bondary=false"], 2, "Did you mean 'boundary'"),
    "budget": ([*ANY, *BOUNDS, *ONE, "--pairs", "150", "--budget", "99"], 2,
               "a budget of 99 is too small"),
    "budget of a loop": ([*ANY, *BOUNDS, *ONE, *ONE, "--method", "cma-es", "--budget", "1"], 2,
                         "a budget of 1 is too small: a call for each of 2 targets"),
    "pairs of a loop": ([*ANY, *BOUNDS, *ONE, "--method", "cma-es", "--budget", "40", "--pairs",
                         "30"], 2, "method 'cma-es' takes no pairs"),
    "workers": ([*ANY, *BOUNDS, *ONE, "--workers", "2"], 2, "workers are for a loop with a budget"),
    "no check of a loop": ([*ANY, *BOUNDS, *ONE, "--method", "cma-es", "--budget", "40",
                            "--no-check"], 2, "a loop simulates all that it proposes"),
    "few pairs": ([*ANY, *BOUNDS, *ONE, "--pairs", "9"], 2, "expected at least 30"),
    "width": ([*ANY, *BOUNDS, "--target", "1,2"], 2, "2 columns, the responses 1"),
    "ending": ([*ANY, *BOUNDS, *ONE, "--out", "designs.xls"], 2, "cannot write '.xls'"),
    "pairs of a table": (["--x", "x.csv", "--y", "y.csv", *ONE, "--pairs", "50"], 2, "--pairs is"),
    "check of a table": (["--x", "x.csv", "--y", "y.csv", *ONE, "--check"], 2, "--check is for"),
    "down": (["--simulator", "my_sims:down", *BOUNDS, *ONE], 4, "raised OSError: licence server"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_mistake_is_said_in_one_line(name, call, monkeypatch):
    monkeypatch.setattr(
        "invcore_solve.judging.ensemble.fit_surrogate", None
    )  # whatever is wrong is seen before
    words, expected, said = WRONG[name]
    code, out, err = call("solve", *words)
    err = err.replace("so many rows: 3\n", "")
    assert code == expected and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and said in err, err
    assert not Path("designs.csv").exists()
    assert len(Store("runs").ids()) == (code == 4)  # a simulator that fails is recorded


def test_failed_work_is_listed(call):
    call("solve", "--simulator", "my_sims:down", *BOUNDS, *ONE)
    (row,) = json.loads(call("results", "list", "--json").out)
    assert (row["kind"], row["status"], row["task"]) == ("solve", "error", "my_sims:down")
    assert "licence server is down" in row["reason"]


def test_method_that_needs_a_gradient(call, make_plugins, monkeypatch):
    from invcore.plugin import InverseMethod, Needs

    class Steep(InverseMethod):
        needs = Needs.SIMULATOR | Needs.GRADIENT

        def fit(self, problem, train, val, env):
            raise AssertionError("fitted")

        def restore(self, problem, state, files=None):
            raise AssertionError("restored")

    plugins = make_plugins(method={"steep": Steep})
    monkeypatch.setattr("invcore.registry.loader.installed", lambda: plugins)
    for place in ("from_simulator", "commands.on_simulator"):
        monkeypatch.setattr(f"invcore_solve.{place}.installed", lambda: plugins)
    words = ["--simulator", "my_sims:arrays", "--bounds", "a=0:1", *ONE, "--method", "steep"]
    code, out, err = call("solve", *words)
    assert (code, out) == (5, "") and err.count("\n") == 1
    assert "it takes NumPy arrays; without gradients work" in err and " na," in err
    assert json.loads(call("results", "list", "--json").out)[0]["status"] == "skipped"
    assert "simulator, gradient" in call("describe", "method", "steep").out


def test_the_docs_example_is_solved(call, folder):
    """The page's program and file, with small settings after its command."""
    text = (ROOT / "docs" / "own-simulator.md").read_text()
    (line,) = re.findall(r"^invcore (solve --simulator examples/spring\.toml .+)$", text, re.M)
    words = line.replace("examples/", f"{ROOT}/examples/").split()
    few = ["--pairs", "300", "--candidates", "10", "--budget", "310"]
    code, out, err = call(*words, *QUICK, *few, "--json")
    assert (code, err) == (0, "")
    for row in json.loads(out)["designs"]:
        mass, stiffness, damping = (row[name] for name in ("mass", "stiffness", "damping"))
        ratio = torch.tensor(stiffness / mass - (damping / (2 * mass)) ** 2)
        true = 2 * torch.pi / ratio.sqrt()
        assert row["true period"] == pytest.approx(float(true), rel=1e-6, nan_ok=True)
        assert row["rank"] > 1 or row["error"] < 0.1

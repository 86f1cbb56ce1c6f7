"""Plugins that change the process, or end it: contained, recorded, and seen by no later run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from invcore import Store

ROGUE = '''
import os, signal, subprocess, sys, time, warnings
import torch
from invcore import Component, hookimpl
from invcore.plugin import Candidates, Config, InverseMethod, InverseModel

API_VERSION = 1

@hookimpl
def invcore_methods():
    return [Component("rogue", "Does what it should not.", "fake_rogue:Rogue"),
            Component("good", "Does what it should.", "fake_rogue:Good")]

class Settings(Config):
    """Settings."""
    do: str = ""

class Model(InverseModel):
    point_dim, ranked = 2, False
    def propose(self, targets, points, *, simulator=None, env=None):
        x = torch.tensor([0.1]) * points  # of the default dtype, whatever that is
        noise = torch.rand(2)  # of the global generator
        return Candidates((x + noise).to(points.dtype))
    def state(self):
        return {"nothing": torch.zeros(1)}

class Good(InverseMethod):
    Config = Settings
    def fit(self, problem, train, val, env):
        return Model()
    def restore(self, problem, state, files=None):
        return Model()

DEEDS = {
    "dtype": "torch.set_default_dtype(torch.float64)",
    "folder": "os.chdir('/')",
    "stdout": "sys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2)",
    "environment": "os.environ.clear()",
    "signals": "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.alarm(1)",
    "gradients": "torch.set_grad_enabled(False); torch.set_num_threads(2)",
    "child": "subprocess.Popen(['sleep', '611'], start_new_session=True)",
    "interrupt": "raise KeyboardInterrupt",
    "exit": "raise SystemExit(9)",
    "megabytes": "print('x' * 3_000_000)",
    # what ends or stops the process: in workers alone
    "die": "os._exit(7)",
    "hang": "time.sleep(600)",
    "c": "import re; re.match('(a+)+b', 'a' * 60)",
    "leak": "kept = [bytearray(b'x' * 2**24) for _ in range(10**6)]",
    "fork": "[os.fork() for _ in range(3)]; time.sleep(600)",
}

class Rogue(Good):
    def fit(self, problem, train, val, env):
        exec(DEEDS[self.config.do])
        return Model()
'''
HERE = ("dtype", "folder", "stdout", "environment", "signals", "gradients", "child", "interrupt",
        "exit", "megabytes")  # fmt: skip
ENDS = {
    "interrupt": "KeyboardInterrupt", "exit": "SystemExit: 9", "die": "exit code 7",
    "hang": "its time limit", "c": "its time limit", "leak": "MiB of memory",
    "fork": "its time limit",
}  # fmt: skip
ENDING = {None: (), "1": ("die", "hang", "leak"), "2": ("die", "c", "fork")}
SMALL = """
preset = "quick"
targets = 4
candidates = 3
pairs = 20
samplers = ["random"]
tasks = ["sine-wave"]
metrics = { r_T = true }
"""


def installed_in(folder):
    """The plugin, and what runs code with it in a process of its own, in the folder."""
    info = folder / "site" / "fake_rogue-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "fake_rogue.py").write_text(ROGUE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-rogue\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[invcore]\nrogue = fake_rogue\n")
    paths = [str(info.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]

    def go(*words):
        environment = {
            **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, *words], env=environment, text=True, capture_output=True, timeout=550,
            cwd=folder,
        )  # fmt: skip

    return go


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Run code with the plugin installed, in a process of its own, here."""
    monkeypatch.chdir(tmp_path)
    return installed_in(tmp_path)


def candidates(store, seed):
    """The file of the good run of a seed."""
    for run in store.ids():
        record = store.read(run)
        if record.method == "good" and record.seed == seed and record.status == "ok":
            return record.files["candidates.safetensors"], record.threads
    return None


def bench(name, deeds, seeds="[0, 1]", folder=Path()):
    methods = "".join(f'[[methods]]\nname = "rogue"\nlabel = "{d}"\ndo = "{d}"\n' for d in deeds)
    good = '[[methods]]\nname = "good"\ndo = "0"\n'
    text = f'name = "{name}"\nseeds = {seeds}\n{SMALL}'
    (folder / f"{name}.toml").write_text(text + methods + good)  # good ones come last of a seed


def check(store, deeds, cells):
    """Deeds have the ends that they should, and the good runs are those that are alone."""
    for cell in cells:
        deed = cell["method"]
        if deed in ENDS:
            assert cell["status"] == "error" and ENDS[deed] in cell["reason"], cell
        else:
            assert cell["status"] == "ok", cell
    assert {cell["method"] for cell in cells} >= set(deeds)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The candidates of the good runs, done alone."""
    folder = tmp_path_factory.mktemp("alone")
    bench("alone", [], folder=folder)
    done = installed_in(folder)("-m", "invcore", "bench", "alone.toml", "--store", "alone")
    assert done.returncode == 0, done.stderr
    found = [candidates(Store(folder / "alone"), seed) for seed in (0, 1)]
    assert found[0] and found[1] and found[0] != found[1]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ENDING)
def test_in_a_bench(command, alone, jobs):
    """Each deed before good runs, with a relative store."""
    deeds = (*HERE, *ENDING[jobs])
    bench("b", deeds, "[0]" if jobs else "[0, 1]")
    words = ("--jobs", jobs, "--time-limit", "25s", "--memory-limit", "1500MiB") if jobs else ()
    done = command("-m", "invcore", "bench", "b.toml", "--store", "runs", "--json", *words)
    assert done.returncode == 1, done.stderr
    check(Store("runs"), deeds, json.loads(done.stdout)["cells"])
    seeds = (0,) if jobs else (0, 1)
    assert [candidates(Store("runs"), seed) for seed in seeds] == [alone[seed] for seed in seeds]
    assert not Path("/runs").exists() and not [p for p in Path("runs").glob(".writing*")]
    left = subprocess.run(["pgrep", "-f", "sleep 611"], capture_output=True, check=False)
    assert not left.stdout.strip(), "a child outlives its run"


@pytest.mark.slow
def test_from_python_and_by_run(command, alone):
    """In one process, deed by deed, each followed by the good run; then apart, by ``run``."""
    code = f"""
    import invcore, json, os, sys, torch
    def config(method, seed, **settings):
        return invcore.RunConfig.resolve(dict(
            preset="quick", targets=4, candidates=3, pairs=20, sampler="random", seed=seed,
            task="sine-wave", metrics=dict(r_T=True), method=dict(name=method, **settings)))
    if __name__ == "__main__":
        here, out = os.getcwd(), []
        torch.set_default_dtype(torch.float64)  # a session's own choice
        for deed in {HERE!r}:
            bad = invcore.run(config("rogue", 0, do=deed), store=invcore.Store("one"))
            good = invcore.run(config("good", 1, do="0"))
            kept = invcore.run(config("good", 1, do="0"), store=invcore.Store(deed))
            out.append([deed, bad.status, bad.reason, bad.notes, os.getcwd() == here,
                        torch.get_default_dtype() == torch.float64,
                        kept.files["candidates.safetensors"]])
        apart = [config("rogue", 0, do=deed) for deed in ("die", "leak")]
        limits = invcore.Limits.of("25s", "1500MiB")
        ends = [[r.config["method"]["do"], r.reason]
                for r in invcore.do_runs(apart, store=invcore.Store("one"), limits=limits)]
        print(json.dumps([out, ends]))
    """
    Path("session.py").write_text(textwrap.dedent(code))
    done = command("session.py")
    assert done.returncode == 0, done.stderr
    out, ends = json.loads(done.stdout.splitlines()[-1])
    for deed, status, reason, notes, here, dtype, kept in out:
        assert here and dtype and kept == alone[1][0], deed
        assert status == ("error" if deed in ENDS else "ok") and ENDS.get(deed, "") in reason
        told = {"dtype": "default dtype", "folder": "working directory", "child": "left running",
                "stdout": "standard output", "environment": "environment"}  # fmt: skip
        assert deed not in told or any(told[deed] in note for note in notes), (deed, notes)
    assert len(ends) == 2 and all(ENDS[deed] in reason for deed, reason in ends), ends
    words = ("--method", "rogue", "--set", "method.do=hang", "--targets", "4", "--candidates", "3")
    done = command("-m", "invcore", "run", *words, "--time-limit", "15s", "--json")
    assert done.returncode == 4 and "its time limit" in json.loads(done.stdout)["reason"]


def test_a_plugin_that_hangs_when_it_is_imported_ends_the_command(command, tmp_path):
    """With its name, in one line."""
    file = tmp_path / "site" / "fake_rogue.py"
    file.write_text("import time\ntime.sleep(600)\n")
    code = """
    from invcore.registry import import_limit
    import_limit.LIMIT_S = 1.0
    from invcore.cli.main import main
    main(["list-methods", "--json"])
    """
    done = command("-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    assert "rogue" not in [each["name"] for each in json.loads(done.stdout)]

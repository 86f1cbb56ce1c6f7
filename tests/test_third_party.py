"""Packages that somebody else wrote: installed, they are listed, checked and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from invcore.base.component_kinds import KINDS
from invcore.registry.scaffold import NewPlugin

BY_HAND = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "gap-filler"
version = "3.1"
dependencies = ["invcore"]

[project.entry-points.invcore]
gaps = "gap_filler"

[tool.hatch.build.targets.wheel]
packages = ["gap_filler"]
""",
    "gap_filler/__init__.py": """
from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods():
    return [Component("prior", "Designs of the prior.", "gap_filler.prior:Prior")]


@hookimpl
def invcore_commands(group):
    group.command("fill-gaps")(lambda: print("filled"))
""",
    "gap_filler/prior.py": """
from invcore.plugin import Candidates, InverseMethod, InverseModel


class Prior(InverseMethod):
    def fit(self, problem, train, val, env):
        return self.restore(problem, {})

    def restore(self, problem, state, files=None):
        return Model(problem)


class Model(InverseModel):
    def __init__(self, problem):
        self.problem, self.point_dim = problem, problem.designs.dim

    def propose(self, targets, points, *, simulator=None, env=None):
        self.check_sizes(targets, points, self.problem.responses.dim)
        return Candidates(self.problem.designs.from_unit(points))

    def state(self):
        return {}
""",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the packages, and ``site``, where they are installed."""
    folder = tmp_path_factory.mktemp("third-party")
    packages = [NewPlugin(f"my-{kind}s", kind, f"my-{kind}").write(folder) for kind in KINDS]
    for path, text in BY_HAND.items():
        file = folder / "gap-filler" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    packages.append(folder / "gap-filler")
    uv = shutil.which("uv")
    pip = (
        [uv, "pip", "install", "--quiet", "--offline", "--python", sys.executable]
        if uv
        else [sys.executable, "-m", "pip", "install", "--quiet"]
    )
    options = ["--no-deps", "--no-build-isolation", "--target", str(folder / "site")]
    subprocess.run([*pip, *options, *map(str, packages)], check=True, cwd=folder)
    return folder


def call(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of Python's in an environment that sees the packages."""
    paths = [str(home / "site"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def invcore(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return call(home, "-c", "from invcore.cli.main import main; main()", *words)


def test_methods_are_listed_with_their_owner(home):
    done = invcore(home, "list-methods", "--json")
    assert done.returncode == 0, done.stderr
    listed = {row["name"]: row for row in json.loads(done.stdout)}
    own = {key: listed["prior"][key] for key in ("summary", "plugin", "version", "status")}
    assert own == {
        "summary": "Designs of the prior.",
        "plugin": "gap-filler",
        "version": "3.1",
        "status": "ok",
    }
    assert listed["my-method"]["plugin"] == "my-methods"
    assert {"na", "my-method", "prior"} <= set(listed)


def test_commands_of_plugins_are_there(home):
    done = invcore(home, "fill-gaps")
    assert (done.returncode, done.stdout) == (0, "filled\n"), done.stderr


@pytest.mark.parametrize("method", ["prior", "my-method"])
def test_methods_run(home, method):
    done = invcore(
        home,
        *("run", "--method", method, "--task", "my-task", "--sampler", "my-sampler"),
        *("--preset", "quick", "--set", "pairs=200", "--targets", "20", "--candidates", "5"),
        *("--device", "cpu", "--json"),
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["status"], record["method"]) == ("ok", method)
    assert "my-metric" in {metric["name"] for metric in record["metrics"]}
    kept = json.loads((home / record["path"] / "run.json").read_text())
    assert kept["versions"]["my-tasks"] == "0.1.0"
    assert kept["versions"]["gap-filler" if method == "prior" else "my-methods"]


def test_the_kit_passes_on_what_new_plugin_writes(home):
    """The packages' own tests: the two-line suite, in a pytest of their own."""
    files = [str(home / f"my-{kind}s") for kind in KINDS]
    done = call(home, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout


def test_check_plugin_says_what_is_wrong(home):
    good = invcore(home, "check-plugin", "my-methods")
    assert good.returncode == 0, good.stdout + good.stderr
    poor = invcore(home, "check-plugin", "method/prior", "--json")
    assert poor.returncode == 0, poor.stdout + poor.stderr
    assert poor.stderr.startswith("note: method prior conforms, and its quality is poor")
    bad = invcore(home, "check-plugin", "method/prior", "--json", "--strict")
    assert bad.returncode == 1, bad.stdout + bad.stderr
    (component,) = json.loads(bad.stdout)["components"]
    assert component["conforms"] and component["quality"] == "poor"
    failed = [c["check"] for c in component["checks"] if c["outcome"] == "failed"]
    unheard = ["intervals", "one-sided", "between-clusters", "goals"]
    assert failed == ["beats-ignoring-the-target", *unheard]

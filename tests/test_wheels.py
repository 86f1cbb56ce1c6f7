"""The wheels, installed into an empty environment away from the checkout, do the main job."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

UV = Path(sys.executable).with_name("uv")
ROOT = Path(__file__).resolve().parents[1]
MAIN_JOB = [
    "run", "--method", "ipage", "--sampler", "lhs", "--preset", "quick", "--targets", "5",
    "--candidates", "8", "--set", "pairs=300", "--set", "training.epochs=2", "--json",
]  # fmt: skip

STRANGER = '''
"""A task, a method and a sampler in one plugin, written against public names alone."""

import torch

from invcore import Component, hookimpl
from invcore.plugin import (
    Candidates, InverseMethod, InverseModel, Sampler, Space, Task, Uniform, Variable,
)

API_VERSION = 1

@hookimpl
def invcore_tasks():
    return [Component("lens", "Focal length of a thin lens.", "stranger:Lens")]


@hookimpl
def invcore_methods():
    return [Component("nearest", "The nearest pairs.", "stranger:Nearest")]


@hookimpl
def invcore_samplers():
    return [Component("plain", "Uniform points.", "stranger:Plain")]


class Lens(Task):
    designs = Space.of(
        Variable(name="first", prior=Uniform(low=10.0, high=50.0), unit="mm"),
        Variable(name="second", prior=Uniform(low=10.0, high=50.0), unit="mm"),
    )
    responses = Space.of(Variable(name="focal length", unit="mm"))

    def simulate(self, x, context=None):
        return 1 / (0.5 * (1 / x).sum(dim=1, keepdim=True))


class Nearest(InverseMethod):
    def fit(self, problem, train, val, env):
        return NearestModel(problem, train.x, train.y)

    def restore(self, problem, state, files=None):
        return NearestModel(problem, state["x"], state["y"])


class NearestModel(InverseModel):
    point_dim, ranked = 0, True

    def __init__(self, problem, x, y):
        self.problem, self.x, self.y = problem, x, y

    def propose(self, targets, points, *, simulator=None, env=None):
        self.check_sizes(targets, points, self.y.shape[1])
        order = torch.cdist(targets.y.double(), self.y.double()).argsort(dim=1)
        return Candidates(self.x[order[:, : points.shape[1]]])

    def state(self):
        return {"x": self.x, "y": self.y}


class Plain(Sampler):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)
'''


def call(*command, cwd):
    kept = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.startswith(("UV_", "PIP_"))
    }
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    call(UV, "build", "--all-packages", "--wheel", "--out-dir", folder, cwd=ROOT)
    return sorted(folder.glob("*.whl"))


def test_a_wheel_for_each_package(wheels):
    packages = {"invcore", *(p.parent.name for p in ROOT.glob("plugins/*/pyproject.toml"))}
    assert {w.name.split("-")[0].replace("_", "-") for w in wheels} == packages


def test_wheels_hold_the_types_and_no_tests(wheels):
    for wheel in wheels:
        names = zipfile.ZipFile(wheel).namelist()
        assert any(name.endswith("/py.typed") for name in names), wheel.name
        assert not any("tests/" in name for name in names), wheel.name


@pytest.mark.slow
def test_main_job_away_from_the_checkout(wheels, tmp_path):
    environment = tmp_path / "env"
    python = environment / "bin" / "python"
    call(UV, "venv", "--python", sys.executable, environment, cwd=tmp_path)
    call(
        UV, "pip", "install", "--python", python, "--constraint", ROOT / "constraints.txt",
        *wheels, cwd=tmp_path,
    )  # fmt: skip
    invcore = environment / "bin" / "invcore"
    where = call(python, "-c", "import invcore; print(invcore.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(environment)
    result = json.loads(call(invcore, *MAIN_JOB, cwd=tmp_path))
    assert (result["status"], result["method"], result["sampler"]) == ("ok", "ipage", "lhs")
    assert (tmp_path / result["path"] / "run.json").is_file()
    call(invcore, "new-plugin", "invcore-mine", "--kind", "method", "--name", "mine", cwd=tmp_path)


@pytest.mark.slow
def test_the_core_alone_lists_and_runs_with_one_plugin_added(wheels, tmp_path):
    environment = tmp_path / "env"
    python, invcore = environment / "bin" / "python", environment / "bin" / "invcore"
    (core,) = (wheel for wheel in wheels if wheel.name.startswith("invcore-"))
    call(UV, "venv", "--python", sys.executable, environment, cwd=tmp_path)
    call(
        UV, "pip", "install", "--python", python, "--constraint", ROOT / "constraints.txt", core,
        cwd=tmp_path,
    )  # fmt: skip
    assert "no methods; " in call(invcore, "list-methods", cwd=tmp_path)
    for module in (
        "plugin", "learning", "search", "numerics", "results", "pipeline", "data.tables", "cli.kit"
    ):  # fmt: skip
        call(python, "-c", f"import invcore.{module}", cwd=tmp_path)
    commands = call(invcore, "--help", cwd=tmp_path)
    assert "\n  bench " in commands and "\n  solve " not in commands
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "stranger.py").write_text(STRANGER)
    info = site / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[invcore]\nstranger = stranger\n")
    assert "nearest" in call(invcore, "list-methods", cwd=tmp_path)
    words = ["--task", "lens", "--method", "nearest", "--sampler", "plain", "--targets", "20"]
    result = json.loads(call(invcore, "run", *words, "--candidates", "4", "--json", cwd=tmp_path))
    assert result["status"] == "ok" and result["simulator_calls"] == 80
    assert len(json.loads(call(invcore, "results", "list", "--json", cwd=tmp_path))) == 1

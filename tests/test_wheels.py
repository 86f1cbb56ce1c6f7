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

"""New plugins: names, files, and nothing half-written."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from invcore.base.component_kinds import KINDS
from invcore.base.errors import ConfigError, StoreError
from invcore.cli.main import cli
from invcore.registry.api_version import API_VERSION
from invcore.registry.scaffold import NewPlugin
from invcore.testing import CHECKS, Subject, run_checks


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_whole_and_well_formed(kind, tmp_path):
    folder = NewPlugin("invcore-foo", kind, "gap-search").write(tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "invcore-foo"
    assert project["entry-points"]["invcore"] == {"invcore_foo": "invcore_foo.plugin"}
    found = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert set(found) == {
        "README.md",
        "invcore_foo/__init__.py",
        f"invcore_foo/{kind}.py",
        "invcore_foo/plugin.py",
        "pyproject.toml",
        "tests/test_gap_search.py",
    }
    for path in folder.rglob("*.py"):
        ast.parse(path.read_text())
    assert "$" not in "".join(p.read_text() for p in folder.rglob("*.py"))
    assert f"\nAPI_VERSION = {API_VERSION}\n" in (folder / "invcore_foo" / "plugin.py").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["invcore-foo"]


@pytest.mark.parametrize("kind", ["loop", "surrogate", "judge"])
def test_what_is_written_keeps_its_contract(kind, tmp_path, monkeypatch):
    plugin = NewPlugin(f"invcore-kept-{kind}", kind, f"kept-{kind}")
    monkeypatch.syspath_prepend(str(plugin.write(tmp_path)))
    component = getattr(importlib.import_module(f"{plugin.module}.{kind}"), plugin.cls)
    outcomes = list(run_checks(CHECKS[kind], Subject.of(kind, plugin.name, component)))
    assert [(o.check.name, o.why) for o in outcomes if o.result == "failed"] == []


def test_what_is_written_is_tidy(tmp_path):
    for kind in KINDS:
        NewPlugin(f"invcore-{kind}", kind, kind).write(tmp_path)
    ruff = [sys.executable, "-m", "ruff"]
    alike = ["--isolated", "--no-cache", "--line-length=100", "."]
    rules = ["--select=E,F,W,I,B,UP,D,ANN,RUF", "--ignore=D1,D203,D205,D213,D401,RUF012"]
    subprocess.run([*ruff, "check", *rules, *alike], check=True, cwd=tmp_path)
    subprocess.run([*ruff, "format", "--check", *alike], check=True, cwd=tmp_path)


@pytest.mark.parametrize(
    ("distribution", "name", "message"),
    [
        ("", "foo", "package name"),
        ("../foo", "foo", "package name"),
        ("foo/bar", "foo", "package name"),
        ("1foo", "foo", "package name"),
        ("foo-", "foo", "package name"),
        ("invcore", "foo", "taken"),
        ("class", "foo", "taken"),
        ("invcore-foo", "my foo", "component name"),
        ("invcore-foo", "1", "component name"),
        ("invcore-foo", 'x"', "component name"),
    ],
)
def test_names_that_nothing_would_take(distribution, name, message):
    with pytest.raises(ConfigError, match=message):
        NewPlugin(distribution, "method", name)


@pytest.mark.parametrize("name", ["none", "true", "task", "config", "simulator", "tensor"])
def test_classes_get_names_of_their_own(name):
    assert NewPlugin("invcore-foo", "task", name).cls == "My" + name.capitalize()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "invcore-foo").mkdir()
    (tmp_path / "invcore-foo" / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="exists already: nothing was written"):
        NewPlugin("invcore-foo", "method", "foo").write(tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["invcore-foo", "mine.txt"]


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    real = Path.write_text

    def full(self, text, **more):
        if self.name == "plugin.py":
            raise OSError(28, "No space left on device")
        return real(self, text, **more)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StoreError, match="No space left on device"):
        NewPlugin("invcore-foo", "method", "foo").write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path):
    line = ["new-plugin", "invcore-foo", "--kind", "metric", "--into", str(tmp_path / "new")]
    result = CliRunner().invoke(cli, line)
    assert result.exit_code == 0, result.output
    assert "invcore check-plugin invcore-foo" in result.stdout
    assert (tmp_path / "new/invcore-foo/invcore_foo/metric.py").is_file()
    again = CliRunner().invoke(cli, line)
    assert isinstance(again.exception, StoreError)


def test_command_json_and_taken_names(tmp_path):
    base = ["new-plugin", "invcore-bar", "--into", str(tmp_path), "--json"]
    result = CliRunner().invoke(cli, base)
    document = json.loads(result.stdout)
    assert document["path"] == str(tmp_path / "invcore-bar")
    assert "invcore_bar/method.py" in document["files"]
    taken = CliRunner().invoke(cli, [*base, "--name", "na"])
    assert taken.exit_code == 2
    assert "belongs to invcore-na" in taken.stderr

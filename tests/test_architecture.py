"""The house keeps its walls: what plugins import, how large rooms and files are, what is generated.

Import contracts within the core are import-linter's, in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
SCRIPTS = ROOT / "docs" / "scripts"
drawing = runpy.run_path(str(SCRIPTS / "draw_architecture.py"))
listing = runpy.run_path(str(SCRIPTS / "list_plugins.py"))


def package(plugin: Path) -> Path:
    return plugin / plugin.name.replace("-", "_")


def required(plugin: Path) -> set[str]:
    """The distributions that a plugin says it needs, as import names."""
    lines = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]["dependencies"]
    return {re.match(r"[\w-]+", line)[0].replace("-", "_") for line in lines}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_plugins_import_public_faces_and_what_they_require(plugin):
    modules = drawing["of"](package(plugin))
    core = {name for name in modules if name.split(".")[0] == "invcore"}
    assert core - set(drawing["FACES"]) == set()
    others = {name.split(".")[0] for name in modules if name.startswith("invcore_")}
    assert others - {package(plugin).name} - required(plugin) == set()


def third_party(project: Path) -> list[Requirement]:
    """What a user's pip installs from elsewhere for a project, to build it or with an extra too.

    Development groups are left out: they are installed with constraints.txt alone.
    """
    content = tomllib.loads((project / "pyproject.toml").read_text())
    extras = content["project"].get("optional-dependencies", {}).values()
    lists = (content["build-system"]["requires"], content["project"]["dependencies"], *extras)
    needs = [Requirement(line) for lines in lists for line in lines]
    return [need for need in needs if not need.name.startswith("invcore")]


def test_third_party_requirements_have_lower_bounds_that_the_pinned_versions_meet():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    for project in (ROOT, *PLUGINS):
        for need in third_party(project):
            lowest = [s.version for s in need.specifier if s.operator in (">=", "~=", "==")]
            where = f"{project.name}: {need}"
            assert lowest, f"{where} has no lower bound"
            assert Version(lowest[0]) <= Version(pinned[need.name]), f"{where}: {pinned[need.name]}"
            assert need.specifier.contains(pinned[need.name]), f"{where}: {pinned[need.name]}"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_listing_a_plugin_imports_no_torch(plugin):
    file = package(plugin) / "plugin.py"
    if file.exists():  # libraries that others build on have none
        top = ast.parse(file.read_text()).body
        names = [n.module for n in top if isinstance(n, ast.ImportFrom)]
        assert set(names) <= {"invcore", *sys.stdlib_module_names}


def modules_of(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*.py") if file.name != "__init__.py"]


def test_folders_of_the_core_have_at_most_a_dozen_files():
    folders = [ROOT / "invcore", *(p for p in (ROOT / "invcore").rglob("*") if p.is_dir())]
    assert {f.name: len(modules_of(f)) for f in folders if len(modules_of(f)) > 12} == {}


def test_files_are_short():
    files = [
        *(ROOT / "invcore").rglob("*.py"),
        *(f for p in PLUGINS for f in package(p).rglob("*.py")),
    ]
    lengths = {str(f.relative_to(ROOT)): len(f.read_text().splitlines()) for f in files}
    assert {name: n for name, n in lengths.items() if n > 350} == {}
    core = sorted(n for name, n in lengths.items() if name.startswith("invcore/") and n > 6)
    assert core[len(core) // 2] <= 140


def test_generated_parts_are_as_they_would_be_written_now():
    text = (ROOT / "pyproject.toml").read_text()
    assert text == listing["updated"](text), "python dev.py generate"
    assert (ROOT / "docs" / "architecture.svg").read_text() == drawing["picture"]()


def test_every_room_of_the_core_has_a_layer():
    rooms = {
        path.stem
        for path in (ROOT / "invcore").iterdir()
        if path.stem not in ("__init__", "__main__", "__pycache__", "py")
        and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert rooms == set(drawing["layers"]())


def test_mistakes_are_planted_in_code_that_is_there():
    planted = tomllib.loads((ROOT / "benchmarks" / "mutants.toml").read_text())["planted"]
    assert planted
    for each in planted:
        assert (ROOT / each["file"]).read_text().count(each["original"]) == 1, each["name"]

"""Code as a part of identity: what is edited in place counts, what a wheel wrote does not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import invcore
from invcore.registry import code
from invcore.registry.component import Component
from invcore.registry.registry import Entry

CACHES = (code._core_code, code._code)


@pytest.fixture(autouse=True)
def fresh():
    """Files are read once a process; these tests change them."""

    def clear():
        for cached in CACHES:
            cached.cache_clear()

    clear()
    yield clear
    clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A plugin's package on the path, with the metadata of an editable installation."""
    root = tmp_path / "place"
    (root / "odd_tools" / "data").mkdir(parents=True)
    (root / "odd_tools" / "__init__.py").write_text("")
    (root / "odd_tools" / "method.py").write_text("VALUE = 1\n")
    (root / "odd_tools" / "data" / "table.csv").write_text("1,2\n")
    info = root / "odd_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[invcore]\nodd = odd_tools.method\n")
    monkeypatch.syspath_prepend(str(root))
    return root


ENTRY = Entry("method", Component("odd", "Odd.", "odd_tools.method:Odd"), "odd-plugin", "1.0")


def odd(fresh):
    fresh()
    return code.code_of([ENTRY]).get("odd-plugin")


def test_an_edit_is_another_code_and_a_cache_is_none(package, fresh):
    first = odd(fresh)
    assert first and len(first) == 12 and odd(fresh) == first
    for name in ("odd_tools/method.py", "odd_tools/__init__.py", "odd_tools/data/table.csv"):
        path = package / name
        text = path.read_text()
        path.write_text(text + "# more\n")
        assert odd(fresh) != first, name
        path.write_text(text)
        assert odd(fresh) == first
    (package / "odd_tools" / "__pycache__").mkdir()
    (package / "odd_tools" / "__pycache__" / "method.pyc").write_text("x")
    (package / "odd_tools" / ".hidden").write_text("x")
    assert odd(fresh) == first
    (package / "odd_tools" / "more.py").write_text("")
    added = odd(fresh)
    (package / "odd_tools" / "more.py").rename(package / "odd_tools" / "other.py")
    assert len({first, added, odd(fresh)}) == 3, "a file that is added, and one with another name"


def test_a_metric_of_the_same_package_decides_no_run(package, fresh):
    """Unless something that does decide one imports it."""
    (package / "odd_tools" / "score.py").write_text("VALUE = 1\n")
    entry = replace(ENTRY, metric_modules=frozenset({"odd_tools.score"}))

    def codes():
        fresh()
        return code.code_of([entry])["odd-plugin"], code.scoring_code_of(entry)["odd-plugin"]

    first = codes()
    (package / "odd_tools" / "score.py").write_text("VALUE = 2\n")
    second = codes()
    assert first[0] == second[0] and first[1] != second[1]
    for line in (
        "from odd_tools.score import VALUE",
        "from . import score",
        "import odd_tools.score",
    ):
        (package / "odd_tools" / "method.py").write_text(f"def late():\n    {line}\n")
        before = codes()[0]
        (package / "odd_tools" / "score.py").write_text(f"VALUE = {len(line)}\n")
        assert codes()[0] != before, line


def test_plugins_know_where_their_metrics_are(make_plugins):
    from invcore.plugin import Metric, Sampler

    plugins = make_plugins(installed=True, sampler={"s": Sampler}, metric={"m": Metric})
    registry = plugins.registry
    assert registry.find("sampler", "s").metric_modules == frozenset(), "they share their module"
    task = registry.find("task", "crystal-mos2")
    assert task.metric_modules == {"invcore_crystal.hits"}


def test_it_is_read_once_a_process(package):
    first = code.code_of([ENTRY])
    (package / "odd_tools" / "method.py").write_text("VALUE = 2\n")
    assert code.code_of([ENTRY]) == first, "what is imported by now is what was there then"


def test_of_a_wheel_the_version_says_it(package, fresh):
    names = ("__init__.py", "method.py", "data/table.csv")
    record = "".join(f"odd_tools/{name},,\n" for name in names)
    (package / "odd_plugin-1.0.dist-info" / "RECORD").write_text(record)
    assert odd(fresh) is None


def test_a_module_that_is_one_file(package, fresh):
    (package / "single.py").write_text("VALUE = 1\n")
    entry = Entry("method", Component("s", "One file.", "single:Odd"), "unknown-to-pip", "?")
    first = code.code_of([entry])["unknown-to-pip"]
    (package / "single.py").write_text("VALUE = 2\n")
    fresh()
    assert code.code_of([entry])["unknown-to-pip"] != first


def test_of_a_namespace_only_the_plugins_part_counts(tmp_path, monkeypatch, fresh):
    for name in ("mine", "other"):
        (tmp_path / "lab" / name).mkdir(parents=True)
        (tmp_path / "lab" / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = Entry("method", Component("m", "Mine.", "lab.mine:Mine"), "lab-mine", "?")
    first = code.code_of([entry])["lab-mine"]
    (tmp_path / "lab" / "other" / "__init__.py").write_text("x = 1\n")
    fresh()
    assert code.code_of([entry])["lab-mine"] == first


def test_rooms_that_take_no_part_in_a_run_are_left_out(tmp_path, monkeypatch, fresh):
    core = tmp_path / "invcore"
    shutil.copytree(
        Path(invcore.__file__).parent, core, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(code, "__file__", str(core / "registry" / "code.py"))

    def codes():
        fresh()
        return code.code_of([]).get("invcore"), code.scoring_code_of(ENTRY).get("invcore")

    first = codes()
    assert all(first)
    for room, changed in (
        ("cli/main.py", (False, False)), ("benchmarking/grid.py", (False, False)),
        ("testing/suite.py", (False, False)), ("scoring/errors.py", (False, True)),
        ("pipeline/fit.py", (True, False)), ("learning/training.py", (True, False)),
    ):  # fmt: skip
        text = (core / room).read_text()
        (core / room).write_text(text + "\n# another comment\n")
        assert tuple(a != b for a, b in zip(first, codes(), strict=True)) == changed, room
        (core / room).write_text(text)
    assert codes() == first

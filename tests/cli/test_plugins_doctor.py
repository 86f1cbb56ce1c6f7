from __future__ import annotations

import json
import shutil
from importlib.metadata import version

import pytest

from invcore.cli.views import doctor_checks as checks

MISSPELT = """
    @hookimpl
    def invcore_method():
        return []
"""
UNLOADABLE = """
    @hookimpl
    def invcore_samplers():
        return [Component("lost", "Not there.", "fake_nowhere:Class")]
"""
WRONG_CLASS = """
    @hookimpl
    def invcore_samplers():
        return [Component("wrong", "Another thing.", "pathlib:Path")]
"""
UNFINISHED = """
    @hookimpl
    def invcore_samplers():
        return [Component("half", "Abstract.", "invcore.contracts.sampler:Sampler")]
"""
NO_LIST = """
    @hookimpl
    def invcore_samplers():
        return ["lhs"]
"""
BROKEN = {
    "misspelt hook": (MISSPELT, "invcore_method"),
    "raises on import": ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
    "no syntax": ("def", "SyntaxError"),
    "no Components": (NO_LIST, "invcore_samplers returned str, expected Components"),
    "exits": ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
}
FAILING = {
    "absent": (UNLOADABLE, "No module named 'fake_nowhere'"),
    "other class": (WRONG_CLASS, "pathlib:Path is not a Sampler subclass"),
    "abstract": (UNFINISHED, "Sampler does not define sample"),
}


def test_lists_the_plugins_installed(call):
    known = json.loads(call("plugins", "--json").out)
    done = call("plugins")
    assert done.code == 0
    names = [plugin["name"] for plugin in known]
    assert names == sorted(names) and "invcore-na" in names
    for plugin in known:
        assert plugin["status"] == "ok" and plugin["cause"] == "" and plugin["name"] in done.out


@pytest.mark.parametrize("source, cause", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_shown_with_its_cause(call, site, sampler, source, cause):
    sampler("alpha", "good")
    site.add("beta", source)
    done = call("plugins")
    assert done.code == 0 and "beta 1.0 (beta = fake_beta) is broken:" in done.out
    assert cause in done.out
    good, bad = json.loads(call("plugins", "--json").out)
    assert (good["status"], good["components"]) == ("ok", 1)
    assert (bad["status"], bad["components"]) == ("broken", 0) and cause in bad["cause"]
    unhappy = call("doctor", "--store", str(site.root))
    assert unhappy.code == 1 and "✗ plugin beta" in unhappy.out
    asked = call("describe", "sampler", "goood")
    assert asked.code == 2 and asked.err.count("\n") == 1
    assert "Did you mean 'good'?" in asked.err and cause in asked.err


def test_two_distributions_with_one_entry_point_name_both_load(call, sampler):
    sampler("alpha", "one", point="same")
    sampler("beta", "two", point="same")
    known = json.loads(call("plugins", "--json").out)
    assert [(p["name"], p["status"], p["components"]) for p in known] == [
        ("alpha", "ok", 1), ("beta", "ok", 1)
    ]  # fmt: skip
    assert [c["name"] for c in json.loads(call("list-samplers", "--json").out)] == ["one", "two"]


def test_says_what_to_do_without_plugins(call, site, tmp_path):
    assert "pip install 'invcore[standard]'" in call("plugins").out
    done = call("doctor", "--store", str(tmp_path))
    assert done.code == 1 and "none, so nothing can run" in done.out


def _doctor(call, out):
    done = call("doctor", "--json", "--store", str(out))
    document = json.loads(done.out)
    assert done.code == (0 if document["ok"] else 1)
    return {check["name"]: check for check in document["checks"]}


def test_all_is_well_here(call, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "_ENOUGH", 0)
    out = tmp_path / "not" / "there" / "yet"
    found = _doctor(call, out)
    assert [c for c in found.values() if c["state"] != "ok" and c["name"] != "devices"] == []
    assert {"python", "invcore", "torch", "numpy", "components", "devices"} <= set(found)
    assert "cpu" in found["devices"]["found"] and list(tmp_path.iterdir()) == []
    assert call("doctor", "--store", str(out)).code == 0


@pytest.mark.parametrize("source, cause", FAILING.values(), ids=FAILING)
def test_a_component_that_does_not_load_is_a_problem(call, site, tmp_path, source, cause):
    site.add("alpha", source)
    bad = [c for c in _doctor(call, tmp_path).values() if cause in c["found"]]
    assert [(c["state"], c["advice"]) for c in bad] == [
        ("problem", "reinstall alpha, or tell its authors")
    ]
    name = bad[0]["name"].removeprefix("sampler ")
    asked = call("describe", "sampler", name)
    assert asked.code == 2 and cause in asked.err and asked.err.count("\n") == 1


def test_a_name_with_two_owners_is_a_warning_that_says_what_to_type(call, sampler, tmp_path):
    sampler("alpha", "twin")
    sampler("beta", "twin")
    found = _doctor(call, tmp_path)
    assert found["sampler names"] == {
        "name": "sampler names", "state": "warning",
        "found": "sampler 'twin' is claimed by alpha 1.0 and beta 1.0",
        "advice": "say alpha:twin or beta:twin", "repaired": False,
    }  # fmt: skip
    assert found["components"]["found"] == "2 load"
    line = "sampler 'twin' is claimed by alpha 1.0 and beta 1.0: say alpha:twin or beta:twin"
    assert f"\n{line}\n" in call("plugins").out
    assert [row["clashes"] for row in call("plugins", "--json").json] == [["sampler twin"]] * 2


def test_a_store_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    store, _ = checks.check_store(tmp_path / "file" / "runs")
    assert store.state == "problem" and store.advice == "name another folder with --store"


@pytest.mark.parametrize("free, state", [(2**40, "ok"), (2**29, "warning"), (2**20, "problem")])
def test_a_full_disk(tmp_path, monkeypatch, free, state):
    usage = shutil._ntuple_diskusage(2**41, 2**41 - free, free)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage)
    _, disk = checks.check_store(tmp_path)
    assert disk.state == state and bool(disk.advice) == (state != "ok")


def test_a_missing_dependency_is_a_problem(monkeypatch):
    real = checks.version

    def version(name):
        if name == "safetensors":
            raise checks.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(checks, "version", version)
    bad = [check for check in checks.check_versions() if check.state != "ok"]
    assert [(c.name, c.state, c.advice) for c in bad] == [
        ("safetensors", "problem", "pip install safetensors")
    ]


def test_what_torch_warns_of_is_said(monkeypatch):
    import warnings

    from invcore.base import device

    def available():
        warnings.warn("the driver is too old", UserWarning, stacklevel=2)
        return ["cpu"]

    monkeypatch.setattr(device, "available", available)
    (found,) = checks.check_devices()
    assert found.state == "warning" and "the driver is too old" in found.found


REQUIRES = (
    "absent-thing>=2",
    "pluggy>=900",
    "pluggy",
    "torch>=2 ; python_version >= '3.8'",
    "never-there ; python_version < '3'",
    "an-extra>1 ; extra == 'all'",
    "not a requirement",
)
IMPORTS_WHAT_IS_ABSENT = """
    @hookimpl
    def invcore_samplers():
        return [Component("lost", "Lacks a library.", "absent_thing:Class")]
"""


def test_unmet_requirements_are_said(call, site, tmp_path):
    site.add("alpha", IMPORTS_WHAT_IS_ABSENT, requires=REQUIRES)
    site.add("beta", "import absent_thing", requires=REQUIRES[:1])
    there = version("pluggy")
    missing = "requires absent-thing>=2, which is not installed"
    old = f"requires pluggy>=900, of which {there} is installed"
    rows = {row["name"]: row for row in json.loads(call("plugins", "--json").out)}
    assert rows["alpha"]["unmet"] == [missing, old]
    assert rows["alpha"]["status"] == "ok" and rows["beta"]["status"] == "broken"
    assert rows["beta"]["cause"].endswith(f"No module named 'absent_thing'; beta {missing}")
    shown = call("plugins").out
    assert f"\nplugin alpha {missing}\n" in shown and f"\nplugin alpha {old}\n" in shown
    found = json.loads(call("doctor", "--json", "--store", str(tmp_path)).out)["checks"]
    bad = {c["found"]: c["advice"] for c in found if c["name"] == "plugin alpha"}
    assert bad.items() >= {
        (missing, "pip install 'absent-thing>=2'"), (old, "pip install 'pluggy>=900'")
    }  # fmt: skip
    used = call("describe", "sampler", "lost")
    assert used.code == 2 and used.err.count("\n") == 1
    assert "No module named 'absent_thing'" in used.err
    assert f"(alpha {missing}; alpha {old})" in used.err


def test_what_is_not_lacking_is_not_blamed(call, site):
    site.add("alpha", WRONG_CLASS, requires=REQUIRES[:1])
    assert "absent-thing" not in call("describe", "sampler", "wrong").err

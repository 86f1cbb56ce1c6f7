"""The number that a plugin was written for: read before anything of it is used."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import invcore.plugin
from invcore.base.errors import PluginError, UnknownNameError
from invcore.plugin import Event
from invcore.registry.api_version import API_VERSION, api_version_in_source
from invcore.registry.loader import Plugins
from invcore.testing import check_plugin

PLUGINS = sorted((Path(__file__).resolve().parents[2] / "plugins").glob("*/*/plugin.py"))
HOOKS = """
from invcore import Component, hookimpl
{number}
asked = []

@hookimpl
def invcore_samplers():
    asked.append("samplers")
    return [Component("points", "Made up.", "fake_source:Points")]

@hookimpl
def invcore_on_event(event):
    asked.append("event")
"""
UPDATE = "update it (pip install --upgrade fake_source), or ask its authors to"
UPDATE_CORE = "update invcore (pip install --upgrade invcore)"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Plugins made of the source of one entry-point module."""

    def made(source, name="fake_source"):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        return Plugins([EntryPoint("made", name, "invcore")])

    yield made
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]


def test_the_core_has_a_number_and_all_our_plugins_say_it():
    assert invcore.plugin.API_VERSION is API_VERSION and type(API_VERSION) is int
    assert len(PLUGINS) > 15
    for path in PLUGINS:
        assert re.findall(r"^API_VERSION = (\d+)$", path.read_text(), re.M) == [str(API_VERSION)]


@pytest.mark.parametrize(
    ("line", "number", "advice"),
    [
        ("", 0, UPDATE),
        ("API_VERSION = 0", 0, UPDATE),
        (f"API_VERSION = {API_VERSION + 1}", API_VERSION + 1, UPDATE_CORE),
    ],
)
def test_another_number_is_listed_and_nothing_of_it_is_used(load, complaint, line, number, advice):
    plugins = load(HOOKS.format(number=line))
    (info,) = plugins.infos
    assert (info.status, info.api, info.components) == ("other API", number, 0)
    assert info.complaint == (
        f"plugin fake_source ? was written for API {number}, this invcore has API {API_VERSION}: "
        f"{advice}"
    )
    plugins.emit(Event("run-started", "0123456789ab"))
    assert sys.modules["fake_source"].asked == []
    said = f"written for API {number}"
    assert said in complaint(UnknownNameError, plugins.registry.load, "sampler", "points")
    with pytest.raises(PluginError, match=said):
        check_plugin("fake_source", plugins)
    with pytest.raises(UnknownNameError, match=said):
        check_plugin("sampler/points", plugins)


@pytest.mark.parametrize("line", ["", "API_VERSION = 0", "API_VERSION: int = 0"])
@pytest.mark.parametrize("name", ["fake_source", "fake_package.plugin"])
def test_the_number_is_the_cause_where_an_old_name_is_gone(load, line, name):
    plugins = load(f"from invcore import OldName\n{line}\n", name)
    (info,) = plugins.infos
    assert (info.status, info.api) == ("other API", 0)
    assert "written for API 0" in info.complaint and "OldName" not in info.complaint


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"API_VERSION = {API_VERSION}\nfrom invcore import OldName", "OldName"),
        ("from fake_numbers import API_VERSION\n1 / 0", "fake_numbers"),
        ("API_VERSION = '1'", "API_VERSION is '1', expected a whole number"),
        ("API_VERSION = True", "API_VERSION is True"),
        ("API_VERSION = None", "API_VERSION is None"),
    ],
)
def test_it_is_broken_where_the_number_is_not_the_cause(load, source, said):
    (info,) = load(source).infos
    assert info.status == "broken" and said in info.complaint


def test_the_text_is_read_without_importing_what_it_is_in(load, tmp_path):
    load("API_VERSION = 7", "fake_package.plugin")
    (tmp_path / "fake_package" / "__init__.py").write_text("raise ImportError('old name')")
    sys.modules.pop("fake_package", None)
    assert api_version_in_source("fake_package.plugin") == 7
    assert api_version_in_source("fake_absent.plugin") is None
    assert "fake_package" not in sys.modules


def test_commands_say_it_in_one_line(call, monkeypatch, load):
    plugins = load(HOOKS.format(number=""))
    monkeypatch.setattr("invcore.registry.loader.installed", lambda: plugins)
    line = f"was written for API 0, this invcore has API {API_VERSION}: {UPDATE}"
    assert f"\nplugin fake_source ? {line}\n" in call("plugins").out
    (row,) = json.loads(call("plugins", "--json").out)
    assert (row["status"], row["api"]) == ("other API", 0)
    assert call("list-samplers").err == f"note: plugin fake_source ? {line}\n"
    doctor = call("doctor", "--json")
    (check,) = [c for c in json.loads(doctor.out)["checks"] if c["name"] == "plugin fake_source"]
    assert (check["state"], check["advice"]) == ("problem", UPDATE)
    assert check["found"] == f"?: written for API 0, this invcore has API {API_VERSION}"

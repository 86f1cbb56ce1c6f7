"""``invcore check-plugin``: what is found, what is printed, how it ends."""

from __future__ import annotations

import json
import sys
import types
from importlib.metadata import EntryPoint

import pytest
import torch
from click.testing import CliRunner

from invcore import Component, hookimpl
from invcore.base.errors import ConfigError, PluginError, UnknownNameError
from invcore.cli.main import cli
from invcore.plugin import Config, Field, Sampler
from invcore.registry.loader import Plugins
from invcore.testing import check_plugin


class GoodConfig(Config):
    """Settings."""

    edge: float = Field(1e-9, gt=0, description="Distance to the faces.")


class Good(Sampler[GoodConfig]):
    Config = GoodConfig

    def sample(self, count, dim, generator):
        points = torch.rand(count, dim, generator=generator, dtype=torch.float64)
        return points.clamp(self.config.edge, 1 - self.config.edge)


class Bad(Sampler):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, generator=generator)


def plugin(monkeypatch, name, *components, hook="invcore_samplers"):
    """The entry point of a plugin module made on the spot."""
    module = types.ModuleType(name)
    module.API_VERSION = 1

    @hookimpl
    def samplers():
        return list(components)

    setattr(module, hook, samplers)
    monkeypatch.setitem(sys.modules, name, module)
    return EntryPoint(name, name, "invcore")


@pytest.fixture
def plugins(monkeypatch):
    home = types.ModuleType("kit_samplers")
    home.Good, home.Bad = Good, Bad
    monkeypatch.setitem(sys.modules, "kit_samplers", home)
    good = Component("good", "Good.", "kit_samplers:Good")
    bad = Component("bad", "Bad.", "kit_samplers:Bad")
    found = Plugins(
        [
            plugin(monkeypatch, "kit_plain", good),
            plugin(monkeypatch, "kit_both", Component("fine", "Good.", "kit_samplers:Good"), bad),
            plugin(monkeypatch, "kit_empty"),
            plugin(monkeypatch, "kit_broken", good, hook="invcore_samplerz"),
        ]
    )
    monkeypatch.setattr("invcore.registry.loader.installed", lambda: found)
    return found


def test_a_component_and_a_whole_plugin(plugins):
    (report,) = check_plugin("sampler/good", plugins)
    assert (report.plugin, report.passed) == ("kit_plain", True)
    both = {report.name: report.passed for report in check_plugin("kit_both", plugins)}
    assert both == {"bad": False, "fine": True}


def test_settings_reach_the_component(plugins):
    (report,) = check_plugin("sampler/good", plugins, ["edge=0.4"])
    assert [o.check.name for o in report.outcomes if o.result == "failed"] == ["uniform"]
    with pytest.raises(ConfigError, match=r"no field 'edges'. Did you mean 'edge'\?"):
        check_plugin("sampler/good", plugins, ["edges=1"])
    with pytest.raises(ConfigError, match="sampler 'good': field 'edge'"):
        list(check_plugin("sampler/good", plugins, ["edge=-1"]))


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("kit_plane", UnknownNameError, "Did you mean 'kit_plain'"),
        ("sampler/godo", UnknownNameError, "no sampler 'godo'. Did you mean 'good'"),
        ("smapler/good", UnknownNameError, "no kind 'smapler'. Did you mean 'sampler'"),
        ("kit_empty", PluginError, "brings no components"),
        ("kit_broken", PluginError, r"kit_broken \? is broken: .*invcore_samplerz"),
    ],
)
def test_wrong_names(plugins, what, error, message):
    with pytest.raises(error, match=message):
        check_plugin(what, plugins)


def test_command_prints_json_and_ends_with_1_after_a_failure(plugins):
    result = CliRunner().invoke(cli, ["check-plugin", "kit_both", "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["what"], document["passed"]) == ("kit_both", False)
    bad = document["components"][0]
    assert (bad["kind"], bad["name"], bad["plugin"]) == ("sampler", "bad", "kit_both")
    shape = next(check for check in bad["checks"] if check["check"] == "shape")
    assert shape["outcome"] == "failed"
    assert shape["why"] == "points are torch.float32, expected float64"
    assert shape["meaning"]


def test_command_prints_a_table_and_ends_well(plugins):
    result = CliRunner().invoke(cli, ["check-plugin", "sampler/good"])
    assert result.exit_code == 0
    assert "sampler good (kit_plain)" in result.stdout
    assert "0 failed" in result.stdout

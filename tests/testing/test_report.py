"""``invcore check-plugin``: what is found, what is printed, how it ends."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
import torch
from click.testing import CliRunner

from invcore import Component, hookimpl
from invcore.base.errors import ConfigError, PluginError, UnknownNameError
from invcore.cli.main import cli
from invcore.cli.views.check_report import poor_quality, summary
from invcore.plugin import Config, Field, Sampler
from invcore.registry.loader import Plugins
from invcore.testing import CHECKS, CheckFailed, Outcome, Report, check_plugin
from invcore.testing.catalogue import HONESTY, QUALITY
from invcore.testing.expected_failures import expected_failures


class GoodConfig(Config):
    """Settings."""

    edge: float = Field(1e-9, gt=0, description="Distance to the faces.")


class Good(Sampler[GoodConfig]):
    Config = GoodConfig

    def sample(self, count, dim, generator):
        points = torch.rand(count, dim, generator=generator, dtype=torch.float64)
        return points.clamp(self.config.edge, 1 - self.config.edge)


class Raises(Sampler):
    """It cannot draw, in all checks but one."""

    def sample(self, count, dim, generator):
        if count == 7:
            raise LookupError("no seven")
        raise ValueError(f"no {count} points in\n{dim} dimensions")


class Excused(Raises):
    expected_failures = {name: "the library is closed" for name in ("shape", "range")}


class Wrongly(Good):
    expected_failures = {"range": "it was so once"}


class Misnamed(Good):
    expected_failures = {"rnage": "?"}


class Silent(Good):
    expected_failures = {"range": " "}


class Listed(Good):
    expected_failures = ["range"]


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
    for cls in (Good, Bad, Raises, Excused, Wrongly, Misnamed, Silent, Listed):
        setattr(home, cls.__name__, cls)
    monkeypatch.setitem(sys.modules, "kit_samplers", home)
    good = Component("good", "Good.", "kit_samplers:Good")
    bad = Component("bad", "Bad.", "kit_samplers:Bad")
    found = Plugins(
        [
            plugin(monkeypatch, "kit_plain", good),
            plugin(monkeypatch, "kit_both", Component("fine", "Good.", "kit_samplers:Good"), bad),
            plugin(monkeypatch, "kit_empty"),
            *(
                plugin(monkeypatch, f"kit_{n}", Component(n, "?", f"kit_samplers:{n.title()}"))
                for n in ("raises", "excused", "wrongly", "misnamed", "silent", "listed")
            ),
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


def test_one_cause_is_reported_once_with_what_it_stops(plugins):
    result = CliRunner().invoke(cli, ["check-plugin", "sampler/raises", "--json"])
    document = json.loads(result.stdout)["components"][0]
    failed = {c["check"]: c for c in document["checks"] if c["outcome"] == "failed"}
    first = document["causes"][0]
    assert first["check"] == "shape" and first["why"].startswith("ValueError: no ")
    assert len(first["stops"]) > 4 and set(first["stops"]) < set(failed)
    assert all(failed[name]["cause"] == "shape" for name in ("shape", *first["stops"]))
    stopped = [name for cause in document["causes"] for name in (cause["check"], *cause["stops"])]
    assert sorted(stopped) == sorted(failed)  # each in one group
    assert all(c["cause"] == "" for c in document["checks"] if c["outcome"] != "failed")
    assert "traceback" not in failed["shape"]
    shown = CliRunner().invoke(cli, ["check-plugin", "sampler/raises"], env={"COLUMNS": "200"})
    assert f"(stops {len(first['stops'])} more: {first['stops'][0]}," in shown.stdout
    total = sum(len(cause["stops"]) for cause in document["causes"])
    assert f"{total} stopped by these failures" in shown.stdout
    assert "Traceback" not in shown.stdout


def test_debug_shows_where_it_was_raised(plugins):
    shown = CliRunner().invoke(cli, ["--debug", "check-plugin", "sampler/raises"])
    assert 'raise ValueError(f"no {count} points' in shown.stdout
    found = CliRunner().invoke(cli, ["--debug", "check-plugin", "sampler/raises", "--json"])
    (shape,) = [
        c for c in json.loads(found.stdout)["components"][0]["checks"] if c["check"] == "shape"
    ]
    assert shape["traceback"].startswith("Traceback") and "in sample" in shape["traceback"]


def test_fail_fast_stops_at_the_first_failure(plugins):
    result = CliRunner().invoke(cli, ["check-plugin", "kit_both", "--fail-fast", "--json"])
    assert result.exit_code == 1
    (component,) = json.loads(result.stdout)["components"]  # "fine" would be next
    outcomes = [check["outcome"] for check in component["checks"]]
    assert outcomes.index("failed") == len(outcomes) - 1
    names = [check["check"] for check in component["checks"]] + component["not_run"]
    assert names == [check.name for check in CHECKS["sampler"]]
    shown = CliRunner().invoke(cli, ["check-plugin", "kit_both", "--fail-fast"])
    assert f"{len(component['not_run'])} not run" in shown.stdout


def test_expected_failures_have_their_reasons_and_excuse_themselves_alone(plugins):
    result = CliRunner().invoke(cli, ["check-plugin", "sampler/excused", "--json"])
    assert result.exit_code == 1  # the others fail all the same
    document = json.loads(result.stdout)["components"][0]
    checks = {c["check"]: c for c in document["checks"]}
    for name in ("shape", "range"):
        found = (checks[name]["outcome"], checks[name]["why"])
        assert found == ("expected failure", "the library is closed")
    assert document["causes"][0]["check"] == "single-point"
    shown = CliRunner().invoke(cli, ["check-plugin", "sampler/excused"], env={"COLUMNS": "200"})
    assert "2 expected failures" in shown.stdout and "the library is closed" in shown.stdout


def test_an_expected_failure_that_passes_is_a_failure(plugins):
    (report,) = check_plugin("sampler/wrongly", plugins)
    (outcome,) = [o for o in report.outcomes if o.result == "failed"]
    assert (outcome.check.name, report.passed, report.conforms) == ("range", False, False)
    assert "it was so once" in outcome.why and outcome.why.endswith("remove it there")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("misnamed", r"Misnamed.expected_failures: no check 'rnage'. Did you mean 'range'\?"),
        ("silent", "'range' has no reason"),
        ("listed", "expected reasons by names of checks"),
    ],
)
def test_what_cannot_be_declared(plugins, name, message):
    with pytest.raises(PluginError, match=message):
        check_plugin(f"sampler/{name}", plugins)


def made(name, kind="method"):
    return next(check for check in CHECKS[kind] if check.name == name)


def test_poor_quality_is_apart_from_conformance():
    poor = Outcome(made("ranking"), "failed", "it is the wrong way round", "ranking", CheckFailed())
    fine = Outcome(made("beats-ignoring-the-target"), "passed")
    kept = Outcome(made("shapes"), "passed")
    report = Report("method", "m", "p", (kept, fine, poor))
    assert (report.conforms, report.quality, report.passed) == (True, "poor", True)
    assert not replace(report, strict=True).passed
    assert summary(report) == "2 passed, 0 failed, 1 of poor quality, 0 not applicable"
    assert poor_quality(report).startswith("method m conforms, and its quality is poor: ranking")
    assert replace(report, outcomes=(kept, fine)).quality == "good"
    assert replace(report, outcomes=(kept,)).quality == "unknown"
    # what raises breaks the contract, whatever was looked at; so does what stops it elsewhere
    for broken in (replace(poor, error=ValueError()), replace(poor, cause="shapes")):
        found = replace(report, outcomes=(kept, fine, broken))
        assert (found.conforms, found.quality, found.passed) == (False, "unknown", False)


def test_categories_and_honesty_name_checks_that_there_are():
    for names in (QUALITY, HONESTY):
        for kind, some in names.items():
            assert some <= {check.name for check in CHECKS[kind]}
    marked = {check.name for check in CHECKS["method"] if check.category == "quality"}
    assert marked == QUALITY["method"]


@pytest.mark.parametrize("kind", HONESTY)
def test_honesty_cannot_be_excused(kind):
    for name in HONESTY[kind]:
        sly = type("Sly", (), {"expected_failures": {name: "we need it"}})
        with pytest.raises(PluginError, match=f"{name}' cannot be excused"):
            expected_failures(sly, CHECKS[kind])

"""Loading plugins: a broken one stops no other, and says why it is broken."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import click
import pytest

from invcore import Component, hookimpl
from invcore.base.errors import PluginError, UnknownNameError
from invcore.plugin import Event, Sampler
from invcore.registry.loader import Plugins

EVENT = Event("run-started", "0123456789ab")


class Points(Sampler):
    def sample(self, count, dim, generator):
        raise NotImplementedError


@pytest.fixture
def point(monkeypatch):
    """An entry point to a module with these hooks."""

    def make(name="good", module=None, **functions):
        made = types.ModuleType(module or f"fake_{name}")
        made.API_VERSION, made.Points = 1, Points
        for hook, function in functions.items():
            setattr(made, hook, hookimpl(function))
        monkeypatch.setitem(sys.modules, made.__name__, made)
        return EntryPoint(name, made.__name__, "invcore")

    return make


def component(name="points", module="fake_good"):
    return Component(name, "Made up.", f"{module}:Points")


def good(point, name="good"):
    module = f"fake_{name}"
    return point(name, invcore_samplers=lambda: [component(name, module)])


def fails(error):
    def hook(*_):
        raise error

    return hook


def misspelt_argument(evnet):
    """Not what the specification says."""


BROKEN = {
    "raises": ({"invcore_tasks": fails(ValueError("no\nreason"))}, "ValueError: no"),
    "exits": ({"invcore_tasks": fails(SystemExit("bye"))}, "SystemExit: bye"),
    "misspelt": ({"invcore_sampler": lambda: []}, "invcore_sampler"),
    "misspelt argument": ({"invcore_on_event": misspelt_argument}, "evnet"),
    "junk": ({"invcore_methods": lambda: ["na"]}, "invcore_methods returned str"),
    "text": ({"invcore_methods": lambda: "na"}, "returned str, expected Components"),
    "a number": ({"invcore_metrics": lambda: 3}, "int"),
    "one component": ({"invcore_metrics": component}, "Component"),
    "bad component": ({"invcore_tasks": lambda: [component("a b")]}, "use letters, digits"),
    "half good": (
        {"invcore_samplers": lambda: [component("half")], "invcore_tasks": fails(KeyError("k"))},
        "KeyError",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_stops_no_other(name, point, complaint):
    functions, said = BROKEN[name]
    plugins = Plugins([good(point), point("bad", **functions), good(point, "zoo")])
    infos = {info.name: info for info in plugins.infos}
    assert infos["fake_bad"].status == "broken" and said in infos["fake_bad"].cause
    assert infos["fake_bad"].cause.isprintable() and infos["fake_bad"].components == 0
    assert [infos[n].status for n in ("fake_good", "fake_zoo")] == ["ok", "ok"]
    names = [entry.component.name for entry in plugins.registry.entries("sampler")]
    assert names == ["good", "zoo"], "all or nothing of a plugin"
    assert said in complaint(UnknownNameError, plugins.registry.find, "sampler", "half")
    assert plugins.emit(EVENT) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import absent_module", "No module named 'absent_module'"),
        ("syntax error", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
    ],
)
def test_module_that_cannot_be_imported(source, said, point, tmp_path, monkeypatch):
    (tmp_path / "fake_source.py").write_text(f"API_VERSION = 1\n{source}")
    monkeypatch.syspath_prepend(tmp_path)
    bad = EntryPoint("bad", "fake_source", "invcore")
    plugins = Plugins([bad, EntryPoint("gone", "fake_absent", "invcore"), good(point)])
    causes = {info.name: info.cause for info in plugins.infos}
    assert said in causes["fake_source"] and "fake_absent" in causes["fake_absent"]
    assert plugins.registry.load("sampler", "good") is Points


def test_hook_may_give_nothing_or_a_generator(point):
    def many():
        yield component("first")
        yield component("second")

    plugins = Plugins([point(invcore_samplers=many, invcore_tasks=lambda: None)])
    assert [info.status for info in plugins.infos] == ["ok"]
    assert len(plugins.registry.entries("sampler")) == plugins.infos[0].components == 2


def test_one_name_of_two_plugins(point, complaint):
    def other():
        return [component("good", "fake_other")]

    plugins = Plugins([good(point), point("other", invcore_samplers=other)])
    message = complaint(PluginError, plugins.registry.load, "sampler", "good")
    assert "fake_good" in message and "fake_other" in message
    assert [info.status for info in plugins.infos] == ["ok", "ok"]


def test_one_entry_point_name_of_two_plugins(point):
    first = point("same", "fake_first", invcore_samplers=lambda: [component("a", "fake_first")])
    second = point("same", "fake_second", invcore_samplers=lambda: [component("b", "fake_second")])
    plugins = Plugins([first, second])
    assert [info.status for info in plugins.infos] == ["ok", "ok"]
    assert [e.component.name for e in plugins.registry.entries("sampler")] == ["a", "b"]


def test_entry_point_that_is_there_twice_does_not_undo_the_first(point):
    seen = []
    once = point(
        invcore_samplers=lambda: [component()], invcore_on_event=lambda event: seen.append(event)
    )
    plugins = Plugins([once, once])
    assert [info.status for info in plugins.infos] == ["ok", "broken"]
    assert "two entry points named 'good'" in plugins.infos[1].cause
    assert plugins.registry.load("sampler", "points") is Points
    plugins.emit(EVENT)
    assert seen == [EVENT]


def test_event_reaches_all_whatever_one_does(point):
    seen = []
    plugins = Plugins([
        point("a", invcore_on_event=lambda event: seen.append(event)),
        point("b", invcore_on_event=fails(RuntimeError("tracker is down"))),
        point("c", invcore_on_event=lambda: seen.append("no argument")),
    ])  # fmt: skip
    problems = plugins.emit(EVENT)
    assert sorted(map(str, seen)) == sorted([str(EVENT), "no argument"])
    assert len(problems) == 1
    assert "fake_b" in problems[0] and "RuntimeError: tracker is down" in problems[0]


def test_commands_are_added_whatever_one_does(point):
    group = click.Group()
    plugins = Plugins([
        point("a", invcore_commands=lambda group: group.add_command(click.Command("mine"))),
        point("b", invcore_commands=fails(ValueError("no"))),
    ])  # fmt: skip
    assert ["fake_b" in problem for problem in plugins.add_commands(group)] == [True]
    assert list(group.commands) == ["mine"]


def test_installed_plugins_are_whole():
    plugins = Plugins()
    assert [info.cause for info in plugins.infos if info.cause] == []
    for kind in ("task", "method", "sampler", "metric"):
        for entry in plugins.registry.entries(kind):
            plugins.registry.load(kind, entry.component.name)

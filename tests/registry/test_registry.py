"""Names and components: who owns what, and what is said when that is not clear."""

from __future__ import annotations

import sys
import types

import pytest

from invcore import Component
from invcore.base.errors import PluginError, UnknownNameError
from invcore.plugin import Executor, InverseMethod, Metric, Sampler, Task
from invcore.registry.registry import Entry, Registry


class Points(Sampler):
    def sample(self, count, dim, generator):
        raise NotImplementedError


class Half(Sampler):
    """It does not say how to sample."""


class HalfMethod(InverseMethod):
    def fit(self, problem, train, val, env):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def module(monkeypatch):
    made = types.ModuleType("fake_parts")
    made.Points, made.Half, made.HalfMethod, made.number = Points, Half, HalfMethod, 3
    made.function = lambda: Points()
    monkeypatch.setitem(sys.modules, "fake_parts", made)


def registry(*entries):
    made = Registry()
    for kind, name, target, plugin in entries:
        made.add(Entry(kind, Component(name, "Made up.", target), plugin, "1.0"))
    return made


TWO = registry(
    ("sampler", "points", "fake_parts:Points", "one"),
    ("method", "points", "fake_parts:HalfMethod", "one"),
    ("sampler", "taken", "fake_parts:Points", "one"),
    ("sampler", "taken", "fake_parts:Points", "two"),
)


def test_component_is_loaded_by_kind_and_name():
    assert TWO.load("sampler", "points") is Points
    assert TWO.find("method", "points").component.target == "fake_parts:HalfMethod"
    entries = TWO.entries("sampler")
    assert [e.component.name for e in entries] == ["points", "one:taken", "two:taken"]
    assert [e.name for e in entries] == ["points", "taken", "taken"]
    assert TWO.entries("task") == []


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("sampler", "point", "no sampler 'point'. Did you mean 'points'?"),
        ("sampler", "zzz", "Known: points, taken."),
        ("task", "points", "no task 'points'. Known: none."),
    ],
)
def test_unknown_name(kind, name, said, complaint):
    assert said in complaint(UnknownNameError, TWO.load, kind, name)


def test_taken_name_names_both_owners(complaint):
    message = complaint(PluginError, TWO.load, "sampler", "taken")
    assert "one 1.0 and two 1.0" in message
    states = {TWO.status(entry) for entry in TWO.entries("sampler")}
    assert states == {"ok", "name taken by one 1.0 and two 1.0"}


def test_a_qualified_name_is_the_component_of_that_plugin():
    for plugin in ("one", "two", "ONE"):
        entry = TWO.find("sampler", f"{plugin}:taken")
        assert (entry.plugin, entry.component.name) == (plugin.lower(), f"{plugin.lower()}:taken")
    assert TWO.load("sampler", "two:taken") is Points


def test_a_name_that_is_its_alone_is_the_short_one_however_it_is_typed():
    assert TWO.name_of("sampler", "points") == TWO.name_of("sampler", "one:points") == "points"
    assert TWO.name_of("sampler", "two:taken") == "two:taken"
    made = registry(("sampler", "a", "fake_parts:Points", "Some_Plugin.x"))
    assert made.name_of("sampler", "some-plugin-x:a") == "a"


def test_a_name_with_two_owners_says_what_to_type(complaint):
    message = complaint(PluginError, TWO.find, "sampler", "taken")
    assert message.endswith(": say one:taken or two:taken")
    assert TWO.clashes("sampler") == [message] and TWO.clashes("method") == []
    assert "Did you mean 'two:taken'" in complaint(
        UnknownNameError, TWO.find, "sampler", "to:taken"
    )
    assert "Did you mean 'points'" in complaint(UnknownNameError, TWO.find, "sampler", "one:point")
    twice = ("sampler", "b", "fake_parts:Points", "one")
    for name in ("b", "one:b"):
        message = complaint(PluginError, registry(twice, twice).find, "sampler", name)
        assert message == "sampler 'b' is twice in one 1.0: tell its authors"


def test_no_plugin_can_bring_a_qualified_name(complaint):
    assert "use letters" in complaint(PluginError, Component, "one:points", "s", "a:B")


def test_broken_plugin_is_mentioned_where_a_name_is_missing(complaint):
    made = registry()
    made.note("(Plugin x is broken: no reason)")
    assert "Plugin x is broken" in complaint(UnknownNameError, made.find, "task", "t")


BAD = {
    "no module": ("sampler", "absent_module:Points", "No module named 'absent_module'"),
    "no class": ("sampler", "fake_parts:Pionts", "Pionts"),
    "no type": ("sampler", "fake_parts:number", "is not a Sampler subclass"),
    "a function": ("sampler", "fake_parts:function", "is not a Sampler subclass"),
    "another kind": ("method", "fake_parts:Points", "is not a InverseMethod subclass"),
    "abstract": ("sampler", "fake_parts:Half", "Half does not define sample"),
    "half": ("method", "fake_parts:HalfMethod", "HalfMethod does not define restore"),
}


@pytest.mark.parametrize("name", BAD)
def test_component_that_cannot_be_used(name, complaint):
    kind, target, said = BAD[name]
    made = registry((kind, "bad", target, "one"))
    message = complaint(PluginError, made.load, kind, "bad")
    assert said in message and "'bad'" in message


@pytest.mark.parametrize("error", [ValueError("no\nreason"), SystemExit(3)])
def test_module_that_raises(error, monkeypatch, complaint):
    def raise_it(name):
        raise error

    monkeypatch.setattr("invcore.registry.component.importlib.import_module", raise_it)
    made = Component("bad", "Made up.", "fake_unimported:Points")
    message = complaint(PluginError, made.load)
    assert type(error).__name__ in message


@pytest.mark.parametrize("kind", [Task, InverseMethod, Sampler, Metric, Executor])
def test_contract_alone_cannot_be_made(kind):
    with pytest.raises(TypeError, match="abstract"):
        kind()


COMPONENTS = {
    "name": (("two words", "s", "a:B"), {}, "letters"),
    "empty name": (("", "s", "a:B"), {}, "letters"),
    "digit first": (("1a", "s", "a:B"), {}, "a letter first"),
    "path": (("../a", "s", "a:B"), {}, "letters"),
    "target": (("a", "s", "a.B"), {}, "package.module:Class"),
    "no class": (("a", "s", "a:"), {}, "package.module:Class"),
    "summary": (("a", " ", "a:B"), {}, "summary is empty"),
    "references": (("a", "s", "a:B"), {"references": "https://x"}, "references must be a list"),
    "tags": (("a", "s", "a:B"), {"tags": "fast"}, "tags must be a list"),
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_bad_component(name, complaint):
    words, options, said = COMPONENTS[name]
    assert said in complaint(PluginError, Component, *words, **options)


def test_component_is_frozen_data():
    made = Component("a", "s", "a.b:C", references=["r"], tags=["t"])
    assert made.references == ("r",) and made.tags == ("t",) and hash(made) == hash(made)
    with pytest.raises(AttributeError):
        made.name = "b"

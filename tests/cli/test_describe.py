from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest

from invcore.base.component_kinds import KINDS
from invcore.cli.views.component_facts import description
from invcore.cli.views.config_fields import dotted, flatten, type_text
from invcore.plugin import Config, Field
from invcore.registry.loader import installed

TASK = """
    from invcore.plugin import Config, Space, Task, Uniform, Variable

    class Settings(Config):
        file: str

    class Table(Task[Settings]):
        Config = Settings

        def simulate(self, x, context=None):
            return x

    class Wide(Task):
        designs = Space.of(
            *(Variable(name=f"w{i}", prior=Uniform(low=0.0, high=1.0)) for i in range(40))
        )
        responses = Space.of(Variable(name="y", unit="[m]", description="[bold]not markup[/bold]"))
        differentiable = False

        def simulate(self, x, context=None):
            return x[:, :1]

    @hookimpl
    def invcore_tasks():
        return [
            Component("table", "A table.", "fake_alpha:Table"),
            Component("wide", "Forty numbers. [red]", "fake_alpha:Wide", references=["R1", "R2"]),
        ]
"""
ALL = [
    (kind, entry.component.name) for kind in KINDS for entry in installed().registry.entries(kind)
]


@pytest.mark.parametrize(
    ("name", "answers", "words"),
    [
        (
            "na",
            ["exact", "intervals"],
            ["itself: follows what violates them", "the core asks each candidate for a bit more"],
        ),
        (
            "mdn",
            ["exact"],
            ["the core asks it for responses drawn inside them", "the core asks each candidate"],
        ),
        (
            "flow-matching",
            ["exact", "partial"],
            ["drawn inside them, one a candidate; those that may have any value are left open"],
        ),
        (
            "cma-es",
            ["exact", "intervals", "goals"],
            ["goals itself: follows them where all else is met"],
        ),
        (
            "bfgs",
            ["exact", "intervals"],
            ["leaves them as each start has them", "the core moves whatever it proposes"],
        ),
    ],
)
def test_a_method_says_what_it_makes_of_specifications(call, name, answers, words):
    out = " ".join(call("describe", "method", name).out.split())
    assert all(word in out for word in words), out
    assert json.loads(call("describe", "method", name, "--json").out)["answers"] == answers


@pytest.mark.filterwarnings("ignore")  # of what plugins import
@pytest.mark.parametrize("kind, name", ALL)
def test_every_component_can_be_described(call, kind, name):
    done = call("describe", kind, name)
    assert done.code == 0 and done.err == ""
    known = json.loads(call("describe", kind, name, "--json").out)
    assert (known["kind"], known["name"]) == (kind, name)
    for row in known["settings"]:
        assert row["field"] in done.out
        assert row["meaning"], f"{kind} {name}: {row['field']} has no description"
        assert row["required"] or row["default"] is not None or "none" in row["type"]
    fields = {row["field"] for row in known["settings"]}
    for changes in known["presets"].values():
        assert {field.split(".")[0] for field in changes} <= {f.split(".")[0] for f in fields}
    assert ("needs" in known) == (kind == "method")
    opened = "bundle" in fields  # its spaces are those of a folder
    assert ("designs" in known) == (kind == "task" and not opened)


def test_the_json_of_a_sampler(call, sampler):
    sampler("alpha", "made-up")
    assert json.loads(call("describe", "sampler", "made-up", "--json").out) == {
        "kind": "sampler",
        "name": "made-up",
        "summary": "Points, made up.",
        "description": "Points that are made up, in two lines.",
        "plugin": "alpha",
        "version": "1.0",
        "target": "fake_alpha:Made",
        "tags": ["fake"],
        "references": [],
        "settings": [
            {
                "field": "tries",
                "type": "int",
                "required": False,
                "default": 3,
                "limits": {"ge": 1, "le": 10},
                "choices": [],
                "meaning": "How often it tries.",
            }
        ],
        "presets": {"quick": {"tries": 1}, "paper/sine-wave": {"tries": 9}},
        "latin": True,
    }


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_people_read_the_same(call, sampler, monkeypatch, columns):
    sampler("alpha", "made-up")
    monkeypatch.setenv("COLUMNS", columns)
    done = call("describe", "sampler", "made-up")
    for text in ("alpha 1.0", "tries", ">= 1, <= 10", "How often it tries.", "paper/sine-wave"):
        assert text in done.out
    assert max(map(len, done.out.splitlines())) <= int(columns)


def test_a_task_that_needs_settings_says_so(call, site):
    site.add("alpha", TASK)
    known = json.loads(call("describe", "task", "table", "--json").out)
    assert "designs" not in known and "file" in known["note"]
    assert [(row["field"], row["required"]) for row in known["settings"]] == [("file", True)]
    done = call("describe", "task", "table")
    assert done.code == 0 and "(required)" in done.out and "\nnote" in done.out


def test_a_large_space_is_cut_for_people_only(call, site):
    site.add("alpha", TASK)
    done = call("describe", "task", "wide")
    assert "and 24 more; --json has all" in done.out
    assert "[bold]not markup[/bold]" in done.out and "Forty numbers. [red]" in done.out
    assert "- R1\n- R2\n" in done.out and "no settings" in done.out
    known = json.loads(call("describe", "task", "wide", "--json").out)
    assert len(known["designs"]) == 40 and known["differentiable"] is False
    assert known["reference"] is None and known["context"] == {}
    assert known["designs"][0] == {
        "name": "w0",
        "unit": "",
        "prior": {"kind": "uniform", "low": 0.0, "high": 1.0},
        "low": 0.0,
        "high": 1.0,
        "whole": False,
        "description": "",
    }
    assert known["responses"][0]["low"] is None and known["responses"][0]["prior"] is None


@pytest.mark.parametrize(
    "words, said",
    [
        (["sampler", "made-pu"], "no sampler 'made-pu'. Did you mean 'made-up'?"),
        (["method", "made-up"], "no method 'made-up'. Known: none."),
        (["samplr", "made-up"], "'samplr' is not one of"),
        (["sampler"], "Missing argument 'NAME'"),
    ],
)
def test_wrong_words(call, sampler, words, said):
    sampler("alpha", "made-up")
    done = call("describe", *words)
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1
    assert said in done.err


class Inner(Config):
    rate: float = Field(0.5, gt=0, lt=1, description="How fast.")


class Outer(Config):
    inner: Inner = Inner(rate=0.25)
    other: Inner = Field(default_factory=Inner)
    mode: Literal["a", "b"] | None = None
    sizes: tuple[int, ...] = Field((8, 8), min_length=1)
    name: str
    extra: dict[str, float] = {}


def test_fields_are_flattened_with_the_defaults_that_hold():
    rows = {row.field: row for row in flatten(Outer)}
    assert list(rows) == ["inner.rate", "other.rate", "mode", "sizes", "name", "extra"]
    assert rows["inner.rate"].default == 0.25 and rows["other.rate"].default == 0.5
    assert rows["inner.rate"].limits == {"gt": 0, "lt": 1}
    assert rows["inner.rate"].allowed == "> 0, < 1"
    assert rows["mode"].choices == ("a", "b") and rows["mode"].default is None
    assert rows["sizes"].default == [8, 8] and rows["sizes"].allowed == "length >= 1"
    assert rows["name"].required and not rows["mode"].required


@pytest.mark.parametrize(
    "annotation, said",
    [
        (int, "int"),
        (str, "text"),
        (Any, "anything"),
        (float | None, "float or none"),
        (Annotated[int, "remark"], "int"),
        (dict[str, list[float]], "table of list of float"),
        (tuple[int, str], "list of int, text"),
        (tuple[Literal["a"], ...], "list of choice"),
        (Inner, "Inner"),
    ],
)
def test_types_in_words(annotation, said):
    assert type_text(annotation) == said


def test_dotted_keeps_empty_tables():
    assert dotted({"a": {}, "b": {"c": {"d": (1,)}}}) == {"a": {}, "b.c.d": [1]}


def test_a_docstring_keeps_its_lists_and_stops_at_its_sections():
    class Listed:
        """One, ``code``.

        * first
        * second

        Raises:
            Nothing: ever.
        """

    assert description(Listed) == "One, `code`.\n\n* first\n* second"
    assert description(type("Bare", (), {})) == ""


def test_a_task_with_a_reference_and_a_context(call):
    said = call("describe", "task", "billiards").out
    assert "bfgs, for better-than-reference" in said and "balls (3, 2) of each target" in said

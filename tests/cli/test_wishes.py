"""Wishes on the command line: what is shown, completed and refused."""

from __future__ import annotations

import click
import pytest

from invcore.cli.commands.run import run as command
from invcore.cli.options import WishText
from invcore.results import read_bench

TINY = (
    "--preset", "quick", "--candidates", "4", "--targets", "6", "--set", "pairs=60",
    "--set", "method.surrogate.training.epochs=1", "--set", "method.surrogate.width=8",
)  # fmt: skip
WISHES = ("--response", "cost = x1^2", "--want", "y=±0.5", "--want", "cost=min")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_with_wishes_shows_them_and_who_meets_them(call, folder):
    done = call("run", *TINY, *WISHES)
    assert done.code == 0, done.err
    assert "response: cost = x1^2\nwant: cost=min; y=±0.5\n" in done.out
    lines = [line.split()[0] for line in done.out.splitlines() if line.strip()]
    assert lines.index("share-met") < lines.index("r_T,")
    said = " ".join(done.out.split())  # whatever the width of the screen
    assert "not measured: c2st" in said and "exact responses" in said
    document = call("run", *TINY, *WISHES, "--json").json
    assert document["specification"] == {
        "want": ["cost=min", "y=±0.5"], "derived": ["cost = x1^2"]
    }  # fmt: skip
    assert document["stored"] and document["targets"] == 6
    names = {m["name"] for m in document["metrics"]}
    assert {"share-met", "targets-met", "lowest-cost", "improvement-cost", "variety-10"} <= names
    assert "(wishes)" in call("results", "list").out
    shown = call("results", "show", document["id"][:8])
    assert "want: cost=min; y=±0.5" in shown.out


def test_a_file_is_a_target_a_row(call, folder):
    (folder / "wishes.csv").write_text("y\n0.2:0.4\n>=1\n")
    done = call("run", *TINY, "--want-file", "wishes.csv")
    assert "want: 2 specifications of wishes.csv, first: y=0.2:0.4" in done.out
    assert "4 candidates x 2 targets" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--want", "z=1"], "no response 'z'"), (["--want", "y=soft"], "'soft' is no wish"),
        (["--want-file", "none.csv"], "no such file"), (["--want", "y>=1, <=0"], "contradict"),
        (["--response", "y = 2*x1"], "there already"), (["--response", "c = 2*z"], "'z'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(call, folder, words, said):
    done = call("run", *TINY, *words)
    assert done.code == 2 and said in done.err and done.err.count("\n") == 1


def test_names_of_responses_are_completed():
    context = click.Context(command)
    context.params = {"task": "sine-wave", "responses": ("cost = x1^2", "`my cost` = x2")}
    option = next(p for p in command.params if p.name == "want")
    found = [item.value for item in WishText().shell_complete(context, option, "")]
    assert found == ["y=", "cost=", "`my cost`="]
    context.params = {"task": "no-such-task"}
    assert WishText().shell_complete(context, option, "") == []


def test_a_bench_with_wishes_says_who_meets_them(call, folder):
    (folder / "bench.toml").write_text(
        'name = "wishes"\ntasks = ["sine-wave"]\nsamplers = ["random"]\nseeds = [0]\npairs = 60\n'
        'candidates = 4\nwant = ["y=0.2:0.8"]\npreset = "quick"\n'
        'methods = [{name = "na", surrogate = {width = 8, training = {epochs = 1}}}]\n'
    )
    done = call("bench", "bench.toml")
    assert done.code == 0, done.err
    assert "met_1" in done.out and "1/1" in done.out
    row = call("bench", "bench.toml", "--json").json["summary"][0]
    assert 0 <= row["met_1"] <= row["met"] <= 1
    from invcore import Store

    assert read_bench(Store("runs"), "wishes").count("ok") == 1


def test_a_bad_wish_of_a_bench_has_its_line(call, folder):
    (folder / "bench.toml").write_text(
        'name = "wishes"\ntasks = ["sine-wave"]\nsamplers = ["random"]\nseeds = [0]\n'
        'methods = ["na"]\nwant = ["z=0.2:0.8"]\n'
    )
    done = call("bench", "bench.toml")
    assert done.code == 2 and "bench.toml, line 6" in done.err and "'z'" in done.err

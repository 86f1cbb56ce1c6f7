"""``plugin:name`` wherever a component is named: the same run where the name is clear."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

SMALL = ["--targets", "3", "--candidates", "2", "--device", "cpu", "--method", "random-search"]
TASK, METRIC = "invcore-classic:sine-wave", "invcore-metrics:r_T"


@pytest.fixture(autouse=True)
def plugins(site, sampler, tmp_path, monkeypatch):
    """Those installed, and three of which two share a name."""
    site.points += entry_points(group="invcore")
    for plugin, name in (("alpha", "twin"), ("beta", "twin"), ("gamma", "single")):
        sampler(plugin, name)
    monkeypatch.chdir(tmp_path)


def test_a_run_is_the_same_however_its_components_are_typed(call, tmp_path):
    first = call("run", *SMALL, "--sampler", "single", "--json").json
    words = ["--sampler", "gamma:single", "--task", TASK, "--set", f"metrics.{METRIC}=true"]
    second = call("run", *SMALL, *words, "--json").json
    assert second["stored"] and second["id"] == first["id"]
    named = [second[slot] for slot in ("task", "method", "sampler")]
    assert named == ["sine-wave", "random-search", "single"]
    (tmp_path / "run.toml").write_text(f'task = "{TASK}"\nsampler = "gamma:single"\n')
    assert call("run", *SMALL, "--config", "run.toml", "--json").json["id"] == first["id"]
    (tmp_path / "bench.toml").write_text(
        'name = "both"\nseeds = [0]\ntargets = 3\ncandidates = 2\ndevice = "cpu"\n'
        f'tasks = ["sine-wave", "{TASK}"]\nsamplers = ["gamma:single"]\n'
        'methods = ["random-search"]\n'
    )
    cells = call("bench", "bench.toml", "--json").json["cells"]
    assert {cell["id"] for cell in cells} == {first["id"]}
    scored = call("rescore", first["id"], "--metric", METRIC, "--force", "--json").json
    assert scored["runs"][0]["metrics"] == ["r_T"]


def test_where_two_claim_a_name_each_has_runs_of_its_own(call):
    refused = call("run", *SMALL, "--sampler", "twin")
    assert refused.code == 2 and refused.err.endswith(": say alpha:twin or beta:twin\n")
    made = [call("run", *SMALL, "--sampler", f"{p}:twin", "--json").json for p in ("alpha", "beta")]
    assert [document["sampler"] for document in made] == ["alpha:twin", "beta:twin"]
    assert made[0]["id"] != made[1]["id"]
    again = call("run", *SMALL, "--sampler", "Alpha:twin", "--json").json
    assert again["stored"] and again["id"] == made[0]["id"]
    shown = call("results", "list").out
    assert "alpha:twin" in shown and "beta:twin" in shown


def test_a_fitted_model_is_the_same_however_its_method_is_typed(call, tmp_path):
    rows = "".join(f"{i / 20},{(i / 20) ** 2}\n" for i in range(60))
    (tmp_path / "table.csv").write_text("x,y\n" + rows)
    few = ["--set", "surrogate.training.epochs=1", "--preset", "quick", "--candidates", "2"]
    table = ["--table", "table.csv", "--design-columns", "x"]
    table += ["--response-columns", "y", "--target", "1", "--store", "runs", "--out", "out.csv"]
    made = [call("solve", *table, "--method", m, *few, "--json") for m in ("na", "invcore-na:na")]
    assert [done.code for done in made] == [0, 0], made[0].err
    assert made[0].json["id"] == made[1].json["id"]
    assert made[1].json["method"] == "mixes+na"


def test_the_kit_checks_one_of_two(call):
    document = call("check-plugin", "sampler/beta:twin", "--set", "tries=2", "--json").json
    (component,) = document["components"]
    assert (component["name"], component["plugin"]) == ("beta:twin", "beta")

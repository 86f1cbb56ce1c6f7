"""``invcore run``: the document it prints, its files, its cache, and how it fails."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

SMALL = [
    "--targets", "6", "--candidates", "5", "--device", "cpu", "--sampler", "random",
    "--set", "pairs=60", "--set", "surrogate.training.epochs=2", "--set", "surrogate.width=8",
]  # fmt: skip
CONFIG = {
    "targets": 6, "candidates": 5, "pairs": 60, "device": "cpu", "sampler": "random", "seed": 4,
    "method": {"name": "na", "surrogate": {"width": 8, "training": {"epochs": 2}}},
}  # fmt: skip
TOML = """
targets = 6
candidates = 5
pairs = 60
device = "cpu"
sampler = "random"
seed = 4
[method]
name = "na"
[method.surrogate]
width = 8
training = { epochs = 2 }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def curve(document):
    """r_T by T."""
    return {m["T"]: m for m in document["metrics"] if m["name"] == "r_T"}


@pytest.fixture
def document(call):
    """The document that a run prints."""

    def work(*words, code=0):
        outcome = call("run", *words, "--json")
        assert (outcome.code, outcome.err) == (code, "")
        return json.loads(outcome.out)

    return work


def test_document_has_exactly_the_keys_that_are_promised(document):
    found = document(*SMALL)
    assert list(found) == [
        "id", "status", "task", "method", "sampler", "candidates", "targets", "seed", "device",
        "threads", "metrics", "timings", "simulator_calls", "search_calls", "training_calls",
        "answered", "parameters", "created", "outdated", "stored", "not_measured", "path",
    ]  # fmt: skip
    facts = {key: found[key] for key in ("status", "task", "method", "sampler", "device")}
    assert facts == {
        "status": "ok", "task": "sine-wave", "method": "na", "sampler": "random", "device": "cpu",
    }  # fmt: skip
    assert (found["candidates"], found["targets"], found["seed"]) == (5, 6, 0)
    assert found["simulator_calls"] == 30 and found["parameters"] > 100
    assert (found["search_calls"], found["training_calls"], found["answered"]) == (0, 60, 1.0)
    assert not found["stored"] and not found["outdated"]
    assert set(found["timings"]) == {"fit_s", "propose_s", "simulate_s"}
    assert all(seconds >= 0 for seconds in found["timings"].values())
    assert Path(found["path"]) == Path("runs") / found["id"] and Path(found["path"]).is_dir()
    keys = {"name", "metric", "value", "infinite", "ci_low", "ci_high", "unit", "better", "old"}
    for metric in found["metrics"]:
        assert set(metric) - {"T"} == keys and metric["better"] in ("lower", "higher", "")
    best = curve(found)
    assert list(best) == [1, 2, 5]
    values = [m["value"] for m in best.values()]
    assert values == sorted(values, reverse=True) and values[-1] >= 0
    assert all(m["ci_low"] <= m["value"] <= m["ci_high"] for m in best.values())


def test_several_seeds_by_workers(document, call):
    """Each seed's run has the id and the files that it has alone; stored ones are not repeated."""
    alone = document(*SMALL, "--seed", "1")
    words = (*SMALL, "--seeds", "0-1,3", "--jobs", "1", "--time-limit", "5min")
    found = json.loads(call("run", *words, "--json").out)
    assert [each["seed"] for each in found] == [0, 1, 3]
    assert [each["status"] for each in found] == ["ok"] * 3
    assert [each["stored"] for each in found] == [False, True, False]
    assert found[1]["id"] == alone["id"]
    shown = call("run", *SMALL, "--seeds", "1")
    assert shown.code == 0 and alone["id"] in shown.out


@pytest.mark.parametrize("ending", ["toml", "yaml"])
def test_config_file_flags_and_settings_lie_over_each_other(ending, document, folder):
    text = TOML if ending == "toml" else json.dumps(CONFIG)  # JSON is YAML
    (folder / f"a.{ending}").write_text(text)
    file = ["--config", f"a.{ending}"]
    assert document(*SMALL, "--seed", 4)["id"] == document(*file)["id"]
    found = document(*file, "--seed", 5, "--targets", 7, "--set", "candidates=3", "--store", "here")
    assert [found[key] for key in ("seed", "targets", "candidates")] == [5, 7, 3]
    assert found["path"] == f"here/{found['id']}"


def test_stored_run_is_shown_again(call, document, monkeypatch):
    first = document(*SMALL)
    with monkeypatch.context() as nothing_runs:
        nothing_runs.setattr("invcore.runs.runner._Run", None)
        assert document(*SMALL) == first | {"stored": True}
        code, out, _ = call("run", *SMALL)
    assert code == 0 and first["id"] in out and "r_T" in out and "95% interval" in out
    day = first["created"][:16].replace("T", " ")
    assert f"a stored result, of {day} (--force repeats the run)" in out
    again = document(*SMALL, "--force")
    assert curve(again) == curve(first) and again["id"] == first["id"]


def test_run_that_diverges(call, document, folder):
    wild = [*SMALL, "--set", "surrogate.training.lr=1e30"]
    found = document(*wild, code=4)
    assert found["status"] == "diverged" and "lower lr" in found["reason"]
    assert found["metrics"] == [] and Path(found["path"]).is_dir()
    code, out, err = call("run", *wild)
    assert code == 4 and "diverged: surrogate diverged in epoch" in out and err == ""


@pytest.mark.parametrize("name", ["run.json", "candidates.safetensors", "model.safetensors"])
def test_damaged_run_is_repeated(document, name):
    first = document(*SMALL)
    path = Path(first["path"]) / name
    path.write_bytes(path.read_bytes()[:-7])
    again = document(*SMALL)
    assert curve(again) == curve(first) and len(path.read_bytes()) > 7


def test_preset_of_a_file_is_that_of_the_components(document, folder):
    (folder / "a.toml").write_text('preset = "quick"\n')
    small = ["--set", "pairs=60", "--set", "surrogate.width=8", "--sampler", "random"]
    sizes = ["--targets", "6", "--set", "surrogate.training.epochs=1", "--device", "cpu"]
    found = document("--config", "a.toml", *small, *sizes)
    assert (found["targets"], found["candidates"]) == (6, 64)
    assert document("--preset", "quick", *small, *sizes)["id"] == found["id"]
    assert document("--set", "preset=quick", *small, *sizes)["id"] == found["id"]


FILES = {
    "broken.toml": ("pairs = \n", "broken.toml: ", "line 1"),
    "field.toml": ("pars = 3\n", "field.toml: ", "Did you mean 'pairs'"),
    "type.toml": ('pairs = "3"\n', "type.toml: ", "field 'pairs'"),
    "preset.toml": ("preset = 3\n", "preset 3", "quick"),
    "preset.yaml": ("preset: [quick]\n", "preset ['quick']", "quick"),
    "method.toml": ("method = 3\n", "method", "3"),
    "nameless.toml": ("[method]\nboundary = false\n", "method", "name"),
    "setting.toml": ('[method]\nname = "na"\nbondary = false\n', "method 'na'", "'boundary'"),
    "list.yaml": ("- 3\n", "list.yaml: ", "key: value"),
    "settings.json": ("{}", "settings.json: ", ".toml, .yaml or .yml"),
    "date.toml": ("seed = 2020-01-01\n", "date.toml: ", "date"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_file_is_refused_in_one_line(name, call, folder):
    text, *said = FILES[name]
    (folder / name).write_text(text)
    refused(call("run", "--config", name), *said)
    assert [path.name for path in folder.iterdir()] == [name]


LINES = {
    "seeds": (["--seeds", "3-1"], "expected up to 10,000 seeds from 0"),
    "seed list": (["--seeds", "a,b"], "expected 0-4, or 0,2,7"),
    "limit": (["--time-limit", "4 fortnights"], "expected a time such as 90s or 10min"),
    "no pool": (["--executor", "serial", "--memory-limit", "1G"], "'serial' keeps no limits"),
    "scheduler": (["--jobs", "2", "--scheduler", "tcp://x"], "'processes' has no scheduler to set"),
    "task": (["--task", "sinewave"], "Did you mean 'sine-wave'?"),
    "method": (["--method", "ipgae"], "Did you mean 'ipage'?"),
    "sampler": (["--sampler", "lhss"], "Did you mean 'lhs'"),
    "file": (["--config", "absent.toml"], "absent.toml: cannot be read"),
    "candidates": (["--candidates", "0"], "field 'candidates'"),
    "targets": (["--targets", "x"], "--targets"),
    "seed": (["--seed", "-1"], "field 'seed'"),
    "preset": (["--preset", "fast"], "--preset"),
    "setting": (["--set", "pairz=3"], "'pairs'"),
    "setting's form": (["--set", "pairs"], "expected key=value"),
    "setting's value": (["--set", "pairs=many"], "field 'pairs'"),
    "deep setting": (["--set", "surrogate.widht=3"], "Did you mean 'width' or"),
    "metric": (["--set", "metrics.r_t.T=[1]"], "Did you mean 'r_T'?"),
    "device": (["--device", "cuda:99"], "no device 'cuda:99'"),
    "option": (["--tasks", "sine-wave"], "--task"),
    "word": (["sine-wave"], "sine-wave"),
}


@pytest.mark.parametrize("name", LINES)
def test_bad_line_is_refused_in_one_line(name, call, folder):
    words, said = LINES[name]
    refused(call("run", *words), said)
    assert list(folder.iterdir()) == []


def refused(outcome, *said):
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ") and outcome.err.count("\n") == 1, outcome.err
    assert all(part in outcome.err for part in said), outcome.err


def test_store_that_cannot_be_written(call, folder):
    (folder / "file").write_text("x")
    code, out, err = call("run", *SMALL, "--store", "file/runs")
    assert (code, out) == (3, "") and err.startswith("error: file/runs: cannot be written")


def test_interrupt(call, monkeypatch, folder):
    def interrupt(*args, **options):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("invcore_na.method.fit_surrogate", interrupt)
    code, out, err = call("run", *SMALL)
    assert (code, out) == (130, "") and err.strip().startswith("error: interrupted")
    assert [path.name for path in (folder / "runs").iterdir()] == [".cache"]


def test_debug_raises(monkeypatch):
    from invcore.cli.main import main

    with pytest.raises(KeyError, match="no task 'x'"):
        main(["run", "--task", "x", "--debug"])


def test_tolerances_are_no_part_of_the_run_and_score_it_anew(document, folder):
    """The same run under other tolerances: one folder, other yields."""
    (folder / "c.csv").write_text("x1,x2\n1,0.5\n0.5,1\n")
    words = [*SMALL, "--task", "robotic-arm"]
    plain = document(*words)

    def yields(found):
        assert found["id"] == plain["id"]
        return [m["value"] for m in found["metrics"] if m["name"] == "yield"]

    assert yields(plain) == []
    wide = ["--set", "metrics.robustness.within=3.0"]
    small = document(*words, "--tolerance", "*=±1e-9", "--tolerance", "@c.csv", *wide)
    scoring = json.loads((folder / "runs" / plain["id"] / "run.json").read_text())["scoring"]
    asked = scoring["robustness"]["settings"]["tolerances"]
    assert asked == ["*=±1e-9", "correlation x1,x2=0.5"]
    large = document(*words, "--tolerance", "*=±100", *wide)
    assert len(yields(small)) == 2 and min(yields(small)) > max(yields(large))


def test_refinement_is_said_and_part_of_the_document(call, document):
    found = document(*SMALL, "--refine", "3")
    assert found["refine"] == 3
    assert 0 < found["search_calls"] <= 3 * 6
    shown = call("run", *SMALL, "--refine", "3")
    assert "by at most 3 simulator calls a target" in shown.out.replace("\n", " ")
    assert "the best first" in shown.out
    again = call("results", "show", found["id"])
    assert "by at most 3 simulator calls a target" in again.out.replace("\n", " ")
    assert "refine" not in document(*SMALL)

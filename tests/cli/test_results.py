from __future__ import annotations

import csv
import json
import os

import pytest
import torch

from invcore.storage.run_record import MetricRecord, RunRecord, Timings
from invcore.storage.store import Store

COMMON = {"sampler": "lhs", "candidates": 64, "targets": 20, "seed": 3, "device": "cpu"}
METRICS = (
    MetricRecord(name="r_T", T=1, value=0.5, ci_low=0.4, ci_high=0.6),
    MetricRecord(name="r_T", T=50, value=0.125, ci_low=0.1, ci_high=0.2),
    MetricRecord(name="parameters", value=12.0, better=""),
    MetricRecord(name="unsaid", value=None),
)


def record(run, **facts):
    return RunRecord(id=run, created="2026-07-01T12:34:56+00:00", **{**COMMON, **facts})


@pytest.fixture
def store(tmp_path):
    """A good run, a failed one, and three that are damaged in different ways, in that order."""
    made = Store(tmp_path / "runs")
    good = {"task": "sine-wave", "method": "na", "metrics": METRICS, "parameters": 12}
    times = Timings(fit_s=1.5, propose_s=0.5, simulate_s=0.25)
    tensors = {"model": {"w": torch.zeros(3)}}
    made.write(record("aa0000000000", **good, timings=times), tensors=tensors)
    failed = {"task": "ballistics", "method": "ipage", "status": "diverged", "reason": "lr [big]"}
    made.write(record("ab0000000000", **failed))
    for run in ("b10000000000", "b20000000000", "b30000000000"):
        made.write(record(run, task="sine-wave", method="na"), tensors=tensors)
    (made.path("b10000000000") / "run.json").write_text('{"id": ')
    (made.path("b20000000000") / "model.safetensors").unlink()
    with (made.path("b30000000000") / "model.safetensors").open("ab") as file:
        file.write(b"x")
    for i, run in enumerate(sorted(p.name for p in made.root.iterdir())):
        os.utime(made.path(run), (1e9 + i, 1e9 + i))
    return made


DAMAGES = {
    "b10000000000": "run.json: damaged",
    "b20000000000": "model.safetensors: missing",
    "b30000000000": "model.safetensors: damaged, its checksum",
}


def _list(call, store, *words):
    done = call("results", "list", "--json", "--store", str(store.root), *words)
    assert done.code == 0
    return json.loads(done.out)


def test_lists_all_runs_and_what_is_damaged(call, store):
    rows = _list(call, store)
    assert [row["id"] for row in rows] == ["aa0000000000", "ab0000000000", *DAMAGES]
    good, failed, *damaged = rows
    assert (good["status"], good["r_1"], good["r_50"]) == ("ok", 0.5, 0.125)
    assert (failed["status"], failed["reason"], failed["r_1"]) == ("diverged", "lr [big]", None)
    for row in damaged:
        assert row["status"] == "damaged" and row["task"] is None
        assert DAMAGES[row["id"]] in row["reason"]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_for_people(call, store, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = call("results", "list", "--store", str(store.root))
    assert done.code == 0 and done.err == ""
    head, _, good, *_ = done.out.splitlines()
    assert good.split()[0] == "aa0000000000" and good.split()[-4:] == ["ok", "0.5", "0.125", "-"]
    assert "ab0000000000 diverged: lr [big]" in done.out
    assert ("when" in head) == ("2026-07-01 12:34" in good) == (columns == 120)
    for run in DAMAGES:
        assert f"{run} damaged: " in done.out


def test_a_record_cannot_steer_the_terminal(call, tmp_path):
    hostile = {"method": "na\x1b]0;title\x07", "status": "error", "reason": "one\ntwo\x1b[2J"}
    Store(tmp_path).write(record("aa0000000000", task="sine-wave", **hostile))
    done = call("results", "list", "--store", str(tmp_path))
    assert "\x1b" not in done.out and "\x07" not in done.out
    assert "aa0000000000 error: one two\\x1b[2J" in done.out


@pytest.mark.parametrize(
    "words, found",
    [
        (["--task", "sine-wave"], ["aa0000000000"]),
        (["--method", "ipage"], ["ab0000000000"]),
        (["--status", "ok"], ["aa0000000000"]),
        (["--status", "damaged"], [*DAMAGES]),
        (["--task", "sine-wave", "--status", "diverged"], []),
    ],
)
def test_filters(call, store, words, found):
    assert [row["id"] for row in _list(call, store, *words)] == found


def test_nothing_to_list(call, store, tmp_path):
    none = call("results", "list", "--out", str(store.root), "--task", "unheard-of")  # as --store
    assert none.code == 0 and "none of the 5 runs" in none.out
    absent = call("results", "list", "--store", str(tmp_path / "no"))
    assert absent.code == 0 and "does not exist; begin with `invcore run`" in absent.out
    (tmp_path / "empty").mkdir()
    empty = call("results", "list", "--store", str(tmp_path / "empty"))
    assert empty.code == 0 and "begin with `invcore run`" in empty.out
    assert call("results", "list", "--json", "--store", str(tmp_path / "no")).out.strip() == "[]"
    assert not (tmp_path / "no").exists()


def test_show_takes_the_beginning_of_an_id(call, store):
    shown = call("results", "show", "aa", "--store", str(store.root))
    assert shown.code == 0 and "na on sine-wave" in shown.out and "r_T, T=50" in shown.out
    known = json.loads(call("results", "show", "aa", "--json", "--store", str(store.root)).out)
    assert known["id"] == "aa0000000000" and len(known["metrics"]) == 4
    assert call("results", "show", "ab", "--store", str(store.root)).code == 0


@pytest.mark.parametrize(
    "run, code, said",
    [("b1", 3, "damaged"), ("b2", 3, "missing"), ("b3", 3, "checksum"), ("a", 2, "could be"),
     ("aa00000000ff", 2, "Did you mean 'aa0000000000'"), ("", 2, "no run ''")],
)  # fmt: skip
def test_show_says_in_one_line_what_is_wrong(call, store, run, code, said):
    done = call("results", "show", run, "--store", str(store.root))
    assert done.code == code and said in done.err
    assert done.err.startswith("error: ") and done.err.count("\n") == 1


def _csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_export_has_a_row_for_each_run_and_metric(call, store, tmp_path):
    path = tmp_path / "all.csv"
    done = call("results", "export", str(path), "--store", str(store.root))
    assert done.code == 0 and done.out == f"5 rows of 2 runs in {path}\n"
    assert done.err.count("note: left out") == 3
    first, second, _, unsaid, failed = _csv(path)
    assert (first["metric"], float(first["T"]), float(first["value"])) == ("r_T", 1, 0.5)
    assert float(second["ci_high"]) == 0.2 and first["fit_s"] == "1.5"
    assert unsaid["value"] == unsaid["T"] == "nan"
    assert (failed["status"], failed["metric"], failed["value"]) == ("diverged", "", "nan")


def test_wide_export_has_a_row_for_each_run(call, store, tmp_path):
    path = tmp_path / "all.csv"
    words = ["results", "export", str(path), "--wide", "--json", "--store", str(store.root)]
    assert json.loads(call(*words).out) == {
        "path": str(path), "rows": 2, "runs": 2, "left_out": [*DAMAGES]
    }  # fmt: skip
    good, failed = _csv(path)
    assert (good["r_T_50"], good["r_T_50_ci_low"], failed["r_T_50"]) == ("0.125", "0.1", "nan")
    assert (good["parameters"], good["metric_parameters"]) == ("12", "12.0")


def test_parquet_export(call, store, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "all.parquet"
    assert call("results", "export", str(path), "--store", str(store.root)).code == 0
    assert parquet.read_table(path).column("metric").to_pylist()[0] == "r_T"


@pytest.mark.parametrize(
    "name, words, said",
    [
        ("all.xls", [], "cannot write '.xls'"),
        ("no/all.csv", [], "its folder does not exist"),
        ("all.csv", ["--task", "unheard-of"], "nothing to export: none of the 5 runs"),
        ("all.csv", ["--status", "damaged"], "nothing to export"),
    ],
)
def test_an_export_that_fails_leaves_the_file_as_it_was(call, store, tmp_path, name, words, said):
    before = tmp_path / "all.csv"
    before.write_text("before")
    done = call("results", "export", str(tmp_path / name), "--store", str(store.root), *words)
    assert done.code == 2 and said in done.err and before.read_text() == "before"
    assert done.err.splitlines()[-1].startswith("error: ")

"""``invcore solve``: what it says of a user's mistakes, and what it leaves behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from invcore import Store
from invcore.data.tables.read import read_table
from invcore.plugin import generator

X = torch.rand(120, 2, generator=generator(0), dtype=torch.float64).numpy()
QUICK = ["--surrogate", "linear", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Tables of a user, in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    y = X.sum(1, keepdims=True)

    def save(name, table, head="", end=""):
        rows = "".join(",".join(map(repr, row)) + "\n" for row in table.tolist())
        Path(name).write_text(head + rows + end)

    save("x.csv", X, "length,width\n")
    save("y.csv", y, "gap\n")
    save("all.csv", np.c_[X, y, y**2], "length,width,gap,mass\n")
    save("short.csv", y[:-1], "gap\n")
    save("few.csv", np.c_[X, y][:9], "length,width,gap\n")
    save("ragged.csv", X, "length,width\n", "0.5\n")
    save("text.csv", np.c_[X, y], "length,width,gap\n", "0.5,abc,1.0\n")
    save("bad_gap.csv", np.c_[X, y], "length,width,gap\n", "0.5,0.5,about 1\n")
    save("constant.csv", np.c_[X, np.ones(120)], "length,width,gap\n")
    save("t.csv", np.array([[0.6], [1.2]]), "gap\n")
    save("t2.csv", np.array([[0.6, 1.0]]), "load,mass\n")
    Path("empty.csv").write_text("")
    Path("bad.toml").write_text('designs = ["lenght"]\nresponses = ["gap"]\n')
    return tmp_path


TABLES = ["--x", "x.csv", "--y", "y.csv"]
ONE = ["--target", "0.7"]
BOTH = ["--table", "all.csv", "--response-columns"]


def of(x, y="y.csv"):
    return ["--x", x, "--y", y, *ONE]


def gap(table):
    return ["--table", table, "--response-columns", "gap", *ONE]


WRONG = {
    "missing file": (of("xx.csv"), "xx.csv: no such file; did you mean 'x.csv'"),
    "folder": (of("."), "is a folder, expected a file"),
    "empty": (of("empty.csv"), "empty.csv: is empty"),
    "ragged": (of("ragged.csv"), "ragged.csv: row 122 has 1 field"),
    "text": (
        [*gap("text.csv"), "--design-columns", "1,2"], "column 'width' is text in row 122, 'abc'"),
    "text response": (gap("bad_gap.csv"), "'gap' is a response, and has text in row 122"),
    "constant": (gap("constant.csv"), "column 'gap' is constant, 1.0"),
    "few rows": (gap("few.csv"), "few.csv: 9 rows can be used, expected at least 10"),
    "row counts": (of("x.csv", "short.csv"), "x.csv has 120 rows and short.csv has 119"),
    "wrong width": ([*TABLES, "--target", "0.7,1"], "2 columns, the responses 1 (gap)"),
    "wrong width of a file": ([*TABLES, "--targets", "t2.csv"], "t2.csv: targets have 2 columns"),
    "mixed widths": ([*TABLES, *ONE, "--target", "1,2"], "different numbers of values"),
    "no number": ([*TABLES, "--target", "x"], "--target 'x'"),
    "not finite": ([*TABLES, "--target", "nan"], "is missing"),
    "no target": (TABLES, "--target 0.5"),
    "both targets": ([*TABLES, *ONE, "--targets", "t.csv"], "not both"),
    "method": ([*TABLES, *ONE, "--method", "ipgae"], "Did you mean 'ipage'?"),
    "judge": ([*TABLES, *ONE, "--judge", "stacked"], "stacked-surrogates"),
    "surrogate": ([*TABLES, *ONE, "--surrogate", "liner"], "Did you mean 'linear'"),
    "sampler": ([*TABLES, *ONE, "--sampler", "lsh"], "Did you mean 'lhs'"),
    "setting": ([*TABLES, *ONE, "--method", "na", "--set", "bondary=false"], "'boundary'"),
    "setting's form": ([*TABLES, *ONE, "--method", "na", "--set", "boundary"], "key=value"),
    "setting of none": ([*TABLES, *ONE, "--set", "boundary=false"], "of one --method"),
    "bounds' form": ([*TABLES, *ONE, "--bounds", "length=a:1"], "expected LOW:HIGH"),
    "bounds' value": ([*TABLES, *ONE, "--bounds", "length"], "expected NAME=VALUE"),
    "bounds' column": ([*TABLES, *ONE, "--bounds", "lenght=0:1"], "did you mean 'length'?"),
    "bounds' room": ([*TABLES, *ONE, "--bounds", "length=6:5"], "leaves no room"),
    "bounds nan": ([*TABLES, *ONE, "--bounds", "length=nan:1"], "finite number"),
    "levels": ([*TABLES, *ONE, "--levels", "length=a,b"], "expected numbers"),
    "levels and whole": (
        [*TABLES, *ONE, "--whole", "length", "--levels", "length=1,2"], "takes no levels"),
    "fix": ([*TABLES, *ONE, "--fix", "length=wide"], "'wide' is no number"),
    "ignored": ([*TABLES, *ONE, "--ignore", "depth"], "no column 'depth'"),
    "group": ([*TABLES, *ONE, "--group", "lot"], "no column 'lot'"),
    "not whole": ([*TABLES, *ONE, "--whole", "length"], "'length', row 2 is no whole number"),
    "schema": (["--table", "all.csv", "--schema", "bad.toml", *ONE], "no column 'lenght'"),
    "no schema": (["--table", "all.csv", "--schema", "s.toml", *ONE], "s.toml"),
    "sheet of a text": ([*gap("all.csv"), "--sheet", "2"], "is for workbooks"),
    "device": ([*TABLES, *ONE, "--device", "cuda:99"], "no device 'cuda:99'"),
    "no table": (ONE, "--table, or --x and --y"),
    "no y": (["--x", "x.csv", *ONE], "--x and --y"),
    "too many tables": (["--table", "all.csv", "--x", "x.csv", *ONE], "--table has both"),
    "no responses": (["--table", "all.csv", *ONE], "--response-columns"),
    "column": ([*BOTH, "gaap", *ONE], "'gap'"),
    "column twice": (
        [*BOTH, "gap", "--design-columns", "1-3", *ONE], "'gap' is both a design and a response"),
    "ending": ([*TABLES, *ONE, "--out", "designs.xls"], "cannot write '.xls'"),
    "no folder": ([*TABLES, *ONE, "--out", "absent/designs.csv"], "absent/designs.csv"),
    "candidates": ([*TABLES, *ONE, "--candidates", "0"], "--candidates"),
    "seed": ([*TABLES, *ONE, "--seed", "-1"], "--seed"),
    "novelty": ([*TABLES, *ONE, "--novelty", "0"], "--novelty"),
    "option": ([*TABLES, *ONE, "--tagret", "1"], "--target"),
    "model": (["--model", "abc", *ONE], "no run 'abc'"),
    "model and setting": (["--model", "abc", "--set", "a=1", *ONE], "--model takes no --method"),
    "model and method": (["--model", "abc", "--method", "na", *ONE], "--model takes no --method"),
    "model and judge": (
        ["--model", "abc", "--judge", "conformal-ensemble", *ONE], "--model takes no --judge"),
    "model and one table": (["--model", "abc", "--y", "y.csv", *ONE], "no run 'abc'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_mistake_is_said_in_one_line_and_nothing_is_written(name, call, folder, monkeypatch):
    # Whatever is wrong is seen before anything is fitted
    monkeypatch.setattr("invcore_solve.judging.stacked_surrogates._Stack", None)
    words, said = WRONG[name]
    before = sorted(os.listdir(folder))
    code, out, err = call("solve", *words)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and said in err, err
    assert "Traceback" not in err
    assert sorted(os.listdir(folder)) == before


def test_targets_out_of_reach_are_a_note_and_strict_stops_at_them(call):
    words = ["solve", *TABLES, *ONE, "--target", "5", *QUICK]
    code, out, err = call(*words)
    assert (code, err) == (0, "") and Path("designs.csv").exists()
    assert "out of reach: the nearest response that the table reaches is gap = " in out
    Path("designs.csv").unlink()
    code, out, err = call(*words, "--strict")
    assert (code, out) == (2, "") and "target 2: the nearest response" in err
    assert "; without --strict (strict=False) what comes nearest is proposed" in err
    assert err.count("\n") == 1 and not Path("designs.csv").exists()


def test_store_that_cannot_be_written(call):
    code, out, err = call("solve", *TABLES, *ONE, *QUICK, "--store", "x.csv/runs")
    assert (code, out) == (3, "") and err.startswith("error: x.csv/runs: cannot be written")
    assert not Path("designs.csv").exists()


def test_fit_that_diverges(call):
    words = ["--set", "surrogate.training.lr=1e30", "--set", "surrogate.training.epochs=5"]
    code, out, err = call("solve", *TABLES, *ONE, *QUICK, "--method", "na", "--preset", "quick",
                          *words)  # fmt: skip
    assert (code, out) == (4, "") and "diverged" in err and err.count("\n") == 1
    assert not Path("designs.csv").exists()


KEYS = {
    "id", "status", "method", "metrics", "timings", "path", "out", "designs", "level", "notes",
    "schema", "report", "asked",
}  # fmt: skip


def test_designs_are_found_written_and_found_again(call):
    words = [*TABLES, "--targets", "t.csv", *QUICK, "--bounds", "length=0.2:0.9", "--json"]
    code, out, err = call("solve", *words, "--candidates", 12, "--top", 3)
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert set(document) == KEYS
    assert (document["status"], document["method"], document["out"]) == (
        "ok", "mixes", "designs.csv"
    )  # fmt: skip
    assert document["level"] == 0.9 and document["schema"]["rows"] == 120
    rows = document["designs"]
    table = read_table("designs.csv")
    assert list(table.names) == list(rows[0]) and len(table.values) == len(rows) == 6
    assert [list(row.values()) for row in rows] == table.values.tolist()
    assert {row["target gap"] for row in rows} == {0.6, 1.2}
    for row in rows:
        assert 0.2 <= row["length"] <= 0.9 and 1 <= row["rank"] <= 3
        assert row["length"] + row["width"] == pytest.approx(row["target gap"], abs=0.02)

    again = ["solve", "--model", document["id"][:6], "--targets", "t.csv", "--json"]
    code, out, _ = call(*again, "--candidates", 12, "--top", 3, "--out", "more.npz")
    assert code == 0 and json.loads(out)["designs"] == rows
    assert Path(document["path"]).is_dir() and Path("more.npz").exists()
    code, out, _ = call("solve", "--model", document["id"], "--target", "1.0")
    assert code == 0 and document["id"] in out and "predicted" in out and "held-out-error" in out

    path = Path(document["path"]) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    Path("more.npz").unlink()
    code, out, err = call(*again, "--out", "more.npz")
    assert (code, out) == (3, "") and str(path) in err and not Path("more.npz").exists()


def test_a_model_takes_no_columns_unless_its_table_has_grown(call):
    made = call("solve", *TABLES, *ONE, *QUICK, "--json").json
    code, out, err = call("solve", "--model", made["id"], "--design-columns", "1", *ONE)
    assert (code, out) == (2, "") and "--model takes no --design-columns" in err
    grown = Path("all.csv").read_text().replace("mass", "mass2") + "0.5,0.25,0.75,1.0\n"
    Path("grown.csv").write_text(grown)
    words = ["--table", "grown.csv"]
    second = call("solve", "--model", made["id"], *words, *ONE, "--json").json
    assert second["id"] != made["id"] and second["schema"]["rows"] == 121
    record = json.loads((Path(second["path"]) / "run.json").read_text())
    assert record["config"]["parent"] == made["id"]


def test_responses_alone_need_be_named_and_a_model_of_before_is_refused(call):
    code, out, err = call("solve", *BOTH, "gap,mass", "--target", "1,1", *QUICK, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert {"length", "width"} <= set(document["designs"][0])
    path = Path(document["path"])
    model = json.loads((path / "model.json").read_text())
    assert model.pop("schema")["source"] == "all.csv"
    store = Store("runs")  # as earlier versions wrote it
    run = store.read(document["id"])
    store.write(run, tensors={}, documents={"model": model}, files={})
    code, out, err = call("solve", "--model", document["id"], "--target", "1,1")
    assert (code, out) == (3, "") and "was fitted by an earlier version; fit the table again" in err
    assert err.count("\n") == 1


def test_what_is_said_of_columns_reaches_the_designs(call):
    words = [*BOTH, "gap", "--ignore", "mass", "--levels", "width=0.25,0.5", "--fix", "length=0.3"]
    code, out, err = call("solve", *words, "--target", "0.8", *QUICK, "--json")
    assert (code, err) == (0, "")
    for row in (row for row in json.loads(out)["designs"] if not row["measured"]):
        assert row["length"] == 0.3 and row["width"] in (0.25, 0.5) and "mass" not in row


def test_design_columns_without_names(call):
    np.savetxt("bare_x.csv", X, delimiter=",")
    np.savetxt("bare_y.csv", X.sum(1))
    code, out, _ = call("solve", "--x", "bare_x.csv", "--y", "bare_y.csv", *ONE, *QUICK, "--json")
    assert code == 0 and {"x1", "x2", "predicted y1"} <= set(json.loads(out)["designs"][0])


DATA = Path(os.environ.get("INVCORE_DATA") or Path(__file__).resolve().parents[2] / "shared/data")


@pytest.mark.skipif(
    "INVCORE_DATA" not in os.environ and not DATA.is_dir(),
    reason="no INVCORE_DATA, no ../shared/data",
)
def test_band_gaps_of_mos2(call):
    tables = ["--x", DATA / "mos2/data_x.csv", "--y", DATA / "mos2/data_y.csv"]
    code, out, err = call("solve", *tables, "--target", "0.5", "--target", "1.0", *QUICK, "--json")
    assert (code, err) == (0, "")
    rows = json.loads(out)["designs"]
    known = np.loadtxt(DATA / "mos2/data_x.csv", delimiter=",")
    designs = np.array([[row[f"x{i}"] for i in range(1, 8)] for row in rows])
    assert (designs >= known.min(0)).all() and (designs <= known.max(0)).all()
    for target in (0.5, 1.0):
        best = next(row for row in rows if row["target y1"] == target and row["rank"] == 1)
        assert abs(best["predicted y1"] - target) < 0.2

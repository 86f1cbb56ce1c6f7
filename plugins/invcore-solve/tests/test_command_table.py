"""``invcore solve``: what it says of a user's mistakes, and what it leaves behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from invcore.data.tables.read import read_table
from invcore.plugin import generator

X = torch.rand(120, 2, generator=generator(0), dtype=torch.float64).numpy()
SETTINGS = ("surrogate.training.epochs=15", "surrogate.training.batch_size=32")
QUICK = ["--preset", "quick", "--device", "cpu", *(f"--set={setting}" for setting in SETTINGS)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Tables of a user, in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    training = {"epochs": 20, "batch_size": 16, "lr": 0.02}
    judge = {"members": 2, "surrogate": {"width": 16, "depth": 1, "training": training}}
    monkeypatch.setattr("invcore_solve.judge.JudgeConfig.presets", {"quick": judge})
    y = X.sum(1, keepdims=True)

    def save(name, table, head="", end=""):
        rows = "".join(",".join(map(repr, row)) + "\n" for row in table.tolist())
        Path(name).write_text(head + rows + end)

    save("x.csv", X, "length,width\n")
    save("y.csv", y, "gap\n")
    save("all.csv", np.c_[X, y, y**2], "length,width,gap,mass\n")
    save("short.csv", y[:-1], "gap\n")
    save("few_x.csv", X[:9], "length,width\n")
    save("few_y.csv", y[:9], "gap\n")
    save("ragged.csv", X, "length,width\n", "0.5\n")
    save("text.csv", X, "length,width\n", "0.5,abc\n")
    save("nan.csv", np.r_[X[:50], [[0.5, np.nan]], X[51:]], "length,width\n")
    save("constant.csv", np.c_[X, np.ones(120)], "length,width,depth\n")
    save("t.csv", np.array([[0.6], [1.2]]), "gap\n")
    save("t2.csv", np.array([[0.6, 1.0]]), "load,mass\n")
    Path("empty.csv").write_text("")
    return tmp_path


TABLES = ["--x", "x.csv", "--y", "y.csv"]
ONE = ["--target", "0.7"]

BOTH = ["--table", "all.csv", "--design-columns"]


def of(x, y="y.csv"):
    return ["--x", x, "--y", y, *ONE]


WRONG = {
    "missing file": (of("xx.csv"), "xx.csv: no such file; did you mean 'x.csv'"),
    "folder": (of("."), "unknown kind of file"),
    "empty": (of("empty.csv"), "empty.csv: is empty"),
    "ragged": (of("ragged.csv"), "ragged.csv: row 122 has 1 field"),
    "text": (of("text.csv"), "text.csv: row 122, column 2 ('width'): 'abc'"),
    "nan": (of("nan.csv"), "nan.csv: designs, row 52, column 'width' is missing"),
    "constant": (of("constant.csv"), "constant.csv: designs, column 'depth' is constant"),
    "few rows": (of("few_x.csv", "few_y.csv"), "few_x.csv: designs have 9 rows"),
    "row counts": (of("x.csv", "short.csv"), "x.csv has 120 rows and short.csv has 119"),
    "wrong width": ([*TABLES, "--target", "0.7,1"], "2 columns, the responses 1 (gap)"),
    "wrong width of a file": ([*TABLES, "--targets", "t2.csv"], "t2.csv: targets have 2 columns"),
    "mixed widths": ([*TABLES, *ONE, "--target", "1,2"], "different numbers of values"),
    "no number": ([*TABLES, "--target", "x"], "--target 'x'"),
    "not finite": ([*TABLES, "--target", "nan"], "missing (nan)"),
    "no target": (TABLES, "--target 0.5"),
    "both targets": ([*TABLES, *ONE, "--targets", "t.csv"], "not both"),
    "out of reach": ([*TABLES, *ONE, "--target", "5"], "target 2: gap = 5 is outside"),
    "method": ([*TABLES, *ONE, "--method", "ipgae"], "Did you mean 'ipage'?"),
    "sampler": ([*TABLES, *ONE, "--sampler", "lsh"], "Did you mean 'lhs'"),
    "setting": ([*TABLES, *ONE, "--set", "bondary=false"], "Did you mean 'boundary'"),
    "setting of a run": ([*TABLES, *ONE, "--set", "pairs=9"], "no field 'pairs'"),
    "setting's value": ([*TABLES, *ONE, "--set", "boundary=maybe"], "field 'boundary'"),
    "setting's form": ([*TABLES, *ONE, "--set", "boundary"], "expected key=value"),
    "bounds' form": ([*TABLES, *ONE, "--bounds", "length=0"], "NAME=LOW:HIGH"),
    "bounds' column": ([*TABLES, *ONE, "--bounds", "lenght=0:1"], "Did you mean 'length'?"),
    "bounds' room": ([*TABLES, *ONE, "--bounds", "length=5:6"], "leaves no room"),
    "bounds nan": ([*TABLES, *ONE, "--bounds", "length=nan:1"], "leaves no room"),
    "not whole": ([*TABLES, *ONE, "--whole", "length"], "'length', row 2 is no whole number"),
    "device": ([*TABLES, *ONE, "--device", "cuda:99"], "no device 'cuda:99'"),
    "no table": (ONE, "--x and --y"),
    "no y": (["--x", "x.csv", *ONE], "--x and --y"),
    "too many tables": (["--table", "all.csv", "--x", "x.csv", *ONE], "--table has both"),
    "no columns": (["--table", "all.csv", *ONE], "--design-columns"),
    "column": ([*BOTH, "1-2", "--response-columns", "gaap", *ONE], "'gap'"),
    "column twice": (
        [*BOTH, "1-3", "--response-columns", "gap", *ONE], "'gap' is both a design and a response"),
    "ending": ([*TABLES, *ONE, "--out", "designs.xls"], "cannot write '.xls'"),
    "no folder": ([*TABLES, *ONE, "--out", "absent/designs.csv"], "absent/designs.csv"),
    "candidates": ([*TABLES, *ONE, "--candidates", "0"], "--candidates"),
    "seed": ([*TABLES, *ONE, "--seed", "-1"], "--seed"),
    "option": ([*TABLES, *ONE, "--tagret", "1"], "--target"),
    "model": (["--model", "abc", *ONE], "no run 'abc'"),
    "model and table": (["--model", "abc", "--y", "y.csv", *ONE], "--model takes no table"),
    "model and columns": (["--model", "abc", "--design-columns", "1", *ONE], "and no columns"),
    "model and header": (["--model", "abc", "--no-header", *ONE], "and no columns"),
    "model and key": (["--model", "abc", "--x-key", "x", *ONE], "and no columns"),
    "model and setting": (["--model", "abc", "--set", "a=1", *ONE], "--model takes no --set"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_mistake_is_said_in_one_line_and_nothing_is_written(name, call, folder, monkeypatch):
    monkeypatch.setattr(
        "invcore_solve.judge.fit_surrogate", None
    )  # whatever is wrong is seen before
    words, said = WRONG[name]
    before = sorted(os.listdir(folder))
    code, out, err = call("solve", *words)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and said in err, err
    assert "Traceback" not in err
    assert sorted(os.listdir(folder)) == before


def test_store_that_cannot_be_written(call, folder, monkeypatch):
    monkeypatch.setattr("invcore_solve.judge.fit_surrogate", None)
    code, out, err = call("solve", *TABLES, *ONE, "--store", "x.csv/runs")
    assert (code, out) == (3, "") and err.startswith("error: x.csv/runs: cannot be written")
    assert not Path("designs.csv").exists()


def test_fit_that_diverges(call):
    words = ["--set", "surrogate.training.lr=1e30", "--set", "surrogate.training.epochs=5"]
    code, out, err = call("solve", *TABLES, *ONE, "--preset", "quick", *words)
    assert (code, out) == (4, "") and "diverged" in err and err.count("\n") == 1
    assert not Path("designs.csv").exists()


def test_designs_are_found_written_and_found_again(call):
    words = [*TABLES, "--targets", "t.csv", *QUICK, "--bounds", "length=0.2:0.9", "--json"]
    code, out, err = call("solve", *words, "--candidates", 12, "--top", 3)
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert set(document) == {
        "id", "status", "method", "metrics", "timings", "path", "out", "designs"
    }  # fmt: skip
    assert (document["status"], document["method"], document["out"]) == ("ok", "na", "designs.csv")
    rows = document["designs"]
    table = read_table("designs.csv")
    assert list(table.names) == list(rows[0]) and len(table.values) == len(rows) <= 6
    assert [list(row.values()) for row in rows] == table.values.tolist()
    assert {row["target gap"] for row in rows} == {0.6, 1.2}
    for row in rows:
        assert 0.2 <= row["length"] <= 0.9 and 1 <= row["rank"] <= 3
        assert row["length"] + row["width"] == pytest.approx(row["target gap"], abs=0.3)

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


def test_one_table_with_both_and_targets_out_of_reach(call):
    words = ["--table", "all.csv", "--design-columns", "length,2", "--response-columns", "gap,mass"]
    code, out, err = call(
        "solve", *words, "--target", "5,1", "--target", "1,1", "--extrapolate", *QUICK, "--json"
    )
    assert (code, err) == (0, "")
    rows = json.loads(out)["designs"]
    assert {(row["target gap"], row["reach"] == "ok") for row in rows} == {
        (5.0, False),
        (1.0, True),
    }
    assert all(0 <= row["width"] <= 1 for row in rows)


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
    small = ["--set", "surrogate.training.epochs=20", "--set", "surrogate.width=64"]
    code, out, err = call(
        "solve", *tables, "--target", "0.5", "--target", "1.0", "--preset", "quick", *small,
        "--candidates", 50, "--device", "cpu", "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows = json.loads(out)["designs"]
    known = np.loadtxt(DATA / "mos2/data_x.csv", delimiter=",")
    designs = np.array([[row[f"x{i}"] for i in range(1, 8)] for row in rows])
    assert (designs >= known.min(0)).all() and (designs <= known.max(0)).all()
    for target in (0.5, 1.0):
        best = next(row for row in rows if row["target y1"] == target and row["rank"] == 1)
        assert abs(best["predicted y1"] - target) < 0.2

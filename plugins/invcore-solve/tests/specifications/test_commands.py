"""``invcore solve --want``: a new user's table and simulator, from end to end."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from invcore import Store

QUICK = ["--surrogate", "linear", "--device", "cpu"]
PRICE = "price = 0.1*cement + 0.05*slag + 0.02*`fly ash` + 1.2*plasticiser"
SIMULATOR = """
def simulate(x):
    return x[:, :1] + x[:, 1:] ** 2
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def table():
    """Mixes of concrete, made up."""
    rng = np.random.default_rng(0)
    n = 150
    frame = pd.DataFrame({
        "cement": rng.uniform(120, 500, n).round(1), "slag": rng.uniform(0, 200, n).round(1),
        "fly ash": rng.uniform(0, 150, n).round(1), "plasticiser": rng.uniform(0, 12, n).round(1),
        "age": rng.choice([3, 7, 28, 90], n),
    })  # fmt: skip
    frame["strength"] = (
        0.1 * frame["cement"] + 0.08 * frame["slag"] + 0.06 * frame["fly ash"]
        + 0.8 * frame["plasticiser"] + 0.2 * frame["age"] + rng.normal(0, 1.0, n)
    ).round(2)  # fmt: skip
    frame.to_csv("mixes.csv", index=False)
    return frame


def test_a_strong_and_cheap_mix(table, call):
    words = ["mixes.csv", "--want", "strength>=45", "--want", "price=min", "--response", PRICE]
    words += ["--fix", "age=28", "--bounds", "cement=:300", *QUICK]
    code, out, err = call("solve", *words, "--report", "page.html", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["asked"] == ["strength>=45; price=min"]
    shown = pd.read_csv("designs.csv")
    new = shown[shown["measured"] == 0]
    best = new.iloc[0]
    true = 0.1 * new["cement"] + 0.08 * new["slag"] + 0.06 * new["fly ash"]
    true += 0.8 * new["plasticiser"] + 0.2 * new["age"]
    assert (true[:10] >= 44.5).mean() >= 0.9 and (shown["age"] == 28).all()
    assert (shown["cement"] <= 300 + 1e-9).all() and best["probability"] > 0.85
    price = 0.1 * new["cement"] + 0.05 * new["slag"] + 0.02 * new["fly ash"]
    np.testing.assert_allclose(new["predicted price"], price + 1.2 * new["plasticiser"], atol=1e-6)
    rows = table[(table["strength"] >= 45) & (table["cement"] <= 300) & (table["age"] == 28)]
    assert len(rows) >= 1
    known = 0.1 * rows["cement"] + 0.05 * rows["slag"] + 0.02 * rows["fly ash"]
    assert best["predicted price"] < (known + 1.2 * rows["plasticiser"]).min()
    page = Path("page.html").read_text(encoding="utf-8")
    assert "strength&gt;=45" in page and "probability" in page

    again = ["--model", document["id"], "--want", "strength=40:42", "--out", "more.csv"]
    code, out, _ = call("solve", *again)
    assert code == 0 and "strength=40:42: the best of" in out and "probability" in out
    assert pd.read_csv("more.csv")["predicted strength"].between(39, 43).all()


def test_files_of_specifications_and_several_goals(table, call):
    pd.DataFrame({"strength": [">=45", "30:35"], "price": ["min", ""]}).to_csv("w.csv", index=False)
    words = ["mixes.csv", "--want-file", "w.csv", "--response", PRICE, "--top", 3, *QUICK]
    code, out, _ = call("solve", *words)
    assert code == 0 and "strength>=45; price=min" in out and "strength=30:35" in out
    assert len(pd.read_csv("designs.csv")) == 6
    words = ["mixes.csv", "--want", "strength=max", "--want", "price=min", "--response", PRICE]
    code, out, _ = call("solve", *words, *QUICK, "--report", "front.html")
    assert code == 0 and "something is wanted of each" not in " ".join(out.split())
    (again,) = [line for line in out.splitlines() if line.startswith("more targets: ")]
    model, *rest = shlex.split(again.removeprefix("more targets: invcore solve --model "))
    assert rest == ["--response", PRICE, "--want", "…"]
    code, _, err = call("solve", "--model", model, "--want", "price=min")
    said = "no response 'price'. Known: strength; --response 'NAME = …' derives one"
    assert code == 2 and said in err
    code, _, err = call("solve", "--model", model, "--want", "age<=28")
    said = "--constraint 'age <= 28' limits it where the table is fitted anew"
    assert code == 2 and said in err
    assert "Two goals against each other" in Path("front.html").read_text(encoding="utf-8")


def test_designs_that_something_is_wanted_of_are_said_to_be_responses(table, call):
    words = ["mixes.csv", "--want", "strength>=45", "--want", "cement<=300", "--candidates", 2]
    note = (
        "note: cement, strength are taken as responses, since something is wanted of each; "
        "--constraint 'cement <= 300' limits a design instead, and --response-columns says which "
        "are responses"
    )
    code, out, _ = call("solve", *words, *QUICK)
    assert code == 0 and note in " ".join(out.split())
    code, again, _ = call("solve", *words, *QUICK, "--response-columns", "strength,cement")
    assert code == 0 and "taken as responses" not in " ".join(again.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what is wanted"),
        (("--want", "strenth>=45"), "strenth"),
        (("--want", "price=min", "--response", "price = 2*cement"), "nothing is wanted of a meas"),
        (("--want", "strength>=45", "--response", "price = 2*cemant"), "cemant"),
        (("--want", "strength>=45", "--table", "mixes.csv"), "name the table once"),
        (("--want", "strength 45"), "want"),
    ],
)
def test_mistakes_are_told_in_a_line(words, said, table, call):
    code, _, err = call("solve", "mixes.csv", *words, *QUICK)
    assert code == 2 and said in err and "Traceback" not in err


def test_a_simulator_meets_wishes_and_what_follows(call, monkeypatch, tmp_path):
    (tmp_path / "wished_sims.py").write_text(SIMULATOR)
    monkeypatch.syspath_prepend(tmp_path)
    words = ["--simulator", "wished_sims:simulate", "--bounds", "a=0:1", "--bounds", "b=-1:1"]
    words += ["--want", "y1=0.6:0.7", "--want", "cost=min", "--response", "cost = 2*a + b"]
    words += ["--method", "cma-es", "--candidates", 8, "--json", "--device", "cpu"]
    code, out, _ = call("solve", *words)
    assert code == 0
    document = json.loads(out)
    assert document["asked"] == ["y1=0.6:0.7; cost=min"]
    kept = Store("runs").tensors(document["id"], "candidates")
    assert kept["specification.low"].tolist() == [[0.6, -torch.inf]]
    metrics = {each["name"]: each["value"] for each in document["metrics"]}
    assert metrics["targets-met"] == 1.0 and metrics["best-violation"] == 0.0
    best = pd.read_csv("designs.csv").iloc[0]
    assert 0.6 <= best["a"] + best["b"] ** 2 <= 0.7 and best["meets"] == 1
    assert (
        best["true cost"] == pytest.approx(2 * best["a"] + best["b"]) and best["true cost"] < -0.4
    )

"""Responses that are curves: learnt through scores, answered by inverse regression too."""

from __future__ import annotations

from pathlib import Path

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve import Designer

from invcore import Store

GRID = np.linspace(400, 800, 24)
X = np.random.default_rng(0).random((70, 2))


def spectrum(x):
    peak = 450 + 300 * x[:, :1]
    return np.exp(-(((GRID - peak) / 120) ** 2)) * (0.5 + x[:, 1:])


def fit(**options):
    judge = {"members": ["gaussian-process"]}
    return invcore_solve.fit(X, spectrum(X), judge_settings=judge, **options)


@pytest.fixture(scope="module")
def designer():
    return fit()


def test_designs_of_curves_are_found(designer):
    wanted = np.random.default_rng(1).uniform(0.15, 0.85, (4, 2))
    ranked = designer.propose(spectrum(wanted), candidates=10)
    assert designer.inverse is not None and designer.judge.codes.curve
    best = ranked.designs[ranked.rank == 1].numpy()
    assert np.abs(best - wanted).max() < 0.06
    off = (ranked.predicted - torch.from_numpy(spectrum(ranked.designs.numpy()))).abs()
    assert float((off <= ranked.predicted_error).all(dim=1).double().mean()) > 0.7


def test_a_stored_designer_of_curves_answers_the_same(tmp_path):
    store = Store(tmp_path)
    first = fit(store=store)
    again = Designer.load(store, first.record.id)
    target = spectrum(np.array([[0.4, 0.6]]))
    one, other = (made.propose(target, candidates=5) for made in (first, again))
    assert torch.equal(one.designs, other.designs)
    assert torch.equal(one.predicted_error, other.predicted_error)
    names = [metric.name for metric in first.record.metrics]
    assert len(names) == 12 and names[0] == "held-out-error of y1"


def test_few_responses_or_rows_have_no_inverse_regression():
    few = invcore_solve.fit(X, spectrum(X)[:, :11], judge_settings={"members": ["linear"]})
    assert few.inverse is None
    short = invcore_solve.fit(X[:15], spectrum(X[:15]), judge_settings={"members": ["linear"]})
    assert short.inverse is None and len(short.propose(spectrum(X[:1]), candidates=2)) == 2


def test_wavelengths_in_the_header_are_names(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"{value:.1f}" for value in GRID]
    frame = pd.DataFrame(np.c_[X, spectrum(X)], columns=["gap", "width", *names])
    frame.to_csv("spectra.csv", index=False, sep=";", decimal=",")
    wanted = pd.DataFrame(spectrum(np.array([[0.3, 0.7]])), columns=names)
    wanted[names[::-1]].to_csv("wanted.csv", index=False)
    words = ["--table", "spectra.csv", "--response-columns", "3-26", "--targets", "wanted.csv"]
    code, out, err = call("solve", *words, "--surrogate", "linear")
    assert (code, err) == (0, "") and "a curve of 24 values" in out
    shown = pd.read_csv(Path("designs.csv"))
    assert shown.loc[0, ["gap", "width"]].to_numpy() == pytest.approx([0.3, 0.7], abs=0.1)
    assert {f"predicted {name}" for name in names} <= set(shown)

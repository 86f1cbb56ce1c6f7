"""What is shown of proposals: few columns or many, one target or many, curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from invcore_solve.answers.proposal import Proposal
from invcore_solve.commands.view import show
from invcore_solve.page.target_parts import target_parts

from invcore.results import RunRecord, Timings


@pytest.fixture
def record():
    fields = RunRecord.model_fields
    assert "timings" in fields
    return RunRecord.model_construct(metrics=(), timings=Timings.model_construct())


def ranked(targets=1, each=7, designs=3, responses=1, long=False, **more):
    rng = np.random.default_rng(0)
    count = targets * each
    names = tuple(f"x{i}" + " of a very long name indeed" * long for i in range(designs))
    y = torch.from_numpy(rng.random((targets, responses))).repeat_interleave(each, dim=0)
    return Proposal(
        target=y, rank=torch.arange(count) % each + 1,
        designs=torch.from_numpy(rng.random((count, designs))),
        names=(names, tuple(f"y{i}" for i in range(responses))),
        predicted=y + 0.1, predicted_error=torch.full_like(y, 0.25),
        reach=("",) * count, distance=torch.ones(count), nearest=torch.arange(count) + 2,
        measured=torch.arange(count) % each == 0, **more,
    )  # fmt: skip


def printed(capsys, monkeypatch, proposal, record, **options):
    monkeypatch.setenv("COLUMNS", "100")
    show(proposal, record, **{"candidates": 0, "why_fewer": "", "level": 0.9} | options)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    return text


def test_few_columns_stand_beside_each_other(capsys, monkeypatch, record):
    text = printed(capsys, monkeypatch, ranked(), record, notes=["mind the gap"], ends=["the end"])
    head = next(line for line in text.splitlines() if line.startswith("rank"))
    assert "x0" in head and "y0, predicted" in head and "distance" in head
    assert "1*" in text and "* measured already" in text and "± 0.25" in text
    assert "± covers 90%" in text and "note: mind the gap" in text and "the best of 7" in text
    assert text.rstrip().endswith("the end")


@pytest.mark.parametrize("options", [{"designs": 12}, {"long": True}])
def test_many_or_long_columns_stand_below_each_other(capsys, monkeypatch, record, options):
    text = printed(capsys, monkeypatch, ranked(**options), record)
    head = next(line for line in text.splitlines() if line.startswith("rank"))
    assert head.split() == ["rank", "1*", "2", "3", "4", "5"]
    assert all(f"x{i}" in text for i in range(options.get("designs", 3)))


def test_more_variables_than_a_screen_holds_are_counted(capsys, monkeypatch, record):
    text = printed(capsys, monkeypatch, ranked(designs=300), record)
    assert "… 300 variables in all" in text and "x39" in text and "x40" not in text
    assert len(text.splitlines()) < 60


def test_of_many_targets_the_best_of_each_is_shown(capsys, monkeypatch, record):
    proposal = ranked(targets=200, each=3)
    far = tuple("far away" if i < 30 else "" for i in range(600))
    proposal = Proposal(**{**vars(proposal), "reach": far})
    text = printed(capsys, monkeypatch, proposal, record)
    rows = [line for line in text.splitlines() if "y0 = " in line]
    assert len(rows) == 200 and rows[0].lstrip().startswith("1!") and "2*" in rows[0]
    assert "10 of 200 targets are out of the table's reach" in text


def test_curves_are_shown_by_their_distance(capsys, monkeypatch, record):
    text = printed(capsys, monkeypatch, ranked(responses=50), record)
    assert "a curve of 50 values" in text and "mean distance of the predicted curve" in text
    assert "0.1 ± 0.25" in text and "y17" not in text


def test_categories_constants_and_order(capsys, monkeypatch, record):
    proposal = ranked(designs=1)
    codes = torch.arange(7)[:, None].double() % 2
    proposal = Proposal(**{
        **vars(proposal), "designs": codes, "categories": {0: ("tin", "iron")},
        "constants": {"depth": 2.5, "site": "hall"}, "order": ("depth", "x0", "site"),
    })  # fmt: skip
    text = printed(capsys, monkeypatch, proposal, record)
    head = next(line for line in text.splitlines() if line.startswith("rank"))
    assert head.split()[:4] == ["rank", "depth", "x0", "site"]
    assert "iron" in text and "tin" in text and "hall" in text
    columns = proposal.columns()
    assert columns["depth"] == [2.5] * 7 and columns["x0"][:2] == ["tin", "iron"]


def test_targets_out_of_reach_say_why(capsys, monkeypatch, record):
    proposal = Proposal(**{**vars(ranked()), "reach": ("row 7 is the nearest",) * 7})
    text = printed(capsys, monkeypatch, proposal, record)
    assert "out of reach: row 7 is the nearest" in text
    assert set(proposal.columns()["reach"]) == {"row 7 is the nearest"}


def test_measured_rows_are_shown_as_they_were_measured_wherever_they_are(
    capsys, monkeypatch, record
):
    error = torch.tensor([0.25, 0.0, 0.25], dtype=torch.float64).expand(7, 3)
    known = torch.tensor([7.125, 5.5, torch.nan], dtype=torch.float64).expand(7, 3)
    shown = replace(ranked(responses=3), predicted_error=error, nearest_response=known)
    rows = [line.split() for line in printed(capsys, monkeypatch, shown, record).splitlines()]
    first, second = (next(row for row in rows if row[:1] == [rank]) for rank in ("1*", "2"))
    parts = next(target_parts(shown, None, {}, 1)).rows
    expected = [f"{value:.4g}" for value in shown.predicted[0].tolist()]
    # What follows from designs alone has no error; where nothing was measured stands a prediction
    assert first[4:10] == ["7.125", "measured", expected[1], expected[2], "±", "0.25"]
    assert second[4:11] == [expected[0], "±", "0.25", expected[1], expected[2], "±", "0.25"]
    assert parts[0].cells[4:7] == ("7.125 measured", expected[1], f"{expected[2]} ± 0.25")
    assert parts[1].cells[4:7] == (f"{expected[0]} ± 0.25", expected[1], f"{expected[2]} ± 0.25")
    columns = shown.columns()
    assert columns["measured y0"][0] == 7.125 and np.isnan(columns["measured y0"][1:]).all()
    assert np.isnan(columns["measured y2"]).all() and "measured y1" not in columns
    assert "measured y0" not in replace(shown, measured=torch.zeros(7, dtype=torch.bool)).columns()

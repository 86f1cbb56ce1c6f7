"""Rows of a table that count as answers: those that may be proposed, and that have a response."""

from __future__ import annotations

import re

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve.page.page import rendered
from invcore_solve.schema.choices import Choices

ROWS = 80


@pytest.fixture(scope="module")
def frame():
    """Lengths of three ages: the old ones are best; three rows were not measured."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"length": rng.random(ROWS), "age": rng.choice([3.0, 28.0, 90.0], ROWS)})
    frame["strength"] = 5 * frame["length"] + frame["age"] / 10 + 0.1 * rng.standard_normal(ROWS)
    frame["sag"] = 9 * frame["length"] ** 2 + 0.1 * rng.standard_normal(ROWS)
    frame.loc[[4, 9, 23], "sag"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fixed(frame):
    choices = Choices(responses=("strength", "sag"), constraints=("length <= 0.8",))
    return invcore_solve.fit(
        frame, choices=choices.change("age", fix=28.0), judge_settings={"members": ["linear"]}
    )


@pytest.fixture(scope="module")
def free(frame):
    return invcore_solve.fit(
        frame, responses=["strength", "sag"], judge_settings={"members": ["linear"]}
    )


GOALS = [["strength=max"], ["sag=min"], ["strength=max", "sag=min"], ["strength=max", "sag<=6"]]


@pytest.mark.parametrize("want", [*GOALS, ["strength>=5"]])
def test_rows_that_are_not_allowed_are_no_answers(want, fixed):
    ranked = fixed.propose(want=want, candidates=20)
    shown = ranked.frame()
    assert (shown["age"] == 28).all() and (shown["length"] <= 0.8 + 1e-9).all()
    assert bool(ranked.measured.any()), "some rows are allowed"


def test_no_row_is_an_answer_where_none_is_allowed():
    x = np.random.default_rng(2).random((60, 2))
    frame = pd.DataFrame({"length": x[:, 0], "age": 90 * x[:, 1], "strength": x @ [5.0, 9.0]})
    choices = Choices(responses=("strength",)).change("age", fix=30.0)
    designer = invcore_solve.fit(frame, choices=choices, judge_settings={"members": ["linear"]})
    ranked = designer.propose(want=["strength=max"], candidates=20)
    assert not bool(ranked.measured.any()) and bool((ranked.designs[:, 1] == 30).all())


def test_exact_targets_have_the_measured_design_that_meets_them(fixed, frame):
    rows = frame[(frame["age"] == 28) & (frame["length"] <= 0.8) & frame["sag"].notna()]
    target = rows[["strength", "sag"]].to_numpy()[5]
    first = fixed.propose([target], candidates=5).frame().iloc[0]
    assert first["measured"] == 1 and first["length"] == rows["length"].iloc[5]


@pytest.mark.parametrize("want", GOALS)
def test_rows_without_a_response_are_no_answers_and_others_are_shown_once(want, free, frame):
    ranked = free.propose(want=want, candidates=20)
    assert len(torch.unique(ranked.designs, dim=0)) == len(ranked)
    shown = ranked.rows(ranked.measured.nonzero()[:, 0])
    assert 1 <= len(shown) <= 3
    known = shown.nearest_response if any("sag" in each for each in want) else shown.designs
    assert bool(known.isfinite().all())


def test_the_picture_of_two_goals_paints_allowed_rows_alone(fixed, frame, monkeypatch):
    from matplotlib.axes import Axes

    drawn, plot = [], Axes.plot

    def noted(self, x, y, *args, label=None, **options):
        drawn.append((label, len(np.atleast_1d(x))))
        return plot(self, x, y, *args, label=label, **options)

    monkeypatch.setattr(Axes, "plot", noted)
    page = rendered(fixed, fixed.propose(want=["strength=max", "sag=min"], candidates=12))
    allowed = (frame["age"] == 28) & (frame["length"] <= 0.8) & frame["sag"].notna()
    assert ("allowed rows that meet all else", allowed.sum()) in drawn
    assert ("rows of the table", ROWS - allowed.sum()) in drawn
    assert re.search("those that are allowed and meet all else", page)

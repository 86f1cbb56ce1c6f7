"""What users say of columns away from the table's own: proposals keep it, and stay near."""

from __future__ import annotations

import invcore_solve
import numpy as np
import pandas as pd
import pytest
from invcore_solve.schema.choices import Choices

ROWS = 80


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, ROWS))
    parts = rng.dirichlet([2, 2, 2], ROWS)
    frame = pd.DataFrame({
        "a": a, "b": b, "level": np.arange(ROWS) % 4 * 0.5, "n": rng.integers(0, 50, ROWS),
        "metal": np.array(["tin", "iron"])[np.arange(ROWS) % 2],
        "p1": parts[:, 0], "p2": parts[:, 1], "p3": parts[:, 2],
    })  # fmt: skip
    frame["y"] = a + b + frame["level"]
    return frame


def ask(frame, said=None, target=1.8, **options):
    designer = invcore_solve.fit(
        frame, responses=["y"], choices=said, judge_settings={"members": ["linear"]}, **options
    )
    found = designer.propose([[target]], candidates=20)
    new = found.rows((~found.measured).nonzero()[:, 0])
    assert bool(designer.typicality.typical(new.designs.numpy()).all()) and len(new) >= 15
    return new.frame()


FIXED = {"a": 0.3, "level": 0.5, "n": 7, "metal": "tin", "p1": 0.3}


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_value_is_every_proposals(name, frame):
    shown = ask(frame, Choices().giving("fix", {name: FIXED[name]}))
    assert set(shown[name]) == {FIXED[name]}
    assert abs(shown["a"] + shown["b"] + shown["level"] - 1.8).min() < 0.02


def test_the_rest_of_a_mixture_makes_up_for_a_fixed_part(frame):
    shown = ask(frame, Choices().giving("fix", {"p1": 0.3}))
    np.testing.assert_allclose(shown[["p1", "p2", "p3"]].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("name", "levels"), [("a", (0.25, 0.5)), ("level", (0.7, 1.2))])
def test_levels_that_can_be_made_are_all_there_is(name, levels, frame):
    assert set(ask(frame, Choices().giving("levels", {name: levels}))[name]) <= set(levels)


def test_continuous_columns_take_values_between_the_tables(frame):
    shown = ask(frame, Choices().saying("continuous", ["level"]))
    assert len(set(shown["level"]) - {0, 0.5, 1, 1.5}) > 5


@pytest.mark.parametrize("ends", [(0.4, 0.5), (0.4, 0.401), (-5, 5), (0.7, None)])
def test_bounds_are_kept(ends, frame):
    shown = ask(frame, bounds={"a": ends})
    low, high = ends[0], ends[1] or 1.0
    assert shown["a"].between(low, high).all()


def test_bounds_beyond_the_table_are_kept_and_marked(frame):
    shown = ask(frame, bounds={"a": (2.0, 3.0)}, target=3.0)
    assert (shown["a"] >= 2.0).all() and set(shown["beyond"]) == {"a"}


def test_measured_rows_that_cannot_be_made_are_not_shown(frame):
    designer = invcore_solve.fit(frame, responses=["y"], bounds={"a": (0.5, 1.0)},
                                 judge_settings={"members": ["linear"]})  # fmt: skip
    wanted = float(frame.loc[frame["a"] < 0.4, "y"].iloc[0])
    assert (designer.propose([[wanted]], candidates=20).frame()["a"] >= 0.5).all()


def test_a_turn_has_no_ends():
    rng = np.random.default_rng(0)
    angle = rng.random(120) * 360
    frame = pd.DataFrame({"angle": angle, "y": np.cos(np.radians(angle - 10))})
    said = Choices().giving("periodic", {"angle": (0, 360)})
    designer = invcore_solve.fit(frame, responses=["y"], choices=said,
                                 judge_settings={"members": ["gaussian-process"]})  # fmt: skip
    ends = designer.predict(np.array([[0.5], [359.5]])).response[:, 0]
    assert abs(float(ends[0] - ends[1])) < 0.02
    best = designer.propose([[0.999]], candidates=3).top(1)
    assert np.cos(np.radians(float(best.designs[0, 0]) - 10)) > 0.98


def test_a_logarithmic_column_is_learnt_on_that_scale():
    rng = np.random.default_rng(0)
    dose = 10 ** (4 * rng.random(80))
    frame = pd.DataFrame({"dose": dose, "b": rng.random(80)})
    frame["y"] = np.log10(dose) + frame["b"]
    fresh = pd.DataFrame({"dose": 10 ** (4 * rng.random(50)), "b": rng.random(50)})
    true = np.log10(fresh["dose"]) + fresh["b"]
    off = []
    for said in (Choices().saying("log", ["dose"]), Choices()):
        designer = invcore_solve.fit(frame, responses=["y"], choices=said,
                                     judge_settings={"members": ["linear"]})  # fmt: skip
        off.append(np.abs(designer.predict(fresh).response[:, 0].numpy() - true).mean())
    assert off[0] < 1e-3 < 0.1 < off[1]

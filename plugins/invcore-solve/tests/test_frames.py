"""Data frames in and out: names, units, texts and constants come back as they went in."""

from __future__ import annotations

import datetime

import invcore_solve
import numpy as np
import pandas as pd
import pytest
from invcore_solve import Designer
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.read import read

from invcore import Store
from invcore.base.errors import DataError

LINEAR = {"members": ["linear"]}
ROWS = 90
DRAWS = np.random.default_rng(0)
METALS = np.array(["Zinn", "Kupfer", "Stahl (X5)"])[np.arange(ROWS) % 3]
FACTOR = {"Zinn": 1.0, "Kupfer": 2.0, "Stahl (X5)": 4.0}


@pytest.fixture(scope="module")
def frame():
    frame = pd.DataFrame({
        "Metall": METALS, "Breite [mm]": DRAWS.random(ROWS), "Platz": ["Halle 3"] * ROWS,
        "x, y": DRAWS.random(ROWS), "Tiefe": np.full(ROWS, 2.5),
        "Tag": [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(ROWS)],
    })  # fmt: skip
    frame["Kraft"] = frame["Metall"].map(FACTOR) + frame["Breite [mm]"]
    frame["Masse"] = frame["x, y"] + 0.1 * frame["Metall"].map(FACTOR)
    return frame


DESIGNS = ["Metall", "Breite [mm]", "Platz", "x, y", "Tiefe"]


def fit(frame, **options):
    given = {"responses": ["Kraft", "Masse"], "designs": DESIGNS, "judge_settings": LINEAR}
    return invcore_solve.fit(frame, **given | options)


def check(ranked):
    """Texts, constants and the order of columns are the table's."""
    shown = ranked.frame()
    assert list(shown.columns[3 : 3 + len(DESIGNS)]) == DESIGNS
    assert set(shown["Metall"]) <= set(FACTOR) and set(shown["Platz"]) == {"Halle 3"}
    assert set(shown["Tiefe"]) == {2.5}
    expected = shown["Metall"].map(FACTOR) + shown["Breite [mm]"]
    np.testing.assert_allclose(shown["predicted Kraft"], expected, atol=0.02)
    return shown


def test_frames_go_in_and_come_out(frame, tmp_path):
    store = Store(tmp_path / "runs")
    designer = fit(frame, store=store)
    targets = pd.DataFrame({"Masse": [0.5, 0.7], "other": ["a", "b"], "Kraft": [2.4, 1.3]})
    shown = check(designer.propose(targets, candidates=20))
    assert set(zip(shown["target Kraft"], shown["target Masse"], strict=True)) == {
        (2.4, 0.5), (1.3, 0.7)
    }  # fmt: skip
    best = shown[shown["rank"] == 1]
    assert best["Metall"].tolist() == ["Kupfer", "Zinn"]
    again = Designer.load(store, designer.record.id).propose(targets, candidates=20)
    pd.testing.assert_frame_equal(again.frame(), shown)
    assert designer.data.designs.variables[1].unit == "mm"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet", "tsv"])
def test_files_hold_the_same_and_can_be_predicted_or_chosen_from(frame, ending, tmp_path):
    designer = fit(frame)
    ranked = designer.propose([[2.4, 0.5]], candidates=8)
    path = tmp_path / f"designs.{ending}"
    ranked.save(path)
    found = designer.predict(path)
    np.testing.assert_allclose(found.response, ranked.predicted, rtol=1e-9)
    chosen = designer.propose([[2.4, 0.5]], candidates=8, among=path)
    assert {tuple(r) for r in chosen.designs.tolist()} <= {
        tuple(r) for r in ranked.designs.tolist()
    }


def test_an_array_holds_categories_as_numbers(frame, tmp_path):
    ranked = fit(frame).propose([[2.4, 0.5]], candidates=2)
    ranked.save(tmp_path / "designs.npz")
    table = read(tmp_path / "designs.npz")
    assert "Metall" in table.names and set(table.column("Metall").values) <= {0.0, 1.0, 2.0}


def test_designs_and_responses_may_be_frames_of_their_own(frame):
    designer = invcore_solve.fit(frame[DESIGNS[:2]], frame[["Kraft"]], judge_settings=LINEAR)
    ranked = designer.propose([[2.4]], candidates=3)
    assert ranked.names == (("Metall", "Breite [mm]"), ("Kraft",))
    series = invcore_solve.fit(frame[DESIGNS[:2]], frame["Kraft"], judge_settings=LINEAR)
    assert len(series.propose([[2.4]], candidates=3)) == 3


def test_a_category_of_a_target_list_that_the_table_lacks_is_named(frame, complaint):
    designer = fit(frame)
    other = frame[DESIGNS].head(3).assign(Metall=["Zinn", "Gold", "Zinn"])
    said = complaint(DataError, designer.predict, other)
    assert "column 'Metall', row 2 is none of its categories" in said and "Kupfer" in said


def test_a_category_may_be_fixed_and_numbers_may_be_categories(frame):
    said = Choices().giving("fix", {"Metall": "Stahl (X5)"}).saying("category", ["code"])
    coded = frame.assign(code=np.arange(ROWS) % 2 * 7)
    ranked = fit(coded, choices=said, designs=[*DESIGNS, "code"]).propose([[4.5, 0.9]])
    shown = ranked.frame()
    assert set(shown["Metall"]) == {"Stahl (X5)"} and set(shown["code"]) == {"0", "7"}


def test_what_is_no_design_is_left_out_with_its_reason(frame):
    designer = invcore_solve.fit(frame, responses=["Kraft", "Masse"], judge_settings=LINEAR)
    left = {c.name: c.reason for c in designer.data.schema.of_role("left out")}
    assert left["Tag"] == "a date" and "Tag" not in designer.propose([[2.4, 0.5]]).columns()

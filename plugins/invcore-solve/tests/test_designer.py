"""What a fitted designer answers: measured rows, lists, novelty, predictions, slopes, refits."""

from __future__ import annotations

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve import Designer
from invcore_solve.judging.stacked_surrogates import StackedSurrogates
from invcore_solve.schema.choices import Choices

from invcore import Store
from invcore.base.errors import ConfigError, DataError

LINEAR = {"members": ["linear"]}
ROWS = 90
X = np.random.default_rng(0).random((ROWS, 2))


def force(x):
    return x[:, 0] + x[:, 1] ** 2


def fit(frame, **options):
    return invcore_solve.fit(frame, **{"responses": ["force"], "judge_settings": LINEAR} | options)


def plain(**more):
    return pd.DataFrame({"width": X[:, 0], "height": X[:, 1], "force": force(X), **more})


@pytest.fixture(scope="module")
def designer():
    return fit(plain())


def test_measured_rows_that_meet_a_target_come_first(designer):
    wanted = [force(X)[17], force(X)[40]]
    ranked = designer.propose(np.array(wanted)[:, None], candidates=15)
    for target, row in zip(wanted, (17, 40), strict=True):
        own = (ranked.target[:, 0] == target).nonzero()[:, 0]
        marks = ranked.measured[own].tolist()
        assert marks[0] and marks == sorted(marks, reverse=True) and not all(marks)
        assert ranked.designs[own[0]].tolist() == X[row].tolist()
        assert int(ranked.nearest[own[0]]) == int(designer.data.rows[row])
        assert float(ranked.distance[own[0]]) < 2 and len(own) == 15
    few = designer.propose([[wanted[0]]], candidates=1)
    assert len(few) >= 1 and bool(few.measured[0])


def test_proposals_stay_apart_from_measured_rows(designer):
    ranked = designer.propose([[1.0]], candidates=50, apart=0.2)
    apart = designer.typicality.neighbourhood.nearest(ranked.designs[~ranked.measured].numpy())[0]
    assert apart.min() >= 0.2


def test_the_first_ten_differ_unless_told_otherwise(designer):
    def apart(ranked):
        around = designer.typicality.neighbourhood
        places = around.whitening(ranked.designs[~ranked.measured][:6].numpy()) / around.unit
        between = np.linalg.norm(places[:, None] - places[None], axis=2)
        return (between + 9 * np.eye(len(places))).min()

    various, alike = (designer.propose([[1.0]], candidates=100, diverse=d) for d in (True, False))
    assert apart(various) > apart(alike)
    assert len(various) == len(alike) == 100
    firsts = [ranked.designs[~ranked.measured][0] for ranked in (various, alike)]
    assert torch.equal(*firsts), "the best one stays"


def test_novelty_lets_designs_lie_farther_from_the_rows():
    far, usual = (fit(plain(), novelty=n) for n in (3.0, 1.0))
    x = np.random.default_rng(3).random((200, 2)) * 1.4 - 0.2
    assert far.typicality.near(x).sum() >= usual.typicality.near(x).sum()
    near = usual.propose([[1.0]], candidates=30, novelty=0.5)
    assert usual.typicality.excess(near.designs.numpy()).max() <= 0.5 + 1e-6
    assert usual.novelty == 1.0, "what was fitted stays"


def test_a_list_is_all_that_is_proposed(designer):
    listed = pd.DataFrame({"height": [0.5, 0.2, 0.9, 0.5], "width": [0.5, 0.8, 0.1, 0.5]})
    ranked = designer.propose([[0.75], [0.84]], candidates=10, among=listed)
    rows = {(0.5, 0.5), (0.8, 0.2), (0.1, 0.9)}
    for target, best in ((0.75, (0.5, 0.5)), (0.84, (0.8, 0.2))):
        own = (ranked.target[:, 0] == target) & ~ranked.measured
        assert {tuple(row) for row in ranked.designs[own].tolist()} == rows
        assert tuple(ranked.designs[own][0].tolist()) == best
    fitted = fit(plain(), among=listed).propose([[0.75]], candidates=10)
    assert {tuple(r) for r in fitted.designs[~fitted.measured].tolist()} == rows


def test_a_list_that_lacks_a_column_or_a_value_is_refused(designer, complaint):
    said = complaint(DataError, designer.propose, [[1.0]], among=pd.DataFrame({"widht": [0.5]}))
    assert "no column 'width'. Did you mean 'widht'" in said
    gap = pd.DataFrame({"width": [0.5, None], "height": [0.1, 0.2]})
    said = complaint(DataError, designer.propose, [[1.0]], among=gap)
    assert "column 'width', row 2 is missing" in said


def test_designs_are_predicted_from_arrays_frames_and_files(designer, tmp_path):
    x = np.random.default_rng(5).random((12, 2))
    by_array = designer.predict(x)
    np.testing.assert_allclose(by_array.response[:, 0], force(x), atol=1e-3)
    assert bool((by_array.error > 0).all())
    frame = pd.DataFrame({"note": ["a"] * 12, "height": x[:, 1], "width": x[:, 0]})
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_excel(tmp_path / "x.xlsx", index=False)
    for source in (frame, tmp_path / "x.csv", str(tmp_path / "x.xlsx"), torch.from_numpy(x)):
        found = designer.predict(source)
        np.testing.assert_allclose(found.response, by_array.response, rtol=1e-12)
        np.testing.assert_allclose(found.error, by_array.error, rtol=1e-9)
    inside = designer.predict(X[:12] * 0.9 + 0.05)
    assert list(inside.columns()) == [
        "width", "height", "predicted force", "error force", "distance", "nearest row", "measured"
    ]  # fmt: skip
    by_array.save(tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 12 == len(by_array.records())
    assert by_array.frame()["width"].tolist() == x[:, 0].tolist()


def test_predictions_mark_measured_rows_and_what_lies_beyond(designer):
    x = np.r_[X[:2], [[0.5, 3.0]]]
    found = designer.predict(x).columns()
    assert found["measured"] == [1, 1, 0] and found["beyond"] == ["", "", "height"]
    assert found["nearest row"][:2] == designer.data.rows[:2].tolist()


def test_predictions_of_designs_that_lack_a_column(designer, complaint):
    assert "no column 'height'" in complaint(
        DataError, designer.predict, pd.DataFrame({"width": [0.5]})
    )
    assert "1 columns without names, expected 2" in complaint(DataError, designer.predict, [[0.5]])


def test_sensitivities_are_the_slopes_of_the_responses():
    frame = plain(idle=np.random.default_rng(7).random(ROWS),
                  metal=np.array(["tin", "iron"])[np.arange(ROWS) % 2])  # fmt: skip
    frame["force"] += 3.0 * (frame["metal"] == "tin")
    found = fit(frame).sensitivities()
    assert found.names == ("width", "height", "idle", "metal")
    sizes = dict(zip(found.names, found.sizes[:, 0], strict=True))
    assert sizes["metal"] == pytest.approx(1.5, rel=0.02)
    values = found.values[0]
    assert sizes["width"] == pytest.approx(values.std(), rel=0.02), "the slope is one"
    assert sizes["idle"] < 0.02
    curve = found.curves[1][:, 0]
    np.testing.assert_allclose(curve - curve[0], found.values[1] ** 2 - found.values[1][0] ** 2,
                               atol=0.02)  # fmt: skip
    assert found.labels[3] == ("iron", "tin")
    document = found.document()
    assert [entry["column"] for entry in document] == list(found.names)
    assert document[0]["size"] == {"force": sizes["width"]}


def test_a_table_that_has_grown_gives_a_new_model_that_names_the_earlier_one(tmp_path, monkeypatch):
    store = Store(tmp_path / "runs")
    first = fit(plain(), store=store, seed=3)
    rng = np.random.default_rng(9)
    more = rng.random((20, 2))
    grown = pd.concat([plain(), pd.DataFrame(
        {"width": more[:, 0], "height": more[:, 1], "force": force(more)}
    )])  # fmt: skip
    starts = []
    original = StackedSurrogates.fit

    def seen(self, problem, data, env, start=None):
        starts.append(start)
        return original(self, problem, data, env, start)

    monkeypatch.setattr(StackedSurrogates, "fit", seen)
    second = first.refit(grown, store=store)
    assert starts == [first.judge]
    assert len(second.data.pairs) == ROWS + 20 and second.record.id != first.record.id
    record = store.read(second.record.id)
    assert record.config["parent"] == first.record.id and record.seed == 3
    assert Designer.load(store, second.record.id).record == record
    assert second.propose([[1.0]], candidates=3).names == first.propose([[1.0]]).names


def test_what_was_said_of_columns_holds_for_a_refit():
    frame = plain(angle=np.arange(ROWS) * 4.0)
    said = Choices().giving("periodic", {"angle": (0, 360)})
    first = fit(frame, choices=said, bounds={"width": (0.1, 0.8)})
    second = first.refit(pd.concat([frame, frame.head(5).assign(width=0.5)]))
    assert second.data.designs.variables[0].bounds == (0.1, 0.8)
    assert [c.kind for c in second.data.designs.constraints] == ["periodic"]


def test_a_refit_needs_a_table_of_the_same_columns(designer, complaint):
    frame = plain().rename(columns={"force": "load"})
    assert "force" in complaint(ConfigError, designer.refit, frame)


def test_responses_of_which_no_row_has_both_are_learnt_all_the_same():
    y = np.stack([force(X), X[:, 0] * X[:, 1]], axis=1)
    y[::2, 0], y[1::2, 1] = np.nan, np.nan
    ranked = invcore_solve.fit(X, y, judge_settings=LINEAR).propose([[0.9, 0.2]], candidates=5)
    best = ranked.designs[0].numpy()
    np.testing.assert_allclose([force(best[None])[0], best.prod()], [0.9, 0.2], atol=0.02)
    assert not any(ranked.reach) and not bool(ranked.measured.any())


def test_errors_of_few_rows_are_stated_for_what_they_support():
    few = invcore_solve.fit(X[:10], force(X[:10]), judge_settings=LINEAR)
    assert few.level == pytest.approx(few.judge.supported) and few.level < 0.9
    ranked = few.propose([[1.0]], candidates=2)
    assert f"{few.level:.1%}" in ranked.notes[0]
    assert torch.equal(ranked.predicted_error, few.predict(ranked.designs).error)


def test_errors_of_proposals_are_stated_for_the_coverage_that_is_asked_for():
    y = force(X) + 0.1 * np.random.default_rng(1).standard_normal(ROWS)
    one, other = (
        invcore_solve.fit(X, y, judge_settings={**LINEAR, "coverage": c}) for c in (0.5, 0.9)
    )
    for made in (one, other):
        ranked = made.propose([[1.0]], candidates=4)
        assert torch.equal(ranked.predicted_error, made.predict(ranked.designs).error)
    x = torch.rand(5, 2, dtype=torch.float64)
    assert bool((one.predict(x).error < 0.7 * other.predict(x).error).all())

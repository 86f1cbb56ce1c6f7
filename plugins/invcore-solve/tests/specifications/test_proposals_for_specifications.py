"""Specifications of a table: what is probable first, then goals; and ways to ask for them."""

from __future__ import annotations

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch

from invcore.plugin import ConfigError, DataError, Requirement, Specification, UnknownNameError

ROWS = 120
DERIVED = ["price = 3*width + layers^2", "ratio = force/stiffness"]


def truth(frame):
    force = 10 * frame["width"] + frame["layers"]
    return force, 20 - 8 * frame["width"] + 2 * frame["layers"]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"width": rng.random(ROWS), "layers": 4 * rng.random(ROWS)})
    force, stiffness = truth(frame)
    frame["force"] = force + 0.2 * rng.standard_normal(ROWS)
    frame["stiffness"] = stiffness + 0.2 * rng.standard_normal(ROWS)
    return frame


@pytest.fixture(scope="module")
def designer(frame):
    return invcore_solve.fit(
        frame, responses=["force", "stiffness"], judge_settings={"members": ["linear"]}
    )


def new(ranked):
    return ranked.rows((~ranked.measured).nonzero()[:, 0])


def true_of(ranked):
    shown = ranked.frame()
    return np.stack(truth(shown), axis=1)


def test_designs_probably_meet_an_interval_and_a_limit(designer):
    ranked = designer.propose(want=["force=6:8", "stiffness>=20"], candidates=40)
    first = new(ranked)
    assert len(ranked) == 40 and bool((first.probability[:10] > 0.9).all())
    force, stiffness = true_of(first)[:10].T
    assert ((force > 6) & (force < 8) & (stiffness > 20)).mean() > 0.9
    assert bool(first.met[:10].all()) and ranked.asked[0] == "force=6:8; stiffness>=20"
    shown = ranked.frame()
    assert set(shown["wanted"]) == {ranked.asked[0]} and "target force" not in shown
    assert {"probability", "meets", "violation force", "violation stiffness"} <= set(shown)


def test_the_probability_is_the_judges(designer):
    ranked = designer.propose(want=["force=6:6.3"], candidates=20)
    said = designer.judge.probability(ranked.designs[None], ranked.wanted[:1])[0]
    torch.testing.assert_close(ranked.probability, said)
    unsure = said[~ranked.measured]
    assert 0.2 < float(unsure.max()) < 0.95, "the interval is about as wide as the noise"
    kept = new(designer.propose(want=["force=6:6.3"], candidates=20, diverse=False))
    assert bool((kept.probability.diff() <= 1e-3).all())


def test_rows_that_meet_it_come_first(designer, frame):
    ranked = designer.propose(want=["force=6:8"], candidates=40)
    count = int(ranked.measured.sum())
    assert count == 10 and bool(ranked.measured[:count].all())
    rows = frame.iloc[ranked.nearest[:count].numpy() - int(designer.data.rows[0])]
    assert rows["force"].between(6, 8).all()


@pytest.mark.parametrize("text", ["force=7", "force=7:7", "7<=force<=7", "#3 = 7", "for=7"])
def test_an_exact_wish_is_a_target(text, frame):
    designer = invcore_solve.fit(
        frame.drop(columns="stiffness"), responses=["force"],
        judge_settings={"members": ["linear"]},
    )  # fmt: skip
    text = text.replace("#3", "#1")
    wished, exact = (
        designer.propose(want=[text], candidates=12),
        designer.propose([[7.0]], candidates=12),
    )
    assert torch.equal(wished.designs, exact.designs)
    pd.testing.assert_frame_equal(wished.frame(), exact.frame(), check_exact=True)
    assert wished.probability is None


def test_a_goal_is_better_than_the_best_row_that_meets_the_rest(designer, frame):
    want, rows = ["force=6:8", "stiffness=max"], frame[frame["force"].between(6, 8)]
    ranked = new(designer.propose(want=want, candidates=40))
    kept = new(designer.propose(want=want, candidates=40, diverse=False))
    assert torch.equal(ranked.designs[0], kept.designs[0])
    force, stiffness = true_of(kept)[:5].T
    assert (stiffness > truth(rows)[1].max() - 0.05).all()
    assert ((force > 6) & (force < 8)).mean() >= 0.8
    assert bool((ranked.probability[:10] >= 0.8).all())
    assert bool((ranked.predicted[:10, 1].diff() <= 0).all()), "the best comes first"


def test_a_goal_beside_a_limit_that_no_mix_meets_is_met_as_probably_as_the_limit_alone():
    """The cheapest corner: a price that no row has, beside a strength that hardly any has."""
    x = np.random.default_rng(4).random((150, 5))
    frame = pd.DataFrame(x, columns=list("abcde"))
    frame["force"] = x @ [6, 4, 0, 2, 0] + 0.1 * np.random.default_rng(5).standard_normal(150)
    designer = invcore_solve.fit(frame, responses=["force"], judge_settings={"members": ["linear"]})
    price = ["price = 3*a + 2*b + c + d + 4*e"]
    assert not ((frame["force"] >= 8) & (x @ [3, 2, 1, 1, 4] <= 4.3)).any()
    best = [
        float(new(designer.propose(want=want, derived=price, candidates=20)).probability.max())
        for want in (["force>=8", "price<=4.3"], ["force>=8", "price=min, <=4.3"])
    ]
    assert min(best) > 0.95


def test_several_goals_are_a_front_from_end_to_end(designer):
    ranked = new(
        designer.propose(want=["force=max", "price=min"], derived=DERIVED[:1], candidates=60)
    )
    y = ranked.predicted[:12]
    goals = torch.stack([-y[:, 0], y[:, 2]], dim=1).numpy()
    beaten = (goals[:, None] > goals[None] + 1e-3).all(axis=2).any(axis=1)
    assert beaten.mean() <= 0.25, "hardly a design is worse than another in both goals"
    assert np.ptp(goals[:, 0]) > 5 and np.ptp(goals[:, 1]) > 5


def test_the_first_ten_differ(designer):
    places = designer.typicality.neighbourhood.whitening
    apart = []
    for diverse in (True, False):
        ranked = new(designer.propose(want=["force=5:9"], candidates=30, diverse=diverse))
        x = places(ranked.designs[:10].numpy())
        apart.append(np.linalg.norm(x[:, None] - x[None], axis=2)[np.triu_indices(10, 1)].min())
    assert apart[0] >= 0.2 and apart[0] > 2 * apart[1]
    assert any("chosen to differ" in note for note in designer.propose(want=["force=5:9"]).notes)


@pytest.mark.parametrize("want", [["force=6:8", "stiffness=max"], ["force=max", "stiffness=max"]])
def test_the_first_ten_differ_with_goals_too(want, designer):
    shown = new(designer.propose(want=want, candidates=60))
    x = shown.designs[:10].numpy() / designer.data.pairs.x.numpy().std(axis=0)
    apart = np.abs(x[:, None] - x[None]).max(axis=2)[np.triu_indices(10, 1)]
    assert apart.min() >= 0.05 - 1e-9, "in one column at least, by a part of its spread"


def test_derived_responses_are_computed(designer):
    ranked = designer.propose(
        want=["force>=8", "price<=9", "ratio=any"], derived=DERIVED, candidates=15
    )
    shown = new(ranked).frame()
    np.testing.assert_allclose(shown["predicted price"], 3 * shown["width"] + shown["layers"] ** 2)
    ratio = shown["predicted force"] / shown["predicted stiffness"]
    np.testing.assert_allclose(shown["predicted ratio"], ratio)
    assert (shown["error price"] == 0).all() and (shown["error ratio"] > 0).all()
    assert (shown["predicted price"] <= 9).all()
    assert designer.data.responses.names == ("force", "stiffness"), "the designer stays as it is"


def test_a_probability_is_joint_with_what_follows(designer):
    """A ratio of two noisy responses: by draws of their errors."""
    ranked = designer.propose(
        want=["ratio=0.3:0.32", "force>=7"], derived=DERIVED[1:], candidates=6
    )
    x = ranked.designs[~ranked.measured][:3]
    seen = designer.judge.scenarios(x)
    rng = np.random.default_rng(0)
    rows = rng.choice(len(seen.weights), size=20_000, p=seen.weights)
    y = seen.mean[:, None] + seen.scale[:, None] * seen.residuals[rows]
    met = ((y[..., 0] / y[..., 1] > 0.3) & (y[..., 0] / y[..., 1] < 0.32) & (y[..., 0] >= 7)).mean(
        1
    )
    said = ranked.probability[~ranked.measured][:3]
    np.testing.assert_allclose(said, met, atol=0.06)


def test_specifications_of_a_file_are_targets(designer, tmp_path):
    path = tmp_path / "wanted.csv"
    path.write_text("force,stiffness\n6:7,\n>=9,<=24\n,max\n")
    ranked = designer.propose(want_file=path, candidates=5)
    assert [ranked.asked[rows[0]] for rows in ranked.groups()] == [
        "force=6:7", "force>=9; stiffness<=24", "stiffness=max",
    ]  # fmt: skip
    one = designer.propose(
        specification=Specification.of(force=Requirement(low=6.0, high=7.0)), candidates=5
    )
    assert one.asked == ranked.asked[:5]


def test_wishes_relative_to_targets(designer):
    ranked = designer.propose([[6.0, 20.0], [8.0, 21.0]], want=["force=±5%"], candidates=4)
    assert {*ranked.asked} == {"force=5.7:6.3", "force=7.6:8.4"}
    sd = designer.propose(want=["force=7±0.1sd"], candidates=4)
    width = float(sd.wanted.high[0, 0] - sd.wanted.low[0, 0])
    assert width == pytest.approx(0.2 * float(designer.reach.scale[0]))


def test_what_is_out_of_reach_is_said(designer, complaint):
    ranked = designer.propose(want=["force>=40"], candidates=4)
    assert "nearest response" in ranked.reach[0] and float(ranked.probability.max()) < 0.01
    assert not any(designer.propose(want=["force>=8"], candidates=4).reach)
    assert "out of the table's reach" in complaint(
        DataError, designer.propose, want=["force>=40"], strict=True
    )


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({}, ConfigError, "say what is wanted"),
        ({"want": ["forse>=1"]}, UnknownNameError, "no response 'forse'"),
        ({"want": ["force=1:0"]}, ConfigError, "1 is above 0"),
        ({"want": ["force=any"]}, ConfigError, "nothing is wanted"),
        ({"want": ["force=1", "force=2"]}, ConfigError, "contradict"),
        ({"targets": [[1.0, 2.0]], "want": ["force>=1"]}, ConfigError, "not relative to targets"),
        ({"want": ["price=min"], "derived": ["price = 2*with"]}, UnknownNameError, "'with'"),
        ({"want": ["force=1:2"], "derived": ["force = 2*width"]}, ConfigError, "there already"),
        ({"want": ["force>=1"], "specification": Specification.of(force=Requirement(low=1.0))},
         ConfigError, "leave out targets"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(options, kind, said, designer, complaint):
    assert said in complaint(kind, designer.propose, **options)

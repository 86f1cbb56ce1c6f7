"""Where designs come from: mixes of rows, local search, measured rows, inverse regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve.proposals.aims.aim import CAUTION, ExactAim
from invcore_solve.proposals.diversity import differing, diverse_order
from invcore_solve.proposals.inverse_regression import InverseRegression
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.local_search import apart_groups, refine
from invcore_solve.proposals.measured import measured_rows
from invcore_solve.proposals.mixes import crossed, mixes
from invcore_solve.proposals.search import cheapest, pool_of_mixes, search
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.read import read
from invcore_solve.tables.table_data import TableData
from invcore_solve.typicality.of_table import typicality_of

from invcore.plugin import FittedJudge, Space, Uniform, Variable, Verdict

ROWS = 80


class Known(FittedJudge):
    """Says the truth: the first two columns' sum, and the first one."""

    def __init__(self):
        self.asked = 0

    def predict(self, x, level=0.9):
        self.asked += len(x)
        y = torch.stack([x[:, 0] + x[:, 1], x[:, 0]], dim=1)
        return Verdict(y, 0.1 * torch.ones_like(y), 0.05 * torch.ones_like(y))

    def probability(self, x, targets):
        raise NotImplementedError

    def state(self):
        return {}


def cells(kind):
    rng = np.random.default_rng(0)
    if kind == "mixture":
        parts = rng.dirichlet([2, 2, 2], ROWS)
        return {f"p{i}": parts[:, i] for i in range(3)} | {"t": rng.random(ROWS)}
    if kind == "steps":
        return {"a": rng.random(ROWS), "n": rng.integers(0, 50, ROWS),
                "level": rng.integers(0, 4, ROWS) * 0.5}  # fmt: skip
    if kind == "categories":
        return {"a": rng.random(ROWS), "b": rng.random(ROWS),
                "metal": np.array(["tin", "iron"])[np.arange(ROWS) % 2]}  # fmt: skip
    if kind == "composition":
        parts = rng.multinomial(20, [0.3, 0.3, 0.4], ROWS) * 5.0
        return {f"p{i}": parts[:, i] for i in range(3)} | {"t": rng.random(ROWS)}
    return {"a": rng.random(ROWS), "b": rng.random(ROWS)}


KINDS = ("mixture", "steps", "categories", "composition", "plain")


def typical_of(kind):
    frame = pd.DataFrame({**cells(kind), "y": np.random.default_rng(1).random(ROWS)})
    return typicality_of(TableData.of(read(frame), Choices(responses=("y",))))


@pytest.mark.parametrize("kind", KINDS)
def test_mixes_are_typical_new_and_drawn_from_the_seed(kind):
    typicality = typical_of(kind)
    x, first = mixes(typicality, 2000, np.random.default_rng(0))
    assert bool(typicality.typical(x).all()) and len(x) == len(first)
    rows = {row.tobytes() for row in typicality.neighbourhood.rows}
    new = [row for row in np.unique(x, axis=0) if row.tobytes() not in rows]
    assert len(new) > 50
    again, _ = mixes(typicality, 2000, np.random.default_rng(0))
    np.testing.assert_array_equal(again, x)
    assert not np.array_equal(mixes(typicality, 2000, np.random.default_rng(1))[0][:20], x[:20])


def test_mixes_keep_relations_steps_and_categories():
    x, _ = mixes(typical_of("mixture"), 2000, np.random.default_rng(0))
    np.testing.assert_allclose(x[:, :3].sum(axis=1), 1, atol=1e-9)
    x, _ = mixes(typical_of("composition"), 2000, np.random.default_rng(0))
    np.testing.assert_allclose(x[:, :3].sum(axis=1), 100, atol=1e-9)
    np.testing.assert_array_equal(x[:, :3], 5 * np.round(x[:, :3] / 5))
    x, _ = mixes(typical_of("steps"), 2000, np.random.default_rng(0))
    assert set(x[:, 2]) <= {0, 0.5, 1, 1.5} and (x[:, 1] == np.round(x[:, 1])).all()
    x, _ = mixes(typical_of("categories"), 2000, np.random.default_rng(0))
    assert set(x[:, 2]) == {0, 1}


def test_mixes_of_parents_begin_at_them():
    typicality = typical_of("plain")
    parents = np.repeat(typicality.neighbourhood.rows[:3], 40, axis=0)
    x, origin = mixes(typicality, 0, np.random.default_rng(0), parents, reach=0.1)
    span = np.ptp(typicality.neighbourhood.rows, axis=0)
    assert (np.abs(x - parents[origin]) <= 0.1 * span + 1e-12).all()
    assert (np.diff(origin) > 0).all() and set(origin // 40) == {0, 1, 2}


def cost_by_hand(x, targets, scale):
    judge = Known()
    said = judge.predict(torch.from_numpy(x))
    away = (said.response.numpy()[None] - targets[:, None]) / scale
    return (away**2 + CAUTION * (0.05 / scale) ** 2).mean(axis=2)


TARGETS = np.array([[1.0, 0.4], [0.6, 0.5]])
SCALE = np.array([0.5, 0.3])
AIM = ExactAim(TARGETS, SCALE)


def test_the_cost_is_the_squared_distance_and_a_share_of_the_variance():
    x = np.random.default_rng(0).random((30, 2))
    pool = Judged.by(Known(), x)
    whole = slice(None)
    np.testing.assert_allclose(AIM.costs(pool, whole), cost_by_hand(x, TARGETS, SCALE))
    owner = np.arange(30) % 2
    expected = cost_by_hand(x, TARGETS, SCALE)[owner, np.arange(30)]
    np.testing.assert_allclose(AIM.own_costs(pool, owner), expected)
    best = cheapest(pool, AIM, 7)
    order = cost_by_hand(x, TARGETS, SCALE).argsort(axis=1)[:, :7]
    np.testing.assert_array_equal(best, order)
    assert len(joined([pool, pool.rows(np.arange(3))])) == 33


def test_a_judge_without_standard_deviations_is_taken_to_state_nine_in_ten():
    class Wide(Known):
        def predict(self, x, level=0.9):
            return replace(super().predict(x), std=None)

    pool = Judged.by(Wide(), np.random.default_rng(0).random((5, 2)))
    np.testing.assert_allclose(pool.std, 0.1 / 1.6448536269514722)


@pytest.mark.parametrize("kind", KINDS)
def test_search_gives_typical_designs_best_first_and_the_same_for_a_seed(kind):
    typicality, judge = typical_of(kind), Known()
    rows = typicality.neighbourhood.rows
    y = judge.predict(torch.from_numpy(rows)).response.numpy()
    targets, scale = np.quantile(y, [0.3, 0.7], axis=0), y.std(axis=0)
    pool = pool_of_mixes(judge, typicality, np.random.default_rng(0), 1500)
    aim = ExactAim(targets, scale)

    def found():
        return search(judge, typicality, aim, pool, 20, np.random.default_rng(1))

    answers, again = found(), found()
    assert np.bincount(answers.target).tolist() == [20, 20]
    assert bool(typicality.typical(answers.designs.x).all())
    np.testing.assert_array_equal(again.designs.x, answers.designs.x)
    for b in (0, 1):
        own = answers.target == b
        assert (np.diff(answers.cost[own]) >= 0).all()
        x = answers.designs.x[own]
        np.testing.assert_allclose(answers.cost[own], cost_by_hand(x, targets, scale)[b])
        assert len(np.unique(x, axis=0)) == 20
        best = aim.costs(pool, slice(None))[b].min()
        assert answers.cost[own][0] <= best, "no worse than the pool"


@pytest.mark.parametrize("kind", KINDS)
def test_steps_between_designs_are_typical_and_lie_on_their_difference(kind):
    typicality, rng = typical_of(kind), np.random.default_rng(0)
    rows = typicality.neighbourhood.rows
    pick = rng.integers(len(rows), size=(3, 3000))
    x, origin = crossed(typicality, rows[pick[0]], (rows[pick[1]], rows[pick[2]]), rng)
    assert len(x) > 100 and bool(typicality.typical(x).all())
    if kind in ("plain", "mixture"):
        base, first, second = (rows[part[origin]] for part in pick)
        some = np.abs(first - second).min(axis=1) > 0.05
        share = (x - base)[some] / (first - second)[some]
        assert (share >= -1e-9).all() and (share <= 1 + 1e-9).all()
        np.testing.assert_allclose(share, share[:, :1].repeat(share.shape[1], 1), atol=1e-6)


def test_local_search_comes_nearer_than_what_it_started_from():
    typicality, judge = typical_of("plain"), Known()
    start = Judged.by(judge, typicality.neighbourhood.rows)
    best = cheapest(start, AIM, 4)
    more, owner = refine(judge, typicality, AIM, start, best, 200, np.random.default_rng(0))
    floor = float(np.square(0.05 / SCALE).mean())
    for b in (0, 1):
        before = AIM.costs(start, slice(None))[b].min() - floor
        after = AIM.own_costs(more, owner)[owner == b].min() - floor
        assert after < 0.2 * before
    assert bool(typicality.typical(more.x).all())


def test_groups_of_good_designs_lie_apart_and_begin_with_their_best():
    places = np.array([[0.0], [0.2], [5.0], [0.1], [5.2], [9.0], [0.3]])
    groups, owner = apart_groups(places, np.array([[0, 1, 2, 3, 4], [5, 4, 2, 1, 0]]), 2, 3)
    assert owner.tolist() == [0, 0, 1, 1]
    assert groups.tolist() == [[0, 1, 3], [2, 4, 4], [5, 5, 5], [4, 2, 1]]


def test_designs_stay_apart_from_measured_ones():
    typicality, judge = typical_of("plain"), Known()
    pool = pool_of_mixes(judge, typicality, np.random.default_rng(0), 1500)
    found = search(judge, typicality, AIM, pool, 30, np.random.default_rng(1), apart=0.3)
    assert typicality.neighbourhood.nearest(found.designs.x)[0].min() >= 0.3


def test_a_preference_counts_instead_of_the_cost():
    typicality, judge = typical_of("plain"), Known()
    pool = pool_of_mixes(judge, typicality, np.random.default_rng(0), 500)
    found = search(
        judge, typicality, AIM, pool, 10, np.random.default_rng(1),
        preference=lambda targets, x, cost: -x[:, 0],
    )  # fmt: skip
    first = found.designs.x[found.target == 0, 0]
    assert (np.diff(first) <= 0).all()


def test_measured_rows_meet_a_target_within_what_anybody_could_tell():
    y = np.array([[1.0, 5.0], [1.004, 5.0], [1.02, 5.0], [np.nan, 5.0], [1.0, 5.2]])
    scale, noise = np.array([1.0, 2.0]), np.zeros(2)
    targets = np.array([[1.0, 5.0], [9.0, 9.0]])
    found = measured_rows(y, targets, scale, noise, 10)
    assert [part.tolist() for part in found] == [[0, 1], []]
    noisy = measured_rows(y, targets, scale, np.array([0.1, 1.0]), 10)
    assert noisy[0].tolist() == [0, 1, 2, 4], "a quarter of the noise: 0.025 and 0.25"
    assert measured_rows(y, targets, scale, np.array([0.1, 1.0]), 2)[0].tolist() == [0, 1]


def test_the_first_designs_differ_and_the_others_follow_by_cost():
    rng = np.random.default_rng(0)
    places = rng.random((60, 2)) * 4
    order = diverse_order(places, np.arange(60.0), 6)
    assert sorted(order) == list(range(60)) and order[0] == 0
    shown = places[order[:6]]
    apart = np.linalg.norm(shown[:, None] - shown[None], axis=2) + 9 * np.eye(6)
    assert apart.min() >= 1.0
    assert (np.diff(order[6:]) > 0).all()
    assert (np.diff(order[:6]) > 0).all(), "the first are in order too"
    alike = diverse_order(np.zeros((5, 2)), np.arange(5.0), 3)
    assert alike.tolist() == [0, 1, 2, 3, 4], "where all are alike, by cost"
    assert len(diverse_order(np.zeros((0, 2)), np.zeros(0))) == 0


def test_what_differs_is_the_best_that_is_far_from_all_before():
    places = np.array([[0.0, 0.0], [0.6, 0.6], [0.0, 1.0], [3.0, 0.0], [9.0, 9.0]])
    assert differing(places, 0.7) == [0, 1, 2, 3, 4]
    assert differing(places, 0.7, norm=np.inf) == [0, 2, 3, 4]
    assert differing(places, 0.7, [3], 3) == [3, 0, 1]
    assert differing(places, 0.7, among=np.array([1, 3])) == [1, 3]


SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
GRID = np.linspace(0, 3, 40)


def curves(x):
    return np.sin(GRID * (2 + x[:, :1])) * (1 + 0.5 * x[:, 1:]) + 0.3 * x[:, 1:] * GRID


@pytest.fixture(scope="module")
def inverse():
    x = np.random.default_rng(0).uniform(-1, 1, (70, 2))
    return InverseRegression.fit(SPACE, x, curves(x))


def test_inverse_regression_finds_the_designs_of_curves(inverse):
    x = np.random.default_rng(1).uniform(-0.8, 0.8, (10, 2))
    designs = inverse.propose(curves(x), 6, np.random.default_rng(0))
    assert designs.shape == (10, 6, 2)
    assert np.abs(designs[:, 0] - x).max() < 0.05
    cost = inverse.preference(curves(x), x, np.zeros(10))
    assert (cost < inverse.preference(curves(x), x + 0.2, np.zeros(10))).all()


def test_inverse_regression_says_nothing_where_it_does_not_know(inverse):
    unsure = replace(inverse, noise=np.full(2, 0.9))
    cost = np.arange(3.0)
    far = np.random.default_rng(1).uniform(-1, 1, (3, 2))
    np.testing.assert_array_equal(unsure.preference(curves(far), far, cost), cost)


def test_inverse_regression_comes_back_from_its_state(inverse):
    again = InverseRegression.restore(SPACE, inverse.state())
    y = curves(np.random.default_rng(2).uniform(-1, 1, (5, 2)))
    for a, b in zip(again.features(y), inverse.features(y), strict=True):
        np.testing.assert_array_equal(a, b)

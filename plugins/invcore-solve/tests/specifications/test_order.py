"""What designs cost for specifications, and the order in which they come."""

from __future__ import annotations

import numpy as np
import pytest
from invcore_solve.answers.preference import preferred, true_order, undominated
from invcore_solve.proposals.aims.specified import SpecifiedAim
from invcore_solve.proposals.judged import Judged
from scipy.special import ndtr

from invcore.plugin import Requirement, Space, Specification, Targets, Variable

RESPONSES = Space.of(*(Variable(name=name) for name in "abc"))


def aim_of(**wanted):
    import torch

    targets = Targets.of([Specification.of(wanted)], RESPONSES)
    return SpecifiedAim.of(targets.measured_in(torch.tensor([2.0, 1.0, 4.0]).double()))


def judged(rows, seed=0):
    rng = np.random.default_rng(seed)
    return Judged(
        rng.random((rows, 2)), 3 * rng.standard_normal((rows, 3)), 0.1 + rng.random((rows, 3))
    )


def test_violations_are_those_of_drawn_responses():
    aim = aim_of(a=Requirement(low=0.0, high=1.0), b=Requirement(high=2.0, weight=3.0),
                 c=Requirement(low=-1.0, tolerance=0.5))  # fmt: skip
    designs = judged(6)
    drawn = np.random.default_rng(1).standard_normal((400_000, 1, 3)) * designs.std + designs.mean
    low, high = np.array([0.0, -np.inf, -1.5]), np.array([1.0, 2.0, np.inf])  # as wide as is met
    away = (drawn - drawn.clip(low, high)) / np.array([2.0, 1.0, 0.5])
    expected = (np.square(away) * np.array([1.0, 3.0, 1.0])).sum(axis=2).mean(axis=0) / 3
    found = aim.violation(designs, np.zeros(6, dtype=int))
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=1e-4)


def test_without_goals_what_costs_is_the_doubt_that_it_is_met():
    aim, own = aim_of(a=Requirement(low=0.0), b=Requirement(high=2.0)), np.zeros(400, dtype=int)
    designs = judged(400)
    z = np.stack([designs.mean[:, 0], 2.0 - designs.mean[:, 1]], axis=1) / designs.std[:, :2]
    chance = ndtr(z).prod(axis=1)
    cost, away = aim.costs(designs, slice(None))[0], aim.violation(designs, own)
    told, sure = chance >= 1e-3, chance >= 0.995
    np.testing.assert_allclose(cost[told & ~sure], -np.log(chance[told & ~sure]))
    assert (cost[sure] == 0).all() and sure.any()
    np.testing.assert_allclose(cost[~told], np.log(1e3) + away[~told])
    assert (~told).any() and (away[~told] > 0).all()


def test_goals_wait_for_what_is_probable():
    both = aim_of(a=Requirement(low=0.0), b=Requirement(goal="minimise"))
    assert both.weighs and not aim_of(a=Requirement(low=0.0)).weighs
    assert not aim_of(b=Requirement(goal="minimise")).weighs
    several = aim_of(
        a=Requirement(low=0.0), b=Requirement(goal="minimise"), c=Requirement(goal="maximise")
    )
    alone, designs = several.without_goals(), judged(50)
    assert len(alone) == 1 and not alone.has_goals and several.repeats > 1
    expected = aim_of(a=Requirement(low=0.0)).costs(designs, slice(None))
    np.testing.assert_array_equal(alone.costs(designs, slice(None)), expected)


def test_what_is_free_costs_nothing():
    aim = aim_of(a=Requirement(low=-1e9), b=Requirement(goal="ignore"))
    assert np.abs(aim.costs(judged(5), slice(None))).max() == 0


def test_a_goal_decides_between_what_is_probable_enough():
    aim = aim_of(a=Requirement(low=0.0), b=Requirement(goal="minimise"))
    designs = judged(200)
    aim = aim.informed(designs)
    best = aim.costs(designs, slice(None))[0].argmin()
    sure = designs.mean[:, 0] / designs.std[:, 0] > 1.4  # nine in ten
    bounds = designs.mean[:, 1] + designs.std[:, 1]
    assert bounds[best] == pytest.approx(bounds[sure].min())


def test_several_goals_are_weighed_in_several_ways():
    aim = aim_of(a=Requirement(goal="minimise"), b=Requirement(goal="maximise"))
    designs = judged(500)
    aim = aim.informed(designs)
    assert len(aim) == aim.repeats > 4
    best = {int(cost.argmin()) for cost in aim.costs(designs, slice(None))}
    values = np.stack([designs.mean[:, 0] + designs.std[:, 0],
                       -designs.mean[:, 1] + designs.std[:, 1]], axis=1)  # fmt: skip
    front = set(np.flatnonzero(undominated(values)).tolist())
    assert len(best) > 2 and best <= front


def test_undominated_rows_are_those_of_all_pairs():
    goals = np.random.default_rng(0).integers(0, 6, (60, 3)).astype(float)
    worse = (goals[:, None] >= goals[None]).all(axis=2) & (goals[:, None] > goals[None]).any(axis=2)
    np.testing.assert_array_equal(undominated(goals), ~worse.any(axis=1))


def test_goals_that_are_not_known_come_last_and_every_design_once():
    goals = np.array([[0.0, 3.0], [1.0, 1.0], [3.0, 0.0], [np.nan, 0.0], [np.nan, np.nan]])
    assert undominated(goals).tolist() == [True, True, True, False, False]
    order = preferred(np.ones(5), np.zeros(5), goals).tolist()
    assert sorted(order) == [0, 1, 2, 3, 4] and order[0] == 1 and order[3:] == [3, 4]
    one = preferred(np.array([0.9, 1.0, 0.9]), np.zeros(3), np.array([[2.0], [np.nan], [1.0]]))
    assert one.tolist() == [2, 0, 1]


def test_without_goals_the_probability_orders_and_then_the_violation():
    probability = np.array([0.2, 0.90004, 0.9, 0.0, 0.0])
    violation = np.array([0.0, 0.3, 0.1, 5.0, 4.0])
    order = preferred(probability, violation, np.zeros((5, 0)))
    assert order.tolist() == [2, 1, 0, 4, 3]
    nothing = preferred(np.zeros(3), np.array([3.0, 1.0, 2.0]), np.array([[0.0], [5.0], [1.0]]))
    assert nothing.tolist() == [1, 2, 0], "what nothing meets is ordered by violations"


def test_a_front_begins_in_its_middle_and_goes_to_its_ends():
    along = np.linspace(0, 1, 11)
    goals = np.stack([along, 1 - along], axis=1)
    goals = np.concatenate([goals, goals + 0.3])
    order = preferred(np.ones(22), np.zeros(22), goals)
    assert order[0] == 5 and {int(i) for i in order[1:3]} == {0, 10}
    assert set(order[:11].tolist()) == set(range(11))


def test_known_responses_are_ordered_by_meeting_goals_and_violation():
    met, error = np.array([0.0, 1, 1, 0, 0]), np.array([2.0, 0, 0, np.nan, 1])
    goals = np.array([[0.0], [5], [3], [0], [9]])
    assert true_order(met, error, goals).tolist() == [2, 1, 4, 0, 3]

"""Targets: exact ones as they were, and specifications as tensors."""

import math
from types import SimpleNamespace

import pytest
import torch

from invcore.base.errors import ShapeError, UnfitError, UnknownNameError
from invcore.contracts.problem import GOALS, Targets
from invcore.pipeline import propose
from invcore.plugin import Answers, Requirement, Space, Specification, Variable

RESPONSES = Space.of(*(Variable(name=name) for name in ("gap", "mass", "cost")))
LIGHT = Specification.of(
    gap=Requirement(low=0.5, high=0.7, tolerance=0.1),
    mass=Requirement(goal="minimise", weight=2.0),
)


def test_exact_targets_are_their_responses():
    y = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    targets = Targets(y, {"known": torch.arange(2)})
    assert targets.exact and targets.y is y and len(targets) == 2
    one = targets[1:]
    assert one.exact and one.y.tolist() == [[3.0, 4.0]] and one.context["known"].tolist() == [1]
    assert targets[torch.tensor([1, 0])].y.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    moved = targets.to(torch.device("cpu"))
    assert moved.exact and torch.equal(moved.y, y)


def test_targets_of_whole_numbers_are_exact_too():
    assert Targets(torch.tensor([[1, 2]])).exact


def test_specifications_become_tensors():
    targets = Targets.of([LIGHT, LIGHT], RESPONSES)
    assert not targets.exact
    assert targets.low[0].tolist() == [0.5, -torch.inf, -torch.inf]
    assert targets.high[0].tolist() == [0.7, torch.inf, torch.inf]
    assert [GOALS[i] for i in targets.goal[0].tolist()] == ["meet", "minimise", "ignore"]
    assert targets.weight[0].tolist() == [1.0, 2.0, 1.0]
    assert float(targets.tolerance[0, 0]) == 0.1 and bool(targets.tolerance[0, 1:].isnan().all())
    part = targets[1:].to(torch.device("cpu"))
    assert len(part) == 1 and torch.equal(part.low, targets.low[:1])


def test_a_specification_of_exact_values_is_an_exact_target():
    exact = Specification.of({n: Requirement.exact(2.0) for n in RESPONSES.names})
    targets = Targets.of([exact], RESPONSES)
    assert targets.exact and targets.y.tolist() == [[2.0] * 3]
    loose = Specification.of({n: Requirement(low=2.0, high=2.0, tolerance=1.0) for n in "ab"})
    assert not Targets.of([loose], Space.of(Variable(name="a"), Variable(name="b"))).exact


def test_what_is_not_exact_is_refused_in_one_line(complaint):
    targets = Targets.of([LIGHT], RESPONSES)
    assert "exact responses alone" in complaint(UnfitError, lambda: targets.y)
    plain = SimpleNamespace(answers=Answers.EXACT)
    assert "fit it again" in complaint(UnfitError, propose, plain, None, None, targets, 3)


def test_wrong_names_and_shapes_are_told(complaint):
    other = Specification.of(gab=Requirement.exact(1.0))
    assert "Did you mean 'gap'" in complaint(UnknownNameError, Targets.of, [other], RESPONSES)
    parts = [torch.zeros(2, 3)] * 4 + [torch.zeros(2, 2)]
    assert "expected all (B, Dy)" in complaint(ShapeError, Targets.of_parts, *parts)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"low": 2.0, "high": 1.0}, "must not be above"),
        ({}, "needs low, high, or both"),
        ({"goal": "ignore", "low": 1.0}, "takes no low"),
        ({"low": 1.0, "weight": 0.0}, "greater than 0"),
        ({"low": 1.0, "tolerance": -1.0}, "greater than 0"),
        ({"low": float("nan")}, "finite"),
    ],
)
def test_requirements_that_mean_nothing_are_refused(settings, why):
    with pytest.raises(ValueError, match=why):
        Requirement(**settings)


FOUR = Space.model_validate({"variables": [{"name": name} for name in "abcd"]})
MIXED = Targets.of(
    [
        Specification.of(
            a=Requirement(low=0.5, high=0.7),
            b=Requirement(high=3.0, weight=3.0, tolerance=0.5),
            c=Requirement(goal="minimise"),
        ),
        Specification.of(a=Requirement.exact(1.0), d=Requirement(low=2.0, goal="maximise")),
    ],
    FOUR,
).measured_in(torch.tensor([0.1, 2.0, 0.0, 4.0]))
MEASURED = torch.tensor([[0.8, 3.25, 9.0, torch.nan], [0.9, torch.nan, torch.nan, 1.0]]).double()


def test_violation_is_the_distance_from_what_is_wanted():
    expected = torch.tensor([[0.1, 0.25, 0.0, 0.0], [-0.1, 0.0, 0.0, -1.0]]).double()
    assert torch.allclose(MIXED.violation(MEASURED), expected, atol=1e-7)
    many = MEASURED[:, None].expand(2, 3, 4)
    assert torch.allclose(MIXED.violation(many), expected[:, None].expand(2, 3, 4), atol=1e-7)


def test_error_is_the_weighted_mean_of_squared_violations_in_their_units():
    # (1 * (.1/.1)^2 + 3 * (.25/.5)^2) / 4, and ((-.1/.1)^2 + (-1/4)^2) / 2
    expected = torch.tensor([1.75 / 4, (1 + 1 / 16) / 2]).double()
    assert torch.allclose(MIXED.error(MEASURED), expected, rtol=1e-6)
    unknown = MEASURED.clone()
    unknown[0, 0] = torch.nan
    assert MIXED.error(unknown).isnan().tolist() == [True, False]
    assert MIXED.met(unknown).tolist() == [False, False]


def test_exact_targets_have_the_error_that_they_always_had():
    y = torch.tensor([[1.0, 2.0]]).double()
    exact = Targets(y).measured_in(torch.tensor([5.0, 5.0]))
    assert exact.error(torch.tensor([[[1.5, 2.0]]]).double()).tolist() == [[0.125]]
    assert exact[:1].spread.tolist() == [5.0, 5.0]


def test_met_is_within_the_tolerance_or_for_a_point_near_it():
    def meets(row):
        return bool(MIXED.met(torch.tensor([row, row]).double())[0])

    assert meets([0.7, 3.5, 0.0, 0.0]) and meets([0.5, -9.0, 0.0, torch.nan])
    assert not meets([0.5, -9.0, torch.nan, 0.0]), "nobody knows how small it is"
    assert not meets([0.7001, 3.0, 0.0, 0.0]) and not meets([0.6, 3.51, 0.0, 0.0])
    near = torch.tensor([[1.0, 0.0, 0.0, 2.0], [1.0009, 0.0, 0.0, 2.0]]).double()
    assert bool(MIXED.met(near)[1])
    near[1, 0] = 1.0011
    assert not bool(MIXED.met(near)[1])


def test_goals_are_made_small():
    y = torch.tensor([[1.0, 2.0, 3.0, 4.0]] * 2).double()
    assert MIXED.goals(y).tolist() == [[0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, -4.0]]
    assert MIXED.has_goals and not Targets(y).has_goals


def test_the_objective_is_the_error_until_all_is_met_and_then_the_goals():
    names = Space.of(Variable(name="u"), Variable(name="v"))
    wanted = {"u": Requirement(low=0.0), "v": Requirement(goal="maximise", weight=3.0)}
    targets = Targets.of([Specification.of(wanted)], names).measured_in(torch.tensor([1.0, 2.0]))
    y = torch.tensor([[[-2.0, 9.0], [-1.0, 0.0], [0.0, -4.0], [5.0, 0.0], [5.0, 4.0]]]).double()
    value = targets.objective(y)[0]
    assert value.tolist() == pytest.approx([4.0, 1.0, 6 / 7 - 1, -1.0, -6 / 7 - 1])
    assert bool((value.diff() < 0).all())
    assert MIXED[1:].objective(MEASURED[1:]).isfinite().all()
    exact = Targets(y[0])
    assert torch.equal(exact.objective(y[:, 0].expand(5, 2)), exact.error(y[:, 0].expand(5, 2)))
    y[..., 1] = torch.nan
    assert targets.objective(y)[0, :2].tolist() == [4.0, 1.0]
    assert bool(targets.objective(y)[0, 2:].isnan().all()), "nobody knows how large it is"


def test_narrowed_intervals_end_inside():
    low = torch.tensor([[0.0, -torch.inf, 2.0, -torch.inf, 1.0]]).double()
    high = torch.tensor([[1.0, 3.0, 2.0, torch.inf, 1.1]]).double()
    one = torch.ones_like(low)
    goal = torch.zeros_like(low).long()
    targets = Targets.of_parts(low, high, goal, one, torch.full_like(low, torch.nan))
    narrow = targets.narrowed(torch.tensor([0.3, 0.3, 0.3, 0.3, 0.3]))
    assert torch.allclose(
        narrow.low, torch.tensor([[0.3, -torch.inf, 2.0, -torch.inf, 1.05]]).double()
    )
    assert torch.allclose(narrow.high, torch.tensor([[0.7, 2.7, 2.0, torch.inf, 1.05]]).double())
    half = targets.narrowed(torch.tensor([[0.3] * 5]), most=0.5)
    assert half.low[0].tolist() == pytest.approx([0.25, -math.inf, 2.0, -math.inf, 1.025])
    exact = Targets(low[:, :1])
    assert exact.narrowed(torch.tensor([1.0])) is exact

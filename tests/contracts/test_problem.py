"""Targets: exact ones as they were, and specifications as tensors."""

import pytest
import torch

from invcore.base.errors import ShapeError, UnfitError, UnknownNameError
from invcore.contracts.problem import GOALS, Targets
from invcore.pipeline import propose
from invcore.plugin import Requirement, Space, Specification, Variable

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
    assert "exact responses alone" in complaint(UnfitError, propose, None, None, None, targets, 3)


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

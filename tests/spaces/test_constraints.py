"""Constraints as data: what is refused, what bounds leave of them, what is allowed."""

from __future__ import annotations

import json
import math

import pytest
import torch

from invcore.base.errors import ConfigError
from invcore.plugin import (
    Among,
    Categorical,
    Fixed,
    Integers,
    Levels,
    LinearEquality,
    LogUniform,
    Normal,
    Periodic,
    Space,
    Uniform,
    Variable,
    generator,
)

PARTS = [Variable(name=name, prior=Uniform(low=0.0, high=1.0)) for name in "abc"]
COUNT = Variable(name="count", prior=Integers(low=0, high=9))
METAL = Variable(name="metal", prior=Categorical(categories=("Fe", "Cu", "Al")))
SIZE = Variable(name="size", prior=LogUniform(low=0.01, high=10.0))
TILT = Variable(name="tilt", prior=Uniform(low=0.0, high=360.0))
VARIABLES = (*PARTS, COUNT, METAL, SIZE, TILT)
ALL = Space.of(
    *VARIABLES,
    constraints=[
        LinearEquality(coefficients={"a": 1.0, "b": 1.0, "c": 1.0}, value=1.0),
        Levels(variable="count", values=(7.0, 1.0, 3.0)),
        Fixed(variable="metal", value=2.0),
        Among(variables=("b", "size"), designs=((0.1, 0.02), (0.2, 5.0))),
        Periodic(variable="tilt", low=0.0, high=360.0),
    ],
)


def rows(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_draws_are_allowed_and_repeat():
    x = ALL.sample(300, generator(0))
    assert bool(ALL.contains(x).all()) and torch.equal(x, ALL.sample(300, generator(0)))
    assert x[:, 3].unique().tolist() == [1.0, 3.0, 7.0] and x[:, 4].unique().tolist() == [2.0]
    assert {tuple(row) for row in x[:, [1, 5]].tolist()} == {(0.1, 0.02), (0.2, 5.0)}
    assert torch.allclose(x[:, :3].sum(1), torch.ones(300, dtype=torch.float64), atol=1e-15)


def test_contains_says_which_row_is_wrong():
    good = [0.5, 0.2, 0.3, 7.0, 2.0, 5.0, 10.0]
    wrong = [(0, 0.51), (2, math.nan), (3, 2.0), (4, 1.0), (5, 0.02), (6, 360.0), (6, -1.0)]
    table = rows(good, *([*good[:i], value, *good[i + 1 :]] for i, value in wrong))
    assert ALL.contains(table).tolist() == [True] + [False] * len(wrong)
    assert ALL.contains(table.view(2, 4, 7)).shape == (2, 4)
    assert ALL.contains(table[:6].float()).tolist() == ALL.contains(table[:6]).tolist()


def test_a_sum_may_be_off_by_rounding_or_its_tolerance():
    def total(tolerance):
        sums = LinearEquality(coefficients={"a": 2.0, "b": -1.0}, value=0.5, tolerance=tolerance)
        return Space.of(*PARTS, constraints=[sums])

    x = rows([0.5, 0.5 + 2e-9, 0.0], [0.5, 0.5 + 4e-9, 0.0], [0.5, 0.509, 0.0], [0.5, 0.52, 0.0])
    assert total(0.0).contains(x).tolist() == [True, False, False, False]
    assert total(0.01).contains(x).tolist() == [True, True, True, False]
    assert torch.equal(total(0.01).project(x)[:3], x[:3])
    moved = total(0.01).project(x)[3]
    assert float(2 * moved[0] - moved[1]) == pytest.approx(0.5, abs=1e-15)


def test_json_round_trip():
    again = Space.parse(json.loads(json.dumps(ALL.model_dump(mode="json"))))
    assert again == ALL and hash(again) == hash(ALL)
    x = torch.rand(50, 7, generator=generator(1), dtype=torch.float64)
    assert torch.equal(again.project(x), ALL.project(x))


REFUSED = {
    "unknown": (Fixed(variable="coutn", value=1.0), "no variable 'coutn'. Did you mean 'count'"),
    "unknown in a sum": (LinearEquality(coefficients={"aa": 1.0}, value=1.0), "no variable 'aa'"),
    "fixed outside": (Fixed(variable="a", value=1.5), "1.5 of 'a' is outside its bounds 0 to 1"),
    "fixed between": (Fixed(variable="count", value=1.5), "1.5 of 'count' is not a whole number"),
    "no category": (Fixed(variable="metal", value=3.0), "outside its bounds 0 to 2"),
    "level outside": (Levels(variable="a", values=(0.5, 2.0)), "the level 2 of 'a' is outside"),
    "listed outside": (Among(variables=("a", "b"), designs=((0.0, 2.0),)), "listed value 2 of 'b'"),
    "categories added": (LinearEquality(coefficients={"metal": 1.0}, value=1.0), "be added"),
    "out of reach": (
        LinearEquality(coefficients={"a": 1.0, "b": -1.0}, value=1.5), "between -1 and 1"),
    "round categories": (Periodic(variable="metal", low=0.0, high=3.0), "do not go round"),
    "round logarithm": (Periodic(variable="size", low=0.0, high=3.0), "logarithmic"),
    "round halves": (Periodic(variable="count", low=0.0, high=9.5), "begin and end at such"),
    "round elsewhere": (Periodic(variable="a", low=2.0, high=3.0), "outside its bounds"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_one_line(name, complaint):
    constraint, said = REFUSED[name]
    plain = {
        "variables": [variable.model_dump(mode="json") for variable in VARIABLES],
        "constraints": [constraint.model_dump(mode="json")],
    }
    assert said in complaint(ConfigError, Space.parse, plain)


CONTRADICTIONS = {
    "twice": ([Fixed(variable="a", value=0.5), Fixed(variable="a", value=0.6)], "has two"),
    "levels": (
        [Fixed(variable="a", value=0.5), Levels(variable="a", values=(0.1, 0.9))], "among its"),
    "list": (
        [Fixed(variable="a", value=0.5), Among(variables=("a",), designs=((0.1,), (0.9,)))],
        "no design of a has"),
    "sums": (
        [LinearEquality(coefficients={"a": 1.0, "b": 1.0}, value=1.0),
         LinearEquality(coefficients={"a": 2.0, "b": 2.0}, value=1.5)], "contradict one another"),
    "fixed sum": (
        [Fixed(variable="a", value=0.5), Fixed(variable="b", value=0.1),
         LinearEquality(coefficients={"a": 1.0, "b": 1.0}, value=1.0)], "and cannot be 1"),
    "end of a turn": (
        [Levels(variable="tilt", values=(0.0, 360.0)), Periodic(variable="tilt", low=0, high=360)],
        "below 360, which is the same as 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_refused(name):
    constraints, said = CONTRADICTIONS[name]
    with pytest.raises(ValueError, match=said):
        Space.of(*VARIABLES, constraints=constraints)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: LinearEquality(coefficients={"a": 0.0}, value=1.0), "is zero"),
        (lambda: LinearEquality(coefficients={}, value=1.0), "at least 1"),
        (lambda: LinearEquality(coefficients={"a": 1.0}, value=1.0, tolerance=-1.0), "greater"),
        (lambda: Periodic(variable="a", low=1.0, high=1.0), "must be below"),
        (lambda: Levels(variable="a", values=()), "at least 1"),
        (lambda: Among(variables=("a", "a"), designs=((1.0, 1.0),)), "twice"),
        (lambda: Among(variables=("a", "b"), designs=((1.0,),)), "1 values for the 2"),
    ],
)
def test_what_says_nothing_is_refused(made, said):
    with pytest.raises(ValueError, match=said):
        made()


def test_bounds_keep_constraints_that_hold():
    low, high = ALL.low.clone(), ALL.high.clone()
    low[3], high[3] = 2.0, 8.0  # the level 1 is outside
    low[5] = 1.0  # and so is the listed size 0.02
    low[6], high[6] = 10.0, 20.0
    box = ALL.bounded(low, high)
    assert box.constraints[1].values == (3.0, 7.0) and box.constraints[3].designs == ((0.2, 5.0),)
    assert (box.low[3], box.high[3]) == (2.0, 8.0)
    assert (box.low[6], box.high[6]) == (ALL.low[6], ALL.high[6])  # it goes round
    x = box.sample(100, generator(0))
    assert bool(box.contains(x).all()) and bool(ALL.contains(x).all())
    again = box.bounded(box.low, box.high)
    assert again.constraints == box.constraints and torch.equal(again.low, box.low)


def test_bounds_that_leave_nothing_stay():
    low, high = ALL.low.clone(), ALL.high.clone()
    low[3], high[3] = 4.0, 6.0  # between two levels
    high[:3] = 0.2  # three of which never make one
    box = ALL.bounded(low, high)
    assert torch.equal(box.low[:5], ALL.low[:5]) and torch.equal(box.high[:5], ALL.high[:5])
    assert box.constraints == ALL.constraints


def test_a_turn_bounds_what_has_no_bounds():
    angle = Variable(name="angle", prior=Normal(mean=0.0, std=5.0))
    space = Space.of(angle, constraints=[Periodic(variable="angle", low=-180.0, high=180.0)])
    assert float(space.low) == -180.0 and 179.999 < float(space.high) < 180.0
    assert space.project(rows([181.0], [-180.0], [180.0])).tolist() == [
        [-179.0],
        [-180.0],
        [-180.0],
    ]

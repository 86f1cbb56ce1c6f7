"""Inequalities, conditions, cardinalities and expressions: what is refused, what is allowed, how
far designs are from it; against predicates written out by hand.
"""

from __future__ import annotations

import json
import math

import pytest
import torch

from invcore.base.errors import ConfigError
from invcore.plugin import (
    AnyOf,
    Cardinality,
    Categorical,
    Integers,
    Interval,
    Levels,
    LinearInequality,
    Nonlinear,
    Space,
    Uniform,
    Values,
    Variable,
    generator,
)

A, B, C = (Variable(name=name, prior=Uniform(low=0.0, high=2.0)) for name in "abc")
COUNT = Variable(name="count", prior=Integers(low=0, high=5))
KIND = Variable(name="kind", prior=Categorical(categories=("P", "Q", "R")))
VARIABLES = (A, B, C, COUNT, KIND)
SUM = LinearInequality(coefficients={"a": 1.0, "b": 2.0, "count": -0.5}, low=-1.0, high=2.0)
IF_Q = AnyOf(
    alternatives=(
        (Values(variable="kind", values=(0.0, 2.0)),),
        (Interval(variable="a", low=0.5, high=1.5), LinearInequality(
            coefficients={"b": 1.0, "c": -1.0}, high=0.0)),
    )
)  # fmt: skip
TWO = Cardinality(variables=("a", "b", "c", "count"), least=1, most=2)
PRODUCT = Nonlinear(expression="a*b", low=0.1, high=1.0)


def allowed_by_hand(constraint, row):
    a, b, c, count, kind = row
    if constraint is SUM:
        return -1.0 <= a + 2 * b - 0.5 * count <= 2.0
    if constraint is IF_Q:
        return kind != 1.0 or (0.5 <= a <= 1.5 and b <= c)
    if constraint is TWO:
        return 1 <= sum(v != 0 for v in (a, b, c, count)) <= 2
    return 0.1 <= a * b <= 1.0


def designs(count, seed=0):
    x = Space.of(*VARIABLES).sample(count, generator(seed))
    off = torch.rand(count, 4, generator=generator(seed, "off")) < 0.4
    x[:, :4] = torch.where(off, 0.0, x[:, :4])
    return x


@pytest.mark.parametrize("constraint", [SUM, IF_Q, TWO, PRODUCT], ids=lambda c: c.kind)
def test_contains_what_a_predicate_allows(constraint):
    space, x = Space.of(*VARIABLES, constraints=[constraint]), designs(2000)
    good = torch.tensor([allowed_by_hand(constraint, row) for row in x.tolist()])
    assert 100 < int(good.sum()) < 1900
    assert torch.equal(space.contains(x), good)
    assert torch.equal(space.contains(x.view(40, 50, 5)), good.view(40, 50))
    assert torch.equal(space.violation(x)[:, 0] == 0, good)
    assert not bool(space.contains(x.index_fill(1, torch.tensor([0, 4]), math.nan)).any())


def test_violations_are_distances_in_ranges():
    space = Space.of(*VARIABLES, constraints=[SUM, IF_Q, TWO, PRODUCT])
    x = torch.tensor([[2.0, 2.0, 0.5, 0.0, 1.0]], dtype=torch.float64)
    norm = math.sqrt(2.0**2 + 4.0**2 + 2.5**2)
    product = space.violation(x)[0, 3].item()
    expected = [(6.0 - 2.0) / norm, 1.5 / math.sqrt(8.0), 0.5 / 2.0, product]
    assert space.violation(x)[0].tolist() == pytest.approx(expected)
    assert 3.0 / 4.0 < product < 3.0 / 2.0  # a b varies between 0 and 4, rarely as far


def test_which_constraints_leave_no_room():
    space = Space.of(*VARIABLES, constraints=[SUM, IF_Q, TWO, PRODUCT])
    x = torch.tensor(
        [[1.0, 0.5, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 1.0, 1.0], [1.0, 1.0, 1.0, 5.0, 0.0]]
    ).double()
    assert space.binding(x).tolist() == [
        [True, False, True, False], [False, True, True, False], [False, False, True, True]
    ]  # fmt: skip


def test_single_precision_is_given_its_rounding():
    thin = LinearInequality(coefficients={"a": 0.1, "b": 0.7, "c": 0.3}, high=1.0)
    space = Space.of(*VARIABLES, constraints=[thin])
    x = designs(500, seed=3)
    x[:, 2] = (1.0 - 0.1 * x[:, 0] - 0.7 * x[:, 1]) / 0.3
    x = x[(x[:, 2] >= 0) & (x[:, 2] <= 2)]
    assert len(x) > 50 and bool(space.contains(x).all()) and bool(space.contains(x.float()).all())
    assert not bool(space.contains((x + 0.01).float().clamp(max=2.0))[:, None].all())


def test_json_round_trip():
    space = Space.of(*VARIABLES, constraints=[SUM, IF_Q, TWO, PRODUCT])
    again = Space.parse(json.loads(json.dumps(space.model_dump(mode="json"))))
    assert again == space and hash(again) == hash(space)


REFUSED = {
    "unknown": (LinearInequality(coefficients={"aa": 1.0}, high=1.0), "no variable 'aa'"),
    "unknown in an expression": (Nonlinear(expression="a*d", high=1.0), "no variable 'd'"),
    "categories compared": (LinearInequality(coefficients={"kind": 1.0}, high=1.0), "be added"),
    "categories counted": (Cardinality(variables=("kind", "a"), most=1), "none of which is zero"),
    "categories multiplied": (Nonlinear(expression="kind*a", high=1.0), "are no numbers"),
    "categories in order": (
        AnyOf(alternatives=((Interval(variable="kind", low=1.0),),)), "have no order"),
    "no such category": (
        AnyOf(alternatives=((Values(variable="kind", values=(3.0,)),),)), "no category of number"),
    "out of reach": (
        LinearInequality(coefficients={"a": 1.0, "b": -1.0}, low=2.5), "cannot be at least 2.5"),
    "beyond": (LinearInequality(coefficients={"a": 1.0}, high=-0.5), "cannot be at most -0.5"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_one_line(name, complaint):
    constraint, said = REFUSED[name]
    plain = {
        "variables": [variable.model_dump(mode="json") for variable in VARIABLES],
        "constraints": [constraint.model_dump(mode="json")],
    }
    assert said in complaint(ConfigError, Space.parse, plain)


MALFORMED = {
    "no limit": (LinearInequality, {"coefficients": {"a": 1.0}}, "limits nothing"),
    "order": (LinearInequality, {"coefficients": {"a": 1}, "low": 2, "high": 1}, "not be above"),
    "zero": (LinearInequality, {"coefficients": {"a": 0.0}, "low": 2}, "leave 'a' out"),
    "empty": (AnyOf, {"alternatives": [[]]}, "always holds"),
    "count": (Cardinality, {"variables": ["a"], "least": 2}, "at least 2 of 1"),
    "twice": (Cardinality, {"variables": ["a", "a"], "most": 1}, "comes twice"),
    "crossed": (Cardinality, {"variables": ["a", "b"], "least": 2, "most": 1}, "at most 1"),
    "nothing": (Cardinality, {"variables": ["a"]}, "limits nothing"),
    "no name": (Nonlinear, {"expression": "2*3", "low": 1}, "names no variable"),
    "no expression": (Nonlinear, {"expression": "a*", "low": 1}, "expected a number or a name"),
    "never run": (Nonlinear, {"expression": "__import__('os')", "low": 1}, "no function"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_makes_no_sense_is_refused_in_one_line(name, complaint):
    kind, plain, said = MALFORMED[name]
    assert said in complaint(ConfigError, kind.parse, plain)


def test_features_do_not_see_inequalities():
    plain = Space.of(*VARIABLES, constraints=[Levels(variable="a", values=(0.5, 1.0))])
    more = Space.of(*VARIABLES, constraints=[*plain.constraints, SUM, IF_Q, TWO, PRODUCT])
    x = designs(20)
    assert torch.equal(plain.encode(x), more.encode(x))

"""Draws of what is allowed: against the prior's own draws that happen to be allowed, and against
volumes that are known.
"""

from __future__ import annotations

import math

import pytest
import torch

from invcore.base.errors import DataError
from invcore.plugin import (
    Categorical,
    Integers,
    LogNormal,
    LogUniform,
    Normal,
    Poisson,
    Space,
    Uniform,
    Variable,
    generator,
    installed,
)

X, Y, Z = (
    Variable(name=n, prior=Uniform(low=0.0, high=h))
    for n, h in (("x", 1.0), ("y", 2.0), ("z", 1.0))
)
N, M = (Variable(name=n, prior=Integers(low=0, high=9)) for n in "nm")
KIND = Variable(name="kind", prior=Categorical(categories=("P", "Q", "R"), weights=(1.0, 2.0, 1.0)))
SMALL = Variable(name="s", prior=LogUniform(low=0.01, high=1.0))
RATE = Variable(name="r", prior=LogNormal(mean=-1.0, std=0.5))
BELL = Variable(name="g", prior=Normal(mean=0.0, std=1.0))
COUNT = Variable(name="c", prior=Poisson(rate=4.0))

LIKE_THE_PRIOR = {
    "inequality": ((X, Y, Z), ["x + y + z <= 1"]),
    "condition": ((X, Y, KIND), ["if kind == Q then x + y <= 0.5"]),
    "holes": ((X, Y), ["x <= 0.1 or x >= 0.7", "y <= 2*x"]),
    "logarithm": ((X, SMALL), ["x + s <= 0.2"]),
    "log-normal": ((X, RATE), ["x + r <= 0.4"]),
    "normal": ((X, BELL), ["g + x >= 1"]),
    "limits": ((BELL, SMALL, COUNT), ["g >= 0.5", "s <= 0.1", "c >= 3"]),
    "expression": ((X, Y), ["x*y >= 0.7"]),
    "whole numbers": ((N, M, COUNT), ["n + 2*m <= 9", "c <= n"]),
}


def rejected(space, count):
    """Draws of the priors that are allowed."""
    plain = Space.of(*space.variables).sample(count, generator(7))
    return plain[space.contains(plain)]


def apart(first, second):
    """The largest difference of two distribution functions, and what is rarely exceeded."""
    every = torch.cat([first, second]).sort().values
    below = [
        torch.searchsorted(s.sort().values, every, right=True) / len(s) for s in (first, second)
    ]
    limit = 1.95 * math.sqrt(1 / len(first) + 1 / len(second))  # once in a thousand
    return float((below[0] - below[1]).abs().max()), limit


@pytest.mark.parametrize("name", LIKE_THE_PRIOR)
def test_draws_are_the_prior_given_the_constraints(name):
    variables, constraints = LIKE_THE_PRIOR[name]
    space = Space.of(*variables, constraints=constraints)
    x, known = space.sample(4000, generator(0)), rejected(space, 60_000)
    assert bool(space.contains(x).all()) and len(known) > 800
    ways = torch.eye(space.dim).double()
    for way in (*ways, (x.std(0).clamp(min=1e-9)) ** -1):
        difference, limit = apart(x @ way, known @ way)
        assert difference < limit


def test_draws_repeat_and_do_not_depend_on_earlier_ones():
    for variables, constraints in (
        ((X, Y, Z), ["x + y + z == 1"]),
        ((X, Y, N), ["x + y + 0.1*n == 1"]),
        ((X, Y, Z), ["x^2 + y^2 + z^2 <= 0.01"]),
    ):
        first = Space.of(*variables, constraints=constraints).sample(50, generator(3))
        again = Space.of(*variables, constraints=constraints)
        again.sample(20, generator(1))
        assert torch.equal(again.sample(50, generator(3)), first)


def test_mixtures_are_uniform_on_the_simplex():
    parts = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abcd"]
    space = Space.of(*parts, constraints=["a + b + c + d == 1"])
    x = space.sample(4000, generator(0))
    below = torch.linspace(0.02, 0.9, 20).double()
    for column in x.unbind(1):  # each is Beta(1, 3)
        share = (column[:, None] <= below).double().mean(0)
        assert float((share - (1 - (1 - below) ** 3)).abs().max()) < 1.95 / math.sqrt(4000)


def test_a_walk_with_steps_weighs_each_by_its_room():
    """x + y = 1 - n/10 leaves a line as long as the rest is: longer for fewer steps."""
    space = Space.of(X, Y, N, constraints=["x + y + 0.1*n == 1"])
    x = space.sample(4000, generator(0))
    room = 1 - torch.arange(10) / 10
    share = torch.bincount(x[:, 2].long(), minlength=10) / len(x)
    assert float((share.cumsum(0) - (room / room.sum()).cumsum(0)).abs().max()) < 0.04
    assert float((x[:, 0] / (1 - x[:, 2] / 10)).mean()) == pytest.approx(0.5, abs=0.02)


def test_cardinality_draws_each_support_as_often():
    space = Space.of(X, Y, Z, constraints=["at most 2 of x, y, z", "x + y + z == 1"])
    x = space.sample(3000, generator(0))
    unused = torch.stack([(x == 0)[:, i] for i in range(3)], 1).double().mean(0)
    assert float((unused - unused.mean()).abs().max()) < 0.03
    assert bool(((x > 0).sum(1) <= 2).all())


def test_thin_alternatives_are_all_reached():
    space = Space.of(X, Y, constraints=["x <= 0.0001*y or x >= 0.9999"])
    x = space.sample(2000, generator(0))
    low = x[:, 0] < 0.5
    assert float(low.double().mean()) == pytest.approx(0.5, abs=0.05)
    assert float(x[low, 1].mean()) == pytest.approx(4 / 3, abs=0.06)
    assert float(x[~low, 1].mean()) == pytest.approx(1.0, abs=0.06)


def test_small_curved_sets_are_found():
    space = Space.of(X, Y, Z, constraints=["(x - 0.5)^2 + (y - 1)^2 + (z - 0.5)^2 <= 0.0025"])
    x = space.sample(3000, generator(0))
    radius = (x - torch.tensor([0.5, 1.0, 0.5])).norm(dim=1) / 0.05
    assert apart(radius, torch.rand(9000, generator=generator(1)).double() ** (1 / 3))[0] < 0.06


def test_what_is_empty_is_told():
    space = Space.of(X, Y, constraints=["x^2 + y^2 <= -1"])
    with pytest.raises(DataError, match="no design of x, y was found"):
        space.sample(5, generator(0))


MAPPED = {
    "inequality": ((X, Y, Z), ["x + y + z <= 1"]),
    "mixture": ((X, Y, Z), ["x + y + z == 1"]),
    "condition": ((X, Y, KIND), ["if kind == Q then x + y <= 0.5"]),
}


@pytest.mark.parametrize("name", MAPPED)
def test_even_points_become_even_designs(name):
    variables, constraints = MAPPED[name]
    space = Space.of(*variables, constraints=constraints)
    latin = installed().registry.load("sampler", "lhs")()
    unit = latin.sample(200, space.dim, generator(0))
    x, drawn = space.from_unit(unit), space.sample(3000, generator(1))
    assert bool(space.contains(x).all()) and torch.equal(space.from_unit(unit), x)
    assert torch.equal(space.from_unit(unit[:7]), x[:7])  # each point for itself
    assert float(((x.mean(0) - drawn.mean(0)) / drawn.std(0)).abs().max()) < 0.12
    assert float((x.std(0) / drawn.std(0) - 1).abs().max()) < 0.15
    random = space.stratification(space.sample(200, generator(2)))
    kept = space.stratification(x)
    assert float(random[0]) == pytest.approx(0.63, abs=0.08)
    assert float(kept[0]) > 0.85  # but for the projection, one design in each stratum
    assert bool((kept[:2] > random[:2] - 0.1).all())


def test_a_design_on_a_face_is_rare_where_draws_are_inside():
    space = Space.of(X, Y, Z, constraints=["x + y + z <= 1"])
    unit = torch.rand(500, 3, generator=generator(0)).double()
    assert float(space.binding(space.from_unit(unit)).double().mean()) < 0.1


def test_limits_cut_the_prior():
    space = Space.of(BELL, COUNT, constraints=["g >= 1", "3 <= c <= 5"])
    unit = torch.linspace(0.001, 0.999, 999)[:, None].expand(-1, 2).double()
    x = space.from_unit(unit)
    assert float(x[:, 0].median()) == pytest.approx(1.40989, abs=2e-3)  # of a normal beyond 1
    weights = torch.tensor([4.0**k / math.factorial(k) for k in (3, 4, 5)])
    share = torch.bincount(x[:, 1].long())[3:] / len(x)
    assert torch.allclose(share, weights / weights.sum(), atol=2e-3)


def test_spaces_without_ties_draw_as_ever():
    plain = Space.of(X, N, KIND)
    levels = Space.of(X, N, KIND, constraints=["x in {0, 0.5, 1}"])
    drawn, stepped = plain.sample(50, generator(0)), levels.sample(50, generator(0))
    assert torch.equal(stepped[:, 1:], drawn[:, 1:])
    assert torch.equal(stepped[:, 0], (2 * drawn[:, 0]).round() / 2)
    assert not bool(levels.tied.any())

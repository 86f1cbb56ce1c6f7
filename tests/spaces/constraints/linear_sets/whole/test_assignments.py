import itertools

import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets.polytope import Polytope
from invcore.spaces.constraints.linear_sets.system import LinearSystem
from invcore.spaces.constraints.linear_sets.whole.assignments import Assignments
from invcore.spaces.constraints.linear_sets.whole.part import DiscretePart

INF = np.inf


def lattice():
    """Whole a in 0..3, b in 0..9, and x in [0, 1] with a + b + x <= 5 and a >= b - 2.5 x."""
    return LinearSystem.of(
        [[1.0, 1.0, 1.0], [-1.0, 1.0, -2.5]],
        [-INF, -INF],
        [5.0, 0.0],
        [0.0, 0.0, 0.0],
        [3.0, 9.0, 1.0],
        integer=[True, True, False],
    )


def brute(system, at):
    low, high = system.low[system.integer], system.high[system.integer]
    every = itertools.product(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)))
    return {values for values in every if Polytope(at(system, values)).feasible}


def test_all_are_listed(at):
    listing = Assignments(lattice()).listed(100)
    assert listing.complete
    assert {tuple(row) for row in listing.values} == brute(lattice(), at)
    assert len(listing.values) == 13


@pytest.mark.parametrize("kind", ["levels", "whole", "few_parts", "all_kinds"])
def test_all_of_random_sets_are_listed(drawn, at, kind):
    seed = next(
        s for s in range(99) if 2**2 < np.prod(drawn(kind, s).high[drawn(kind, s).integer] + 1) < 99
    )
    system = drawn(kind, seed)
    listing = Assignments(system).listed(400)
    assert listing.complete
    assert {tuple(row) for row in listing.values} == brute(system, at)


def test_too_many_are_not_listed():
    listing = Assignments(lattice()).listed(5)
    assert not listing.complete and len(listing.values) == 5


def test_some_assignment():
    assert tuple(Assignments(lattice()).any()) in {(a, b) for a in range(4) for b in range(10)}
    odd = LinearSystem.of([[2.0, 2.0]], [3.0], [3.0], [0.0, 0.0], [5.0, 5.0], integer=[True, True])
    assert Assignments(odd).any() is None
    assert Assignments(odd).listed(5).values.shape == (0, 2)
    assert Assignments(odd).drawn(5, np.random.default_rng(0)).shape == (0, 2)


def test_ranges(at):
    ranges = Assignments(lattice()).ranges()
    values = np.array(sorted(brute(lattice(), at)))
    np.testing.assert_allclose(ranges[:2], np.stack([values.min(0), values.max(0)], 1))
    np.testing.assert_allclose(ranges[2], [0.0, 1.0], atol=1e-9)


def test_draws_are_nearly_uniform(at):
    drawn = Assignments(lattice()).drawn(390, np.random.default_rng(1))
    values, counts = np.unique(drawn, axis=0, return_counts=True)
    assert {tuple(row) for row in values} == brute(lattice(), at)
    assert counts.min() > 12 and counts.max() < 60


def test_where_the_solver_cannot_tell_all_are_listed(monkeypatch):
    monkeypatch.setattr(Assignments, "any", lambda self: np.zeros(0))
    assert DiscretePart(lattice(), most=100).feasible
    with pytest.raises(RuntimeError, match="could not decide"):
        DiscretePart(lattice(), most=5).feasible  # noqa: B018

"""L-BFGS of many functions: known minima, functions that end by themselves, walls."""

from __future__ import annotations

import torch

from invcore.numerics.lbfgs import minimise_each


def rosenbrock(x, which):
    """Rosenbrock's valleys of several depths, whose lowest points are (1, 1)."""
    depth = 10.0 ** which.double()
    a, b = x.unbind(dim=1)
    value = (1 - a) ** 2 + depth * (b - a**2) ** 2
    slope = torch.stack([-2 * (1 - a) - 4 * depth * a * (b - a**2), 2 * depth * (b - a**2)], dim=1)
    return value, slope


def test_valleys_end_at_their_lowest_points():
    start = torch.tensor([[-1.2, 1.0]] * 3).double()
    point, value = minimise_each(rosenbrock, start, steps=200, tolerance=1e-12)
    torch.testing.assert_close(point, torch.ones(3, 2).double(), rtol=1e-4, atol=1e-4)
    assert bool((value < 1e-8).all())


def test_a_function_that_has_ended_is_asked_no_more():
    asked = []

    def function(x, which):
        asked.append(which.tolist())
        return rosenbrock(x, 2 * which)

    start = torch.tensor([[1.0, 1.0], [-1.2, 1.0]]).double()
    minimise_each(function, start, steps=50)
    assert asked[0] == [0, 1]
    assert asked[1:] and all(each == [1] for each in asked[1:])


def test_where_a_value_is_infinite_a_shorter_step_is_taken():
    def function(x, which):
        value = torch.where(x[:, 0] < 2.5, (x[:, 0] - 2) ** 2, torch.inf)
        return value, 2 * (x - 2)

    point, _ = minimise_each(function, torch.zeros(1, 1).double() - 3, steps=30, largest_step=10)
    torch.testing.assert_close(point, torch.full((1, 1), 2.0).double(), rtol=1e-2, atol=1e-2)


def test_steps_are_the_most_that_are_taken():
    start = torch.tensor([[-1.2, 1.0]]).double()
    few = minimise_each(rosenbrock, start, steps=2, tolerance=0.0)[1]
    more = minimise_each(rosenbrock, start, steps=20, tolerance=0.0)[1]
    assert float(more) < float(few) <= float(rosenbrock(start, torch.zeros(1))[0])

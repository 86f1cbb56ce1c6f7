import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import LinearSystem
from invcore.spaces.constraints.linear_sets.whole.branch_and_bound import BranchAndBound
from invcore.spaces.constraints.linear_sets.whole.part import DiscretePart

INF = np.inf


def few_parts(count, most):
    """A sum of 1, where at most so many columns are not zero."""
    rows = np.zeros((count + 2, 2 * count))
    rows[:count, :count], rows[:count, count:] = np.eye(count), -np.eye(count)
    rows[count, count:] = rows[count + 1, :count] = 1.0
    low, high = np.full(count + 2, -INF), np.zeros(count + 2)
    high[count] = most
    low[count + 1] = high[count + 1] = 1.0
    whole = np.arange(2 * count) >= count
    return LinearSystem.of(
        rows, low, high, np.zeros(2 * count), np.ones(2 * count), integer=whole, weight=1.0 - whole
    )


def largest_on_simplex(points, most):
    """Known to be nearest: the largest values, projected on to the simplex."""
    results = np.zeros_like(points)
    for result, point in zip(results, points, strict=True):
        chosen = np.argsort(-point)[:most]
        ordered = -np.sort(-point[chosen])
        excess = (ordered.cumsum() - 1) / np.arange(1, most + 1)
        result[chosen] = np.maximum(point[chosen] - excess[(ordered > excess).sum() - 1], 0.0)
    return results


@pytest.mark.parametrize(("count", "most"), [(12, 2), (16, 7)])
def test_few_parts_of_a_mixture(count, most):
    system = few_parts(count, most)
    points = np.full((15, 2 * count), np.nan)
    points[:, :count] = np.random.default_rng(0).uniform(-0.2, 0.5, (15, count))
    part = DiscretePart(system, most=0)
    assert part.listed is None
    found = part.project(points)
    assert found.proven.all()
    expected = largest_on_simplex(points[:, :count], most)
    np.testing.assert_allclose(found.points[:, :count], expected, atol=1e-12)
    assert system.violation(found.points).max() < 1e-12


@pytest.mark.parametrize("kind", ["levels", "whole", "few_parts", "all_kinds"])
def test_nearest_of_all_assignments(drawn, far, kind):
    for seed in range(4):
        system = drawn(kind, seed)
        listed = MixedSet(system)
        if listed.assignments is None:
            continue
        points = far(system, 8, seed)
        searched = MixedSet(system, most=0).project(points)
        assert searched.proven.all()
        leaves = [
            leaf.project(points).distance
            for part in listed._parts
            if isinstance(part.points, DiscretePart) and len(part.columns) == system.columns
            for leaf in part.points.listed[1]
        ]
        if leaves:
            np.testing.assert_allclose(searched.distance, np.min(leaves, axis=0), atol=1e-10)
        np.testing.assert_allclose(searched.distance, listed.project(points).distance, atol=1e-10)


def test_too_few_nodes_are_not_a_proof():
    system = few_parts(10, 3)
    points = np.random.default_rng(1).uniform(0, 0.4, (6, 20))
    part = DiscretePart(system, most=0)
    short = BranchAndBound(system, part.leaf, part.first, nodes=1).project(points)
    assert not short.proven.all()
    assert system.violation(short.points).max() < 1e-12
    whole = BranchAndBound(system, part.leaf, part.first).project(points)
    assert whole.proven.all() and (whole.distance <= short.distance + 1e-12).all()

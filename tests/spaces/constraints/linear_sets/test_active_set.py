import itertools

import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets import active_set
from invcore.spaces.constraints.linear_sets.active_set import nearest
from invcore.spaces.constraints.linear_sets.search import Search


def brute(normals, offsets, point):
    """The nearest of the nearest points of all planes' intersections that satisfy all rows."""
    best, rows = None, range(len(normals))
    for size in range(min(normals.shape) + 1):
        for active in itertools.combinations(rows, size):
            a = normals[list(active)]
            if size:
                step = np.linalg.lstsq(a, a @ point - offsets[list(active)], rcond=None)[0]
                candidate = point - step
            else:
                candidate = point
            if (normals @ candidate <= offsets + 1e-9).all():
                distance = np.linalg.norm(candidate - point)
                if best is None or distance < best:
                    best = distance
    return best


def polytope(seed, rows=7, dimension=3):
    g = np.random.default_rng([25, seed])
    normals = g.standard_normal((rows, dimension))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return normals, g.uniform(0.05, 0.5, rows), g.standard_normal((20, dimension)) * 2


def conditions_hold(normals, offsets, points, found, rounding=1e-12):
    used = (found.active >= 0)[..., None]
    pull = (found.multipliers[..., None] * normals[found.active] * used).sum(axis=1)
    np.testing.assert_allclose(points - pull, found.points, atol=rounding)
    assert (found.multipliers >= -1e-12).all()
    assert (found.points @ normals.T <= offsets + 1e-11).all()


@pytest.mark.parametrize("seed", range(5))
def test_nearest_of_all_intersections(seed):
    normals, offsets, points = polytope(seed)
    found = nearest(normals, offsets, points)
    assert found.solved.all() and not found.infeasible.any()
    expected = [brute(normals, offsets, point) for point in points]
    np.testing.assert_allclose(np.linalg.norm(found.points - points, axis=1), expected, atol=1e-10)
    conditions_hold(normals, offsets, points, found)


def test_factors_made_anew_say_the_same():
    normals, offsets, points = polytope(0, rows=30, dimension=8)
    found = nearest(normals, offsets, points)
    limits = np.broadcast_to(offsets, (20, 30))
    search = Search(normals, limits, points, None, np.full(20, np.inf), careful=True)
    search.run(1000)
    np.testing.assert_allclose(search.result().points, found.points, atol=1e-12)


def test_a_start_with_active_rows_ends_at_the_same_points():
    normals, offsets, points = polytope(1, rows=30, dimension=8)
    found = nearest(normals, offsets, points)
    tighter = np.tile(offsets, (20, 1)) - np.random.default_rng(0).uniform(0, 0.03, (20, 30))
    fresh = nearest(normals, tighter, points)
    again = nearest(normals, tighter, points, active=found.active)
    assert again.solved.all()
    np.testing.assert_allclose(again.points, fresh.points, atol=1e-12)
    wrong = np.full((20, 3), -1)
    wrong[:, 0] = 5  # active nowhere near
    np.testing.assert_allclose(
        nearest(normals, tighter, points, active=wrong).points, fresh.points, atol=1e-12
    )


def test_points_in_portions(monkeypatch):
    normals, offsets, points = polytope(2, rows=30, dimension=8)
    whole = nearest(normals, offsets, points)
    monkeypatch.setattr(active_set, "_AT_ONCE", 3)
    parts = nearest(normals, offsets, points, active=whole.active, within=np.full(20, np.inf))
    np.testing.assert_allclose(parts.points, whole.points, atol=1e-12)
    assert parts.active.shape[0] == 20


def test_rows_that_leave_no_point_are_infeasible():
    normals = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    offsets = np.array([[1.0, 1.0, 1.0], [1.0, -1.5, 1.0]])
    found = nearest(normals, offsets, np.array([[3.0, 3.0], [3.0, 3.0]]))
    assert found.infeasible.tolist() == [False, True]
    assert found.solved.tolist() == [True, False]
    assert found.points[0].tolist() == [1.0, 1.0]


def test_a_slab_of_no_thickness():
    normals = np.array([[1.0, 0.0], [-1.0, 0.0]])
    found = nearest(normals, np.zeros(2), np.array([[3.0, 3.0], [-2.0, 1.0], [0.0, 5.0]]))
    assert found.solved.all()
    np.testing.assert_allclose(found.points, [[0, 3], [0, 1], [0, 5]], atol=1e-15)


def test_searches_end_where_points_are_too_far():
    normals, offsets, points = polytope(3, rows=30, dimension=8)
    distance = np.linalg.norm(nearest(normals, offsets, points).points - points, axis=1)
    near = nearest(normals, offsets, points, within=distance + 1e-9)
    assert near.solved.all()
    far = nearest(normals, offsets, points, within=0.3 * distance)
    assert far.infeasible.any() and not (far.solved & far.infeasible).any()
    solved = far.solved
    np.testing.assert_allclose(
        np.linalg.norm(far.points - points, axis=1)[solved], distance[solved], atol=1e-10
    )


def test_rows_that_are_nearly_parallel():
    normals = np.array([[1.0, 0.0], [np.cos(1e-5), np.sin(1e-5)], [-1.0, 0.0]])
    offsets, points = np.array([0.0, -1e-7, 1e-6]), np.array([[1.0, 1.0], [2.0, -3.0]])
    found = nearest(normals, offsets, points)
    assert found.solved.all()
    np.testing.assert_allclose(found.points[0], [-1e-6, 0.09], atol=1e-9)
    conditions_hold(normals, offsets, points, found, rounding=1e-10)  # multipliers of 1e5


def test_no_rows_and_no_points():
    none = nearest(np.zeros((0, 2)), np.zeros(0), np.ones((3, 2)))
    assert none.points.tolist() == np.ones((3, 2)).tolist() and none.solved.all()
    empty = nearest(np.ones((1, 1)), np.ones(1), np.zeros((0, 1)))
    assert empty.points.shape == (0, 1) and empty.solved.shape == (0,)
    flat = nearest(np.zeros((2, 0)), np.array([1.0, -1.0]), np.zeros((1, 0)))
    assert flat.infeasible.tolist() == [True]

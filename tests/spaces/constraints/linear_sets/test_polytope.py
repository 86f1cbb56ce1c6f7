import numpy as np
import pytest
from scipy import optimize

from invcore.spaces.constraints.linear_sets.polytope import Polytope
from invcore.spaces.constraints.linear_sets.system import LinearSystem

INF = np.inf


def unit(matrix, row_low, row_high, columns, **options):
    return LinearSystem.of(
        matrix, row_low, row_high, np.zeros(columns), np.ones(columns), **options
    )


def onto_simplex(points):
    """By sorting, as Held, Wolfe and Crowder had it."""
    ordered = -np.sort(-points, axis=1)
    excess = (ordered.cumsum(axis=1) - 1) / np.arange(1, points.shape[1] + 1)
    count = (ordered > excess).sum(axis=1)
    return np.maximum(points - excess[np.arange(len(points)), count - 1, None], 0.0)


def test_projections_on_to_a_simplex_are_those_of_sorting():
    points = np.random.default_rng(0).standard_normal((50, 12))
    found = Polytope(unit(np.ones((1, 12)), [1.0], [1.0], 12)).project(points)
    assert found.proven.all()
    np.testing.assert_allclose(found.points, onto_simplex(points), atol=1e-14)
    np.testing.assert_allclose(found.distance, np.linalg.norm(found.points - points, axis=1))


def test_projections_on_to_ordered_values_are_isotonic_regression():
    rows = np.eye(8)[:-1] - np.eye(8)[1:]
    system = LinearSystem.of(rows, np.full(7, -INF), np.zeros(7), np.full(8, -9.0), np.full(8, 9.0))
    points = np.random.default_rng(1).standard_normal((10, 8))
    expected = [optimize.isotonic_regression(point).x for point in points]
    np.testing.assert_allclose(Polytope(system).project(points).points, expected, atol=1e-12)


def test_distances_are_in_units_of_widths_and_weighted():
    system = LinearSystem.of(
        [[1.0, 1.0]], [0.0], [0.0], [-1.0, -1.0], [1.0, 1.0], weight=[1.0, 0.5], width=[1.0, 2.0]
    )
    # Least of (x - 1)^2 + 0.5 (y / 2)^2 where y = -x.
    found = Polytope(system).project(np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(found.points, [[8 / 9, -8 / 9]], atol=1e-14)
    np.testing.assert_allclose(found.distance, [1 / 3])


def test_columns_without_weight_are_free():
    # |x| <= y and y <= 0.3, where y may be anything: x is clamped.
    system = LinearSystem.of(
        [[1.0, -1.0], [-1.0, -1.0]],
        [-INF, -INF],
        [0.0, 0.0],
        [-1.0, 0.0],
        [1.0, 0.3],
        weight=[1.0, 0.0],
    )
    found = Polytope(system).project(np.array([[0.9, np.nan], [-0.2, 5.0]]))
    np.testing.assert_allclose(found.points[:, 0], [0.3, -0.2], atol=1e-11)
    assert (system.violation(found.points) < 1e-10).all()


def test_binding_sides_are_those_that_pull():
    system = unit(
        [[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [1.0, 1.0, 0.0]],
        [-INF, -0.5, 0.1],
        [1.0, 0.5, INF],
        3,
        owner=[5, 6, 7],
        low_owner=[10, 11, 12],
    )
    given = np.array([[0.9, 0.8, 0.5], [0.9, 0.1, 2.0], [-1.0, 0.05, -1.0], [0.5, 0.4, 0.5]])
    binding = Polytope(system).project(given).binding
    assert [system.owners_of(sides) for sides in binding] == [(5,), (6, 12), (7, 10, 12), ()]
    # Rows' upper and lower sides, columns' upper and lower bounds.
    assert np.nonzero(binding[1])[0].tolist() == [1, 8]
    assert np.nonzero(binding[2])[0].tolist() == [5, 9, 11]


def test_equalities_bind_on_the_side_they_pull_from():
    system = unit(np.ones((1, 2)), [1.0], [1.0], 2)
    binding = Polytope(system).project(np.array([[0.9, 0.9], [0.1, 0.1], [0.5, 0.5]])).binding
    assert [np.nonzero(sides)[0].tolist() for sides in binding] == [[0], [1], []]


def test_sums_that_press_columns_to_their_bounds():
    # a + b >= c + d + 1 where a + b <= 1: a + b = 1, and c = d = 0.
    system = unit(
        [[1.0, 1.0, -1.0, -1.0, 0.0], [1.0, 1.0, 0.0, 0.0, 1.0]],
        [1.0, -INF],
        [INF, 1.0],
        5,
    )
    polytope = Polytope(system)
    assert polytope.feasible and polytope.dimension == 1
    np.testing.assert_allclose(
        polytope.ranges(), [[0, 1], [0, 1], [0, 0], [0, 0], [0, 0]], atol=1e-12
    )
    # Both rows, and the lower bounds of c, d and the last.
    assert np.nonzero(polytope.implied)[0].tolist() == [1, 2, 11, 12, 13]


@pytest.mark.parametrize("thick", [0.0, 1e-9, 1e-6, 1e-3])
def test_only_slabs_thinner_than_rounding_are_equalities(thick):
    shares = np.array([[1.0, 1.0, 1.0]]) / 3**0.5
    system = unit(np.vstack([shares, -shares]), [-INF, -INF], [0.9 + thick, -0.9], 3)
    polytope = Polytope(system)
    assert polytope.dimension == (3 if thick > 2e-9 else 2)
    samples = polytope.sample(100, np.random.default_rng(0))
    assert system.violation(samples).max() <= 1e-9


@pytest.mark.parametrize("gap", [1e-6, 1e-3])
def test_contradictions_of_several_rows(gap):
    rows = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])
    assert not Polytope(unit(rows, [gap, 0.0, 0.0], [INF] * 3, 3)).feasible
    closed = Polytope(unit(rows, [0.0, 0.0, 0.0], [INF] * 3, 3))
    assert closed.feasible and closed.dimension == 1
    with pytest.raises(ValueError, match="no point"):
        Polytope(unit(rows, [gap, 0.0, 0.0], [INF] * 3, 3)).project(np.zeros((1, 3)))


def test_equalities_that_contradict_one_another():
    rows = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 0.0], [3.0, 3.0, 3.0]])
    assert not Polytope(unit(rows, [1.0, 1.0, 2.00001], [1.0, 1.0, 2.00001], 3)).feasible
    assert Polytope(unit(rows, [1.0, 1.0, 2.0], [1.0, 1.0, 2.0], 3)).dimension == 1


def test_a_single_point_by_inequalities():
    rows = np.array([[1.0, 1.0], [-1.0, 1.0], [0.0, -1.0]])
    polytope = Polytope(unit(rows, [-INF] * 3, [0.8, 0.0, -0.4], 2))
    assert polytope.feasible and polytope.dimension == 0
    np.testing.assert_allclose(polytope.centre(), [0.4, 0.4], atol=1e-12)
    found = polytope.project(np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(found.points, [[0.4, 0.4]], atol=1e-12)
    np.testing.assert_allclose(
        polytope.sample(2, np.random.default_rng(0)), [[0.4, 0.4]] * 2, atol=1e-12
    )


@pytest.mark.parametrize("kind", ["plain", "equalities", "slab", "mixture", "order"])
def test_ranges_are_those_of_linear_programs(drawn, kind):
    system = drawn(kind, 3)
    ranges = Polytope(system).ranges()
    limits = optimize.LinearConstraint(
        system.matrix / system.row_norm[:, None],
        system.row_low / system.row_norm,
        system.row_high / system.row_norm,
    )
    for j in range(min(system.columns, 4)):
        for end, sign in ((0, 1.0), (1, -1.0)):
            found = optimize.milp(
                sign * np.eye(system.columns)[j] / system.width[j],
                constraints=limits,
                bounds=optimize.Bounds(system.low, system.high),
            )
            assert found.x[j] == pytest.approx(ranges[j, end], abs=1e-6 * system.width[j])


def test_unbounded_sets_have_nearest_points_but_no_samples():
    system = LinearSystem.of([[1.0, -1.0]], [0.0], [0.0], [-INF, -INF], [INF, INF])
    polytope = Polytope(system)
    found = polytope.project(np.array([[1.0, 3.0]]))
    np.testing.assert_allclose(found.points, [[2.0, 2.0]])
    assert polytope.ranges().tolist() == [[-INF, INF]] * 2
    with pytest.raises(ValueError, match="unbounded"):
        polytope.sample(1, np.random.default_rng(0))


def test_infinite_bounds_that_rows_make_finite():
    system = LinearSystem.of(
        [[1.0, 1.0], [1.0, -1.0]], [0.0, 0.0], [1.0, 1.0], [-INF, -INF], [INF, INF]
    )
    samples = Polytope(system).sample(200, np.random.default_rng(0))
    assert system.violation(samples).max() < 1e-12
    np.testing.assert_allclose(Polytope(system).ranges(), [[0, 1], [-0.5, 0.5]], atol=1e-9)


def test_a_system_without_columns_or_rows():
    assert Polytope(unit([], [], [], 0)).feasible
    free = Polytope(unit([], [], [], 2))
    assert free.dimension == 2
    found = free.project(np.array([[2.0, 0.5]]))
    assert found.points.tolist() == [[1.0, 0.5]] and found.distance.tolist() == [1.0]


def test_samples_depend_on_the_generator_alone():
    rows = np.random.default_rng(0).standard_normal((3, 6))
    system = unit(rows, rows.sum(axis=1) / 2 - 0.2, rows.sum(axis=1) / 2 + 0.2, 6)
    first, second = Polytope(system), Polytope(system)
    second.sample(30, np.random.default_rng(5))
    second.sample(5, np.random.default_rng(6))
    samples = [p.sample(40, np.random.default_rng(7)) for p in (first, second)]
    assert samples[0].tolist() == samples[1].tolist()
    few = [p.sample(4, np.random.default_rng(7)) for p in (Polytope(system), second)]
    assert few[0].tolist() == few[1].tolist()


@pytest.mark.parametrize("away", [1e3, 1e6, 1e9])
def test_points_that_are_far_away(drawn, away):
    system = drawn("equalities", 1)
    given = away * np.random.default_rng(0).standard_normal((20, system.columns)) * system.width
    found = Polytope(system).project(given)
    assert system.violation(found.points).max() < 1e-9


def test_no_points(drawn):
    system = drawn("plain", 2)
    polytope = Polytope(system)
    assert polytope.project(np.zeros((0, system.columns))).points.shape == (0, system.columns)
    assert polytope.sample(0, np.random.default_rng(0)).shape == (0, system.columns)


@pytest.mark.parametrize("angle", [1e-3, 1e-5, 1e-7])
def test_rows_that_are_nearly_parallel(angle):
    g = np.random.default_rng(int(-np.log10(angle)))
    centre, first = g.random(6), g.standard_normal(6)
    rows = first + angle * g.standard_normal((4, 6))
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    level, thick = rows @ centre, np.array([0.0, 0.0, 1e-6, 1e-7])
    for equal in (True, False):  # equalities, or two inequalities that meet
        upper = np.concatenate([level + thick, np.full(4, INF)])
        lower = np.concatenate([np.full(4, -INF), level - thick])
        system = (
            unit(rows, level - thick, level + thick, 6)
            if equal
            else unit(np.vstack([rows, rows]), lower, upper, 6)
        )
        polytope = Polytope(system)
        assert polytope.feasible
        found = polytope.project(g.standard_normal((20, 6)) * 2)
        assert found.proven.all()
        assert system.violation(found.points).max() <= 1e-9
        samples = polytope.sample(20, np.random.default_rng(0))
        assert system.violation(samples).max() <= 1e-9

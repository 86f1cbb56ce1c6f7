import numpy as np
import pytest
from scipy import stats

from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import LinearSystem

INF = np.inf


def levels(*values):
    """One column for each list of levels, and an indicator for each level."""
    count, total = len(values), sum(map(len, values))
    rows = np.zeros((2 * count, count + total))
    at = count
    for i, of_one in enumerate(values):
        here = slice(at, at + len(of_one))
        rows[i, i], rows[i, here], rows[count + i, here] = 1.0, -np.array(of_one), 1.0
        at += len(of_one)
    level = np.repeat([0.0, 1.0], count)
    high = np.concatenate([[max(v) for v in values], np.ones(total)])
    whole = np.arange(count + total) >= count
    return LinearSystem.of(
        rows,
        level,
        level,
        np.zeros(count + total),
        high,
        integer=whole,
        weight=1.0 - whole,
        owner=np.tile(np.arange(count), 2),
        low_owner=np.where(whole, -1, 100),
    )


def test_parts_that_share_no_row_do_not_multiply():
    system = levels(*[[0.0, 1.0, 2.0, 5.0]] * 12)
    chosen = MixedSet(system, most=4)
    assert chosen.assignments == 4**12
    points = np.random.default_rng(0).uniform(-1, 6, (20, system.columns))
    found = chosen.project(points)
    each = np.array([0.0, 1.0, 2.0, 5.0])
    nearest = each[np.abs(points[:, :12, None] - each).argmin(axis=2)]
    np.testing.assert_allclose(found.points[:, :12], nearest, atol=1e-12)
    expected = np.linalg.norm((nearest - points[:, :12]) / 5, axis=1)
    np.testing.assert_allclose(found.distance, expected)
    assert chosen.sample(3, np.random.default_rng(0)).uniform


def test_samples_are_uniform_over_assignments_and_then_within_each():
    # x <= 0.1 where z = 0, x <= 1 where z = 1: the two are equally likely, whatever their size.
    system = LinearSystem.of(
        [[1.0, -0.9]], [-INF], [0.1], np.zeros(2), np.ones(2), integer=[False, True]
    )
    samples = MixedSet(system).sample(4000, np.random.default_rng(0))
    assert samples.uniform
    x, z = samples.points.T
    assert stats.binomtest(int(z.sum()), 4000).pvalue > 0.01
    assert stats.kstest(x[z == 0], stats.uniform(0, 0.1).cdf).pvalue > 0.01
    assert stats.kstest(x[z == 1], stats.uniform(0, 1).cdf).pvalue > 0.01


def test_too_many_assignments_are_not_sampled_uniformly():
    system = LinearSystem.of(
        np.ones((1, 9)), [-INF], [4.5], np.zeros(9), np.ones(9), integer=np.ones(9, bool)
    )
    chosen = MixedSet(system, most=50)
    samples = chosen.sample(100, np.random.default_rng(0))
    assert chosen.assignments is None and not samples.uniform
    assert system.violation(samples.points).max() == 0
    assert len(np.unique(samples.points, axis=0)) > 20
    assert MixedSet(system).assignments == 1 + 9 + 36 + 84 + 126


def test_whole_numbers_that_are_alone():
    system = LinearSystem.of(
        [[0.0, 1.0]], [-INF], [3.7], [-0.5, 0.0], [1e6, 5.0], integer=[True, True], low_owner=[7, 8]
    )
    chosen = MixedSet(system)
    assert chosen.assignments == 1000001 * 4
    found = chosen.project(np.array([[2.4, 1.6], [-3.0, 9.0], [1e7, 4.4]]))
    assert found.points.tolist() == [[2.0, 2.0], [0.0, 3.0], [1e6, 3.0]]
    assert [system.owners_of(sides) for sides in found.binding] == [(), (0, 7), (0, 7)]
    assert chosen.ranges().tolist() == [[0.0, 1e6], [0.0, 3.0]]
    samples = chosen.sample(2000, np.random.default_rng(0))
    assert samples.uniform
    assert np.unique(samples.points[:, 1]).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert stats.kstest(samples.points[:, 0], stats.uniform(0, 1e6).cdf).pvalue > 0.01


def test_categories_have_half_the_weight():
    # A one-hot pair beside x, where x <= 0.5 if the first is chosen.
    system = LinearSystem.of(
        [[0.0, 1.0, 1.0], [1.0, 0.5, 0.0]],
        [1.0, -INF],
        [1.0, 1.0],
        np.zeros(3),
        np.ones(3),
        integer=[False, True, True],
        weight=[1.0, 0.5, 0.5],
    )
    found = MixedSet(system).project(np.array([[0.9, 1.0, 0.0], [2.0, 1.0, 0.0]]))
    # To stay costs 0.4; to change costs 1.
    np.testing.assert_allclose(found.points[0], [0.5, 1.0, 0.0])
    # To stay costs 1.5; to change, and to come back to 1, costs sqrt 2.
    np.testing.assert_allclose(found.points[1], [1.0, 0.0, 1.0])
    np.testing.assert_allclose(found.distance, [0.4, 2**0.5])
    assert system.owners_of(found.binding[0]) == (1,)


def test_ranges_and_a_point_of_a_mixed_set():
    system = levels([0.0, 1.0, 4.0], [0.0, 2.0])
    row = np.zeros((1, system.columns))
    row[0, :2] = 1.0
    both = LinearSystem.of(
        np.vstack([system.matrix, row]),
        np.append(system.row_low, 2.5),
        np.append(system.row_high, 4.5),
        system.low,
        system.high,
        integer=system.integer,
        weight=system.weight,
    )
    chosen = MixedSet(both)
    assert chosen.assignments == 2  # 4 + 0, 1 + 2
    np.testing.assert_allclose(chosen.ranges()[:2], [[1.0, 4.0], [0.0, 2.0]], atol=1e-9)
    point = chosen.feasible_point()
    assert both.violation(point[None])[0] < 1e-12
    found = chosen.project(np.zeros((1, both.columns)))
    assert found.points[0, :2].tolist() == [4.0, 0.0]  # 1, while 1 + 2 is 1 / 16 + 1 away


def test_a_whole_number_that_rows_fix_between_two():
    half = LinearSystem.of(
        [[2.0, 1.0], [0.0, 1.0]], [3.0, 0.0], [3.0, 0.0], [0, 0], [5, 1], integer=[True, False]
    )
    assert not MixedSet(half).feasible
    assert MixedSet(half).assignments == 0 and MixedSet(half).feasible_point() is None


def test_empty_sets_and_points_that_are_not_finite():
    empty = LinearSystem.of(
        [[2.0, 2.0]], [3.0], [3.0], [0.0, 0.0], [5.0, 5.0], integer=[True, True]
    )
    chosen = MixedSet(empty)
    assert not chosen.feasible
    for call in (
        chosen.ranges,
        lambda: chosen.sample(1, np.random.default_rng(0)),
        lambda: chosen.project(np.zeros((1, 2))),
    ):
        with pytest.raises(ValueError, match="no point"):
            call()
    box = MixedSet(LinearSystem.of([], [], [], [0.0], [1.0]))
    with pytest.raises(ValueError, match="not finite"):
        box.project(np.array([[np.nan]]))


def test_samples_depend_on_the_generator_alone(drawn):
    system = drawn("levels", 1)
    first, second = MixedSet(system), MixedSet(system)
    second.sample(7, np.random.default_rng(5))
    samples = [s.sample(50, np.random.default_rng(6)).points for s in (first, second)]
    assert samples[0].tolist() == samples[1].tolist()


@pytest.mark.parametrize("most", [0, 400])
def test_no_points(drawn, most):
    system = drawn("few_parts", 1)
    chosen = MixedSet(system, most=most)
    assert chosen.project(np.zeros((0, system.columns))).points.shape == (0, system.columns)
    assert chosen.sample(0, np.random.default_rng(0)).points.shape == (0, system.columns)

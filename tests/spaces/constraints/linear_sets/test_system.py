import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets.system import INTERNAL, LinearSystem

INF = np.inf


def small(**changes):
    arguments = {
        "matrix": [[1.0, 2.0], [1.0, -1.0]],
        "row_low": [0.0, -INF],
        "row_high": [3.0, 0.5],
        "low": [0.0, -1.0],
        "high": [2.0, INF],
    }
    return LinearSystem.of(**(arguments | changes))


def test_defaults():
    system = small()
    assert (system.rows, system.columns) == (2, 2)
    assert system.width.tolist() == [2.0, 1.0]
    assert system.owner.tolist() == [0, 1]
    assert system.low_owner.tolist() == system.high_owner.tolist() == [INTERNAL, INTERNAL]
    assert not system.integer.any() and (system.weight == 1).all()
    assert system.owners == (0, 1)


def test_upper_bounds_have_the_owners_of_lower_ones_by_default():
    assert small(low_owner=[5, 6]).high_owner.tolist() == [5, 6]
    assert small(low_owner=[5, 6], high_owner=[7, 8]).high_owner.tolist() == [7, 8]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row_low": [0.0]}, "row_low has the shape"),
        ({"low": [np.nan, 0.0]}, "low has NaN"),
        ({"matrix": [[1.0, INF], [0.0, 0.0]]}, "coefficient"),
        ({"integer": [False, True]}, "whole numbers has an infinite bound"),
        ({"width": [0.0, 1.0]}, "widths"),
        ({"weight": [-1.0, 1.0]}, "weights"),
        ({"owner": [0, 1, 2]}, "owner has the shape"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_violation_is_in_units_of_widths():
    system = small(integer=[True, False])
    # Row norms: |(2, 2)| = 2 sqrt 2 and |(2, -1)| = sqrt 5.
    points = np.array([[1.0, 0.5], [1.0, 2.0], [2.0, 0.0], [-1.0, 0.5], [0.3, 0.5], [0.0, -2.0]])
    expected = [0.0, 2 / np.sqrt(8), 1.5 / np.sqrt(5), 0.5, 0.3, 4 / np.sqrt(8)]
    np.testing.assert_allclose(system.violation(points), expected)


def test_fixed_columns_are_no_part_of_a_rows_unit():
    system = LinearSystem.of([[1e-6, 1.0]], [0.0], [1e-6], [0.0, 0.0], [1.0, 0.0])
    assert system.row_norm.tolist() == [1e-6]


def test_a_row_of_fixed_columns_has_a_unit():
    system = LinearSystem.of([[2.0]], [0.0], [6.0], [3.0], [3.0])
    assert system.row_norm.tolist() == [6.0]
    assert LinearSystem.of([[0.0]], [0.0], [6.0], [3.0], [3.0]).row_norm.tolist() == [1.0]


def test_sides_are_rows_and_then_columns_each_with_the_upper_first():
    system = small(owner=[10, 11], low_owner=[20, 21], high_owner=[30, INTERNAL])
    assert system.side_owner.tolist() == [10, 11, 10, 11, 30, INTERNAL, 20, 21]
    sides = np.zeros(8, dtype=bool)
    sides[[0, 2, 5, 7]] = True
    assert system.owners_of(sides) == (10, 21)
    assert system.owners == (10, 11, 20, 21, 30)


def test_keeping_drops_rows_and_bounds_of_others():
    system = small(owner=[10, 11], low_owner=[20, 21], high_owner=[30, INTERNAL])
    kept = system.keeping([11, 20])
    assert kept.matrix.tolist() == [[1.0, -1.0]]
    assert kept.low.tolist() == [0.0, -INF] and kept.high.tolist() == [INF, INF]
    assert kept.width.tolist() == system.width.tolist()
    assert system.keeping(system.owners).high[0] == 2.0


def test_whole_numbers_keep_finite_bounds():
    system = LinearSystem.of([], [], [], [0.0], [3.0], integer=[True], low_owner=[4])
    kept = system.keeping([])
    assert kept.low.tolist() == [-30000.0] and kept.high.tolist() == [30003.0]


def test_numbers_that_are_large_beside_their_range_are_imprecise():
    low, high = [1e6, 2e6, -INF], [1e6 + 0.5, 2e6 + 4.0, 0.0]
    assert LinearSystem.of([], [], [], low, high).imprecise.tolist() == [True, False, False]

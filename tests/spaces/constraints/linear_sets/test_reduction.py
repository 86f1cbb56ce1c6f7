import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets.reduction import (
    Reduction,
    common_divisor,
    parts_of,
)
from invcore.spaces.constraints.linear_sets.system import LinearSystem

INF = np.inf


def reduced(matrix, row_low, row_high, low, high, **options):
    whole = options.pop("whole", False)
    return Reduction(LinearSystem.of(matrix, row_low, row_high, low, high, **options), whole=whole)


def test_rows_of_one_column_become_bounds_with_their_sides():
    result = reduced([[-2.0, 0.0], [0.0, 1.0]], [-6.0, -INF], [INF, 30.0], [1.0, 10.0], [5.0, 20.0])
    assert result.feasible and len(result.rows) == 0
    # -2 x >= -6 is x <= 3, by the row's lower side; y <= 30 says nothing.
    assert result.bounds(np.arange(2))[1].tolist() == [3.0, 20.0]
    assert result.high_side.tolist() == [2, 5] and result.low_side.tolist() == [6, 7]


def test_sums_at_their_least_fix_columns():
    result = reduced([[1.0, 1.0, 0.0]], [-INF], [3.0], [1.0, 2.0, 0.0], [4.0, 4.0, 1.0])
    assert result.free.tolist() == [False, False, True]
    low, high = result.bounds(np.arange(2))
    assert low.tolist() == high.tolist() == [1.0, 2.0]
    assert result.high_side[:2].tolist() == [0, 0]


def test_what_is_fixed_is_put_into_other_rows():
    result = reduced(
        [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [0.5, 1.0], [0.5, 1.0], np.zeros(3), np.ones(3)
    )
    assert result.rows.tolist() == [1]
    np.testing.assert_allclose(result.matrix, [[0.0, 0.5**0.5, 0.5**0.5]])
    np.testing.assert_allclose(result.row_low, [0.5 * 0.5**0.5])


def test_rows_that_bounds_imply_are_left_out():
    result = reduced([[1.0, 1.0], [1.0, 1.0]], [0.5, -1.0], [2.0, 2.0], np.zeros(2), np.ones(2))
    assert result.rows.tolist() == [0] and result.row_high.tolist() == [INF]


@pytest.mark.parametrize("gap", [1e-6, 1e-2])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_gaps_make_it_infeasible(gap, offset):
    low, high = np.full(2, offset), np.full(2, offset + 1.0)
    assert not reduced([[1.0, 1.0]], [2 * offset + 2 + 2 * gap], [INF], low, high).feasible
    assert reduced([[1.0, 1.0]], [2 * offset + 2], [INF], low, high).feasible
    assert not reduced([[1.0, 0.0]], [offset + 1 + 2 * gap], [INF], low, high).feasible


def test_bounds_of_whole_numbers_are_rounded_where_asked():
    arguments = [[1.0, 1.0]], [-INF], [3.9], [0.2, 0.0], [3.7, 0.5]
    whole = {"integer": [True, False]}
    assert reduced(*arguments, **whole, whole=True).bounds(np.arange(1)) == ([1.0], [3.0])
    assert reduced(*arguments, **whole).low.tolist() == [0.0, 0.0]
    nothing = reduced([[1.0]], [0.2], [0.8], [0.0], [5.0], integer=[True], whole=True)
    assert not nothing.feasible


@pytest.mark.parametrize("factor", [1.0, 0.37])
def test_sums_of_whole_numbers_are_multiples(factor):
    rows, whole = factor * np.array([[2.0, -6.0]]), {"integer": [True, True], "whole": True}
    box = np.zeros(2), np.full(2, 9.0)
    assert not reduced(rows, [3 * factor], [3 * factor], *box, **whole).feasible
    assert not reduced(rows, [2.1 * factor], [3.9 * factor], *box, **whole).feasible
    assert reduced(rows, [4 * factor], [4 * factor], *box, **whole).feasible
    some = reduced(rows, [2.1 * factor], [7.9 * factor], *box, **whole)
    norm = some.system.row_norm
    np.testing.assert_allclose(some.row_low * norm, [4 * factor])
    np.testing.assert_allclose(some.row_high * norm, [6 * factor])


def test_common_divisors():
    assert common_divisor(np.array([4.0, -6.0])) == 2.0
    assert common_divisor(np.array([0.25, 0.6])) == pytest.approx(0.05)
    assert common_divisor(np.array([1.0, 2**0.5])) == 0.0


def test_infinite_bounds():
    result = reduced([[1.0, -1.0]], [0.0], [0.0], [-INF, 0.0], [INF, 1.0])
    assert result.feasible and result.rows.tolist() == [0]
    assert result.low.tolist() == [-INF, 0.0] and result.high.tolist() == [INF, 1.0]
    bounded = reduced([[1.0, 0.0]], [2.0], [INF], [-INF, 0.0], [INF, 1.0])
    assert bounded.bounds(np.arange(1))[0].tolist() == [2.0]


def test_parts_are_connected():
    touches = np.zeros((3, 6), dtype=bool)
    touches[0, [5, 2]] = touches[1, [2, 0]] = touches[2, [1, 3]] = True
    parts = [(rows.tolist(), columns.tolist()) for rows, columns in parts_of(touches)]
    assert parts == [([0, 1], [0, 2, 5]), ([2], [1, 3]), ([], [4])]
    assert parts_of(np.zeros((0, 0), dtype=bool)) == []

"""What responses a table reaches: its rows, and all between neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_solve.tables.response_reach import Reach

from invcore.plugin import Pairs


def reach_of(x, y):
    return Reach.of(Pairs(torch.from_numpy(x), torch.from_numpy(y)), x)


def within(reach, targets):
    return [one.within for one in reach.check(np.array(targets, dtype=float))]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [1, 2, 3])
def test_every_row_and_all_between_neighbours_is_reached(seed, width):
    rng = np.random.default_rng(seed)
    x = rng.random((60, 2))
    y = np.stack([np.sin(3 * x[:, 0]), 100 * x[:, 1] ** 2, x[:, 0] * x[:, 1]], axis=1)[:, :width]
    y = np.ascontiguousarray(y)
    reach = reach_of(x, y)
    assert all(within(reach, y))
    apart = np.linalg.norm(x[:, None] - x[None], axis=2) + 9 * np.eye(60)
    nearest = apart.argmin(axis=1)
    for share in (0.25, 0.5):
        assert all(within(reach, y + share * (y[nearest] - y)))


def test_targets_beyond_or_in_a_hole_are_named_with_the_nearest_row():
    rng = np.random.default_rng(0)
    x = rng.random((300, 2))
    x = x[np.abs(x - 0.5).max(axis=1) > 0.3]
    y = x * [10.0, 1.0]
    reach = reach_of(x, y)
    targets = np.array([[5.0, 0.5], [12.0, 0.5], [1.0, 0.1], [5.0, -3.0]])
    hole, right, inside, below = reach.check(targets)
    assert [one.within for one in (hole, right, inside, below)] == [False, False, True, False]
    apart = np.linalg.norm((y - targets[1]) / y.std(axis=0), axis=1)
    assert right.row == apart.argmin() or apart[right.row] < 1.2 * apart.min()
    assert 9 < right.response[0] <= 10 and abs(right.response[1] - 0.5) < 0.2
    assert abs(below.response[1]) < 0.05 and 0 <= below.row < len(y)


def test_the_nearest_response_lies_on_a_line_between_rows():
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    (one,) = reach_of(x, y).check(np.array([[1.25, 4.0]]))
    np.testing.assert_allclose(one.response, [1.25, 0.0], atol=1e-12)
    assert one.row in (1, 2) and not one.within


def test_rows_that_lack_a_response_tell_nothing_and_rows_keep_their_numbers():
    x = np.arange(20.0)[:, None]
    y = np.c_[x, x]
    y[3, 0] = np.nan
    reach = reach_of(x, y)
    (one,) = reach.check(np.array([[25.0, 25.0]]))
    assert one.row == 19 and len(reach.y) == 19


def test_where_no_row_has_all_responses_nothing_is_out_of_reach():
    x = np.arange(20.0)[:, None]
    y = np.c_[np.where(x < 10, x, np.nan), np.where(x < 10, np.nan, 100 * x)]
    reach = reach_of(x, y)
    assert within(reach, [[5.0, 1500.0], [99.0, 0.0]]) == [True, True]
    np.testing.assert_allclose(reach.scale, np.nanstd(y, axis=0))


def test_units_of_responses_make_no_difference():
    rng = np.random.default_rng(1)
    x, targets = rng.random((80, 2)), rng.random((30, 2)) * 3 - 1
    for size in (1e-30, 1e30):
        scaled = within(reach_of(x, x * [1, size]), targets * [1, size])
        assert scaled == within(reach_of(x, x), targets)


def test_reach_comes_back_from_its_state():
    rng = np.random.default_rng(2)
    reach = reach_of(rng.random((40, 2)), rng.random((40, 2)))
    targets = rng.random((50, 2)) * 2 - 0.5
    assert within(Reach.restore(reach.state()), targets) == within(reach, targets)
    assert 0 < sum(within(reach, targets)) < 50

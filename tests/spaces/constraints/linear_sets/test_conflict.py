import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets.conflict import conflict, irreducible
from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import LinearSystem

INF = np.inf


@pytest.mark.parametrize("needed", [{0}, {9}, {3, 4}, {0, 5, 9}, set(range(10))])
def test_the_deletion_filter_finds_what_is_needed(needed):
    assert irreducible(range(10), lambda names: needed <= set(names)) == tuple(sorted(needed))


def test_one_of_several_conflicts_is_named():
    several = [{0, 1}, {1, 2}, {7}]

    def infeasible(names):
        return any(one <= set(names) for one in several)

    assert set(irreducible(range(9), infeasible)) in several
    assert irreducible(range(9), lambda names: False) == ()
    assert irreducible(range(9), lambda names: True) == ()


def test_order_that_comes_round():
    rows = np.zeros((5, 4))
    for i in range(3):
        rows[i, i], rows[i, (i + 1) % 3] = 1.0, -1.0
    rows[3:, 3] = 1.0
    system = LinearSystem.of(
        rows, [1e-6, 0, 0, 0.2, 0.1], [INF] * 5, np.zeros(4), np.ones(4), low_owner=[9] * 4
    )
    assert conflict(system) == (0, 1, 2)


def test_bounds_are_named_where_they_are_needed():
    system = LinearSystem.of(
        [[1.0, 1.0, 0.0]],
        [2.5],
        [INF],
        np.zeros(3),
        np.ones(3),
        low_owner=[10, 11, 12],
        high_owner=[20, 21, 22],
    )
    assert conflict(system) == (0, 20, 21)


def test_internal_rows_and_bounds_are_never_given_up():
    system = LinearSystem.of(
        [[1.0, 1.0], [1.0, 0.0]], [1.5, -INF], [INF, 0.3], np.zeros(2), np.ones(2), owner=[4, -1]
    )
    assert conflict(system) == (4,)
    internal = LinearSystem.of(
        [[1.0, 1.0]], [2.5], [INF], np.zeros(2), np.ones(2), owner=[-1], low_owner=[3, 4]
    )
    assert set(conflict(internal)) == {3, 4}
    alone = LinearSystem.of([[1.0]], [2.5], [INF], [0.0], [1.0], owner=[-1])
    assert conflict(alone) == ()


def test_whole_numbers_that_cannot_make_an_odd_sum():
    system = LinearSystem.of(
        [[2.0, 4.0, 0.0], [1.0, 0.0, 1.0]],
        [7.0, 1.0],
        [7.0, 4.0],
        np.zeros(3),
        np.full(3, 9.0),
        integer=[True, True, False],
        low_owner=[5, 6, 7],
    )
    assert conflict(system) == (0,)


def test_sets_with_points_have_no_conflict(drawn):
    assert conflict(drawn("plain", 0)) == ()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", ["plain", "equalities", "mixture", "levels", "whole"])
def test_conflicts_of_random_sets_are_irreducible(drawn, kind, seed):
    system = drawn(kind, seed, empty=True)
    owners = conflict(system)
    assert owners
    assert not MixedSet(system.keeping(owners)).feasible
    for owner in owners:
        assert MixedSet(system.keeping(set(owners) - {owner})).feasible

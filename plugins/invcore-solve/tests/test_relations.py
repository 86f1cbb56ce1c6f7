"""Exact relations, rounding, replicates: found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from invcore_solve.schema.relations import Relation, exact_relations, rounding
from invcore_solve.schema.rows import find_replicates

ROWS = 80


def draws(seed, width=4):
    return np.random.default_rng(seed).random((ROWS, width))


def closed(parts, total):
    """Columns with one more, which fills up to the total."""
    return np.c_[parts, total - parts.sum(axis=1)]


def found(x):
    return exact_relations(x, [f"x{i + 1}" for i in range(x.shape[1])])


def satisfied(relations, x):
    names = [f"x{i + 1}" for i in range(x.shape[1])]
    for relation in relations:
        columns = [names.index(name) for name in relation.coefficients]
        total = x[:, columns] @ np.array([*relation.coefficients.values()])
        assert np.abs(total - relation.value).max() <= relation.tolerance + 1e-12
    return True


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rounded", [None, 3, 1])
def test_there_is_none_in_random_columns(seed, rounded):
    x = draws(seed, 6) if rounded is None else draws(seed, 6).round(rounded)
    assert found(x) == ()
    assert found(np.c_[x, x[:, 0] ** 2, x[:, 0] + 0.05 * x[:, 1] ** 2]) == ()


@pytest.mark.parametrize("total", [1.0, 100.0, 1e-6])
def test_the_sum_of_a_mixture(total):
    x = closed(total * draws(0, 3) / 3, total)
    (one,) = found(x)
    assert one.coefficients == dict.fromkeys(["x1", "x2", "x3", "x4"], 1.0)
    assert one.value == pytest.approx(total, rel=1e-9) and satisfied([one], x)


def test_a_mixture_whose_parts_were_rounded():
    x = closed(100 * draws(0, 3) / 3, 100.0)
    x = x.round(1)
    (one,) = found(x)
    assert set(one.coefficients.values()) == {1.0} and one.value == pytest.approx(100, abs=0.2)
    assert 0 < one.tolerance <= 0.2 and satisfied([one], x)


def test_a_scaled_sum_and_a_difference():
    x = draws(1, 3)
    x = np.c_[x, 2 * x[:, 0] - 0.5 * x[:, 1] + 3]
    (one,) = found(x)
    assert set(one.coefficients) == {"x1", "x2", "x4"} and satisfied([one], x)
    ratio = np.array([one.coefficients[name] for name in ("x1", "x2", "x4")])
    np.testing.assert_allclose(ratio / ratio[2], [-2.0, 0.5, 1.0], rtol=1e-9)
    assert one.value / one.coefficients["x4"] == pytest.approx(3.0)


def test_two_mixtures_beside_each_other_are_two_relations():
    x = np.c_[closed(draws(2, 2) / 2, 1.0), closed(50 * draws(3, 2) / 2, 50.0)]
    relations = found(x)
    assert sorted(sorted(r.coefficients) for r in relations) == [
        ["x1", "x2", "x3"], ["x4", "x5", "x6"]
    ]  # fmt: skip
    assert satisfied(relations, x)


def test_a_copy_in_another_unit_and_columns_of_unlike_size():
    x = draws(4, 2) * [1.0, 1e9]
    x = np.c_[x, 25.4 * x[:, 0]]
    (one,) = found(x)
    assert set(one.coefficients) == {"x1", "x3"} and one.value == pytest.approx(0, abs=1e-9)


def test_too_few_rows_show_none():
    assert exact_relations(closed(draws(0, 3), 1.0)[:6], list("abcd")) == ()


def test_a_relation_reads_as_people_write_it():
    assert str(Relation(coefficients={"a": -1.0, "b": 0.25}, value=-3)) == "- a + 0.25 b = -3"


@pytest.mark.parametrize(("column", "step"), [
    ([0.5, 1.0, 3.5], 0.1), ([100, 2500], 100), ([1, 2, 3], 1), ([0.001, 3.14], 0.001),
    ([1 / 3, 0.5], 0.0), ([-0.25, 7.0], 0.01),
])  # fmt: skip
def test_rounding_is_seen(column, step):
    assert rounding(np.array(column)) == pytest.approx(step, rel=1e-12)


def test_replicates_tell_the_noise_and_no_other_rows_do():
    rng = np.random.default_rng(0)
    x = np.repeat(draws(5, 2)[:40], 3, axis=0)
    y = np.c_[x.sum(1) + 0.2 * rng.standard_normal(120), x.sum(1)]
    y[5, 0] = np.nan
    one = find_replicates(x, y, ("a", "b"))
    assert (one.designs, one.repeated, one.rows, one.contradictions) == (40, 40, 120, 40)
    # 79 degrees of freedom: the variance within 4 of its deviations, sqrt(2 / 79)
    assert one.noise["a"] == pytest.approx(0.2, rel=2 / np.sqrt(79) * np.sqrt(2))
    assert one.noise["b"] == pytest.approx(0.0, abs=1e-12)
    none = find_replicates(draws(5, 2), draws(6, 1), ("a",))
    assert (none.repeated, none.contradictions, none.noise) == (0, 0, {})


def test_the_noise_of_a_few_replicates_is_not_told():
    x, y = draws(7, 2), draws(8, 1)
    x[1:5] = x[0]  # four degrees of freedom
    assert find_replicates(x, y, ("a",)).noise == {}
    x[5] = x[0]
    assert set(find_replicates(x, y, ("a",)).noise) == {"a"}


def test_designs_that_nearly_repeat_are_counted():
    x = draws(9, 3) * [1, 1e3, 1e-3]
    before = find_replicates(x, draws(8, 1), ("a",)).near
    x[1] = x[0] + [3e-5, 0, 0]
    x[3] = x[2] + [0, 0.05, 0]
    x[5] = x[4] + [1e-3, 0, 0]
    assert (before, find_replicates(x, draws(8, 1), ("a",)).near) == (0, 2)

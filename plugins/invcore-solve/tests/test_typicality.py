"""Which designs are like a table's, and how others are made so."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.read import read
from invcore_solve.tables.table_data import TableData
from invcore_solve.typicality.blocks import find_blocks
from invcore_solve.typicality.neighbourhood import Neighbourhood
from invcore_solve.typicality.of_table import listed_designs, typicality_of

from invcore.plugin import Space, Uniform, Variable

ROWS = 80


def columns(kind, rng):
    a, b, c = rng.random((3, ROWS))
    if kind == "mixture":
        parts = rng.dirichlet([2, 2, 2, 2], ROWS)
        return {f"p{i}": parts[:, i] for i in range(4)}
    if kind == "levels":
        return {"a": a, "step": np.arange(ROWS) % 4 * 0.5, "count": rng.integers(0, 40, ROWS)}
    if kind == "categories":
        metals = np.array(["tin", "brass", "iron"])[np.arange(ROWS) % 3]
        return {"a": a, "metal": metals, "b": b * (1 + np.arange(ROWS) % 3)}
    if kind == "one hot":
        flag = np.arange(ROWS) % 3
        return {"a": a, **{f"is {i}": (flag == i) * 1 for i in range(3)}}
    if kind == "collinear":
        return {"a": a, "b": 3 * a + 0.05 * b, "c": c}
    if kind == "many decades":
        return {"a": 1e9 * a, "b": 1e-9 * b, "c": c}
    return {"a": a, "b": b, "c": c}


KINDS = ("mixture", "levels", "categories", "one hot", "collinear", "many decades", "plain")


@cache
def typical_of(kind, novelty=1.0):
    cells = columns(kind, np.random.default_rng(0))
    frame = pd.DataFrame({**cells, "y": np.random.default_rng(1).random(ROWS)})
    data = TableData.of(read(frame), Choices(responses=("y",)))
    return typicality_of(data, novelty)


def wild(typicality, rng, count=200):
    rows = typicality.neighbourhood.rows
    x = rows.mean(0) + 10 ** rng.uniform(-2, 3, (count, 1)) * rng.standard_normal(
        (count, rows.shape[1])
    ) * np.ptp(rows, axis=0)
    x[:5], x[5:10], x[10:12, 0], x[12:14, -1] = np.nan, np.inf, np.nan, -np.inf
    return x


@pytest.mark.parametrize("kind", KINDS)
def test_most_rows_are_typical_and_all_are_allowed(kind):
    typicality = typical_of(kind)
    rows = typicality.neighbourhood.rows
    assert bool(typicality.allowed(rows).all())
    assert typicality.near(rows).mean() > 0.9
    excess = typicality.excess(rows)
    assert (excess >= 0).all() and np.isfinite(excess).all()


@pytest.mark.parametrize("kind", KINDS)
def test_wild_designs_are_drawn_in_until_they_are_typical(kind):
    typicality = typical_of(kind)
    start = wild(typicality, np.random.default_rng(2))
    x, moved = typicality.drawn_in(start)
    assert bool(typicality.typical(x).all())
    again, none = typicality.drawn_in(x)
    np.testing.assert_array_equal(again, x)
    np.testing.assert_allclose(none, 0, atol=1e-6)
    outside = np.flatnonzero(~typicality.near(typicality.project(start[14:]))) + 14
    assert (moved[outside] > 0).all() and len(outside) > 10 and np.isfinite(moved).all()


@pytest.mark.parametrize("kind", KINDS)
def test_typical_designs_stay_where_they_are(kind):
    typicality = typical_of(kind)
    rows = typicality.neighbourhood.rows
    rows = rows[typicality.typical(rows)]
    x, moved = typicality.drawn_in(rows)
    np.testing.assert_allclose(x, rows, rtol=1e-9, atol=1e-12 * np.abs(rows).max())
    np.testing.assert_allclose(moved, 0, atol=1e-6)


def test_a_mixture_stays_one():
    typicality = typical_of("mixture")
    x, _ = typicality.drawn_in(wild(typicality, np.random.default_rng(3)))
    np.testing.assert_allclose(x.sum(axis=1), 1, atol=1e-9)
    assert (x >= 0).all() and len(np.unique(x, axis=0)) > 20


def test_levels_whole_numbers_and_categories_stay_theirs():
    x, _ = typical_of("levels").drawn_in(wild(typical_of("levels"), np.random.default_rng(3)))
    assert set(np.unique(x[:, 1])) <= {0, 0.5, 1, 1.5} and (x[:, 2] == np.round(x[:, 2])).all()
    x, _ = typical_of("one hot").drawn_in(wild(typical_of("one hot"), np.random.default_rng(3)))
    assert set(np.unique(x[:, 1:])) <= {0, 1} and (x[:, 1:].sum(axis=1) == 1).all()
    typicality = typical_of("categories")
    x, _ = typicality.drawn_in(wild(typicality, np.random.default_rng(3)))
    assert set(np.unique(x[:, 1])) <= {0, 1, 2}


def test_distance_counts_columns_that_move_together_once():
    typicality = typical_of("collinear")
    rows = typicality.neighbourhood.rows
    off = rows[rows[:, 1] < 1.5]
    off[:, 1] += 1.5  # half its range, away from the line
    assert typicality.excess(off).min() > 1.0
    along = rows.mean(axis=0)[None] + np.array([[0.05, 0.15, 0.0]])
    assert typicality.near(along).all()


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_novelty_is_a_factor_of_the_distance(factor):
    x = np.random.default_rng(4).random((300, 3)) * 1.2 - 0.1
    one, other = typical_of("plain"), typical_of("plain", factor)
    np.testing.assert_allclose(other.excess(x), one.excess(x) / factor)
    assert (one.near(x) <= other.near(x)).all() or factor < 1


def test_what_lies_beyond_the_rows_is_told_and_counts_as_if_it_ended_with_them():
    typicality = typical_of("plain")
    rows = typicality.neighbourhood.rows
    x = rows[:1].copy()
    x[0, 1] = 7.0
    assert typicality.beyond(x).tolist() == [[False, True, False]]
    assert not typicality.beyond(rows).any()
    edge = x.copy()
    edge[0, 1] = rows[:, 1].max()
    np.testing.assert_allclose(typicality.excess(x), typicality.excess(edge))


def test_distances_are_by_an_independent_count():
    rng = np.random.default_rng(5)
    x = rng.random((50, 2)) @ np.array([[2.0, 0.3], [0.0, 1.0]])
    designs = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=3.0)) for n in "ab"))
    around = Neighbourhood.of(designs, x)
    root = np.linalg.cholesky(np.linalg.inv(np.cov(x.T, bias=True)))
    apart = np.linalg.norm((x @ root)[:, None] - (x @ root)[None], axis=2)  # Mahalanobis
    ordered = np.sort(apart, axis=1)
    order = [int(np.flatnonzero((around.rows == row).all(axis=1))[0]) for row in x]
    np.testing.assert_allclose(around.own[order], ordered[:, 1:4].mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(around.unit, np.median(ordered[:, 1]), rtol=1e-9)
    distance, place = around.nearest(x)
    np.testing.assert_allclose(distance, 0, atol=1e-9)
    assert place.tolist() == order
    near = around.neighbours(5)
    assert near.shape == (50, 5) and not (near == np.arange(50)[:, None]).any()


def test_the_unit_of_a_column_makes_no_difference():
    x = np.random.default_rng(6).random((50, 2))
    for size in (1e-40, 1e40):
        spaces = [
            Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=s)) for n, s in
                       zip("ab", (1.0, top), strict=True))) for top in (1.0, size)
        ]  # fmt: skip
        plain = Neighbourhood.of(spaces[0], x)
        other = Neighbourhood.of(spaces[1], x * [1, size])
        np.testing.assert_allclose(other.own, plain.own, rtol=1e-6)


def test_a_neighbourhood_comes_back_from_its_state():
    one = typical_of("mixture").neighbourhood
    again = Neighbourhood.restore(one.whitening.designs, one.state())
    x = wild(typical_of("mixture"), np.random.default_rng(7))[14:]
    np.testing.assert_array_equal(again.distance(x), one.distance(x))


def test_rows_of_one_design_count_once():
    x = np.random.default_rng(8).random((20, 2))
    designs = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"))
    assert len(Neighbourhood.of(designs, np.r_[x, x]).rows) == 20


def test_blocks_join_what_is_related_or_nearly_collinear_but_no_categories():
    rng = np.random.default_rng(9)
    a, b, c = rng.random((3, ROWS))
    codes = np.arange(ROWS) % 3
    x = np.c_[a, b, a + 0.01 * c, codes, codes + 0.0]
    numeric = [True, True, True, False, True]
    blocks = find_blocks(x, [False] * 3 + [True] * 2, numeric, [[1, 4]])
    assert [(block.columns, block.discrete) for block in blocks] == [
        ((0, 2), False), ((1, 4), True), ((3,), True)
    ]  # fmt: skip


def test_blocks_of_few_combinations_are_levels_and_others_have_steps():
    rng = np.random.default_rng(10)
    few = rng.integers(0, 4, ROWS)
    x = np.c_[few, 2.0 * few]
    (one,) = find_blocks(x, [True, True], [True, True], [[0, 1]])
    assert one.discrete and not one.stepped
    many = rng.integers(0, 60, ROWS)
    (one,) = find_blocks(np.c_[many, 2.0 * many], [True, True], [True, True], [[0, 1]])
    assert one.discrete and one.stepped


def test_a_list_of_whole_designs_is_found_in_a_space():
    data = TableData.read(np.random.default_rng(0).random((20, 2)), np.arange(20.0))
    assert listed_designs(data.designs) is None
    listed = np.array([[0.5, 0.25], [0.75, 0.5]])
    assert listed_designs(data.among(listed).designs) == ((0.5, 0.25), (0.75, 0.5))
    assert torch.equal(data.among(listed).pairs.x, data.pairs.x)

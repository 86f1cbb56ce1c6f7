"""Spaces: the three forms of a design, and what is allowed."""

from __future__ import annotations

import json
import math

import pytest
import torch

from invcore.base.errors import ConfigError, DataError, ShapeError, UnknownNameError
from invcore.plugin import generator
from invcore.spaces.priors import Categorical, Integers, Normal, Poisson, Uniform
from invcore.spaces.space import Grid, Space, Variable

MIXED = Space.of(
    Variable(name="length", prior=Uniform(low=1.0, high=3.0), unit="mm"),
    Variable(name="speed", prior=Normal(mean=0.0, std=2.0), low=-1.0),
    Variable(name="teeth", prior=Integers(low=5, high=9)),
    Variable(name="metal", prior=Categorical(categories=("Fe", "Cu", "Al"), weights=(1, 2, 1))),
    Variable(name="shots", prior=Poisson(rate=4.0)),
)


def rows(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_draws_are_allowed_and_repeat():
    x = MIXED.sample(500, generator(0))
    assert x.dtype == torch.float64 and bool(MIXED.contains(x).all())
    assert torch.equal(x, MIXED.sample(500, generator(0)))
    assert not torch.equal(x, MIXED.sample(500, generator(1)))
    assert x[:, 3].unique().tolist() == [0.0, 1.0, 2.0]
    assert float((x[:, 3] == 1).double().mean()) == pytest.approx(0.5, abs=0.1)


def test_unit_cube_and_back():
    x = MIXED.sample(200, generator(0))
    unit = MIXED.to_unit(x)
    assert bool(((unit > 0) & (unit < 1)).all())
    assert torch.allclose(MIXED.from_unit(unit), x, atol=1e-12)
    grid = x.view(10, 20, 5)
    assert torch.equal(MIXED.to_unit(grid), unit.view(10, 20, 5))


def test_features_and_back():
    x = MIXED.sample(200, generator(0))
    features = MIXED.encode(x)
    assert MIXED.features == features.shape[1] == 7
    assert MIXED.feature_columns == (0, 1, 2, 3, 3, 3, 4)
    assert torch.equal(features[:, 3:6].sum(dim=1), torch.ones(200, dtype=torch.float64))
    assert torch.equal(MIXED.decode(features), x)
    assert MIXED.encode(x.view(10, 20, 5)).shape == (10, 20, 7)
    soft = features.clone()
    soft[:, 3:6] = soft[:, 3:6] * 0.2 + 0.1  # the largest wins
    assert torch.equal(MIXED.decode(soft), x)


def test_projection_gives_the_nearest_allowed():
    x = rows([0.0, -5.0, 5.4, 2.4, -3.0], [9.0, 5.0, 20.0, 7.0, 3.6], [2.0, 0.5, 6.5, 0.4, 2.2])
    before = x.clone()
    near = MIXED.project(x)
    assert near[:2].tolist() == [[1.0, -1.0, 5.0, 2.0, 0.0], [3.0, 5.0, 9.0, 2.0, 4.0]]
    assert bool(MIXED.contains(near).all()) and torch.equal(x, before)
    assert torch.equal(MIXED.project(near), near)


def test_contains_says_which_row_is_wrong():
    good = [2.0, 0.0, 7.0, 1.0, 3.0]
    wrong = [(0, 0.99), (0, math.nan), (1, -1.01), (2, 7.5), (2, 10.0), (3, 3.0), (4, -1.0)]
    table = rows(good, *([*good[:i], value, *good[i + 1 :]] for i, value in wrong))
    assert MIXED.contains(table).tolist() == [True] + [False] * len(wrong)


@pytest.mark.parametrize(
    ("low", "high", "bounds"), [(0.5, 3.4, (1, 3)), (None, 2.9, (0, 2)), (-4.0, 9.0, (0, 5))]
)
def test_whole_numbers_keep_within_fractional_bounds(low, high, bounds):
    variable = Variable(name="n", prior=Integers(low=0, high=5), low=low, high=high)
    space = Space.of(variable)
    assert variable.bounds == bounds
    x = torch.linspace(-3, 9, 100, dtype=torch.float64)[:, None]
    near = space.project(x)
    assert bool(space.contains(near).all())
    assert (float(near.min()), float(near.max())) == bounds


def test_bounded_cuts_where_there_is_room():
    low = rows(1.5, -9.0, 5.2, 1.0, 2.0)
    high = rows(2.0, 3.0, 8.9, 2.0, 2.0)
    box = MIXED.bounded(low, high)
    assert box.low.tolist() == [1.5, -1.0, 6.0, 0.0, 0.0]  # categories and constants stay
    assert box.high[:4].tolist() == [2.0, 3.0, 8.0, 2.0] and box.high[4] == MIXED.high[4]
    again = box.bounded(box.low, box.high)
    assert torch.equal(again.low, box.low) and torch.equal(again.high, box.high)
    assert MIXED.low[0] == 1.0


def test_json_round_trip():
    text = json.dumps(MIXED.model_dump(mode="json"))
    again = Space.parse(json.loads(text))
    assert again == MIXED
    x = MIXED.sample(50, generator(2))
    assert torch.equal(again.sample(50, generator(2)), x)


VARIABLES = {
    "no variables": ([], "at least 1"),
    "names": ([{"name": "a"}, {"name": "a"}], "one name among a, a"),
    "no name": ([{"name": ""}], "variables.0.name"),
    "bounds": ([{"name": "a", "low": 2.0, "high": 1.0}], "'a': low 2.0 must be below high 1.0"),
    "no whole number": (
        [{"name": "a", "prior": {"kind": "integers", "low": 0, "high": 9}, "low": 3.2,
          "high": 3.8}], "below"),
    "outside the support": (
        [{"name": "a", "prior": {"kind": "uniform", "low": 0.0, "high": 1.0}, "low": 2.0}],
        "below"),
    "unknown key": ([{"name": "a", "units": "m"}], "Did you mean"),
    "nan": ([{"name": "a", "low": math.nan}], "variables.0.low"),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIABLES)
def test_bad_space_is_refused_in_one_line(name, complaint):
    variables, said = VARIABLES[name]
    assert said in complaint(ConfigError, Space.parse, {"variables": variables})


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (2, 2), (3, 1), (7, 1)])
def test_a_grid_has_a_pixel_for_each_variable(rows, columns, complaint):
    pixels = [{"name": f"p{i}"} for i in range(6)]
    grid = {"rows": rows, "columns": columns}
    message = complaint(ConfigError, Space.parse, {"variables": pixels, "grid": grid})
    assert f"a grid of {rows} x {columns} for 6 variables" in message
    for grid in (Grid(rows=2, columns=3), Grid(rows=6, columns=1)):
        space = Space.of(*(Variable(**pixel) for pixel in pixels), grid=grid)
        assert space.bounded(torch.zeros(6), torch.ones(6)).grid == grid


def test_a_grid_has_no_categories(complaint):
    kinds = {"kind": "categorical", "categories": ["p", "q"]}
    pixels = [{"name": "a"}, {"name": "b", "prior": kinds}]
    given = {"variables": pixels, "grid": {"rows": 1, "columns": 2}}
    assert "no categories" in complaint(ConfigError, Space.parse, given)


def test_wrong_shapes_and_names(complaint):
    for work in (MIXED.encode, MIXED.from_unit, MIXED.to_unit, MIXED.project, MIXED.contains):
        assert "expected 5 columns" in complaint(ShapeError, work, torch.zeros(3, 4))
        assert "expected 5 columns" in complaint(ShapeError, work, torch.tensor(1.0))
    assert "'metal'" in complaint(UnknownNameError, MIXED.index, "metall")
    assert MIXED.index("metal") == 3
    responses = Space.of(Variable(name="y"))
    assert "'y' has no prior" in complaint(DataError, responses.sample, 3, generator(0))

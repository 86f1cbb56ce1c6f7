"""The nearest designs that inequalities, conditions, cardinalities and expressions allow: no
allowed design of a fine grid is nearer, and each is reached as nearly as the grid is fine.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from invcore.plugin import (
    Categorical,
    Integers,
    Levels,
    Normal,
    Periodic,
    Space,
    Uniform,
    Variable,
    generator,
)

ENDS = {"x": 1.0, "y": 2.0, "z": 1.0}
X, Y, Z = (Variable(name=n, prior=Uniform(low=0.0, high=h)) for n, h in ENDS.items())
COUNT = Variable(name="n", prior=Integers(low=0, high=3))
MORE = Variable(name="m", prior=Integers(low=-3, high=3))
KIND = Variable(name="kind", prior=Categorical(categories=("P", "Q", "R")))
SPACES = {
    "inequality": ((X, Y), ["x + y <= 1"]),
    "two": ((X, Y), ["x + y <= 1.5", "y <= 2*x", "x - y <= 0.5"]),
    "strip": ((X, Y, Z), ["0.8 <= x + y + z <= 1.1", "x >= z"]),
    "sum and more": ((X, Y, Z), ["x + y + z == 1.2", "x <= y", "y <= 0.75"]),
    "whole numbers": ((X, COUNT), ["x + n <= 1.5", "n >= 2*x"]),
    "levels": ((X, Y), ["x in {0.1, 0.5, 0.9}", "x + y <= 1"]),
    "condition": ((X, Y, KIND), ["if kind == Q then x + y <= 0.5", "if kind == P then x >= 0.8"]),
    "ruled out": ((X, COUNT, KIND), ["not (kind == Q and n >= 2)", "if n == 0 then x <= 0.2"]),
    "holes": ((X, Y), ["x <= 0.25 or x >= 0.75", "y <= 0.5 or y >= 1.5", "x + y <= 2"]),
    "cardinality": ((X, Y, Z), ["at most 1 of x, y, z", "x + y + z >= 0.25"]),
    "at least": ((X, COUNT), ["at least 2 of x, n", "n + x <= 2"]),
    "sum and support": ((X, Y, Z), ["at most 2 of x, y, z", "x + y + z == 1"]),
    "disc": ((X, Y), ["x^2 + y^2 <= 1"]),
    "product": ((X, Y), ["x*y >= 0.5", "x + y <= 2"]),
    "ring": ((X, Y), ["0.5 <= (x - 0.5)^2 + (y - 1)^2"]),
    "curved steps": ((X, COUNT), ["x*n <= 1", "x + n >= 1.5"]),
    "all steps": ((COUNT, KIND), ["n*n <= 4", "if kind == P then n == 3 or n == 0"]),
}


def grid_of(space, steps):
    """All allowed designs on a grid that has the zeros, levels and ends that matter."""
    columns = []
    for variable in space.variables:
        low, high = variable.bounds
        if variable.whole:
            columns.append([float(v) for v in range(int(low), int(high) + 1)])
        else:
            columns.append([low + (high - low) * i / steps for i in range(steps + 1)])
    designs = torch.tensor(list(itertools.product(*columns)), dtype=torch.float64)
    return designs[space.contains(designs)]


def around(space, count, seed=0):
    x = torch.rand(count, space.dim, generator=generator(seed), dtype=torch.float64)
    x = space.layout.low + (1.6 * x - 0.3) * space.layout.width
    named = torch.tensor([bool(v.categories) for v in space.variables])
    return torch.where(named, x.round().clamp(space.low, space.high), x)


def ways(space, x, y):
    """Squared distances (N, M) in ranges; another category is one range away."""
    apart = (x[:, None] - y[None]) / space.layout.width
    named = torch.tensor([bool(v.categories) for v in space.variables])
    return torch.where(named, (apart != 0).double(), apart).square().sum(-1)


@pytest.mark.parametrize("name", SPACES)
def test_no_allowed_design_is_nearer(name):
    variables, constraints = SPACES[name]
    space = Space.of(*variables, constraints=constraints)
    x = around(space, 60)
    near = space.project(x)
    assert bool(space.contains(near).all()) and torch.equal(space.project(near), near)
    designs = grid_of(space, 40 if space.dim == 3 else 200)
    assert len(designs) > 3
    own = ways(space, x, near).diagonal().sqrt()
    least = ways(space, x, designs).amin(1).sqrt()
    some = 0.02 if name == "at least" else 1e-6  # what is not zero has no least value
    assert float((own - least).max()) < some
    fine = 0.06 if space.dim == 3 else 0.012
    if "==" not in " ".join(constraints):
        assert float((least - own).max()) < fine


def test_points_inside_stay_bit_for_bit():
    space = Space.of(X, Y, KIND, constraints=["x + y <= 1", "if kind == Q then x <= 0.5"])
    x = around(space, 500)
    inside = space.contains(x)
    assert 20 < int(inside.sum()) < 480
    assert torch.equal(space.project(x)[inside], x[inside])


def test_groups_are_projected_apart():
    more = Variable(name="w", prior=Uniform(low=0.0, high=5.0))
    pair = Space.of(X, Y, constraints=["x + y <= 1"])
    both = Space.of(
        more, X, COUNT, Y, constraints=["x + y <= 1", Levels(variable="w", values=(1.0, 2.0))]
    )
    x = around(both, 100)
    near = both.project(x)
    assert torch.equal(near[:, [1, 3]], pair.project(x[:, [1, 3]]))
    assert near[:, 0].unique().tolist() == [1.0, 2.0] and bool((near[:, 2] % 1 == 0).all())


def test_limits_of_one_variable_are_bounds():
    space = Space.of(X, COUNT, constraints=["x <= 0.4", "n >= 0.5", "2*n <= 5"])
    assert space.low.tolist() == [0.0, 1.0] and space.high.tolist() == [0.4, 2.0]
    x = torch.tensor([[0.9, 0.0], [0.2, 3.0]], dtype=torch.float64)
    assert space.project(x).tolist() == [[0.4, 1.0], [0.2, 2.0]]
    levels = Space.of(X, constraints=["x in {0.1, 0.3, 0.5, 0.9}", "0.2 <= x <= 0.6"])
    assert levels.project(torch.tensor([[0.0], [1.0]])).flatten().tolist() == pytest.approx(
        [0.3, 0.5]
    )


def test_variables_without_bounds():
    a, b = (Variable(name=n, prior=Normal(mean=0.0, std=1.0)) for n in "ab")
    space = Space.of(a, b, constraints=["a + b >= 3", "if a >= 2 then b >= 2.5"])
    x = torch.randn(200, 2, generator=generator(0), dtype=torch.float64)
    near = space.project(x)
    assert bool(space.contains(near).all())
    first = x + ((3 - x.sum(1, keepdim=True)) / 2).clamp(min=0)
    simple = (first[:, 0] <= 2) | (first[:, 1] >= 2.5)
    assert int(simple.sum()) > 100
    assert torch.allclose(near[simple], first[simple], atol=1e-9)


def test_single_precision_and_shapes():
    space = Space.of(X, Y, Z, constraints=["x + y + z <= 1", "at most 2 of x, y, z"])
    x = around(space, 60).float().view(3, 20, 3)
    near = space.project(x)
    assert near.shape == x.shape and near.dtype == torch.float32
    assert bool(space.contains(near).all()) and torch.equal(space.project(near), near)
    assert space.project(x[:0]).shape == (0, 20, 3)


def test_what_is_not_known_stays_so():
    space = Space.of(X, Y, COUNT, constraints=["x + y <= 1", "n <= 2"])
    x = torch.tensor([[math.nan, 0.5, 5.0], [2.0, math.inf, 1.0]], dtype=torch.float64)
    near = space.project(x)
    assert math.isnan(near[0, 0]) and near[0, 2] == 2.0
    assert bool(space.contains(near[1:]).all())


def test_angles_are_wrapped_and_then_plain():
    turn = Variable(name="turn", prior=Uniform(low=0.0, high=360.0))
    whole = Periodic(variable="turn", low=0.0, high=360.0)
    space = Space.of(turn, X, constraints=[whole, "turn <= 90 + 180*x"])
    x = torch.tensor([[370.0, 0.5], [-260.0, 0.9]], dtype=torch.float64)
    assert torch.allclose(space.project(x), torch.tensor([[10.0, 0.5], [100.0, 0.9]]).double())


def test_a_curve_that_cannot_be_reached_is_told():
    space = Space.of(X, Y, constraints=["x^2 + y^2 <= -1"])
    near = space.project(around(space, 20))
    assert not bool(space.contains(near).any()) and bool(near.isfinite().all())


CONFLICTS = {
    "limits": (["x >= 0.6", "x <= 0.4"], "satisfies x >= 0.6; x <= 0.4 at once"),
    "three": (
        ["x >= 0.5", "y <= 2*x", "y >= 1.8", "x <= 0.7", "z <= 0.5"],
        "satisfies y <= 2*x; y >= 1.8; x <= 0.7 at once"),
    "condition": (
        ["if kind == P then x >= 2", "kind in {P}"],
        'satisfies if kind == "P" then x >= 2; kind == "P" at once'),
    "support": (["at most 1 of x, y, z", "x + y >= 2.5"], "at most 1 of x, y, z"),
    "whole": (["2*n + 4*m == 3"], "satisfies 2*n + 4*m == 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFLICTS)
def test_contradictions_are_told_by_their_texts(name):
    constraints, said = CONFLICTS[name]
    with pytest.raises(ValueError, match="no design within") as caught:
        Space.of(X, Y, Z, COUNT, MORE, KIND, constraints=constraints)
    assert said in str(caught.value)


def test_narrower_bounds_leave_something():
    space = Space.of(X, Y, Z, constraints=["x + y + z >= 1.5", "x <= y"])
    low, high = torch.zeros(3).double(), torch.tensor([1.0, 0.4, 0.2]).double()
    box = space.bounded(low, high)  # 0.4 + 0.4 + 0.2 is too little
    assert bool(box.contains(box.project(around(box, 50))).all())
    high[1] = 1.5
    box = space.bounded(low, high)
    assert torch.equal(box.high, high)


def test_what_is_just_beside_an_allowed_design_becomes_one():
    """By less than a solver's tolerance, and more than ours."""
    parts = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abcd"]
    texts = [
        "a + b + c + d == 1", "at most 3 of a, b, c, d", "a <= b", "if n >= 2 then d >= 0.2",
    ]  # fmt: skip
    space = Space.of(*parts, COUNT, constraints=texts)
    x = torch.tensor([0.0, 0.0, 0.0, 1.0, 3.0]).double().repeat(200, 1)
    draw = generator(0)
    apart = 10 ** (-6.5 - 2.5 * torch.rand(200, 1, generator=draw).double())
    x[:, :4] += apart * torch.randn(200, 4, generator=draw).double()
    near = space.project(x)
    assert not bool(space.contains(x).all())
    assert bool(space.contains(near).all())
    assert float((near - x).abs().max()) < 1e-4

"""The nearest allowed design, against all allowed ones and against what optimality asks for."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from invcore.plugin import (
    Among,
    Fixed,
    Integers,
    Levels,
    LinearEquality,
    Normal,
    Periodic,
    Space,
    Uniform,
    Variable,
    generator,
)


def numbers(**ends):
    return [Variable(name=n, prior=Uniform(low=a, high=b)) for n, (a, b) in ends.items()]


def total(names, value):
    return LinearEquality(coefficients=dict.fromkeys(names, 1.0), value=value)


def around(space, count, seed=0, reach=0.4):
    """Designs inside the bounds and beyond them."""
    width = space.layout.width
    share = torch.rand(count, space.dim, generator=generator(seed), dtype=torch.float64)
    return space.low + width * ((1 + 2 * reach) * share - reach)


def way(space, x, y):
    return ((x - y) / space.layout.width).square().sum(-1)


def allowed_nearest(space, x):
    """Projected, after what every projection has to be."""
    before = x.clone()
    near = space.project(x)
    assert bool(space.contains(near).all()) and torch.equal(x, before)
    assert torch.equal(space.project(near), near)
    return near


def test_a_sum_is_shared_evenly_unless_a_bound_is_in_the_way():
    space = Space.of(*numbers(a=(0, 1), b=(0, 1), c=(0, 1)), constraints=[total("abc", 1.0)])
    x = torch.tensor([[0.6, 0.6, 0.1], [1.0, 1.0, 0.0], [0.2, 0.3, 0.5]], dtype=torch.float64)
    near = allowed_nearest(space, x)
    assert torch.allclose(near[0], torch.tensor([0.5, 0.5, 0.0]).double(), atol=1e-15)
    assert torch.allclose(near[1], torch.tensor([0.5, 0.5, 0.0]).double(), atol=1e-15)
    assert torch.equal(near[2], x[2])


def simplex(x):
    """The nearest point of the probability simplex, by sorting: Held, Wolfe, Crowder, 1974."""
    ordered = x.sort(dim=1, descending=True).values
    shift = (ordered.cumsum(1) - 1) / torch.arange(1, x.shape[1] + 1)
    count = (ordered > shift).sum(1, keepdim=True)
    return (x - shift.gather(1, count - 1)).clamp(min=0)


def test_fractions_are_those_of_the_simplex():
    names = "abcdefgh"
    space = Space.of(*numbers(**dict.fromkeys(names, (0, 1))), constraints=[total(names, 1.0)])
    x = around(space, 2000)
    assert torch.allclose(allowed_nearest(space, x), simplex(x), atol=1e-12)


TWO = Space.of(
    *numbers(a=(0, 1), b=(0, 10), c=(-2, 2), d=(0, 5), e=(0, 1)),
    constraints=[
        LinearEquality(coefficients={"a": 1.0, "b": 0.1, "c": 1.0}, value=1.0),
        LinearEquality(coefficients={"c": 1.0, "d": -2.0, "e": 3.0}, value=0.5),
    ],
)


def test_planes_within_bounds_satisfy_the_conditions_of_optimality():
    """The way there is a sum of the planes' normals, but for what bounds hold back."""
    x, layout = around(TWO, 400), TWO.layout
    near = allowed_nearest(TWO, x)
    off = (near @ layout.matrix.T - layout.value).abs()
    assert float(off.max()) < 1e-14
    normals = layout.matrix * layout.width
    step = (near - x) / layout.width
    free = (near > layout.low) & (near < layout.high)
    assert 50 < int((~free).any(1).sum()) < 400
    for row in range(len(x)):
        own = normals[:, free[row]]
        dual = torch.linalg.pinv(own.T, rtol=1e-9) @ step[row, free[row]]
        if int(torch.linalg.matrix_rank(own)) < 2:
            continue  # the multipliers are not told by the free variables alone
        left = step[row] - dual @ normals
        assert float(left[free[row]].abs().max()) < 1e-9
        assert bool((left[near[row] == layout.low] > -1e-9).all())  # held up, at the lower end
        assert bool((left[near[row] == layout.high] < 1e-9).all())


def test_no_allowed_design_is_nearer():
    x = around(TWO, 60, seed=1)
    near, others = TWO.project(x), allowed_nearest(TWO, around(TWO, 3000, seed=2))
    toward = near[:, None] + 0.01 * (others - near[:, None])  # allowed, as the set is convex
    assert float((way(TWO, x, near)[:, None] - way(TWO, x[:, None], toward)).max()) < 1e-12


def test_redundant_equalities_do_no_harm():
    twice = LinearEquality(coefficients={"a": 2.0, "b": 2.0}, value=2.0)
    space = Space.of(
        *numbers(a=(0, 1), b=(0, 1), c=(0, 3)),
        constraints=[
            total("ab", 1.0),
            twice,
            LinearEquality(coefficients={"b": 1, "c": -1}, value=0),
        ],
    )
    allowed_nearest(space, around(space, 500))


TENTHS = tuple(i / 10 for i in range(11))


def every(space, *choices):
    """All allowed designs whose variables have these values."""
    designs = torch.tensor(list(itertools.product(*choices)), dtype=torch.float64)
    return designs[space.contains(designs)]


def check_nearest(space, designs, x):
    near = allowed_nearest(space, x)
    apart = torch.stack([way(space, x, design) for design in designs], 1)
    assert float((way(space, x, near) - apart.amin(1)).abs().max()) < 1e-12


def lattice(names, *, steps=TENTHS):
    return Space.of(
        *numbers(**dict.fromkeys(names, (0, 1))),
        constraints=[total(names, 1.0), *(Levels(variable=n, values=steps) for n in names)],
    )


def test_fractions_in_steps_are_the_nearest_combination():
    space = lattice("abc")
    check_nearest(space, every(space, *[TENTHS] * 3), around(space, 500))


def test_many_fractions_in_steps_by_largest_remainders():
    space = lattice("abcdef")  # 1.8 million combinations, of which 3,003 are allowed
    tens = [c for c in itertools.product(range(11), repeat=6) if sum(c) == 10]
    designs = torch.tensor(tens, dtype=torch.float64) / 10
    check_nearest(space, designs, around(space, 100))


def test_whole_numbers_without_bounds_make_a_sum():
    names = [f"n{i}" for i in range(4)]
    counts = [Variable(name=n, prior=Integers(low=0, high=1_000_000)) for n in names]
    space = Space.of(*counts, constraints=[total(names, 1_000_000.0)])
    x = torch.tensor([[250_000.4, 250_000.3, 250_000.2, 249_999.3]], dtype=torch.float64)
    assert allowed_nearest(space, x).tolist() == [[250_001.0, 250_000.0, 250_000.0, 249_999.0]]
    allowed_nearest(space, around(space, 20))


def test_steps_that_differ_are_repaired_near_by():
    finer = tuple(i / 20 for i in range(21))
    names = "abcdef"
    space = Space.of(
        *numbers(**dict.fromkeys(names, (0, 1))),
        constraints=[
            total(names, 1.0),
            *(Levels(variable=n, values=finer if i % 2 else TENTHS) for i, n in enumerate(names)),
        ],
    )
    x = around(space, 200)
    near, coarse = allowed_nearest(space, x), lattice(names).project(x)
    assert float(way(space, x, near).mean()) <= float(way(space, x, coarse).mean())
    assert float((way(space, x, near) - (simplex(x) - x).square().sum(1)).max()) < 0.02


def test_an_exact_relation_of_levels():
    surface, wall, roof = (
        (514.5, 563.5, 588.0, 612.5, 637.0),
        (294.0, 318.5, 343.0),
        (110.25, 147.0),
    )
    space = Space.of(
        *numbers(surface=(500, 650), wall=(290, 350), roof=(110, 150)),
        constraints=[
            LinearEquality(coefficients={"surface": 1.0, "wall": -1.0, "roof": -2.0}, value=0.0),
            *(
                Levels(variable=name, values=values)
                for name, values in {"surface": surface, "wall": wall, "roof": roof}.items()
            ),
        ],
    )
    designs = every(space, surface, wall, roof)
    assert 2 < len(designs) < 30
    check_nearest(space, designs, around(space, 300))


def mixed_reference(x):
    """The squared way of a design to the nearest one of ``MIXED``, by trying all steps finely."""
    least = math.inf
    for count, level in itertools.product(range(6), (0.0, 1.0, 2.5)):
        rest = 3 - count + level
        low, high = max(0.0, (rest - 2) / 2), min(2.0, rest / 2)
        if low > high:
            continue
        b = torch.linspace(low, high, 4001, dtype=torch.float64)
        own = ((rest - 2 * b - x[0]) / 2).square() + ((b - x[1]) / 2).square()
        steps = ((count - x[2]) / 5) ** 2 + ((level - x[3]) / 3) ** 2
        least = min(least, float(own.min() + steps))
    return least


MIXED = Space.of(
    *numbers(a=(0, 2), b=(0, 2)),
    Variable(name="n", prior=Integers(low=0, high=5)),
    *numbers(level=(0, 3)),
    constraints=[
        Levels(variable="level", values=(0.0, 1.0, 2.5)),
        LinearEquality(coefficients={"a": 1.0, "b": 2.0, "n": 1.0, "level": -1.0}, value=3.0),
    ],
)


def test_continuous_variables_take_up_what_steps_leave():
    x = around(MIXED, 40)
    ways = way(MIXED, x, allowed_nearest(MIXED, x))
    for row, length in zip(x, ways.tolist(), strict=True):
        assert length <= mixed_reference(row) + 1e-9
        assert length >= mixed_reference(row) - 1e-5


def test_a_fixed_value_is_a_constant_of_a_sum():
    space = Space.of(
        *numbers(a=(0, 1), b=(0, 1), c=(0, 1)),
        constraints=[Fixed(variable="a", value=0.25), total("abc", 1.0)],
    )
    near = allowed_nearest(space, around(space, 200))
    assert near[:, 0].unique().tolist() == [0.25]


def test_listed_designs_take_part_in_sums():
    space = Space.of(
        *numbers(a=(0, 1), b=(0, 1), c=(0, 1)),
        constraints=[
            Among(variables=("a", "b"), designs=((0.1, 0.2), (0.5, 0.4), (0.9, 0.8))),
            total("ac", 1.0),
        ],
    )
    near = allowed_nearest(space, around(space, 200))
    assert {tuple(row) for row in near[:, :2].tolist()} == {(0.1, 0.2), (0.5, 0.4), (0.9, 0.8)}


def test_listed_designs_are_the_nearest_rows():
    designs = torch.rand(40, 2, generator=generator(3), dtype=torch.float64)
    listed = tuple(map(tuple, designs.tolist()))
    space = Space.of(
        *numbers(a=(0, 1), b=(0, 1)), constraints=[Among(variables=("a", "b"), designs=listed)]
    )
    check_nearest(space, designs, around(space, 300))


def test_periodic_variables_are_wrapped_and_near_across_the_ends():
    space = Space.of(
        *numbers(angle=(0, 360), quarter=(0, 360)),
        Variable(name="hour", prior=Integers(low=0, high=23)),
        *numbers(tilt=(0, 360), gain=(0, 1), part=(10, 50)),
        constraints=[
            *(Periodic(variable=n, low=0, high=360) for n in ("angle", "quarter", "tilt", "part")),
            Periodic(variable="hour", low=0, high=24),
            Levels(variable="quarter", values=(0.0, 90.0, 180.0, 270.0)),
            Among(variables=("tilt", "gain"), designs=((5.0, 0.5), (200.0, 0.5))),
        ],
    )
    x = torch.tensor(
        [[370.0, 350.0, 23.7, 340.0, 0.5, 340.0], [-10.0, -50.0, -1.0, 160.0, 0.5, 230.0]],
        dtype=torch.float64,
    )
    near = allowed_nearest(space, x)
    assert near[0].tolist() == [10.0, 0.0, 0.0, 5.0, 0.5, 10.0]
    assert near[1].tolist() == [350.0, 270.0, 23.0, 200.0, 0.5, 10.0]
    turns = 360 * torch.randint(-3, 4, (200, 1), generator=generator(0))
    some = around(space, 200, reach=0.0)
    assert torch.allclose(
        space.project(some + turns * torch.eye(6)[0]), space.project(some), atol=1e-9
    )


def test_what_is_not_known_stays_so():
    x = torch.full((1, 5), torch.nan, dtype=torch.float64)
    assert bool(TWO.project(x).isnan().all()) and not bool(TWO.contains(x))
    huge = torch.full((1, 5), torch.inf, dtype=torch.float64)
    assert bool(TWO.contains(TWO.project(huge)).all())


def test_steps_that_make_no_sum_are_refused():
    """Sums of thirds that are one half."""
    thirds = (0.0, 1 / 3, 2 / 3, 1.0)
    steps = [Levels(variable=n, values=thirds) for n in "ab"]
    with pytest.raises(ValueError, match="no design within the bounds satisfies"):
        Space.of(*numbers(a=(0, 1), b=(0, 1)), constraints=[total("ab", 0.5), *steps])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_and_types_stay(dtype):
    x = around(TWO, 60).to(dtype).view(3, 20, 5)
    near = TWO.project(x)
    assert near.shape == x.shape and near.dtype == dtype
    assert bool(TWO.contains(near).all()) and torch.equal(TWO.project(near), near)
    assert TWO.project(x[:0]).shape == (0, 20, 5) and TWO.project(x[0, 0]).shape == (5,)


def test_variables_without_bounds_meet_a_sum():
    names = "abc"
    space = Space.of(
        *(Variable(name=n, prior=Normal(mean=0.0, std=2.0)) for n in names),
        constraints=[total(names, 5.0)],
    )
    x = torch.randn(200, 3, generator=generator(0), dtype=torch.float64) * 100
    near = allowed_nearest(space, x)
    assert torch.allclose(near, x + (5 - x.sum(1, keepdim=True)) / 3, atol=1e-10)

"""Billiards: its physics against an independent calculation, its gradient, its contract."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from invcore_physics.billiards import OBJECT, Billiards, BilliardsConfig
from invcore_physics.contact import first_contact
from invcore_physics.drawing import draw_landscape
from invcore_physics.layouts import draw_layouts
from invcore_physics.rolling import BALLS, REST, Table, advance, itinerary, next_event, roll
from matplotlib.figure import Figure

from invcore import DataError, ShapeError
from invcore.plugin import generator

TABLE = Table(length=2.0, width=1.0, radius=0.08, deceleration=0.25)


def drawn(rows, speed=1.5, balls=3, table=TABLE):
    """Layouts, and velocities of the cue ball alone."""
    layout = draw_layouts(rows, balls, *table[:3], 0.04, generator(0, "layouts", balls))
    push = torch.zeros_like(layout)
    draw = torch.rand(rows, 2, generator=generator(0, "push"), dtype=torch.float64)
    push[:, 0] = (2 * draw - 1) * speed
    return layout, push


def by_hand(places, velocities, table):
    """One row, a ball and a pair at a time, with NumPy's roots of the companion matrix."""
    p, v, n = places.numpy().copy(), velocities.numpy().copy(), len(places)
    size = np.array([table.length, table.width])
    for _ in range(200):
        speed = np.linalg.norm(v, axis=1)
        if not speed.any():
            return p
        a = np.array(
            [-table.deceleration * v[i] / speed[i] if speed[i] else 0 * v[i] for i in range(n)]
        )
        found = [(speed[i] / table.deceleration, "rest", i, 0) for i in range(n) if speed[i]]
        for i in range(n):
            for k in range(2):
                for bound, sign in ((table.radius, -1), (size[k] - table.radius, 1)):
                    for t in real_roots([a[i, k] / 2, v[i, k], p[i, k] - bound]):
                        if t > -1e-12 and sign * (v[i, k] + a[i, k] * t) > 0:
                            found.append((t, "wall", i, k))
            for j in range(i + 1, n):
                d, w, b = p[j] - p[i], v[j] - v[i], (a[j] - a[i]) / 2
                c = [b @ b, 2 * w @ b, w @ w + 2 * d @ b, 2 * d @ w, d @ d - 4 * table.radius**2]
                for t in real_roots(c):
                    if t > 1e-9 and np.polyval(np.polyder(c), t) < 0:
                        found.append((t, "balls", i, j))
        t, kind, i, j = min(found)
        p, v = p + v * t + a * t * t / 2, v + a * t
        if kind == "rest":
            v[i] = 0
        elif kind == "wall":
            v[i, j] = -v[i, j]
        else:
            line = (p[j] - p[i]) / np.linalg.norm(p[j] - p[i])
            given = ((v[j] - v[i]) @ line) * line
            v[i], v[j] = v[i] + given, v[j] - given
    raise AssertionError("no end")


def real_roots(coefficients):
    return [r.real for r in np.roots(coefficients) if abs(r.imag) < 1e-9]


@pytest.mark.parametrize("balls", [2, 4])
def test_final_places_against_an_independent_calculation(balls):
    places, push = drawn(60, speed=1.2, balls=balls)
    ends = roll(places, push, TABLE, 200)
    wanted = np.stack([by_hand(p, v, TABLE) for p, v in zip(places, push, strict=True)])
    off = np.abs(ends.numpy() - wanted).max(axis=(1, 2))
    moved = (ends[:, 1:] != places[:, 1:]).any(dim=2).any(dim=1)
    assert moved.sum() >= 8
    assert off.max() < 1e-6  # rounding errors grow in every collision


def test_one_ball_rolls_to_its_stop():
    places = torch.tensor([[[1.0, 0.5], [0.1, 0.1]]], dtype=torch.float64)
    push = torch.tensor([[[0.3, 0.4], [0.0, 0.0]]], dtype=torch.float64)
    ends = roll(places, push, Table(2.0, 1.0, 0.08, 0.5), 10)  # 0.5²/(2·0.5) = 0.25 m
    assert torch.allclose(ends[0, 0], torch.tensor([1.15, 0.7], dtype=torch.float64))
    assert torch.equal(ends[0, 1], places[0, 1])


def test_an_oblique_collision_by_hand():
    """The line of centres at contact is at 30° to the cue ball's path."""
    r, v = 0.05, 2.0
    miss = 2 * r * math.sin(math.pi / 6)
    places = torch.tensor([[[0.3, 5.0], [0.8, 5.0 + miss]]], dtype=torch.float64)
    table = Table(20.0, 10.0, r, 0.25)
    push = torch.tensor([[[v, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    ends = roll(places, push, table, 10)
    square = v**2 - 2 * 0.25 * (0.5 - 2 * r * math.cos(math.pi / 6))
    turn = [math.cos(math.pi / 6), math.sin(math.pi / 6)]
    path = square * math.cos(math.pi / 6) ** 2 / 0.5
    wanted = [0.8 + path * turn[0], 5.0 + miss + path * turn[1]]
    assert ends[0, 1].tolist() == pytest.approx(wanted, rel=1e-10)
    left = square * math.sin(math.pi / 6) ** 2 / 0.5  # at a right angle to the object ball
    start = 0.8 - 2 * r * math.cos(math.pi / 6)
    assert ends[0, 0].tolist() == pytest.approx([start + left * turn[1], 5.0 - left * turn[0]])


def test_momentum_and_energy_in_all_events():
    places, push = drawn(300, balls=4)
    seen = torch.zeros(4, dtype=torch.long)
    moving_pairs = 0
    for _ in range(60):
        moving = (push != 0).any(dim=2).any(dim=1)
        places, push = places[moving], push[moving]
        if len(places) == 0:
            break
        event = next_event(places, push, TABLE)
        then, after, before = advance(places, push, event, TABLE)
        energy = [v.square().sum(dim=(1, 2)) for v in (push, before, after)]
        assert (energy[1] - energy[2]).abs().max() < 1e-12
        # friction does the work force times path on every ball, between the events
        paths = (then - places).norm(dim=2)
        work = 2 * TABLE.deceleration * paths.sum(dim=1)
        assert (energy[0] - energy[1] - work).abs().max() < 1e-12
        met = event.kind == BALLS
        assert (
            (before.sum(dim=1) - after.sum(dim=1))[met].abs().max() < 1e-12 if met.any() else True
        )
        rows = torch.arange(len(then))
        apart = (then[rows, event.ball] - then[rows, event.other]).norm(dim=1)
        assert (apart[met] - 2 * TABLE.radius).abs().max() < 1e-12 if met.any() else True
        moving_pairs += int(
            (
                met & (push[rows, event.ball] != 0).any(1) & (push[rows, event.other] != 0).any(1)
            ).sum()
        )
        assert (then >= TABLE.radius - 1e-12).all()
        assert (then <= torch.tensor([2.0, 1.0]).double() - TABLE.radius + 1e-12).all()
        distances = torch.cdist(then, then) + 9 * torch.eye(4)
        assert distances.min() > 2 * TABLE.radius - 1e-7
        seen += torch.bincount(event.kind, minlength=4)
        places, push = then, after
    assert len(places) == 0 and seen.min() > 50 and moving_pairs > 20


def test_no_energy_is_lost_where_there_is_hardly_friction():
    places, push = drawn(50, balls=4)
    table = TABLE._replace(deceleration=1e-15)
    energy = push.square().sum(dim=(1, 2))
    for _ in range(40):
        event = next_event(places, push, table)
        assert (event.kind != REST).all()
        places, push, _ = advance(places, push, event, table)
    assert (push.square().sum(dim=(1, 2)) / energy - 1).abs().max() < 1e-9


def random_contacts(rows):
    draws = torch.randn(rows, 6, generator=generator(0, "contacts"), dtype=torch.float64)
    gap, velocity, pull = draws.split(2, dim=1)
    gap = gap * (1 + 1.2 / gap.norm(dim=1, keepdim=True))
    return gap, velocity - gap, pull


def test_contact_times_against_companion_matrices():
    gap, velocity, pull = random_contacts(400)
    horizon = torch.full((400,), 3.0, dtype=torch.float64)
    times = first_contact(gap, velocity, pull, 1.0, horizon)
    count = 0
    for d, w, b, t in zip(gap.numpy(), velocity.numpy(), pull.numpy() / 2, times, strict=True):
        roots = real_roots([b @ b, 2 * w @ b, w @ w + 2 * d @ b, 2 * d @ w, d @ d - 1.0])
        inside = [r for r in roots if 0 <= r <= 3.0]
        assert t.item() == pytest.approx(min(inside, default=math.inf), abs=1e-9)
        count += bool(inside)
    assert 100 < count < 390


def test_a_graze_is_not_missed_and_a_near_miss_is_none():
    """Two roots 1e-4 apart, of a straight path past a circle."""
    miss = 1 - torch.tensor([1e-9, -1e-9, 1e-14, -1e-14], dtype=torch.float64)
    gap = torch.stack([torch.full_like(miss, 5.0), miss], dim=1)
    velocity = torch.tensor([[-2.0, 0.0]], dtype=torch.float64).expand(4, 2)
    horizon = torch.full_like(miss, 4.0)
    times = first_contact(gap, velocity, torch.zeros_like(gap), 1.0, horizon)
    half = (1 - miss[0] ** 2).sqrt()
    assert times[0].item() == pytest.approx((5 - half.item()) / 2, rel=1e-9)
    assert times[1:].isinf().tolist()[0] and times[3].isinf()


def test_gradient_against_finite_differences():
    """Relative 1e-5 wherever the differences themselves agree so well, away from events."""
    task = Billiards()
    data = task.pairs(80, generator(7))
    leaf = data.x.clone().requires_grad_()
    y = task.simulate(leaf, data.context)
    checked = 0
    for out in range(2):
        (gradient,) = torch.autograd.grad(y[:, out].sum(), leaf, retain_graph=True)
        for column in range(2):
            slopes = []
            for h in (1e-6, 5e-7):
                move = torch.zeros_like(data.x)
                move[:, column] = h
                ahead = task.simulate(data.x + move, data.context)[:, out]
                slopes.append(
                    (ahead - task.simulate(data.x - move, data.context)[:, out]) / (2 * h)
                )
            best = (4 * slopes[1] - slopes[0]) / 3
            sure = ((slopes[0] - slopes[1]).abs() <= 1e-5 * best.abs()) & (best.abs() > 0.1)
            off = (gradient[:, column] - best).abs() / best.abs()
            assert off[sure].max() < 1e-5
            checked += int(sure.sum())
    assert checked > 0.6 * 320


def test_what_is_not_hit_has_no_gradient():
    task = Billiards()
    places, push = drawn(100)
    leaf = push[:, 0].clone().requires_grad_()
    y = task.simulate(leaf, {"balls": places})
    missed = (y == places[:, OBJECT]).all(dim=1)
    (gradient,) = torch.autograd.grad(y.sum(), leaf)
    assert 30 < missed.sum() < 95
    assert (gradient[missed] == 0).all() and (gradient[~missed].abs().sum(dim=1) > 0).all()
    still = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    y = task.simulate(still, {"balls": places[:2]})
    assert torch.equal(y, places[:2, OBJECT])
    assert torch.equal(torch.autograd.grad(y.sum(), still)[0], torch.zeros_like(still))


def test_rows_are_independent_and_keep_their_context():
    task = Billiards()
    data = task.pairs(64, generator(3))
    order = torch.randperm(64, generator=generator(0, "order"))
    turned = task.simulate(data.x[order], {"balls": data.context["balls"][order]})
    assert torch.allclose(turned, data.y[order], rtol=0, atol=1e-9)
    alone = task.simulate(data.x[5:6], {"balls": data.context["balls"][5:6]})
    assert torch.allclose(alone, data.y[5:6], rtol=0, atol=1e-9)
    other = task.simulate(data.x, {"balls": data.context["balls"].roll(1, 0)})
    assert (other != data.y).any(dim=1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_shape_dtype_repeats_and_untouched_arguments(dtype, rows):
    task = Billiards()
    x = task.designs.sample(rows, generator(1)).to(dtype)
    context = task.contexts(rows, generator(2))
    kept = x.clone(), context["balls"].clone()
    y = task.simulate(x, context)
    assert y.shape == (rows, 2) and y.dtype == dtype
    assert torch.equal(x, kept[0]) and torch.equal(context["balls"], kept[1])
    assert torch.equal(y, task.simulate(x, context))
    assert torch.equal(y, task.simulate(x.double(), context).to(dtype))


def test_chunks_do_not_show(monkeypatch):
    task = Billiards()
    data = task.pairs(11, generator(4))

    def answers():
        x = data.x.clone().requires_grad_()
        y = task.simulate(x, data.context)
        return y.detach(), torch.autograd.grad(y.square().sum(), x)[0]

    whole = answers()
    monkeypatch.setattr("invcore_physics.billiards._ROWS", 4)
    for some, all_ in zip(answers(), whole, strict=True):
        assert torch.allclose(some, all_, rtol=1e-6)


def test_missing_and_wrong_contexts():
    task, x = Billiards(), torch.zeros(2, 2)
    for context in (None, {}):
        with pytest.raises(DataError, match="context is missing"):
            task.simulate(x, context)
    with pytest.raises(ShapeError, match="balls"):
        task.simulate(x, {"balls": torch.zeros(2, 4, 2)})
    with pytest.raises(ShapeError, match="expected 2 columns"):
        task.simulate(torch.zeros(2, 3), task.contexts(2, generator(0)))


def test_what_has_no_response_is_nan_and_spoils_nothing():
    task = Billiards(BilliardsConfig(events=12))
    places = task.contexts(6, generator(1))["balls"]
    x = torch.tensor([[0.5, 0.1]] * 6, dtype=torch.float64)
    good = task.simulate(x, {"balls": places})
    places, x = places.clone(), x.clone()
    x[1, 0], x[2, 1], x[3] = math.nan, math.inf, torch.tensor([1e3, 700.0])  # too many events
    places[4, 2] = places[4, 1] + 0.1  # overlaps
    leaf = x.requires_grad_()
    y = task.simulate(leaf, {"balls": places})
    assert y.isnan().all(dim=1).tolist() == [False, True, True, True, True, False]
    assert torch.equal(y[[0, 5]], good[[0, 5]])
    (gradient,) = torch.autograd.grad(y.nansum(), leaf)
    assert gradient.isfinite().all() and (gradient[1:5] == 0).all()


def test_the_limit_of_events_is_exact():
    places = torch.tensor([[[0.5, 0.5], [1.0, 0.5]]], dtype=torch.float64)
    push = torch.tensor([[[0.5, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    # the balls meet, the cue ball stops (head-on), the object ball stops
    events = len(itinerary(places, push, TABLE, 50)) - 1
    assert roll(places, push, TABLE, events).isfinite().all()
    assert roll(places, push, TABLE, events - 1).isnan().all()


def test_layouts_lie_on_the_table_and_apart():
    config = BilliardsConfig(balls=8, radius=0.05, gap=0.03)
    balls = Billiards(config).contexts(500, generator(5))["balls"]
    assert balls.shape == (500, 8, 2) and balls.dtype == torch.float64
    assert balls.min() >= 0.05
    assert balls[..., 0].max() <= 1.95 and balls[..., 1].max() <= 0.95
    assert (torch.cdist(balls, balls) + 9 * torch.eye(8)).min() >= 0.13 - 1e-12
    assert torch.equal(balls, Billiards(config).contexts(500, generator(5))["balls"])
    # the first ball is uniform: mean 1, and (1.9²/12)/500 is the variance of the mean
    assert balls[:, 0, 0].mean().item() == pytest.approx(1.0, abs=4 * 1.9 / math.sqrt(12 * 500))


def test_pairs_move_the_object_ball():
    task = Billiards()
    data = task.pairs(200, generator(9))
    assert len(data) == 200 and (data.y != data.context["balls"][:, OBJECT]).any(dim=1).all()
    assert torch.equal(task.simulate(data.x, data.context), data.y)
    assert task.designs.contains(data.x).all() and task.reference == "bfgs"
    weak = Billiards(BilliardsConfig(speed=1e-3))
    with pytest.raises(DataError, match="hardly ever reaches"):
        weak.pairs(5, generator(9))


def test_pictures():
    task, axes = Billiards(), Figure().add_subplot()
    data = task.pairs(1, generator(2))
    x = torch.cat([data.x, task.designs.sample(5, generator(3))])
    x[3] = torch.nan
    many = {"balls": data.context["balls"].expand(6, 3, 2)}
    y = task.simulate(x, many)
    assert task.draw(axes, data.y[0], x, y, data.context)
    axes.figure.canvas.draw()
    path = torch.tensor(axes.lines[2].get_xydata())  # the border, the cue ball's, the object ball's
    assert torch.equal(path[0], data.context["balls"][0, 1])
    assert torch.allclose(path[-1], data.y[0], rtol=0, atol=1e-9)
    axes = Figure().add_subplot()
    assert task.draw(axes, data.y[0], x[:1], y[:1] * torch.nan, data.context)
    axes = Figure().add_subplot()
    assert draw_landscape(axes, task, data.y[0], data.context, truth=data.x[0], points=12)
    axes.figure.canvas.draw()


@pytest.mark.parametrize(
    "data", [{"balls": 8, "radius": 0.2}, {"deceleration": 0.0}, {"balls": 1}, {"pockets": 6}]
)
def test_bad_config(data):
    with pytest.raises(ValueError, match=r"crowd|field"):
        BilliardsConfig.parse(data)

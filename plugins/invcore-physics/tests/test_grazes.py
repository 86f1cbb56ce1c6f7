"""Billiards where an event's slope vanishes: grazes, and stops exactly at a wall or a ball."""

from __future__ import annotations

import pytest
import torch
from invcore_physics.billiards import Billiards, BilliardsConfig
from invcore_physics.rolling import Table, advance, next_event, roll

from invcore import DataError
from invcore.plugin import generator

TABLE = Table(2.0, 1.0, 0.08, 0.25)


def placed(*balls):
    return torch.tensor([balls], dtype=torch.float64)


def pushed(places, vx, vy=0.0):
    velocities = torch.zeros_like(places)
    velocities[:, 0] = torch.tensor([vx, vy], dtype=torch.float64)
    return velocities


def test_a_graze_moves_nothing():
    places = placed([0.5, 0.25], [1.0, 0.41])  # passes at two radii, on round numbers
    velocities = pushed(places, 1.0)
    event = next_event(places, velocities, TABLE)
    at, after, before = advance(places, velocities, event, TABLE)
    torch.testing.assert_close(at[0, 0], placed([1.0, 0.25])[0, 0], atol=1e-9, rtol=0)
    assert float((after - before).abs().max()) < 1e-6
    final = Billiards(BilliardsConfig(balls=2)).simulate(
        torch.tensor([[1.0, 0.0]], dtype=torch.float64), {"balls": places}
    )
    torch.testing.assert_close(final[0], places[0, 1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("speed", [0.3, 0.55, 0.7, 0.84, 0.9])
def test_a_stop_at_a_wall_is_there(speed):
    path = speed**2 / (2 * TABLE.deceleration)
    places = placed([1.92 - path, 0.3], [0.3, 0.8])
    final = roll(places, pushed(places, speed), TABLE, 9)
    torch.testing.assert_close(final[0, 0], placed([1.92, 0.3])[0, 0], atol=1e-9, rtol=0)


def test_stops_at_a_ball_on_a_grid_of_speeds():
    speeds = torch.arange(1, 90, dtype=torch.float64) / 100
    path = speeds**2 / (2 * TABLE.deceleration)
    places = torch.zeros(len(speeds), 2, 2, dtype=torch.float64)
    places[:, 0, 0], places[:, 0, 1] = 0.1, 0.5
    places[:, 1, 0], places[:, 1, 1] = 0.1 + path + 0.16, 0.5
    room = places[:, 1, 0] < 1.9
    velocities = torch.zeros_like(places)
    velocities[:, 0, 0] = speeds
    final = roll(places[room], velocities[room], TABLE, 9)
    assert int(room.sum()) > 80
    # What is left of the speed at contact is rounding: of its root, 1e-8, at most
    torch.testing.assert_close(final[:, 1], places[room, 1], atol=1e-6, rtol=0)
    torch.testing.assert_close(final[:, 0, 0], places[room, 1, 0] - 0.16, atol=1e-6, rtol=0)


@pytest.mark.parametrize("push", [5e-324, 1e-310, 1e-160])
def test_the_slightest_push_has_a_gradient(push):
    task = Billiards()
    x = torch.tensor([[push, 0.0], [1.0, 0.5]], dtype=torch.float64).requires_grad_()
    y = task.simulate(x, task.contexts(2, generator(0)))
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert bool(slope.isfinite().all()) and not slope[0].any()


def test_too_few_events_are_named_as_the_cause():
    with pytest.raises(DataError, match="take more than events=1; more events"):
        Billiards(BilliardsConfig(events=1)).pairs(20, generator(0))
    with pytest.raises(DataError, match="hardly ever reaches the object ball; more speed"):
        Billiards(BilliardsConfig(speed=0.01)).pairs(20, generator(0))

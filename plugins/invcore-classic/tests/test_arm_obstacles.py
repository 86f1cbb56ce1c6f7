"""The arm among discs: distances, and all ways to a target, by independent geometry."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_classic.arm_obstacles import (
    RoboticArmObstacles,
    RoboticArmObstaclesConfig,
    clearance,
)
from invcore_classic.robotic_arm import Convention, RoboticArm, RoboticArmConfig, joint_positions
from torch import Tensor

DISCS = torch.tensor(RoboticArmObstacles().config.obstacles, dtype=torch.float64)
each_convention = pytest.mark.parametrize("convention", ["sum", "difference"])


def points_on(x: Tensor, convention: Convention, steps: int = 2001) -> Tensor:
    """Many points (N, 3 * steps, 2) on the segments."""
    corners = joint_positions(x, convention=convention)
    share = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]
    parts = [corners[:, i, None] * (1 - share) + corners[:, i + 1, None] * share for i in range(3)]
    return torch.cat(parts, dim=1)


@each_convention
def test_clearance_is_the_distance_of_the_nearest_point(convention: Convention) -> None:
    x = RoboticArm().designs.sample(60, torch.Generator().manual_seed(0))
    apart = torch.cdist(points_on(x, convention), DISCS[:, :2]) - DISCS[:, 2]
    wanted = apart.flatten(1).amin(dim=1)
    got = clearance(x, DISCS, convention)
    assert (got <= wanted + 1e-12).all()
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5)
    task = RoboticArmObstacles(RoboticArmObstaclesConfig(convention=convention))
    made = task.feasible(x)
    assert torch.equal(made, got >= 0) and 5 < int(made.sum()) < 55


@pytest.mark.parametrize(
    ("x", "apart"),
    [
        ((0.0, 0.0, 0.0, 0.0), -0.15),  # through the middle of a disc of radius 0.15
        ((0.25, 0.0, 0.0, 0.0), 0.05),  # between (0.9, 0.45) and (1.4, 0), 0.2 and 0.25 apart
        ((2.0, 0.0, 0.0, 0.0), 1.4),
        ((0.0, math.pi, 0.0, 0.0), math.hypot(0.9, 0.45) - 0.15),  # to the left of the rail
    ],
)
def test_clearance_by_hand(x: tuple[float, ...], apart: float) -> None:
    got = clearance(torch.tensor([x], dtype=torch.float64), DISCS)
    assert got.item() == pytest.approx(apart, abs=1e-12)


@each_convention
def test_clearance_has_a_gradient(convention: Convention) -> None:
    x = RoboticArm().designs.sample(10, torch.Generator().manual_seed(2)).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: clearance(z, DISCS, convention), x)
    torch.testing.assert_close(torch.vmap(lambda z: clearance(z, DISCS))(x), clearance(x, DISCS))


@each_convention
def test_responses_are_those_of_the_arm(convention: Convention) -> None:
    task = RoboticArmObstacles(RoboticArmObstaclesConfig(convention=convention))
    pairs = task.pairs(300, torch.Generator().manual_seed(0))
    arm = RoboticArm(RoboticArmConfig(convention=convention))
    torch.testing.assert_close(arm.simulate(pairs.x), pairs.y, rtol=0, atol=0)
    assert (clearance(pairs.x, DISCS, convention) >= 0).all()


def every_way(target: tuple[float, float]) -> Tensor:
    """All designs of a grid over start height and the last segment's angle that reach a target.

    The two other segments are the equal sides of a triangle, elbow up or down.
    """
    height, last = torch.meshgrid(
        torch.linspace(-1, 1, 401, dtype=torch.float64),
        torch.linspace(-2, 2, 401, dtype=torch.float64), indexing="ij",
    )  # fmt: skip
    across, up = target[0] - last.cos(), target[1] - last.sin() - height
    far = torch.hypot(across, up)
    bend = torch.acos(far.clamp(max=1.0))
    ways = []
    for side in (1, -1):
        first = torch.atan2(up, across) + side * bend
        second = first - 2 * side * bend
        ways.append(torch.stack((height, first, second - first, last - second), dim=-1)[far <= 1])
    return torch.cat(ways)


def test_what_can_be_made_falls_into_ways_around_a_disc() -> None:
    """Behind the disc at (1.4, 0) the last segment comes from above or from below."""
    task = RoboticArmObstacles()
    target = (1.75, 0.0)
    x = every_way(target)
    torch.testing.assert_close(task.simulate(x), torch.tensor([target]).double().expand(len(x), 2))
    made = x[task.feasible(x)]
    assert 1000 < len(made) < len(x) / 2
    slope = made[:, 1:].sum(dim=1)  # of the last segment
    assert (slope > 0.3).any() and (slope < -0.3).any()
    narrow = math.asin(0.15 / 0.35)  # as the disc is seen from the target
    assert slope.abs().min() > narrow - 1e-9
    assert x[:, 1:].sum(dim=1).abs().min() < 0.01  # without the disc it may come straight


@pytest.mark.parametrize(
    "obstacles", [(), ((1.0, 0.0, 0.0),), ((1.0, 0.0, -0.1),), ((1.0, 0.0),), ((1, 0, 1, 1),)]
)
def test_bad_obstacles(obstacles: object) -> None:
    with pytest.raises(ValueError, match="obstacles"):
        RoboticArmObstaclesConfig.parse({"obstacles": obstacles})

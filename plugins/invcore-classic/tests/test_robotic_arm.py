"""The robotic arm by hand, in both conventions."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_classic.robotic_arm import Convention, RoboticArm, RoboticArmConfig, hand_position

RIGHT, HALF = math.pi / 2, math.pi / 6


@pytest.mark.parametrize(
    ("x", "convention", "hand"),
    [
        ((0.3, 0.0, 0.0, 0.0), "sum", (2.0, 0.3)),
        ((0.3, 0.0, 0.0, 0.0), "difference", (2.0, 0.3)),
        # up, then level to the left, then down: φ = 90°, 180°, 270°
        ((0.0, RIGHT, RIGHT, RIGHT), "sum", (-0.5, -0.5)),
        # φ = 90°, 0°, -90°
        ((0.0, RIGHT, RIGHT, RIGHT), "difference", (0.5, -0.5)),
        # φ = 30°, 90°, 60°
        ((1.0, HALF, 2 * HALF, -HALF), "sum", (3**0.5 / 4 + 0.5, 1.75 + 3**0.5 / 2)),
        # φ = 30°, 30°, -120°
        ((1.0, HALF, 2 * HALF, -HALF), "difference", (3**0.5 / 2 - 0.5, 1.5 - 3**0.5 / 2)),
    ],
)
def test_by_hand(x: tuple[float, ...], convention: Convention, hand: tuple[float, float]) -> None:
    got = hand_position(torch.tensor([x], dtype=torch.float64), convention=convention)
    assert got.tolist() == [pytest.approx(hand, abs=1e-14)]


@pytest.mark.parametrize("convention", ["sum", "difference"])
def test_gradient_and_config(convention: Convention) -> None:
    task = RoboticArm(RoboticArmConfig(convention=convention, length1=0.7, length3=2.0))
    x = task.designs.sample(4, torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(task.simulate, x)
    wanted = hand_position(x, (0.7, 0.5, 2.0), convention)
    torch.testing.assert_close(task.simulate(x), wanted, rtol=0, atol=0)


def test_the_hand_is_never_out_of_reach() -> None:
    task = RoboticArm()
    x = task.designs.sample(1000, torch.Generator().manual_seed(0))
    y = task.simulate(x)
    assert (torch.hypot(y[:, 0], y[:, 1] - x[:, 0]) <= 2.0 + 1e-12).all()


@pytest.mark.parametrize("data", [{"convention": "product"}, {"length1": 0.0}, {"length": 1.0}])
def test_bad_config(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="field"):
        RoboticArmConfig.parse(data)

"""The sine-wave task by hand."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_classic.sine_wave import SineWave, sine_wave


@pytest.mark.parametrize(
    ("x1", "x2", "y"),
    [
        (0.0, 0.0, 1.0),
        (1 / 6, 0.0, 2.0),
        (-1 / 6, 1 / 3, -2.0),
        (1 / 18, 1 / 9, 1.0),  # sin 30° + cos 60°
        (0.25, -0.25, 0.0),  # sin 135° + cos 135°
        (-1.0, 0.0, 1.0),
    ],
)
def test_by_hand(x1: float, x2: float, y: float) -> None:
    got = sine_wave(torch.tensor([[x1, x2]], dtype=torch.float64))
    assert got.item() == pytest.approx(y, abs=1e-14)


def test_gradient_by_hand() -> None:
    x = torch.tensor([[0.1, -0.7]], dtype=torch.float64, requires_grad=True)
    SineWave().simulate(x).sum().backward()
    w = 3 * math.pi
    assert x.grad is not None
    assert x.grad.tolist() == [pytest.approx([w * math.cos(0.1 * w), -w * math.sin(-0.7 * w)])]


def test_it_is_periodic_and_even_in_x2() -> None:
    x = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = torch.stack((x[:, 0] - 2 / 3, -x[:, 1]), dim=1)
    torch.testing.assert_close(sine_wave(moved), sine_wave(x))

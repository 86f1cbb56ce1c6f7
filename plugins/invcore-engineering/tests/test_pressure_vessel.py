"""The pressure vessel by hand, and its best design by going through all plates."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from invcore_engineering.pressure_vessel import (
    SPECIFICATION,
    PressureVessel,
    pressure_vessel,
)
from scipy.optimize import minimize_scalar

from invcore.plugin import Targets

COST, BEST = 6059.714335048, [0.8125, 0.4375, 42.098445596, 176.636595842]
VOLUME = 1_296_000.0


def length_for(radius: float) -> float:
    """The shell's length that gives just the volume, at least the shortest one."""
    return max(10.0, (VOLUME - 4 / 3 * math.pi * radius**3) / (math.pi * radius**2))


def cost(shell: float, head: float, radius: float) -> float:
    length = length_for(radius)
    plates = 0.6224 * shell * radius * length + 1.7781 * head * radius**2
    return plates + (3.1661 * length + 19.84 * radius) * shell**2


def test_the_best_design_is_the_best_of_all_plates() -> None:
    # At a length of 200 in the radius is at least this; longer shells are not allowed.
    smallest = np.roots([4 / 3 * math.pi, 200 * math.pi, 0, -VOLUME])
    smallest = float(next(r.real for r in smallest if abs(r.imag) < 1e-9 and r.real > 0))
    best = (math.inf, 0.0, 0.0, 0.0)
    for shell in 0.0625 * np.arange(1, 100):
        for head in 0.0625 * np.arange(1, 100):
            largest = min(shell / 0.0193, head / 0.00954, 200.0)
            if largest < smallest or cost(shell, head, smallest) > 4 * COST:
                continue
            one = minimize_scalar(
                lambda r, s=shell, h=head: cost(s, h, r), bounds=(smallest, largest),
                method="bounded", options={"xatol": 1e-10},
            )  # fmt: skip
            for radius in (one.x, smallest, largest):
                best = min(best, (cost(shell, head, radius), shell, head, radius))
    assert best[0] == pytest.approx(COST, rel=1e-9)
    found = [*best[1:], length_for(best[3])]
    np.testing.assert_allclose(found, BEST, rtol=1e-8)


def test_the_best_design_meets_the_specification() -> None:
    task = PressureVessel()
    x = torch.tensor([BEST], dtype=torch.float64)
    y = task.simulate(x)
    assert y[0, 0].item() == pytest.approx(COST, rel=1e-9)
    violation = Targets.of([SPECIFICATION], task.responses).violation(y)
    assert (violation.abs() <= torch.tensor([0.0, 1e-2, 1e-9, 1e-9])).all()
    assert task.feasible(x).all()


def test_volume_and_margins_by_hand() -> None:
    y = pressure_vessel(torch.tensor([1.0, 0.5, 30.0, 40.0], dtype=torch.float64))
    assert y[1].item() == pytest.approx(math.pi * (900 * 40 + 36000))
    assert y[2:].tolist() == pytest.approx([1 - 0.579, 0.5 - 0.2862])


def test_plates_come_in_sixteenths_and_are_all_drawn() -> None:
    task = PressureVessel()
    x = task.pairs(5000, torch.Generator().manual_seed(0)).x
    sixteenths = 16 * x[:, :2]
    assert torch.equal(sixteenths, sixteenths.round())
    counts = torch.bincount(sixteenths[:, 0].long(), minlength=100)
    assert counts[0] == 0 and (counts[1:100] > 20).all() and len(counts) == 100
    bad = torch.tensor([[0.8, 0.4375, 42.0, 176.0], [0.8125, 6.25, 42.0, 176.0]]).double()
    assert not task.feasible(bad).any()


def test_gradient_and_dtype() -> None:
    x = PressureVessel().designs.sample(4, torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(pressure_vessel, x)
    narrow = x.detach().float()
    wanted = pressure_vessel(narrow.double()).float()
    torch.testing.assert_close(pressure_vessel(narrow), wanted, rtol=0, atol=0)

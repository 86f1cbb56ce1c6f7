"""The welded beam by hand, and its best designs by an independent search."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_engineering.welded_beam import (
    SPECIFICATION,
    Formulation,
    WeldedBeam,
    WeldedBeamConfig,
    welded_beam,
)
from scipy.optimize import minimize

from invcore.plugin import Targets

BEST: dict[Formulation, tuple[float, list[float]]] = {
    "ragsdell-phillips": (2.3809565803, [0.24436898, 6.21751974, 8.29147139, 0.24436898]),
    "coello": (1.7248523086, [0.20572964, 3.47048867, 9.03662391, 0.20572964]),
}
each_formulation = pytest.mark.parametrize("formulation", list(BEST))


def textbook(x: np.ndarray, formulation: str) -> np.ndarray:
    """The formulas as the papers print them, in numbers where they do."""
    h, l, t, b = x  # noqa: E741 - the length, as the papers have it
    reach = np.sqrt(0.25 * (l**2 + (h + t) ** 2))
    first = 6000 / (np.sqrt(2) * h * l)
    polar = 2 * (h * l / np.sqrt(2)) * (l**2 / 12 + 0.25 * (h + t) ** 2)
    bearing = 64746.022 * (1 - 0.0282346 * t) * t * b**3
    if formulation == "coello":
        polar = 2 * (np.sqrt(2) * h * l) * (l**2 / 12 + 0.25 * (h + t) ** 2)
        root = np.sqrt(t**2 * b**6 / 36)
        bearing = 4.013 * 30e6 * root / 196 * (1 - t / 28 * np.sqrt(30e6 / 48e6))
    second = 6000 * (14 + 0.5 * l) * reach / polar
    shear = np.sqrt(first**2 + second**2 + l * first * second / reach)
    cost = 1.10471 * h**2 * l + 0.04811 * t * b * (14 + l)
    return np.array([cost, shear, 504000 / (t**2 * b), bearing, 2.1952 / (t**3 * b)])


@each_formulation
def test_the_papers_formulas(formulation: Formulation) -> None:
    x = WeldedBeam().designs.sample(200, torch.Generator().manual_seed(0))
    wanted = np.stack([textbook(row, formulation) for row in x.numpy()])
    task = WeldedBeam(WeldedBeamConfig(formulation=formulation))
    np.testing.assert_allclose(task.simulate(x).numpy(), wanted, rtol=2e-6)


@each_formulation
def test_the_best_design_is_the_best(formulation: Formulation) -> None:
    cost, design = BEST[formulation]
    limits = np.array([1.0, 13600.0, 30000.0, 6000.0, 0.25])

    def room(x: np.ndarray) -> np.ndarray:
        y = textbook(x, formulation) / limits
        return np.array([1 - y[1], 1 - y[2], y[3] - 1, 1 - y[4], x[3] - x[0]])

    space = WeldedBeam().designs
    low, high = space.low.numpy(), space.high.numpy()
    starts = low + (high - low) * np.random.default_rng(0).random((20, 4))
    found = [
        minimize(
            lambda x: textbook(x, formulation)[0], start, method="SLSQP",
            bounds=list(zip(low, high, strict=True)), constraints={"type": "ineq", "fun": room},
            options={"ftol": 1e-13, "maxiter": 300},
        )
        for start in starts
    ]  # fmt: skip
    good = [one for one in found if one.success and room(one.x).min() > -1e-8]
    best = min(good, key=lambda one: one.fun)
    assert best.fun == pytest.approx(cost, rel=1e-6)
    np.testing.assert_allclose(best.x, design, rtol=1e-5)


@each_formulation
def test_the_best_design_meets_the_specification(formulation: Formulation) -> None:
    cost, design = BEST[formulation]
    task = WeldedBeam(WeldedBeamConfig(formulation=formulation))
    y = task.simulate(torch.tensor([design], dtype=torch.float64))
    assert y[0, 0].item() == pytest.approx(cost, rel=1e-7)
    violation = Targets.of([SPECIFICATION], task.responses).violation(y)
    assert (violation.abs() <= 1e-6 * y.abs()).all()
    assert y[0, 1:4].tolist() == pytest.approx([13600.0, 30000.0, 6000.0], rel=1e-6)  # all reached


def test_the_weld_is_no_thicker_than_the_bar() -> None:
    task = WeldedBeam()
    x = torch.tensor([[0.5, 5.0, 5.0, 0.5], [0.5, 5.0, 5.0, 0.6], [0.6, 5.0, 5.0, 0.5]]).double()
    assert task.feasible(x).tolist() == [True, True, False]
    drawn = task.pairs(500, torch.Generator().manual_seed(0)).x
    assert (drawn[:, 0] <= drawn[:, 3] + 1e-9).all()


@each_formulation
def test_gradient_and_dtype(formulation: Formulation) -> None:
    x = WeldedBeam().designs.sample(4, torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: welded_beam(z, formulation), x)
    narrow = x.detach().float()
    wanted = welded_beam(narrow.double(), formulation).float()
    torch.testing.assert_close(welded_beam(narrow, formulation), wanted, rtol=0, atol=0)
    torch.testing.assert_close(
        torch.vmap(welded_beam)(narrow), welded_beam(narrow), rtol=1e-6, atol=0
    )

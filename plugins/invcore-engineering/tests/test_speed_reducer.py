"""The speed reducer against its eleven classical constraints, and its best design."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_engineering.speed_reducer import SPECIFICATION, SpeedReducer, speed_reducer
from scipy.optimize import minimize

from invcore.plugin import Targets

WEIGHT = 2994.4710662
BEST = [3.5, 0.7, 17.0, 7.3, 7.7153199115, 3.3502146661, 5.2866544650]


def weight(x: np.ndarray) -> float:
    x1, x2, x3, x4, x5, x6, x7 = x
    return float(
        0.7854 * x1 * x2**2 * (3.3333 * x3**2 + 14.9334 * x3 - 43.0934)
        - 1.508 * x1 * (x6**2 + x7**2) + 7.4777 * (x6**3 + x7**3)
        + 0.7854 * (x4 * x6**2 + x5 * x7**2)
    )  # fmt: skip


def classical(x: np.ndarray) -> np.ndarray:
    """The eleven constraints g ≤ 0 in the order of the literature."""
    x1, x2, x3, x4, x5, x6, x7 = x
    return np.array([
        27 / (x1 * x2**2 * x3) - 1,
        397.5 / (x1 * x2**2 * x3**2) - 1,
        1.93 * x4**3 / (x2 * x3 * x6**4) - 1,
        1.93 * x5**3 / (x2 * x3 * x7**4) - 1,
        np.sqrt((745 * x4 / (x2 * x3)) ** 2 + 16.9e6) / (110 * x6**3) - 1,
        np.sqrt((745 * x5 / (x2 * x3)) ** 2 + 157.5e6) / (85 * x7**3) - 1,
        x2 * x3 / 40 - 1,
        5 * x2 / x1 - 1,
        x1 / (12 * x2) - 1,
        (1.5 * x6 + 1.9) / x4 - 1,
        (1.1 * x7 + 1.9) / x5 - 1,
    ])  # fmt: skip


def test_responses_and_designs_have_the_eleven_constraints() -> None:
    task = SpeedReducer()
    x = task.designs.low + (task.designs.high - task.designs.low) * torch.rand(
        3000, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    x[:, 2] = x[:, 2].round()
    x[::2, 0] = 3.5 + 0.1 * x[::2, 0].frac()  # else hardly any b is wide enough
    x[::2, 1] = 0.7 + 0.02 * (x[::2, 1] - 0.7) / 0.1
    x[:, 0].clamp_(max=3.6)
    known = np.stack([classical(row) for row in x.numpy()])
    y = task.simulate(x).numpy()
    np.testing.assert_allclose(y[:, 1:] - 1, known[:, :6], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(y[:, 0], [weight(row) for row in x.numpy()], rtol=1e-12)
    assert (known[:, 6] < 0).all()  # the one that is neither: it holds within the bounds
    shapes = (known[:, 7:] <= 0).all(axis=1)
    assert 100 < shapes.sum() < 2900
    assert task.feasible(x).tolist() == shapes.tolist()


def test_the_best_design_is_the_best_of_all_numbers_of_teeth() -> None:
    low, high = (
        bound.numpy() for bound in (SpeedReducer().designs.low, SpeedReducer().designs.high)
    )
    generator, best = np.random.default_rng(0), (np.inf, np.zeros(7))
    for teeth in range(17, 29):
        bounds = [*zip(low, high, strict=True)]
        bounds[2] = (teeth, teeth)
        for start in low + (high - low) * generator.random((2, 7)):
            start[2] = teeth
            one = minimize(
                lambda x: weight(x) / 3000, start, method="SLSQP", bounds=bounds,
                constraints={"type": "ineq", "fun": lambda x: -classical(x)},
                options={"ftol": 1e-13, "maxiter": 200},
            )  # fmt: skip
            if one.success and classical(one.x).max() < 1e-8:
                best = min(best, (3000 * one.fun, one.x), key=lambda pair: pair[0])
    assert best[0] == pytest.approx(WEIGHT, rel=1e-7)
    np.testing.assert_allclose(best[1], BEST, rtol=1e-5)


def test_the_best_design_meets_the_specification() -> None:
    task = SpeedReducer()
    x = torch.tensor([BEST], dtype=torch.float64)
    y = task.simulate(x)
    assert y[0, 0].item() == pytest.approx(WEIGHT, rel=1e-9)
    violation = Targets.of([SPECIFICATION], task.responses).violation(y)
    assert violation.abs().max() < 1e-8


def test_pairs_are_designs_that_fit() -> None:
    x = SpeedReducer().pairs(200, torch.Generator().manual_seed(0)).x
    assert max(classical(row)[6:].max() for row in x.numpy()) <= 1e-9
    assert torch.equal(x[:, 2], x[:, 2].round()) and len(x[:, 2].unique()) > 8


def test_gradient_and_dtype() -> None:
    x = SpeedReducer().designs.sample(4, torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(speed_reducer, x)
    narrow = x.detach().float()
    wanted = speed_reducer(narrow.double()).float()
    torch.testing.assert_close(speed_reducer(narrow), wanted, rtol=0, atol=0)

"""The mixture: its polynomials, its constraints, and its best designs by linear programs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from invcore_engineering.concrete_mixture import (
    ADDITIVES,
    PARTS,
    SPECIFICATION,
    ConcreteMixture,
    concrete_mixture,
    interactions,
)
from scipy.optimize import linprog

from invcore.plugin import Targets

NAMES = list(PARTS)
LINEAR = np.array([-875, 295, 250, 130, 545, 900, 30, 35])
SLUMP = np.array([3600, -560, -470, -240, -2600, 17000, -60, 60])
COST = np.array([2, 110, 65, 40, 450, 1800, 14, 16])
CARBON = np.array([0, 900, 80, 25, 30, 1200, 5, 6])
# The quadratic coefficients, written out: b_ij for i < j, in the order of the parts
PAIRS = {
    (0, 1): 200, (0, 2): 140, (0, 3): 140, (0, 4): 320, (0, 5): 80, (0, 6): 100, (0, 7): 100,
    (1, 2): 300, (1, 3): 300, (1, 4): 200, (1, 5): 120, (1, 6): 140, (1, 7): 140,
    (2, 3): 120, (2, 4): 140, (2, 5): 60, (2, 6): 80, (2, 7): 80,
    (3, 4): 140, (3, 5): 60, (3, 6): 80, (3, 7): 80,
    (4, 5): 80, (4, 6): 100, (4, 7): 100,
    (5, 6): 20, (5, 7): 20,
    (6, 7): 80,
}  # fmt: skip
BEST = {
    ("slag", "plasticiser"): 32.27393,
    ("slag", "silica_fume"): 34.31208,
    ("silica_fume", "plasticiser"): 35.41514,
}


def strength(x: np.ndarray) -> float:
    return float(LINEAR @ x + sum(b * x[i] * x[j] for (i, j), b in PAIRS.items()))


def slope(x: np.ndarray) -> np.ndarray:
    total = LINEAR.astype(float)
    for (i, j), b in PAIRS.items():
        total[i] += b * x[j]
        total[j] += b * x[i]
    return total


def relations() -> tuple[np.ndarray, np.ndarray]:
    """Rows A and ends b of A x ≤ b: water by binders, sand below gravel, slump, CO2."""
    water, sand, gravel = (np.eye(8)[NAMES.index(name)] for name in ("water", "sand", "gravel"))
    binders = np.array([0, 1, 1, 1, 1, 0, 0, 0])
    rows = [0.35 * binders - water, water - 0.55 * binders, sand - gravel, -SLUMP, SLUMP, CARBON]
    return np.array(rows), np.array([0, 0, 0, -120, 180, 110])


def cheapest(additives: tuple[str, ...]) -> tuple[float, np.ndarray]:
    """The cheapest mixture that meets the specification with these additives alone.

    The strength is concave: it lies below its tangents, so that linear programs with tangents for
    the limit on the strength bound the cost from below, until their design is strong enough.
    """
    bounds = [(lo, hi if n in additives or n not in ADDITIVES else 0.0)
              for n, (lo, hi) in PARTS.items()]  # fmt: skip
    rows, ends = relations()
    for _ in range(100):
        one = linprog(COST, A_ub=rows, b_ub=ends, A_eq=np.ones((1, 8)), b_eq=[1], bounds=bounds)
        if not one.success:
            return np.inf, np.full(8, np.nan)
        if strength(one.x) >= 60 - 1e-5:
            return one.fun, one.x
        tangent = slope(one.x)
        rows = np.vstack([rows, -tangent])
        ends = np.append(ends, strength(one.x) - 60 - tangent @ one.x)
    raise AssertionError("the tangents do not come to an end")


def test_the_polynomials() -> None:
    x = ConcreteMixture().designs.sample(50, torch.Generator().manual_seed(0))
    y = concrete_mixture(x).numpy()
    rows = x.numpy()
    np.testing.assert_allclose(y[:, 0], [strength(row) for row in rows], rtol=1e-10)
    np.testing.assert_allclose(y[:, 1:], rows @ np.stack([SLUMP, COST, CARBON], 1), rtol=1e-10)


def test_the_strength_is_concave_where_the_parts_sum_to_one() -> None:
    flat = torch.eye(8, dtype=torch.float64) - 1 / 8
    curvature = torch.linalg.eigvalsh(flat @ interactions() @ flat)
    assert curvature.max() < 1e-9 and curvature.min() < -300


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_best_designs_of_all_choices_of_additives(count: int) -> None:
    for additives in itertools.combinations(ADDITIVES, count):
        cost, design = cheapest(additives)
        assert cost == pytest.approx(BEST.get(additives, np.inf), abs=1e-4), additives
        if additives not in BEST:
            continue
        task = ConcreteMixture()
        x = torch.from_numpy(design)[None]
        x = x / x.sum()  # the program's sum is off by a rounding
        y = task.simulate(x)
        assert y[0, 2].item() == pytest.approx(cost, rel=1e-7)
        violation = Targets.of([SPECIFICATION], task.responses).violation(y)
        assert violation.abs().max() < 1e-4
        assert task.feasible(task.designs.project(x)).all()
        assert (task.designs.project(x) - x).abs().max() < 1e-6


def test_three_additives_would_be_cheaper() -> None:
    assert cheapest(ADDITIVES)[0] == pytest.approx(30.74142, abs=1e-4)
    assert cheapest(ADDITIVES)[0] < min(BEST.values()) - 1


def test_pairs_keep_all_constraints() -> None:
    x = ConcreteMixture().pairs(400, torch.Generator().manual_seed(0)).x.numpy()
    rows, ends = relations()
    assert np.abs(x.sum(axis=1) - 1).max() < 1e-9
    assert (x @ rows[:3].T <= ends[:3] + 1e-9).all()
    low, high = np.array(list(PARTS.values())).T
    assert (x >= low - 1e-12).all() and (x <= high + 1e-12).all()
    used = x[:, [NAMES.index(name) for name in ADDITIVES]] > 1e-12
    assert (used.sum(axis=1) <= 2).all()
    choices = {tuple(row) for row in used.tolist()}
    assert len([one for one in choices if sum(one) == 2]) == 6  # every pair is drawn


@pytest.mark.parametrize(
    "change",
    [
        {"sand": 0.40, "gravel": 0.398},  # more sand than gravel
        {"gravel": 0.5},  # their sum
        {"fly_ash": 0.01, "gravel": 0.428},  # three additives
        {"water": 0.09, "gravel": 0.408},  # too much water
        {"plasticiser": 0.007, "gravel": 0.433},  # beyond its bound
    ],
)
def test_what_cannot_be_made(change: dict[str, float]) -> None:
    good = {"water": 0.06, "cement": 0.12, "slag": 0.03, "plasticiser": 0.002, "sand": 0.35,
            "gravel": 0.438}  # fmt: skip
    task = ConcreteMixture()
    for parts, made in ((good, True), (good | change, False)):
        x = torch.tensor([[parts.get(name, 0.0) for name in NAMES]], dtype=torch.float64)
        assert task.feasible(x).item() is made


def test_gradient_and_dtype() -> None:
    x = ConcreteMixture().designs.sample(4, torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(concrete_mixture, x)
    narrow = x.detach().float()
    wanted = concrete_mixture(narrow.double()).float()
    torch.testing.assert_close(concrete_mixture(narrow), wanted, rtol=0, atol=0)

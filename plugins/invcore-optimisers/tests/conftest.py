"""Objectives with known minima, for many problems at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der
from torch import Tensor


def rosenbrock(z: Tensor, rows: Tensor) -> Tensor:
    """Minimum 0 at ones; in more than three dimensions there is a local one beside it."""
    a, b = z[:, :-1], z[:, 1:]
    return (100.0 * (b - a.square()).square() + (1.0 - a).square()).sum(dim=1)


def beale(z: Tensor, rows: Tensor) -> Tensor:
    """Minimum 0 at (3, 1/2)."""
    x, y = z.unbind(dim=1)
    wanted = torch.tensor([1.5, 2.25, 2.625], dtype=z.dtype)
    powers = torch.stack([y, y**2, y**3], dim=1)
    return (wanted - x[:, None] * (1.0 - powers)).square().sum(dim=1)


class Quadratics:
    """A convex quadratic of its own for each problem, with condition numbers up to 10^digits."""

    def __init__(self, count: int, dim: int, seed: int = 0, digits: float = 3.0) -> None:
        draws = torch.Generator().manual_seed(seed)
        basis = torch.linalg.qr(
            torch.randn(count, dim, dim, generator=draws, dtype=torch.float64)
        ).Q
        shares = torch.rand(count, dim, generator=draws, dtype=torch.float64)
        scales = 10 ** (digits * (shares - 0.5))
        self.matrix = basis @ torch.diag_embed(scales) @ basis.mT
        self.centre = torch.randn(count, dim, generator=draws, dtype=torch.float64)

    def __call__(self, z: Tensor, rows: Tensor) -> Tensor:
        away = z - self.centre[rows]
        return 0.5 * (away[:, None] * self.matrix[rows] * away[:, :, None]).sum(dim=(1, 2))


def beale_by_hand(z: np.ndarray, row: int) -> tuple[float, np.ndarray]:
    """Beale's function and its gradient."""
    x, y = z
    terms = [a - x * (1 - y**k) for k, a in enumerate((1.5, 2.25, 2.625), 1)]
    slopes = [np.array([y**k - 1, k * x * y ** (k - 1)]) for k in (1, 2, 3)]
    return sum(t * t for t in terms), sum(2 * t * s for t, s in zip(terms, slopes, strict=True))


def starts(count: int, dim: int, seed: int = 1, width: float = 2.0) -> Tensor:
    """Uniform in [-width, width]: (count, dim), float64."""
    draws = torch.Generator().manual_seed(seed)
    return width * (2 * torch.rand(count, dim, generator=draws, dtype=torch.float64) - 1)


Numpy = Callable[[np.ndarray, int], tuple[float, np.ndarray]]


@pytest.fixture
def objectives() -> dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Numpy, Tensor]]:
    """By name: an objective, the same by hand with its gradient (of z and a row), and starts."""
    quadratics = Quadratics(30, 6)

    def quadratic(z: np.ndarray, row: int) -> tuple[float, np.ndarray]:
        away = z - quadratics.centre[row].numpy()
        slope = quadratics.matrix[row].numpy() @ away
        return 0.5 * float(away @ slope), slope

    def rosenbrock_by_scipy(z: np.ndarray, row: int) -> tuple[float, np.ndarray]:
        return rosen(z), rosen_der(z)

    right = torch.tensor([2.0, 0.0], dtype=torch.float64)  # on the left, Beale's falls to infinity
    return {
        "rosenbrock-2": (rosenbrock, rosenbrock_by_scipy, starts(40, 2)),
        "rosenbrock-10": (rosenbrock, rosenbrock_by_scipy, starts(20, 10, width=1.0)),
        "beale": (beale, beale_by_hand, right + starts(40, 2, width=1.0)),
        "quadratics": (quadratics, quadratic, starts(30, 6)),
    }

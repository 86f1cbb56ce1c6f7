"""Damped least squares: the same step as that of a solver of the whole problem in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invcore.numerics import damped_least_squares
from invcore.plugin import generator

SHAPES = [(1, 1), (1, 5), (3, 7), (4, 4), (7, 3), (6, 1)]


def problem(responses, features, count=20):
    draws = generator(0, "least-squares")
    jacobian = torch.randn(count, responses, features, generator=draws, dtype=torch.float64)
    residual = torch.randn(count, responses, generator=draws, dtype=torch.float64)
    return jacobian, residual, torch.logspace(-4, 3, count, dtype=torch.float64)


@pytest.mark.parametrize(("responses", "features"), SHAPES)
def test_step_minimises_the_damped_sum_of_squares(responses, features):
    jacobian, residual, damping = problem(responses, features)
    # The mean of the diagonal of the smaller matrix, J Jᵀ or Jᵀ J; both have the same trace.
    scale = jacobian.square().sum((1, 2)) / min(responses, features)
    shift = damping * scale + 1e-12 + (0.0 if responses == 1 else 1e-6) * scale
    root = shift.sqrt()[:, None, None] * torch.eye(features, dtype=torch.float64)
    whole = torch.cat([jacobian, root], dim=1)
    right = torch.cat([-residual, torch.zeros(len(residual), features)], dim=1)
    exact = torch.linalg.lstsq(whole, right[..., None]).solution[..., 0]
    found = damped_least_squares(jacobian, residual, damping)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(("responses", "features"), SHAPES)
def test_little_damping_gives_the_shortest_gauss_newton_step(responses, features):
    jacobian, residual, _ = problem(responses, features)
    found = damped_least_squares(jacobian, residual, torch.full((20,), 1e-9))
    exact = -(torch.linalg.pinv(jacobian) @ residual[..., None])[..., 0]
    error = (found - exact).norm(dim=1) / exact.norm(dim=1)
    assert float(error.median()) < 1e-3


@pytest.mark.parametrize(("responses", "features"), SHAPES)
def test_held_features_and_empty_jacobians_get_no_step(responses, features):
    jacobian, residual, damping = (part.float() for part in problem(responses, features))
    jacobian[:, :, 0] = 0.0
    jacobian[0] = 0.0
    found = damped_least_squares(jacobian, residual, damping)
    assert bool(found.isfinite().all()) and not found[:, 0].any() and not found[0].any()

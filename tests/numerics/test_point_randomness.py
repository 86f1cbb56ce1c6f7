"""Random numbers that points decide."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import kstest

from invcore.numerics import point_keys, scattered


@pytest.mark.parametrize("start", [(0.5, 0.5), (0.1234567, 0.7654321), (2.0**-33, 1 - 2.0**-33)])
def test_scattered_points_are_uniform_and_independent(start):
    units = scattered(torch.tensor([start, (0.3, 0.9)], dtype=torch.float64), 1, 4001)
    assert bool(((units > 0) & (units < 1)).all())
    for one in units.unbind(1):
        for column in one.T:
            assert kstest(column.numpy(), "uniform").pvalue > 1e-3
    table = torch.corrcoef(torch.cat([units[:, 0], units[:, 1], units[:, 0].roll(1, 0)], 1).T)
    assert float((table - torch.eye(6)).abs().max()) < 0.06  # four standard deviations


def test_middles_of_strata_are_left():
    points = ((torch.arange(8, dtype=torch.float64) + 0.5) / 8)[:, None]
    units = scattered(points, 1, 100).flatten()
    assert len(units.unique()) == len(units) == 8 * 99


def test_keys_differ_by_the_last_digit_alone():
    point = torch.tensor([[0.3, 0.7]], dtype=torch.float64)
    other = torch.nextafter(point, torch.ones_like(point))
    assert point_keys(point) == point_keys(point.clone())
    assert point_keys(point) != point_keys(other) and point_keys(point) != point_keys(point.flip(1))

"""Truncated normal numbers against SciPy and against high precision far out in the tails."""

import math

import numpy as np
import pytest
import torch
from scipy.special import log_ndtr
from scipy.stats import truncnorm

from invcore.numerics.truncated_normal import log_mass, quantile

INF = math.inf
ENDS = [(-1.0, 2.0), (-INF, -3.0), (5.0, INF), (-INF, INF), (-2.0, 9.0), (8.0, 8.1), (-0.5, INF)]


def number(value):
    return torch.tensor([value], dtype=torch.float64)


@pytest.mark.parametrize(("low", "high"), ENDS)
def test_they_are_scipys(low, high):
    expected = np.log(truncnorm(-INF, INF).cdf(high) - truncnorm(-INF, INF).cdf(low))
    if low > 0:  # by the other tail, which keeps the digits
        expected = np.log(np.exp(log_ndtr(-low)) - np.exp(log_ndtr(-high)))
    assert float(log_mass(number(low), number(high))) == pytest.approx(expected, abs=1e-11)
    share = torch.tensor([1e-6, 0.03, 0.5, 0.9, 1 - 1e-6]).double()
    ends = (torch.full((5,), end).double() for end in (low, high))
    theirs = truncnorm(low, high).ppf(share.numpy())
    np.testing.assert_allclose(quantile(*ends, share), theirs, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("low", [30.0, 200.0, 1e4, 1e8])
def test_far_out_numbers_are_exponential(low):
    # Beyond a, z - a has the density a exp(-a (z - a)) up to a share of 1 / a²
    share = torch.tensor([0.1, 0.5, 0.9]).double()
    for sign in (1.0, -1.0):
        ends = (number(low), number(INF)) if sign > 0 else (number(-INF), number(-low))
        away = sign * quantile(*(end.expand(3) for end in ends), share) - low
        expected = -torch.log1p(-share if sign > 0 else share - 1) / low
        rounding = 4 * low * 2.0**-52
        torch.testing.assert_close(away, expected, rtol=4 / low**2 + 1e-9, atol=rounding)
        assert float(log_mass(*ends)) == pytest.approx(log_ndtr(-low), rel=1e-12)


@pytest.mark.parametrize("middle", [0.0, 3.0, -40.0, 1e6])
def test_a_narrow_interval_is_flat_and_a_point_has_a_density(middle):
    width = 1e-9 / (1 + abs(middle))
    density = -0.5 * middle**2 - 0.5 * math.log(2 * math.pi)
    assert float(log_mass(number(middle), number(middle))) == pytest.approx(density)
    narrow = log_mass(number(middle), number(middle + width))
    given = float(number(middle + width) - middle)
    if given:
        assert float(narrow) == pytest.approx(density + math.log(given), rel=1e-12, abs=1e-8)
    half = quantile(number(middle), number(middle + width), number(0.5))
    assert middle <= float(half) <= middle + width


def test_all_stay_inside():
    random = torch.Generator().manual_seed(0)
    low = 60 * torch.rand(4000, generator=random).double() - 30
    high = low + torch.exp(20 * torch.rand(4000, generator=random).double() - 15)
    z = quantile(low, high, torch.rand(4000, generator=random).double())
    assert bool(((z >= low) & (z <= high)).all()) and bool(log_mass(low, high).isfinite().all())

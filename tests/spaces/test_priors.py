"""Priors against SciPy, on both sides: quantiles and distribution functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from invcore.base.errors import ConfigError
from invcore.spaces.priors import (
    Categorical,
    ClippedNormal,
    Integers,
    LogNormal,
    Normal,
    Poisson,
    TruncatedNormal,
    Uniform,
)
from invcore.spaces.space import Variable

U = torch.linspace(0, 1, 203, dtype=torch.float64)[1:-1]


def truncated(mean, std, low, high):
    return stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)


CONTINUOUS = {
    "uniform": (Uniform(low=-2.0, high=3.0), stats.uniform(-2, 5)),
    "normal": (Normal(mean=1.5, std=0.3), stats.norm(1.5, 0.3)),
    "cut below": (TruncatedNormal(mean=1, std=2, low=0), truncated(1, 2, 0, math.inf)),
    "cut above": (TruncatedNormal(mean=1, std=2, high=0), truncated(1, 2, -math.inf, 0)),
    "cut twice": (TruncatedNormal(mean=0, std=1, low=-1, high=2), truncated(0, 1, -1, 2)),
    "far above": (TruncatedNormal(mean=0, std=1, low=9, high=12), truncated(0, 1, 9, 12)),
    "far below": (TruncatedNormal(mean=0, std=1, low=-12, high=-9), truncated(0, 1, -12, -9)),
    "above, open": (TruncatedNormal(mean=0, std=1, low=20), truncated(0, 1, 20, math.inf)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_prior_is_scipys(name):
    prior, known = CONTINUOUS[name]
    x = prior.quantile(U)
    np.testing.assert_allclose(x, known.ppf(U), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(prior.cdf(x), known.cdf(x.numpy()), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(prior.cdf(x), U, rtol=1e-8)
    assert prior.support == known.support()
    low, high = prior.support
    assert bool(((x >= low) & (x <= high)).all())


@pytest.mark.parametrize("name", CONTINUOUS)
def test_single_precision_keeps_type_and_stays_finite(name):
    prior, known = CONTINUOUS[name]
    u = torch.tensor([0.0, 2.0**-24, 0.3, 1 - 2.0**-24, 1.0])
    x = prior.quantile(u)
    assert x.dtype == prior.cdf(x).dtype == torch.float32
    assert bool(x.isfinite().all()), x
    np.testing.assert_allclose(x[1:4], known.ppf(u[1:4].double()), rtol=2e-6, atol=1e-6)


def test_log_normal_prior_is_scipys_within_a_billionth():
    prior, known = LogNormal(mean=-3.0, std=0.5), stats.lognorm(0.5, scale=math.exp(-3.0))
    x = prior.quantile(U)
    np.testing.assert_allclose(x, known.ppf(U), rtol=1e-9)
    np.testing.assert_allclose(prior.cdf(x), U, rtol=1e-8)
    low, high = prior.support
    assert 0 < low and 0 < known.cdf(low) < 1e-12 and 0 < known.sf(high) < 1e-12
    single = torch.tensor([0.0, 2.0**-24, 0.3, 1.0])
    ends = prior.quantile(single)
    assert ends.dtype == prior.cdf(ends).dtype == torch.float32
    np.testing.assert_allclose(ends[[0, 3]], [low, high], rtol=1e-2)
    assert prior.cdf(torch.tensor([-1.0, 1e9])).tolist() == pytest.approx([0.0, 1.0], abs=1e-12)
    with pytest.raises(ValueError, match="greater than 0"):
        LogNormal(mean=0.0, std=0.0)


def test_clipped_normal_moves_the_tails_to_the_ends():
    prior = ClippedNormal(mean=1.0, std=1.0, low=0.0, high=3.0)
    np.testing.assert_allclose(
        prior.quantile(U), stats.norm(1, 1).ppf(U).clip(0, 3), rtol=1e-9, atol=1e-12
    )
    share = float((prior.quantile(U) == 0).double().mean())
    assert share == pytest.approx(stats.norm(1, 1).cdf(0), abs=0.01)
    inner = torch.tensor([0.5, 1.0, 2.9], dtype=torch.float64)
    np.testing.assert_allclose(prior.quantile(prior.cdf(inner)), inner, rtol=1e-12)
    assert prior.support == (0.0, 3.0)


RATES = [0.05, 0.7, 15.0, 300.0]
DISCRETE = {
    **{f"poisson {rate}": (Poisson(rate=rate), stats.poisson(rate)) for rate in RATES},
    "integers": (Integers(low=-3, high=6), stats.randint(-3, 7)),
    "categories": (Categorical(categories=("a", "b", "c")), stats.randint(0, 3)),
    "weights": (
        Categorical(categories=("a", "b", "c", "d"), weights=(0.0, 3.0, 0.0, 1.0)),
        stats.rv_discrete(values=([1, 3], [0.75, 0.25])),
    ),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_prior_is_scipys(name):
    prior, known = DISCRETE[name]
    u = (U * 0.9993 + 1e-4).contiguous()  # away from the steps, where both may go either way
    x = prior.quantile(u)
    np.testing.assert_array_equal(x, known.ppf(u))
    low, high = prior.support
    assert bool(((x >= low) & (x <= high)).all())
    outside = known.sf(high) + known.cdf(low - 1)
    assert outside < 1e-11, "what is cut off"


def test_steps_belong_to_the_value_above_and_what_has_no_weight_is_never_drawn():
    prior, _ = DISCRETE["weights"]
    ends = torch.tensor([0.0, 0.75 - 2**-50, 0.75, 1 - 2**-50, 1.0], dtype=torch.float64)
    assert prior.quantile(ends).tolist() == [1.0, 1.0, 3.0, 3.0, 3.0]
    eighths = torch.arange(9, dtype=torch.float64) / 8
    assert Integers(low=1, high=8).quantile(eighths).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 8]


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_cdf_is_the_middle_of_the_values_interval(name):
    prior, known = DISCRETE[name]
    values = np.unique(known.ppf(np.linspace(0.001, 0.999, 50)))
    middle = 0.5 * (known.cdf(values - 1) + known.cdf(values))
    found = prior.cdf(torch.tensor(values))
    np.testing.assert_allclose(found, middle, atol=1e-11)
    np.testing.assert_array_equal(prior.quantile(found), values)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_missing_value_has_no_cdf(name):
    prior, _ = {**CONTINUOUS, **DISCRETE}[name]
    found = prior.cdf(torch.tensor([float("nan"), prior.quantile(U)[3]], dtype=torch.float64))
    assert found.isnan().tolist() == [True, False]


BAD = {
    "reversed": ({"kind": "uniform", "low": 1.0, "high": 0.0}, "low 1.0 must be below high 0.0"),
    "equal": ({"kind": "uniform", "low": 1.0, "high": 1.0}, "below"),
    "nan": ({"kind": "uniform", "low": math.nan, "high": 1.0}, "prior.uniform.low"),
    "infinite": ({"kind": "uniform", "low": -math.inf, "high": 1.0}, "finite"),
    "text": ({"kind": "uniform", "low": "0", "high": 1.0}, "valid number"),
    "unknown kind": ({"kind": "unifrom", "low": 0.0, "high": 1.0}, "unifrom"),
    "no kind": ({"low": 0.0, "high": 1.0}, "prior"),
    "unknown field": ({"kind": "normal", "mean": 0.0, "sd": 1.0}, "std"),
    "zero spread": ({"kind": "normal", "mean": 0.0, "std": 0.0}, "greater than 0"),
    "cut to nothing": (
        {"kind": "truncated-normal", "mean": 0.0, "std": 1.0, "low": 60.0}, "no part"),
    "cut reversed": (
        {"kind": "truncated-normal", "mean": 0.0, "std": 1.0, "low": 1.0, "high": 0.0}, "below"),
    "rate": ({"kind": "poisson", "rate": -1.0}, "greater than 0"),
    "one integer": ({"kind": "integers", "low": 3, "high": 3}, "below"),
    "too many integers": ({"kind": "integers", "low": 0, "high": 10**9}, "1e7"),
    "fraction": ({"kind": "integers", "low": 0.5, "high": 3}, "integer"),
    "one category": ({"kind": "categorical", "categories": ["a"]}, "at least 2"),
    "twice": ({"kind": "categorical", "categories": ["a", "a"]}, "one name"),
    "weights": ({"kind": "categorical", "categories": ["a", "b"], "weights": [1.0]}, "as many"),
    "negative": (
        {"kind": "categorical", "categories": ["a", "b"], "weights": [1.0, -1.0]}, "negative"),
    "all zero": ({"kind": "categorical", "categories": ["a", "b"], "weights": [0, 0]}, "all zero"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_prior_is_refused_in_one_line(name, complaint):
    prior, said = BAD[name]
    message = complaint(ConfigError, Variable.parse, {"name": "x", "prior": prior}, where="here")
    assert message.startswith("here: ") and said in message

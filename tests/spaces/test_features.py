"""Features of variables that go round, and of those on a logarithmic scale."""

from __future__ import annotations

import math

import pytest
import torch

from invcore.plugin import Integers, LogUniform, Periodic, Space, Uniform, Variable, generator

SPACE = Space.of(
    Variable(name="angle", prior=Uniform(low=-180.0, high=180.0)),
    Variable(name="size", prior=LogUniform(low=0.01, high=100.0), high=10.0),
    Variable(name="hour", prior=Integers(low=0, high=23)),
    constraints=[
        Periodic(variable="angle", low=-180.0, high=180.0),
        Periodic(variable="hour", low=0.0, high=24.0),
    ],
)


def test_features_and_back():
    x = SPACE.sample(500, generator(0))
    features = SPACE.encode(x)
    assert SPACE.features == features.shape[1] == 5
    assert SPACE.feature_columns == (0, 0, 1, 2, 2)
    angle = (x[:, 0] + 180) / 360 * 2 * math.pi
    assert torch.allclose(features[:, 0], angle.cos()) and torch.allclose(
        features[:, 1], angle.sin()
    )
    assert torch.allclose(features[:, 2], x[:, 1].log())
    assert torch.allclose(SPACE.decode(features), x, atol=1e-10)
    stretched = features * torch.tensor([3.0, 3.0, 1.0, 0.1, 0.1])  # only the direction counts
    assert torch.allclose(SPACE.project(SPACE.decode(stretched)), x, atol=1e-10)


def test_both_ends_of_a_turn_are_one():
    x = torch.tensor([[-180.0, 1.0, 0.0], [180.0, 1.0, 24.0]], dtype=torch.float64)
    ends = SPACE.encode(x)
    assert torch.allclose(ends[0], ends[1], atol=1e-12)
    assert torch.allclose(SPACE.project(SPACE.decode(ends)), x[:1].expand(2, -1), atol=1e-9)


def test_right_angles_have_features_of_zero():
    x = torch.tensor([[-90.0, 1.0, 6.0], [90.0, 1.0, 18.0]], dtype=torch.float64)
    assert SPACE.encode(x)[:, [0, 3]].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_what_has_no_logarithm_counts_as_tiny():
    features = SPACE.encode(torch.tensor([[0.0, -1.0, 0.0]], dtype=torch.float64))
    assert bool(features.isfinite().all())


def test_a_log_uniform_prior_is_even_in_the_logarithm():
    prior = LogUniform(low=0.01, high=100.0)
    u = torch.linspace(0, 1, 9, dtype=torch.float64)
    x = prior.quantile(u)
    assert torch.allclose(x.log10(), torch.linspace(-2, 2, 9, dtype=torch.float64), atol=1e-14)
    assert torch.allclose(prior.cdf(x), u, atol=1e-14)
    assert 0.01 <= float(x.min()) < 0.01 + 1e-15 and 100.0 - 1e-12 < float(x.max()) <= 100.0
    assert prior.cdf(torch.tensor([0.0, 1e9])).tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="must be below"):
        LogUniform(low=1.0, high=1.0)
    with pytest.raises(ValueError, match="greater than 0"):
        LogUniform(low=0.0, high=1.0)


def test_pixels_do_not_go_round():
    from invcore.plugin import Grid

    pixels = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"]
    with pytest.raises(ValueError, match="none goes round"):
        Space.of(
            *pixels, grid=Grid(rows=1, columns=2),
            constraints=[Periodic(variable="a", low=0.0, high=1.0)],
        )  # fmt: skip

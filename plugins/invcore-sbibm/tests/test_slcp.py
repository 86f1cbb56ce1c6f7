"""SLCP, with and without distractors, against moments of their distributions."""

import torch
from invcore_sbibm.tasks.slcp import (
    Slcp,
    SlcpDistractors,
    distractor_parameters,
    distractors_of,
)

from invcore.plugin import generator

X = torch.tensor([[0.7, -1.0, -1.2, 0.8, 0.5]], dtype=torch.float64)


def near(x, count):
    return x + 1e-9 * torch.arange(float(count), dtype=torch.float64)[:, None]


def test_points_have_the_mean_and_covariance_that_parameters_say():
    points = Slcp().simulate(near(X, 5000)).view(-1, 2)
    one, two = 1.2**2, 0.8**2
    both = float(torch.tanh(torch.tensor(0.5))) * one * two
    known = torch.tensor([[one**2, both], [both, two**2]], dtype=torch.float64)
    torch.testing.assert_close(points.mean(dim=0), X[0, :2], atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(points.T), known, atol=0.05, rtol=0)


def test_the_four_points_are_independent():
    y = Slcp().simulate(near(X, 5000))
    correlation = torch.corrcoef(y.T).abs()
    for i in range(4):
        correlation[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = 0
    assert float(correlation.max()) < 0.06


def test_a_parameter_of_zero_is_no_end():
    flat = Slcp().simulate(torch.zeros(3, 5, dtype=torch.float64))
    assert bool(flat.isfinite().all()) and float(flat.abs().max()) < 0.01


def test_distractors_are_put_among_the_points_that_mean_something():
    x = Slcp().pairs(200, generator(2)).x
    y, order = SlcpDistractors().simulate(x), distractor_parameters()[2]
    assert sorted(order.tolist()) == list(range(100)) and order.tolist() != list(range(100))
    plain = y[:, order.argsort()]
    # The noise of the points is the same numbers: those come first of all
    torch.testing.assert_close(plain[:, :8], Slcp().simulate(x))


def test_distractors_are_a_mixture_of_t_distributions():
    random = generator(3)
    z = torch.randn(20_000, 92, generator=random, dtype=torch.float64)
    tail = torch.rand(20_000, 1, generator=random, dtype=torch.float64)
    centres, factors, _ = distractor_parameters()
    one = distractors_of(torch.full((20_000,), 0.37, dtype=torch.float64), tail, z)
    white = torch.linalg.solve_triangular(factors[7], (one - centres[7]).T, upper=False)
    # The quantiles of |t| with two degrees of freedom: (2q - 1) / sqrt(2 q (1 - q)) at 0.75, 0.95
    for share, known in ((0.5, 0.8165), (0.9, 2.9200)):
        assert abs(float(white[:5].abs().quantile(share)) / known - 1) < 0.03
    large = white.abs() > 3
    together = float((large[0] & large[1]).double().mean())
    assert together > 2 * float(large[0].double().mean()) ** 2, "one tail for all dimensions"


def test_each_component_is_as_likely():
    which = torch.arange(20_000, dtype=torch.float64).add(0.5)[:, None] / 20_000
    half = torch.full((20_000, 1), 0.5, dtype=torch.float64)
    y = distractors_of(which[:, 0], half, torch.zeros(20_000, 92, dtype=torch.float64))
    torch.testing.assert_close(y.unique(dim=0, return_counts=True)[1], torch.full((20,), 1000))

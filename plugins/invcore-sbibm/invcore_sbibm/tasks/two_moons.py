"""The two-moons task: a posterior of two crescents."""

import math

import torch
from torch import Tensor

from invcore.plugin import Uniform
from invcore_sbibm.noise import normals
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

RADIUS, SPREAD, OFFSET = 0.1, 0.01, 0.25


class TwoMoons(StochasticTask):
    """Two moons: two parameters to two numbers, with two crescents as posterior.

    y = (r cos a + 0.25 - |x1 + x2| / √2, r sin a + (x2 - x1) / √2), with a uniform on
    [-π/2, π/2] and r normal of mean 0.1 and standard deviation 0.01. Prior: uniform on [-1, 1].

    References:
        Greenberg, Nonnenmacher, Macke, ICML 2019, https://arxiv.org/abs/1905.07488;
        Lueckmann et al., 2021, T.8

    Example:
        >>> x = torch.tensor([[0.5, -0.5]], dtype=torch.float64)
        >>> y = TwoMoons().simulate(x)
        >>> bool(((y - torch.tensor([[0.25, -(0.5**0.5)]])).norm() - 0.1).abs() < 0.06)
        True
    """

    folder = "two_moons"
    randoms = 2
    designs = numbered(2, Uniform(low=-1.0, high=1.0))
    responses = numbered(2)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 2) of designs and random numbers."""
        angle = math.pi * (u[:, 0] - 0.5)
        radius = RADIUS + SPREAD * normals(u[:, 1])
        first = radius * angle.cos() + OFFSET - (x[:, 0] + x[:, 1]).abs() / math.sqrt(2)
        second = radius * angle.sin() + (x[:, 1] - x[:, 0]) / math.sqrt(2)
        return torch.stack((first, second), dim=1)

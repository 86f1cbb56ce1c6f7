"""The gaussian-linear tasks: ten means, with a normal or a uniform prior."""

import math

from torch import Tensor

from invcore.plugin import Normal, Uniform
from invcore_sbibm.noise import normals
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

DIM, VARIANCE = 10, 0.1


class GaussianLinear(StochasticTask):
    """Gaussian linear: the mean of a normal in ten dimensions; everything is known exactly.

    y is normal with mean x and covariance 0.1 I; so is the prior, around 0. The posterior is normal
    with mean y / 2 and covariance 0.05 I.

    References:
        Lueckmann et al., 2021, T.1

    Example:
        >>> import torch
        >>> GaussianLinear().simulate(torch.zeros(1, 10)).shape
        torch.Size([1, 10])
    """

    folder = "gaussian_linear"
    randoms = DIM
    designs = numbered(DIM, Normal(mean=0.0, std=math.sqrt(VARIANCE)))
    responses = numbered(DIM)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 10) of designs and random numbers."""
        return x + math.sqrt(VARIANCE) * normals(u)


class GaussianLinearUniform(StochasticTask):
    """Gaussian linear uniform: the same simulator, with a prior that is uniform on [-1, 1].

    The posterior is a normal with mean y and covariance 0.1 I, cut at the prior's bounds.

    References:
        Lueckmann et al., 2021, T.2

    Example:
        >>> import torch
        >>> GaussianLinearUniform().simulate(torch.zeros(1, 10)).shape
        torch.Size([1, 10])
    """

    folder = "gaussian_linear_uniform"
    randoms = DIM
    designs = numbered(DIM, Uniform(low=-1.0, high=1.0))
    responses = numbered(DIM)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 10) of designs and random numbers."""
        return x + math.sqrt(VARIANCE) * normals(u)

"""The gaussian-mixture task: the common mean of a broad and of a narrow normal."""

import torch
from torch import Tensor

from invcore.plugin import Uniform
from invcore_sbibm.noise import normals
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

BROAD, NARROW = 1.0, 0.1


class GaussianMixture(StochasticTask):
    """Gaussian mixture: the common mean of two normals in the plane, one broad and one narrow.

    y is normal with mean x, and with standard deviation 1 or 0.1 in both dimensions, either as
    likely. Prior: uniform on [-10, 10].

    References:
        Sisson, Fan, Tanaka, PNAS 104 (2007), https://doi.org/10.1073/pnas.0607208104;
        Lueckmann et al., 2021, T.7

    Example:
        >>> GaussianMixture().simulate(torch.zeros(1, 2)).shape
        torch.Size([1, 2])
    """

    folder = "gaussian_mixture"
    randoms = 3
    designs = numbered(2, Uniform(low=-10.0, high=10.0))
    responses = numbered(2)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 2) of designs and random numbers."""
        return x + torch.where(u[:, :1] < 0.5, BROAD, NARROW) * normals(u[:, 1:])

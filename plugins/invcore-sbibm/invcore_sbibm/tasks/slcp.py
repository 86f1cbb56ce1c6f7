"""The SLCP tasks: a simple likelihood, and a complex posterior."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import Uniform
from invcore_sbibm.noise import normals
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

DRAWS = 4
DISTRACTORS, COMPONENTS = 92, 20
_FLOOR = 1e-6  # which the benchmark adds to both variances
_SEED = 42  # of the benchmark's distractors


def four_points(x: Tensor, z: Tensor) -> Tensor:
    """Four draws of a normal in the plane, whose mean and covariance are the parameters' business.

    Its mean is (x1, x2), its standard deviations are x3² and x4², its correlation is tanh x5.

    Args:
        x: designs (N, 5).
        z: standard normal numbers (N, 8).

    Returns:
        (N, 8), one point after the other.

    Example:
        >>> four_points(torch.tensor([[1.0, 2.0, 1.0, 1.0, 0.0]]), torch.zeros(1, 8))
        tensor([[1., 2., 1., 2., 1., 2., 1., 2.]])
    """
    one, two = x[:, 2:3].square(), x[:, 3:4].square()
    across = (one.square() + _FLOOR).sqrt()
    shared = x[:, 4:].tanh() * one * two / across
    along = (two.square() + _FLOOR - shared.square()).sqrt()
    first, second = z[:, ::2], z[:, 1::2]
    points = (x[:, :1] + across * first, x[:, 1:2] + shared * first + along * second)
    return torch.stack(points, dim=2).flatten(1)


class Slcp(StochasticTask):
    """SLCP: five parameters to four points of the plane, drawn from the normal that they define.

    Mean (x1, x2), standard deviations x3² and x4², correlation tanh x5. The posterior has four
    symmetric modes, with ends where the prior's bounds cut it. Prior: uniform on [-3, 3].

    References:
        Papamakarios, Sterratt, Murray, AISTATS 2019, https://arxiv.org/abs/1805.07226;
        Lueckmann et al., 2021, T.3

    Example:
        >>> Slcp().simulate(torch.ones(1, 5)).shape
        torch.Size([1, 8])
    """

    folder = "slcp"
    randoms = 2 * DRAWS
    designs = numbered(5, Uniform(low=-3.0, high=3.0))
    responses = numbered(2 * DRAWS)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 8) of designs and random numbers."""
        return four_points(x, normals(u))


class SlcpDistractors(StochasticTask):
    """SLCP with distractors: the same points, among 92 numbers that have nothing to do with them.

    These are drawn from a mixture of 20 t distributions of two degrees of freedom in 92 dimensions;
    then all hundred numbers are put in another order, always the same. The parameters of the
    mixture and the order are the benchmark's, drawn once with a fixed seed. The posterior is that
    of ``slcp``.

    References:
        Greenberg, Nonnenmacher, Macke, ICML 2019, https://arxiv.org/abs/1905.07488;
        Lueckmann et al., 2021, T.4

    Example:
        >>> SlcpDistractors().simulate(torch.ones(1, 5)).shape
        torch.Size([1, 100])
    """

    folder = "slcp"
    observation_file = "observation_distractors.csv"
    randoms = 2 * DRAWS + 2 + DISTRACTORS
    designs = numbered(5, Uniform(low=-3.0, high=3.0))
    responses = numbered(2 * DRAWS + DISTRACTORS)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 100) of designs and random numbers."""
        points, which, tail, noise = u.split((2 * DRAWS, 1, 1, DISTRACTORS), dim=1)
        order = distractor_parameters()[2]
        distractors = distractors_of(which[:, 0], tail, normals(noise))
        both = torch.cat((four_points(x, normals(points)), distractors), dim=1)
        return both[:, order.to(x.device)]


def distractors_of(which: Tensor, tail: Tensor, z: Tensor) -> Tensor:
    """Draws of the mixture of t distributions.

    Args:
        which: uniform numbers (N,), for the component.
        tail: uniform numbers (N, 1): minus the logarithm is half of a chi-square number of two
            degrees of freedom.
        z: standard normal numbers (N, 92).

    Returns:
        (N, 92).
    """
    centres, factors, _ = distractor_parameters()
    component = (which * COMPONENTS).long()
    result = torch.empty_like(z)
    for i in range(COMPONENTS):  # a factor for each row would fill the memory
        rows = (component == i).nonzero()[:, 0]
        scaled = z[rows] / (-tail[rows].log()).sqrt()
        result[rows] = centres[i].to(z) + scaled @ factors[i].to(z).T
    return result


@lru_cache(maxsize=1)
def distractor_parameters() -> tuple[Tensor, Tensor, Tensor]:
    """Centres (20, 92) and triangular factors (20, 92, 92) of the mixture, and the order (100,).

    NumPy promises that this generator's numbers stay as they are.
    """
    random = np.random.RandomState(_SEED)
    centres = np.stack([15 * random.normal(size=DISTRACTORS) for _ in range(COMPONENTS)])
    factors = []
    for _ in range(COMPONENTS):
        lower = np.tril(random.normal(size=(DISTRACTORS, DISTRACTORS)))
        factors.append(3 * (lower + np.diag(np.exp(random.normal(size=DISTRACTORS)))))
    order = random.permutation(2 * DRAWS + DISTRACTORS)
    return torch.from_numpy(centres), torch.from_numpy(np.stack(factors)), torch.from_numpy(order)

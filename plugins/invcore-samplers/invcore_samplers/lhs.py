"""Random Latin hypercubes."""

import torch
from scipy.stats import qmc
from torch import Tensor

from invcore.plugin import Config, Sampler
from invcore_samplers.checks import check_size, numpy_generator, strictly_inside


class LHS(Sampler[Config]):
    """Random Latin hypercube: one point in each of `count` strata of every dimension.

    The strata are paired at random, and the point is uniform in its cell, so that each point by
    itself is uniform in the cube (SciPy's `LatinHypercube`).

    References:
        M. D. McKay, R. J. Beckman, W. J. Conover, A comparison of three methods for selecting
        values of input variables, Technometrics 21 (1979). https://doi.org/10.2307/1268522

    Example:
        >>> points = LHS().sample(4, 2, torch.Generator().manual_seed(0))
        >>> (points * 4).floor().sort(dim=0).values[:, 0].tolist()
        [0.0, 1.0, 2.0, 3.0]
    """

    latin = True

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """One random Latin hypercube: (count, dim), float64."""
        check_size(count, dim)
        engine = qmc.LatinHypercube(dim, rng=numpy_generator(generator))
        return strictly_inside(torch.from_numpy(engine.random(count)))

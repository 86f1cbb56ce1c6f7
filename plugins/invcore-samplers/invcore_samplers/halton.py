"""Scrambled Halton points."""

import torch
from scipy.stats import qmc
from torch import Tensor

from invcore.plugin import Config, Sampler
from invcore_samplers.checks import check_size, numpy_generator, strictly_inside


class Halton(Sampler[Config]):
    """The first points of a scrambled Halton sequence (SciPy's `Halton`).

    Any count is as good as another. The digits are permuted at random, without which the
    dimensions beyond about six would be strongly correlated.

    References:
        | J. H. Halton, On the efficiency of certain quasi-random sequences of points, Numerische
          Mathematik 2 (1960). https://doi.org/10.1007/BF01386213
        | A. B. Owen, A randomized Halton algorithm in R (2017). https://arxiv.org/abs/1706.02808

    Example:
        >>> points = Halton().sample(8, 2, torch.Generator().manual_seed(0))
        >>> (points[:, 0] * 8).floor().sort().values.tolist()  # base 2: one in each eighth
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """The first `count` points: (count, dim), float64."""
        check_size(count, dim)
        engine = qmc.Halton(dim, rng=numpy_generator(generator))
        return strictly_inside(torch.from_numpy(engine.random(count)))

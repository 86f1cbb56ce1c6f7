"""Scrambled Sobol points."""

import torch
from scipy.stats import qmc
from torch import Tensor

from invcore.plugin import Config, Sampler
from invcore_samplers.checks import check_size, numpy_generator, strictly_inside


class Sobol(Sampler[Config]):
    """The first points of a scrambled Sobol sequence (SciPy's `Sobol`).

    A power of two is the best count: every elementary interval then holds the points it should.
    Any other count gives the same sequence, cut there.

    References:
        | I. M. Sobol', The distribution of points in a cube, USSR Comp. Math. 7 (1967).
          https://doi.org/10.1016/0041-5553(67)90144-9
        | S. Joe, F. Y. Kuo, Constructing Sobol sequences with better two-dimensional projections,
          SIAM J. Sci. Comput. 30 (2008). https://doi.org/10.1137/070709359

    Example:
        >>> points = Sobol().sample(8, 2, torch.Generator().manual_seed(0))
        >>> (points * 8).floor().sort(dim=0).values[:, 0].tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """The first `count` points: (count, dim), float64.

        Raises:
            ValueError: more dimensions, or points, than SciPy's direction numbers give.
        """
        check_size(count, dim)
        if dim > qmc.Sobol.MAXDIM or count > 2**30:
            raise ValueError(
                f"sobol gives at most {qmc.Sobol.MAXDIM} dimensions and 2**30 points, "
                f"got count={count}, dim={dim}; use lhs"
            )
        engine = qmc.Sobol(dim, rng=numpy_generator(generator))
        # A full power of two, cut: SciPy warns of any other count, and points come at little cost.
        points = engine.random_base2((count - 1).bit_length())[:count]
        return strictly_inside(torch.from_numpy(points.copy()))

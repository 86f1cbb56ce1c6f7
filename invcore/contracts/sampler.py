"""Samplers: points in the open unit cube, which drive every method's randomness."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from invcore.configs.configurable import C, Configurable

_MARGIN = 2.0**-33  # a coordinate of 0 or 1 would be infinite in a normal's inverse CDF


class Sampler(Configurable[C]):
    """A way to fill the unit cube.

    Example:
        >>> class Plain(Sampler):
        ...     def sample(self, count, dim, generator):
        ...         return torch.rand(count, dim, generator=generator, dtype=torch.float64)
        >>> Plain().batch(3, 5, 2, torch.Generator()).shape
        torch.Size([3, 5, 2])
    """

    latin: ClassVar[bool] = False
    """Whether each of ``count`` strata of every dimension holds exactly one point."""
    independent: ClassVar[bool] = False
    """Whether the points of a set are drawn independently of each other."""

    @abstractmethod
    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """One set of points: (count, dim), float64, inside the open unit cube."""

    def batch(self, targets: int, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """A set of points for each target: (targets, count, dim).

        One design, varied by random reflections and permutations of the axes: they cost nothing
        and keep the strata and all distances. A single point, which has no distances and one
        stratum, is moved anywhere instead (a Cranley-Patterson rotation), so that each target's is
        uniform and independent of the others'. A sampler whose points are cheap and independent
        overrides this.

        References:
            R. Cranley, T. N. L. Patterson, Randomization of number theoretic methods for multiple
            integration, SIAM J. Numer. Anal. 13 (1976). https://doi.org/10.1137/0713071
        """
        design = self.sample(count, dim, generator)
        if count == 1:
            shift = torch.rand(targets, 1, dim, generator=generator, dtype=torch.float64)
            return ((design + shift) % 1.0).clamp(_MARGIN, 1.0 - _MARGIN)
        axes = torch.rand(targets, dim, generator=generator).argsort(dim=1)
        flip = torch.rand(targets, 1, dim, generator=generator) < 0.5
        points = design.T[axes].transpose(1, 2)  # (targets, count, dim)
        return torch.where(flip, 1.0 - points, points)

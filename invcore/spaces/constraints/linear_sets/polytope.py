"""The continuous part: a polytope, its dimension and ranges, points drawn from it, nearest ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, LinearSystem


@dataclass(frozen=True, eq=False)
class Projected:
    """The nearest points of a set.

    Args:
        points: (N, n), in the set.
        distance: (N,), square root of the weighted sum of squared differences in scaled units.
        proven: (N,), bool, whether no point of the set is nearer.
        binding: (N, 2M + 2n), bool, the sides that keep a point from being nearer, in the order of
            ``LinearSystem``; ``LinearSystem.owners_of(binding[i])`` says whose they are.
    """

    points: Floats
    distance: Floats
    proven: Booleans
    binding: Booleans


@dataclass(frozen=True, eq=False)
class Samples:
    """Points drawn from a set.

    Args:
        points: (N, n), in the set.
        uniform: whether they are uniform: over the assignments of the whole numbers, and then
            over the polytope that each leaves. Else they are merely in the set.
    """

    points: Floats
    uniform: bool


class Polytope:
    """The points of a system, whole numbers or not.

    Args:
        system: whose whole numbers count as continuous.
    """

    def __init__(self, system: LinearSystem) -> None:
        self.system = system

    @property
    def feasible(self) -> bool:
        """Whether there is any point."""
        raise NotImplementedError

    @property
    def dimension(self) -> int:
        """Of the affine hull; 0 for a single point."""
        raise NotImplementedError

    @property
    def implied(self) -> Booleans:
        """(2M + 2n,), which sides hold with equality everywhere in the set."""
        raise NotImplementedError

    def ranges(self) -> Floats:
        """(n, 2), the smallest and the largest value of each column in the set."""
        raise NotImplementedError

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """(count, n), uniform."""
        raise NotImplementedError

    def project(self, points: Floats) -> Projected:
        """The nearest points of the set to points (N, n)."""
        raise NotImplementedError

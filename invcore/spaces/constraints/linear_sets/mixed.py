"""Sets of points some of whose columns are whole numbers: what most callers use."""

from __future__ import annotations

import numpy as np

from invcore.spaces.constraints.linear_sets.polytope import Projected, Samples
from invcore.spaces.constraints.linear_sets.system import Floats, LinearSystem


class MixedSet:
    """The points of a system: continuous, whole, or both.

    Args:
        system: the constraints.
        most: up to how many assignments of whole numbers are listed, in each of the parts of the
            system that share no row.
    """

    def __init__(self, system: LinearSystem, *, most: int = 400) -> None:
        self.system, self.most = system, most

    @property
    def feasible(self) -> bool:
        """Whether there is any point."""
        raise NotImplementedError

    @property
    def assignments(self) -> int | None:
        """How many assignments of the whole numbers are feasible; None if too many to list."""
        raise NotImplementedError

    def feasible_point(self) -> Floats | None:
        """A point (n,) of the set, or None if there is none."""
        raise NotImplementedError

    def ranges(self) -> Floats:
        """(n, 2), the smallest and the largest value of each column in the set."""
        raise NotImplementedError

    def sample(self, count: int, generator: np.random.Generator) -> Samples:
        """Points (count, n), uniform over feasible assignments and then within each; if these are
        too many to list, points that are in the set, but not uniform: ``Samples.uniform`` says so.

        The same generator state gives the same points, whatever was drawn before.

        Raises:
            ValueError: the set is empty or unbounded.
        """
        raise NotImplementedError

    def project(self, points: Floats) -> Projected:
        """The nearest points of the set to points (N, n), each proven nearest or not.

        Columns of weight 0 are ignored in the points, and may be NaN.

        Raises:
            ValueError: the set is empty.
        """
        raise NotImplementedError

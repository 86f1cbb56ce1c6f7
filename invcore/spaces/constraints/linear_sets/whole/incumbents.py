"""The nearest of the points found so far."""

from __future__ import annotations

import numpy as np

from invcore.spaces.constraints.linear_sets.polytope import Polytope, Projected
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers, LinearSystem


class Incumbents:
    """The nearest of the points found so far, for each of several points.

    Args:
        given: (N, n).
        system: whose sides bind.
    """

    def __init__(self, given: Floats, system: LinearSystem) -> None:
        self.given, self.system = given, system
        self.points = np.full(given.shape, np.nan)
        self.distance = np.full(len(given), np.inf)
        self._sides = np.zeros((len(given), 2 * system.rows + 2 * system.columns), dtype=np.bool_)

    def offer(self, leaf: Polytope, places: Integers) -> Floats:
        """Distances of a polytope's nearest points to some of the given ones, which are taken
        where they are nearer than what was found.
        """
        if not len(places):
            return np.zeros(0)
        found = leaf.project(self.given[places], self.distance[places])
        distance = np.where(found.proven, found.distance, np.inf)
        nearer = distance < self.distance[places]
        at = places[nearer]
        self.points[at], self.distance[at] = found.points[nearer], distance[nearer]
        self._sides[at] = found.binding[nearer]
        return distance

    def projected(self, proven: Booleans) -> Projected:
        """What was found. Whole numbers are kept by bounds of their own only at these."""
        system, whole = self.system, np.nonzero(self.system.integer)[0]
        values, first = self.points[:, whole], 2 * system.rows
        self._sides[:, first + whole] &= values == system.high[whole]
        self._sides[:, first + system.columns + whole] &= values == system.low[whole]
        good = proven & np.isfinite(self.distance)
        return Projected(self.points, self.distance, good, self._sides)

"""Whole numbers that rows tie to one another: a polytope for each of their assignments."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from invcore.spaces.constraints.linear_sets.polytope import Polytope, Projected
from invcore.spaces.constraints.linear_sets.sampling.together import together
from invcore.spaces.constraints.linear_sets.sampling.walks import FEW
from invcore.spaces.constraints.linear_sets.system import Floats, LinearSystem
from invcore.spaces.constraints.linear_sets.whole.assignments import Assignments
from invcore.spaces.constraints.linear_sets.whole.branch_and_bound import BranchAndBound
from invcore.spaces.constraints.linear_sets.whole.incumbents import Incumbents

_DIVES = 64  # assignments that are drawn for a sample, where there are too many to list
_MORE = 32  # points, for each of which one more is drawn
_LEAVES = 40  # up to which nearest points are sought in each
_KEPT = 2000  # polytopes of assignments


class DiscretePart:
    """The points of a system with whole numbers.

    Up to some number of assignments, all are listed, and a sample is uniform over them. Beyond,
    assignments of a sample are drawn by random dives. The nearest point is that of all assignments'
    nearest points, if these are few; else it is found by branch and bound.

    Args:
        system: with bounds of whole numbers that are whole.
        most: assignments that are listed.
    """

    def __init__(self, system: LinearSystem, most: int) -> None:
        self.system, self.most = system, most
        self.assignments = Assignments(system)
        self._leaves: dict[bytes, Polytope] = {}

    def leaf(self, values: Floats) -> Polytope:
        """What is left when the whole numbers have these values (q,)."""
        key = (values + 0.0).tobytes()
        if key not in self._leaves:
            if len(self._leaves) >= _KEPT:
                self._leaves.clear()
            low, high = self.system.low.copy(), self.system.high.copy()
            low[self.assignments.places] = high[self.assignments.places] = values
            self._leaves[key] = Polytope(replace(self.system, low=low, high=high))
        return self._leaves[key]

    @cached_property
    def listed(self) -> tuple[Floats, list[Polytope]] | None:
        """All assignments (A, q) that leave a point, and their polytopes; None if too many."""
        listing = self.assignments.listed(min(self.most, _KEPT))
        if not listing.complete:
            return None
        leaves = [self.leaf(values) for values in listing.values]
        good = np.array([leaf.feasible for leaf in leaves], dtype=np.bool_)
        return listing.values[good], [leaf for leaf in leaves if leaf.feasible]

    @cached_property
    def first(self) -> Polytope | None:
        """The polytope of some assignment; None if none leaves a point.

        Raises:
            RuntimeError: the solver could not tell, and there are too many to try.
        """
        values = self.assignments.any()
        if values is None:
            return None
        if len(values) and self.leaf(values).feasible:
            return self.leaf(values)
        if self.listed is None:
            raise RuntimeError("HiGHS could not decide whether whole numbers leave a point")
        return self.listed[1][0] if self.listed[1] else None

    @cached_property
    def _tree(self) -> BranchAndBound:
        return BranchAndBound(self.system, self.leaf, self._first())

    @property
    def feasible(self) -> bool:
        """Whether there is any point."""
        return self.first is not None

    def centre(self) -> Floats:
        """A point (n,), inside the polytope of some assignment."""
        return self._first().centre()

    def ranges(self) -> Floats:
        """(n, 2), the smallest and the largest value of each column, or infinite."""
        return self.assignments.ranges()

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """(count, n), of a system that has points."""
        if self.listed is not None:
            leaves = self.listed[1]
            chosen = generator.integers(len(leaves), size=count)
        else:
            dives = min(count, _DIVES + count // _MORE, _KEPT)
            drawn = self.assignments.drawn(dives, generator)
            leaves = [leaf for leaf in map(self.leaf, drawn) if leaf.feasible] or [self._first()]
            chosen = generator.permutation(np.arange(count) % len(leaves))
        by_leaf: dict[Polytope, list[int]] = {}
        for place, i in enumerate(chosen.tolist()):
            by_leaf.setdefault(leaves[i], []).append(place)
        requests = [
            (walk, len(places))
            for leaf, places in by_leaf.items()
            if len(places) <= FEW
            for walk in leaf.walks
        ]
        few = together(requests, generator)
        walked = {walk: points for (walk, _), points in zip(requests, few, strict=True)}
        points = np.empty((count, self.system.columns))
        for leaf, places in by_leaf.items():
            points[places] = leaf.sample(len(places), generator, walked)
        return points

    def _first(self) -> Polytope:
        if self.first is None:
            raise ValueError("the constraints leave no point")
        return self.first

    def project(self, points: Floats) -> Projected:
        """The nearest points of a system that has points."""
        if self.listed is None or len(self.listed[1]) > _LEAVES:
            return self._tree.project(points)
        best = Incumbents(points, self.system)
        self._nearest(best, self.listed[1])
        return best.projected(np.ones(len(points), dtype=np.bool_))

    @staticmethod
    def _nearest(best: Incumbents, leaves: list[Polytope]) -> None:
        """The nearest points of all leaves; one is left out for the points that are nearer to
        another than to its affine hull and its bounds.
        """
        at_least = np.array([leaf.at_least(best.given) for leaf in leaves])  # (A, N)
        first = at_least.argmin(axis=0)
        for i in np.unique(first):
            best.offer(leaves[i], np.nonzero(first == i)[0])
        for i in np.argsort(at_least.mean(axis=1), kind="stable"):
            nearer = (at_least[i] < best.distance - 1e-13) & (first != i)
            best.offer(leaves[i], np.nonzero(nearer)[0])

"""Sets of points some of whose columns are whole numbers: what most callers use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from invcore.spaces.constraints.linear_sets.polytope import Polytope, Projected
from invcore.spaces.constraints.linear_sets.reduction import Reduction, parts_of
from invcore.spaces.constraints.linear_sets.system import Floats, Integers, LinearSystem
from invcore.spaces.constraints.linear_sets.whole.part import DiscretePart


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


@dataclass(frozen=True, eq=False)
class _Part:
    """Columns that rows tie together, as a system of their own.

    Args:
        columns: (c,), of the whole system.
        sides: (2m + 2c,), which of the whole system's sides each of the part's is.
        points: the part's.
    """

    columns: Integers
    sides: Integers
    points: DiscretePart | Polytope


class MixedSet:
    """The points of a system: continuous, whole, or both.

    Columns that no row ties together are handled in parts, so that numbers of assignments do not
    multiply. Each whole number that is alone is handled directly.

    Args:
        system: the constraints.
        most: up to how many assignments of whole numbers are listed, in each of the parts.

    Example:
        >>> system = LinearSystem.of(  # x <= z, y <= 1 - z: only one of x and y is not zero
        ...     [[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]],
        ...     [-np.inf, -np.inf],
        ...     [0.0, 1.0],
        ...     np.zeros(3),
        ...     np.ones(3),
        ...     integer=[False, False, True],
        ...     weight=[1.0, 1.0, 0.0],
        ... )
        >>> chosen = MixedSet(system)
        >>> chosen.assignments
        2
        >>> found = chosen.project(np.array([[0.4, 0.7, np.nan]]))
        >>> found.points, found.distance, found.proven
        (array([[0. , 0.7, 0. ]]), array([0.4]), array([ True]))
    """

    def __init__(self, system: LinearSystem, *, most: int = 400) -> None:
        self.system, self.most = system, most

    @cached_property
    def _reduction(self) -> Reduction:
        return Reduction(self.system, whole=True)

    @cached_property
    def _alone(self) -> Integers:
        """Whole numbers that no row ties to other columns."""
        tied = (self._reduction.matrix != 0).any(axis=0)
        return np.nonzero(self.system.integer & self._reduction.free & ~tied)[0]

    @cached_property
    def _parts(self) -> list[_Part]:
        """All other columns: those that are tied to whole numbers, and the rest as one part."""
        reduction, whole = self._reduction, self.system.integer & self._reduction.free
        parts, rest = [], np.ones(self.system.columns, dtype=np.bool_)
        rest[self._alone] = False
        rows_left = np.ones(len(reduction.rows), dtype=np.bool_)
        for rows, columns in parts_of(reduction.matrix != 0):
            if len(rows) and whole[columns].any():
                rest[columns], rows_left[rows] = False, False
                system, sides = _subsystem(reduction, rows, columns)
                parts.append(_Part(columns, sides, DiscretePart(system, self.most)))
        columns = np.nonzero(rest)[0]
        system, sides = _subsystem(reduction, np.nonzero(rows_left)[0], columns)
        return [_Part(columns, sides, Polytope(system)), *parts]

    @cached_property
    def feasible(self) -> bool:
        """Whether there is any point."""
        return self._reduction.feasible and all(part.points.feasible for part in self._parts)

    @cached_property
    def assignments(self) -> int | None:
        """How many assignments of the whole numbers leave a point; None if too many to list."""
        if not self.feasible:
            return 0
        low, high = self._reduction.bounds(self._alone)
        total = math.prod(int(size) for size in high - low + 1)
        for part in self._parts:
            if isinstance(part.points, DiscretePart):
                if part.points.listed is None:
                    return None
                total *= len(part.points.listed[1])
        return total

    def feasible_point(self) -> Floats | None:
        """A point (n,) of the set, inside it as far as it has an inside; None if there is none."""
        if not self.feasible:
            return None
        point = np.zeros(self.system.columns)
        low, high = self._reduction.bounds(self._alone)
        point[self._alone] = np.floor(0.5 * (low + high))
        for part in self._parts:
            point[part.columns] = part.points.centre()
        return point

    def ranges(self) -> Floats:
        """(n, 2), the smallest and the largest value of each column in the set, or infinite.

        Raises:
            ValueError: the set is empty.
        """
        self._require()
        ranges = np.zeros((self.system.columns, 2))
        ranges[self._alone] = np.stack(self._reduction.bounds(self._alone), axis=1)
        for part in self._parts:
            ranges[part.columns] = part.points.ranges()
        return ranges

    def sample(self, count: int, generator: np.random.Generator) -> Samples:
        """Points (count, n), uniform over the assignments that leave a point and then within each;
        if these are too many to list, points that are in the set, but not uniform:
        ``Samples.uniform`` says so.

        The same state of the generator gives the same points, whatever was drawn before.

        Raises:
            ValueError: the set is empty or unbounded.
        """
        self._require()
        points = np.zeros((count, self.system.columns))
        low, high = (end.astype(np.int64) for end in self._reduction.bounds(self._alone))
        points[:, self._alone] = generator.integers(low, high + 1, size=(count, len(low)))
        for part in self._parts:
            points[:, part.columns] = part.points.sample(count, generator)
        return Samples(points, self.assignments is not None)

    def project(self, points: Floats) -> Projected:
        """The nearest points of the set to points (N, n), each proven nearest or not.

        Columns of weight 0 are ignored in the points, and may be NaN.

        Raises:
            ValueError: the set is empty; a number that is not finite.
        """
        self._require()
        if not np.isfinite(points[:, self.system.weight > 0]).all():
            raise ValueError("points that are not finite have no nearest point")
        found = self._nearest_alone(points)
        square, proven = found.distance**2, found.proven
        for part in self._parts:
            near = part.points.project(points[:, part.columns])
            found.points[:, part.columns] = near.points
            found.binding[:, part.sides] |= near.binding
            square, proven = square + near.distance**2, proven & near.proven
        return Projected(found.points, np.sqrt(square), proven, found.binding)

    def _nearest_alone(self, points: Floats) -> Projected:
        """With whole numbers that are alone in place."""
        system, alone = self.system, self._alone
        low, high = self._reduction.bounds(alone)
        given = np.where(system.weight[alone] > 0, points[:, alone], low)
        values = np.clip(np.round(given), low, high)
        results = np.zeros(points.shape)
        results[:, alone] = values
        gap = (values - given) / system.width[alone]
        binding = np.zeros((len(points), 2 * system.rows + 2 * system.columns), dtype=np.bool_)
        binding[:, self._reduction.high_side[alone]] = given > high + 0.5
        binding[:, self._reduction.low_side[alone]] = given < low - 0.5
        distance = np.sqrt((gap * gap) @ system.weight[alone])
        return Projected(results, distance, np.ones(len(points), dtype=np.bool_), binding)

    def _require(self) -> None:
        if not self.feasible:
            raise ValueError("the constraints leave no point")


def _subsystem(
    reduction: Reduction, rows: Integers, columns: Integers
) -> tuple[LinearSystem, Integers]:
    """What a reduction leaves of some rows (of its own) and columns, and the sides it comes from.

    Fixed columns that are left out are put into the rows.
    """
    system, kept = reduction.system, reduction.rows[rows]
    fixed = np.setdiff1d(np.nonzero(~reduction.free)[0], columns)
    value, _ = reduction.bounds(fixed)
    shift = system.matrix[np.ix_(kept, fixed)] @ value
    low, high = reduction.bounds(columns)
    part = LinearSystem(
        matrix=system.matrix[np.ix_(kept, columns)],
        row_low=np.where(
            np.isfinite(reduction.row_low[rows]), system.row_low[kept] - shift, -np.inf
        ),
        row_high=np.where(
            np.isfinite(reduction.row_high[rows]), system.row_high[kept] - shift, np.inf
        ),
        low=low,
        high=high,
        integer=system.integer[columns],
        owner=system.owner[kept],
        weight=system.weight[columns],
        width=system.width[columns],
        low_owner=system.side_owner[reduction.low_side[columns]],
        high_owner=system.side_owner[reduction.high_side[columns]],
    )
    sides = [kept, kept + system.rows, reduction.high_side[columns], reduction.low_side[columns]]
    return part, np.concatenate(sides)

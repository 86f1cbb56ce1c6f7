"""A point inside a system's inequalities, and those that can only hold as equalities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.programs import Program
from invcore.spaces.constraints.linear_sets.reduction import EQUAL, WRONG
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers

INSIDE = 1e-8  # a ball of this radius in all rows: none is an equality, whatever rounding does
_AGREE = 2  # answers of the solver, before a set counts as empty
_FARTHEST = 1e6  # by how much the search for equalities may enlarge the set
_RANKS = (1e-9, 1e-7, 1e-5)  # below which share of the largest a singular value counts as zero
_NO_SIDE = -1


@dataclass(frozen=True, eq=False)
class Rows:
    """Inequalities matrix v <= limit and equalities equal v = level, in scaled units.

    Args:
        matrix: (m, c).
        limit: (m,).
        sides: (m,), which side of the system each inequality is.
        equal: (e, c).
        level: (e,).
        equal_high: (e,), the side that keeps equal @ v from being larger.
        equal_low: (e,), the side that keeps it from being smaller; -1 for none.
    """

    matrix: Floats
    limit: Floats
    sides: Integers
    equal: Floats
    level: Floats
    equal_high: Integers
    equal_low: Integers

    def program(self, room: float) -> Program:
        """All rows, where the inequalities are relaxed by some room."""
        low = np.concatenate([np.full(len(self.limit), -np.inf), self.level])
        high = np.concatenate([self.limit + room, self.level])
        both = np.vstack([self.matrix, self.equal])
        return Program(both, low, high, *self.box, presolve=False)

    @property
    def box(self) -> tuple[Floats, Floats]:
        """Bounds (c,) that are wider than those among the rows, and make programs more exact."""
        alone = (self.matrix != 0).sum(axis=1) == 1
        high = np.full(self.matrix.shape[1], np.inf)
        low = -high
        for row, limit in zip(self.matrix[alone], self.limit[alone], strict=True):
            j = int(row.argmax() if row.max() > 0 else row.argmin())
            if row[j] > 0:
                high[j] = limit / row[j] + 1.0
            else:
                low[j] = limit / row[j] - 1.0
        return low, high

    def split(self, equal: Booleans, point: Floats) -> Rows:
        """With some of the inequalities taken as equalities, at their values at a point."""
        count = int(equal.sum())
        return Rows(
            self.matrix[~equal],
            self.limit[~equal],
            self.sides[~equal],
            np.vstack([self.equal, self.matrix[equal]]),
            np.concatenate([self.level, self.matrix[equal] @ point]),
            np.concatenate([self.equal_high, self.sides[equal]]),
            np.concatenate([self.equal_low, np.full(count, _NO_SIDE)]),
        )


def ball(system: Rows) -> tuple[Floats, float] | None:
    """A point whose least slack is largest, at most 1, and that slack; None if there is none.

    Where rows are nearly parallel, answers of the solver can be wrong by more than it says, so that
    several ways to one are tried, until there is a point, or two exact answers that there is none.
    """
    count, dimension = system.matrix.shape
    equals = len(system.level)
    matrix = np.zeros((count + equals, dimension + 1))
    matrix[:count, :-1], matrix[:count, -1], matrix[count:, :-1] = system.matrix, 1.0, system.equal
    low = np.concatenate([np.full(count, -np.inf), system.level])
    high = np.concatenate([system.limit, system.level])
    free, wide = np.full(dimension, np.inf), system.box
    cost = np.zeros(dimension + 1)
    cost[-1] = -1.0
    against = 0
    for ends, presolve, primal in (
        ((-free, free), False, False),
        (wide, False, True),
        ((-free, free), True, False),
        (wide, True, False),
    ):
        floor, top = np.append(ends[0], -np.inf), np.append(ends[1], 1.0)
        program = Program(matrix, low, high, floor, top, presolve=presolve, primal=primal)
        found = program.minimise(cost, sure=False).point
        if found is None:
            continue
        point = found[:-1]
        radius = float((system.limit - system.matrix @ point).min(initial=1.0))
        exact = np.abs(system.equal @ point - system.level).max(initial=0.0) <= WRONG
        if exact and radius >= -WRONG:
            return point, radius
        against += bool(exact and abs(radius - found[-1]) <= WRONG)
        if against == _AGREE:
            return None
    return None


def with_equalities(system: Rows, point: Floats, radius: float) -> tuple[Rows, Floats]:
    """The rows that cannot have a slack become equalities; and a point where all others have.

    Args:
        system: with points.
        point: (c,), one of them.
        radius: its least slack, which may be negative by rounding errors.
    """
    equal, points = np.ones(len(system.limit), dtype=np.bool_), [point]
    first = _enlarged(system)
    if first is not None and _violation(system, first) <= WRONG:
        points = [first]
    program = system.program(max(0.0, -radius))
    for i in range(len(equal)):
        slack = system.limit[i] - system.matrix[i] @ np.array(points).T
        if slack.max() > EQUAL * len(points) + INSIDE:
            equal[i] = False
            continue
        found = program.minimise(system.matrix[i]).point
        if found is None or _violation(system, found) > WRONG:
            continue
        if system.limit[i] - system.matrix[i] @ found > EQUAL:
            equal[i] = False
            points.append(found)
    middle = np.mean(points, axis=0)
    return system.split(equal, middle), middle


def _enlarged(system: Rows) -> Floats | None:
    """A point with a slack in as many rows as can have one: the most of sum s where matrix v + s
    <= t limit, equal v = t level, 0 <= s <= 1 and t >= 1, divided by t.
    """
    count, dimension = system.matrix.shape
    equals = len(system.level)
    matrix = np.zeros((count + equals, dimension + count + 1))
    matrix[:count, :dimension], matrix[count:, :dimension] = system.matrix, system.equal
    matrix[:count, dimension:-1] = np.eye(count)
    matrix[:count, -1], matrix[count:, -1] = -system.limit, -system.level
    sides = np.concatenate([np.full(count, -np.inf), np.zeros(equals)])
    ends = (_FARTHEST * np.maximum(np.abs(end), 1.0) for end in system.box)
    low = np.concatenate([-next(ends), np.zeros(count), [1.0]])
    high = np.concatenate([next(ends), np.ones(count), [_FARTHEST]])
    cost = np.concatenate([np.zeros(dimension), -np.ones(count), [0.0]])
    program = Program(matrix, sides, np.zeros(count + equals), low, high)
    found = program.minimise(cost).point
    return None if found is None else found[:dimension] / found[-1]


def hull(system: Rows, point: Floats) -> tuple[Floats, Floats] | None:
    """The nearest point that satisfies the equalities, and a basis of the directions in which they
    stay so; None if they contradict one another.
    """
    if not len(system.level):
        return point, np.eye(len(point))
    left, size, right = np.linalg.svd(system.equal)
    for share in _RANKS:
        rank = int((size > share * size[0]).sum())
        at = point
        for _ in range(2):
            gap = left[:, :rank].T @ (system.equal @ at - system.level)
            at = at - right[:rank].T @ (gap / size[:rank])
        if _violation(system, at) <= WRONG:
            return at, right[rank:].T
    # Nearly parallel rows that agree but for rounding: through the point as it is.
    return (point, right[rank:].T) if _violation(system, point) <= WRONG else None


def _violation(system: Rows, point: Floats) -> float:
    off = np.abs(system.equal @ point - system.level).max(initial=0.0)
    return float(max(off, (system.matrix @ point - system.limit).max(initial=0.0)))

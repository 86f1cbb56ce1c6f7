"""From rows and bounds to a polytope with an interior: what must be equal, and what can bind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.programs import Program
from invcore.spaces.constraints.linear_sets.reduction import EQUAL, WRONG, Reduction
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers

_INSIDE = 1e-8  # a ball of this radius in all rows: none is an equality, whatever rounding does
_FARTHEST = 1e6  # by how much the search for equalities may enlarge the set
_RANKS = (1e-9, 1e-7, 1e-5)  # below which share of the largest a singular value counts as zero
_NO_SIDE = -1


@dataclass(frozen=True, eq=False)
class Piece:
    """Columns that rows tie together: y = centre + basis z with normals z <= offsets.

    The values y are scaled ones, times the square roots of the columns' weights, so that distances
    in z are those of the points.

    Args:
        columns: (c,), of the system.
        centre: (c,), a point inside.
        basis: (c, k), orthonormal directions in which the set has some extent.
        normals: (m, k), of unit norm, no two of them parallel.
        offsets: (m,), positive.
        rows: (m, c), the same rows in y.
        sides: (m,), which side of the system each row is.
        equal: (e, c), rows that hold with equality everywhere.
        level: (e,), their values.
        equal_high: (e,), the side that keeps equal @ y from being larger; -1 for none.
        equal_low: (e,), the side that keeps it from being smaller.
    """

    columns: Integers
    centre: Floats
    basis: Floats
    normals: Floats
    offsets: Floats
    rows: Floats
    sides: Integers
    equal: Floats
    level: Floats
    equal_high: Integers
    equal_low: Integers

    @property
    def dimension(self) -> int:
        """Of the affine hull."""
        return self.basis.shape[1]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Inequalities matrix v <= limit and equalities equal v = level, in scaled units."""

    matrix: Floats
    limit: Floats
    sides: Integers
    equal: Floats
    level: Floats
    equal_high: Integers
    equal_low: Integers

    def program(self, room: float, *, presolve: bool = False) -> Program:
        """All rows, where the inequalities are relaxed by some room."""
        low = np.concatenate([np.full(len(self.limit), -np.inf), self.level])
        high = np.concatenate([self.limit + room, self.level])
        free = np.full(self.matrix.shape[1], np.inf)
        both = np.vstack([self.matrix, self.equal])
        return Program(both, low, high, -free, free, presolve=presolve)

    def split(self, equal: Booleans) -> _Rows:
        """With some of the inequalities taken as equalities."""
        count = int(equal.sum())
        return _Rows(
            self.matrix[~equal],
            self.limit[~equal],
            self.sides[~equal],
            np.vstack([self.equal, self.matrix[equal]]),
            np.concatenate([self.level, self.limit[equal]]),
            np.concatenate([self.equal_high, self.sides[equal]]),
            np.concatenate([self.equal_low, np.full(count, _NO_SIDE)]),
        )


def piece_of(reduction: Reduction, rows: Integers, columns: Integers) -> Piece | None:
    """The polytope that some rows and the bounds of their columns leave.

    First, a linear program finds the largest ball that touches no row; if there is none, a second
    one enlarges the set until the rows that can have a slack have one (Freund, Roundy and Todd),
    and the largest slack of each other is found by a program of its own. A slack of at most 2e-9
    counts as none. Coordinates of the null space of what is equal then have an interior. Of
    parallel rows, the tightest stays. A single row needs no program.

    References:
        Freund, Roundy and Todd, Identifying the set of always-active constraints in a system of
        linear inequalities by a single linear program, Sloan W.P. 1674-85, 1985.

    Args:
        reduction: of the system.
        rows: of the reduction, those that have any of the columns.
        columns: of the system, none of them fixed.

    Returns:
        None if no point satisfies them.
    """
    system = _rows_of(reduction, rows, columns)
    inner = _inside_of_one(reduction, rows, columns, system) or _ball(system)
    if inner is None:
        return None
    point, radius = inner
    if radius <= _INSIDE:
        system, point = _with_equalities(system, point, radius)
    hull = _hull(system, point)
    if hull is None:
        return None
    point, basis = hull
    return _measured(system, point, basis, root_weights(reduction.system.weight[columns]), columns)


def root_weights(weight: Floats) -> Floats:
    """Square roots of weights, which scaled values are multiplied by in a piece; where there is no
    weight, that of 1e-4, so that distances are those of all columns.
    """
    return np.sqrt(np.maximum(weight, 1e-4))


def _rows_of(reduction: Reduction, rows: Integers, columns: Integers) -> _Rows:
    matrix = reduction.matrix[np.ix_(rows, columns)]
    low, high = reduction.row_low[rows], reduction.row_high[rows]
    upper, count = reduction.rows[rows], reduction.system.rows
    equal = high - low <= EQUAL
    up, down = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    unit = np.eye(len(columns))
    ends = reduction.low[columns], reduction.high[columns]
    below, above = np.isfinite(ends[0]), np.isfinite(ends[1])
    return _Rows(
        np.vstack([matrix[up], -matrix[down], unit[above], -unit[below]]),
        np.concatenate([high[up], -low[down], ends[1][above], -ends[0][below]]),
        np.concatenate(
            [
                upper[up],
                upper[down] + count,
                reduction.high_side[columns][above],
                reduction.low_side[columns][below],
            ]
        ),
        matrix[equal],
        0.5 * (low + high)[equal],
        upper[equal],
        upper[equal] + count,
    )


def _inside_of_one(
    reduction: Reduction, rows: Integers, columns: Integers, system: _Rows
) -> tuple[Floats, float] | None:
    """With one row, a point between those where it is least and largest, if that is well inside."""
    low, high = reduction.low[columns], reduction.high[columns]
    if len(rows) != 1 or not np.isfinite(high - low).all():
        return None
    row = reduction.matrix[rows[0], columns]
    start, end = np.where(row > 0, low, high), np.where(row > 0, high, low)
    least, most = row @ start, row @ end
    levels = np.clip([reduction.row_low[rows[0]], reduction.row_high[rows[0]]], least, most)
    share = (levels.mean() - least) / (most - least)
    point = start + share * (end - start)
    radius = float((system.limit - system.matrix @ point).min(initial=1.0))
    return (point, radius) if radius > _INSIDE else None


def _ball(system: _Rows) -> tuple[Floats, float] | None:
    """A point whose least slack is largest, at most 1, and that slack; None if there is none."""
    count, dimension = system.matrix.shape
    equals = len(system.level)
    matrix = np.zeros((count + equals, dimension + 1))
    matrix[:count, :-1], matrix[:count, -1], matrix[count:, :-1] = system.matrix, 1.0, system.equal
    low = np.concatenate([np.full(count, -np.inf), system.level])
    high = np.concatenate([system.limit, system.level])
    free = np.full(dimension + 1, np.inf)
    top = free.copy()
    top[-1] = 1.0
    cost = np.zeros(dimension + 1)
    cost[-1] = -1.0
    found = Program(matrix, low, high, -free, top, presolve=False).minimise(cost)
    if found.point is None:
        return None
    point = found.point[:-1]
    radius = float((system.limit - system.matrix @ point).min(initial=1.0))
    return (point, radius) if radius >= -WRONG else None


def _with_equalities(system: _Rows, point: Floats, radius: float) -> tuple[_Rows, Floats]:
    """The rows that cannot have a slack become equalities; and a point where all others have."""
    equal, points = np.ones(len(system.limit), dtype=np.bool_), [point]
    first = _enlarged(system)
    if first is not None:
        points = [first]
    program = system.program(max(0.0, -radius))
    for i in range(len(equal)):
        slack = system.limit[i] - system.matrix[i] @ np.array(points).T
        if slack.max() > EQUAL * len(points) + _INSIDE:
            equal[i] = False
            continue
        found = program.minimise(system.matrix[i])
        if found.point is not None and system.limit[i] - system.matrix[i] @ found.point > EQUAL:
            equal[i] = False
            points.append(found.point)
    return system.split(equal), np.mean(points, axis=0)


def _enlarged(system: _Rows) -> Floats | None:
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
    low = np.concatenate([np.full(dimension, -np.inf), np.zeros(count), [1.0]])
    high = np.concatenate([np.full(dimension, np.inf), np.ones(count), [_FARTHEST]])
    cost = np.concatenate([np.zeros(dimension), -np.ones(count), [0.0]])
    program = Program(matrix, sides, np.zeros(count + equals), low, high)
    found = program.minimise(cost).point
    return None if found is None else found[:dimension] / found[-1]


def _hull(system: _Rows, point: Floats) -> tuple[Floats, Floats] | None:
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
        wrong = np.abs(system.equal @ at - system.level).max()
        wrong = max(wrong, (system.matrix @ at - system.limit).max(initial=0.0))
        if wrong <= WRONG:
            return at, right[rank:].T
    return None


def _measured(
    system: _Rows, point: Floats, basis: Floats, root: Floats, columns: Integers
) -> Piece:
    """In coordinates whose distances are those of the points."""
    centre, basis = point * root, np.linalg.qr(basis * root[:, None])[0]
    equal = system.equal / root
    norm = np.linalg.norm(equal, axis=1)
    equal, level = equal / norm[:, None], system.level / norm
    rows = system.matrix / root
    normals = rows @ basis
    norm = np.linalg.norm(normals, axis=1)
    moves = np.nonzero(norm > 1e-9 * np.linalg.norm(rows, axis=1))[0]
    norm, normals, rows = norm[moves], normals[moves] / norm[moves, None], rows[moves]
    offsets = np.maximum(system.limit[moves] - rows @ centre, 0.0) / norm
    kept = _without_parallels(normals, offsets)
    return Piece(
        columns,
        centre,
        basis,
        normals[kept],
        offsets[kept],
        rows[kept] / norm[kept, None],
        system.sides[moves][kept],
        equal,
        level,
        system.equal_high,
        system.equal_low,
    )


def _without_parallels(normals: Floats, slack: Floats) -> Booleans:
    """Which rows have no parallel that is tighter, or as tight and earlier."""
    order = np.argsort(slack, kind="stable")
    _, first = np.unique(np.round(normals[order], 11) + 0.0, axis=0, return_index=True)
    kept = np.zeros(len(slack), dtype=np.bool_)
    kept[order[first]] = True
    return kept

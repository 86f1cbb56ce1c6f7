"""From rows and bounds to a polytope with an interior: what must be equal, and what can bind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.inside import INSIDE, Rows, ball, hull, with_equalities
from invcore.spaces.constraints.linear_sets.reduction import EQUAL, Reduction
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers


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
    inner = _inside_of_one(reduction, rows, columns, system) or ball(system)
    if inner is None:
        return None
    point, radius = inner
    if radius <= INSIDE:
        system, point = with_equalities(system, point, radius)
    flat = hull(system, point)
    if flat is None:
        return None
    point, basis = flat
    return _measured(system, point, basis, root_weights(reduction.system.weight[columns]), columns)


def root_weights(weight: Floats) -> Floats:
    """Square roots of weights, which scaled values are multiplied by in a piece; where there is no
    weight, that of 1e-4, so that distances are those of all columns.
    """
    return np.sqrt(np.maximum(weight, 1e-4))


def _rows_of(reduction: Reduction, rows: Integers, columns: Integers) -> Rows:
    matrix = reduction.matrix[np.ix_(rows, columns)]
    low, high = reduction.row_low[rows], reduction.row_high[rows]
    upper, count = reduction.rows[rows], reduction.system.rows
    equal = high - low <= EQUAL
    up, down = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    unit = np.eye(len(columns))
    ends = reduction.low[columns], reduction.high[columns]
    below, above = np.isfinite(ends[0]), np.isfinite(ends[1])
    return Rows(
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
    reduction: Reduction, rows: Integers, columns: Integers, system: Rows
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
    return (point, radius) if radius > INSIDE else None


def _measured(system: Rows, point: Floats, basis: Floats, root: Floats, columns: Integers) -> Piece:
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

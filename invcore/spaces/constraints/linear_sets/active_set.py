"""The nearest points of a polytope to many points at once, by a dual active-set method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from invcore.spaces.constraints.linear_sets.search import TOLERANCE, Nearest, Search
from invcore.spaces.constraints.linear_sets.system import Floats, Integers

_AT_ONCE = 2048  # points


def nearest(
    normals: Floats,
    offsets: Floats,
    points: Floats,
    *,
    active: Integers | None = None,
    within: Floats | None = None,
    solvable: bool = False,
) -> Nearest:
    """The points z nearest to given ones with normals z <= offsets.

    Begins at the given points and takes in the most violated row, again and again, along the way
    that keeps the active rows active; a row whose multiplier would become negative is let go. At
    the end, the active rows are solved for anew.

    References:
        Goldfarb and Idnani, A numerically stable dual method for solving strictly convex quadratic
        programs, Mathematical Programming 27, 1983.

    Args:
        normals: (m, k), of unit norm.
        offsets: (m,), or (N, m) where they differ from point to point.
        points: (N, k), finite.
        active: (N, K), independent rows to begin with, -1 elsewhere, such as those of a problem
            with other offsets; where they do not make a dual feasible start, they are ignored.
        within: (N,), distances within which nearest points are of interest; where there is none,
            the search may end early, as if no point satisfied the rows.
        solvable: whether it is known that some point satisfies the rows; where none is found all
            the same, the search begins anew and more carefully.

    Example:
        >>> box = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> found = nearest(box, np.ones(2), np.array([[3.0, 0.5], [2.0, 2.0]]))
        >>> found.points
        array([[1. , 0.5],
               [1. , 1. ]])
        >>> found.active
        array([[ 0, -1],
               [ 0,  1]])
    """
    count, rows = len(points), len(normals)
    limits = np.broadcast_to(offsets, (count, rows))
    reach = np.full(count, np.inf) if within is None else within
    if not min(normals.shape) or not count:
        return _without_rows(limits, points)
    parts = []
    for at in range(0, count, _AT_ONCE):
        part = slice(at, at + _AT_ONCE)
        start = None if active is None else active[part]
        parts.append(_nearest(normals, limits[part], points[part], start, reach[part], solvable))
    return parts[0] if len(parts) == 1 else _stacked(parts)


def _without_rows(limits: Floats, points: Floats) -> Nearest:
    """Where there are no rows, or no coordinates that they could limit."""
    count = len(points)
    wrong = limits.min(axis=1, initial=0.0) < -TOLERANCE
    none = np.zeros((count, 0))
    return Nearest(points.copy(), none.astype(np.int64), none, ~wrong, wrong)


def _nearest(
    normals: Floats,
    limits: Floats,
    points: Floats,
    active: Integers | None,
    reach: Floats,
    solvable: bool,
) -> Nearest:
    steps = 20 * (normals.shape[1] + 5) + len(normals)
    search = Search(normals, limits, points, active, reach)
    search.run(steps)
    result = search.result()
    clear = search.far if solvable else result.infeasible
    again = np.nonzero(~result.solved & ~clear)[0]
    if not len(again):
        return result
    # Once more, with factors that are never updated, only made anew.
    careful = Search(normals, limits[again], points[again], None, reach[again], careful=True)
    careful.run(steps)
    return _merged(result, careful.result(), again)


def _merged(first: Nearest, second: Nearest, places: Integers) -> Nearest:
    """The first, with the second's results at some places."""
    width = max(first.active.shape[1], second.active.shape[1])
    first, second = _padded(first, width), _padded(second, width)
    for name in ("points", "active", "multipliers", "solved", "infeasible"):
        getattr(first, name)[places] = getattr(second, name)
    return first


def _stacked(parts: list[Nearest]) -> Nearest:
    width = max(part.active.shape[1] for part in parts)
    parts = [_padded(part, width) for part in parts]
    return Nearest(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.active for part in parts]),
        np.concatenate([part.multipliers for part in parts]),
        np.concatenate([part.solved for part in parts]),
        np.concatenate([part.infeasible for part in parts]),
    )


def _padded(found: Nearest, width: int) -> Nearest:
    """With places for so many active rows."""
    more = width - found.active.shape[1]
    active = np.full((len(found.active), more), -1)
    return replace(
        found,
        active=np.concatenate([found.active, active], axis=1),
        multipliers=np.concatenate([found.multipliers, 0.0 * active], axis=1),
    )

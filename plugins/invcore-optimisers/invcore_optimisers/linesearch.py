"""A line search for the strong Wolfe conditions, for many problems at once.

Each problem is a column of one array of states, and moves on by itself: one call of ``advance`` is
one point for every problem, wherever its own search stands. The arrays are NumPy's, whose
operations on a few hundred numbers take a fraction of torch's time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SEARCHING, FOUND, FAILED = 0, 1, 2
"""What ``advance`` says of a problem."""
ROWS = 16
"""How many numbers the state of one search has."""

Array = NDArray[Any]

(
    _STEP, _BEST, _F_BEST, _D_BEST, _END, _F_END, _D_END, _LOW, _HIGH,
    _WIDTH, _OLD_WIDTH, _F_START, _D_START, _BRACKETED, _FIRST_STAGE, _COUNT,
) = range(ROWS)  # fmt: skip
_LONGEST, _SHORTEST, _NARROWEST = 1e100, 1e-100, 1e-14  # as SciPy's BFGS calls it


def begin(value: Array, slope: Array, step: Array) -> Array:
    """Start searches.

    Args:
        value: (M,), of the objective where the search starts.
        slope: (M,), along the direction, negative.
        step: (M,), the first one to try, positive.

    Returns:
        States (16, M), float64; the row ``0`` is the step to try next.
    """
    state = np.zeros((ROWS, len(value)))
    state[_STEP] = step
    state[_F_BEST] = state[_F_END] = state[_F_START] = value
    state[_D_BEST] = state[_D_END] = state[_D_START] = slope
    state[_HIGH] = 5.0 * step
    state[_WIDTH], state[_OLD_WIDTH] = _LONGEST, 2.0 * _LONGEST
    state[_FIRST_STAGE] = 1.0
    return state


def advance(state: Array, value: Array, slope: Array, *, c1: float, c2: float, limit: int) -> Array:
    """Judge the points at the steps ``state[0]``, and choose the next steps.

    The search of Moré and Thuente, which SciPy's BFGS runs first: it grows the step until a
    minimum is bracketed, and zooms in by cubic, quadratic and secant interpolation. A value that is
    not finite is an upper end of the bracket without a slope, from which one goes back to a
    quarter.

    References:
        Moré, Thuente, Line search algorithms with guaranteed sufficient decrease, ACM TOMS 20,
        1994, https://doi.org/10.1145/192115.192132; MINPACK-2's dcsrch.

    Args:
        state: (16, M), from ``begin``; changed in place for those that go on.
        value: (M,), at the steps; inf where there is none.
        slope: (M,), along the direction.
        c1: share of the promised decrease that is enough.
        c2: share of the first slope that may be left.
        limit: of points in one search.

    Returns:
        (M,), ``SEARCHING``, ``FOUND`` (at the step just judged) or ``FAILED``.

    Example:
        >>> state = begin(np.array([1.0]), np.array([-2.0]), np.array([0.2]))
        >>> for _ in range(9):  # of (1 - a)^2
        ...     a = state[0].copy()
        ...     if advance(state, (1 - a) ** 2, 2 * (a - 1), c1=1e-4, c2=0.1, limit=9) == FOUND:
        ...         break
        >>> a
        array([1.])
    """
    step, low, high = state[_STEP], state[_LOW], state[_HIGH]
    enough = state[_F_START] + c1 * step * state[_D_START]
    state[_COUNT] += 1
    found = (value <= enough) & (np.abs(slope) <= -c2 * state[_D_START])
    tight = (step <= low) | (step >= high) | (high - low <= _NARROWEST * high)
    failed = (state[_BRACKETED] > 0) & tight
    failed |= (step >= _LONGEST) | (step <= _SHORTEST) | (state[_COUNT] >= limit)
    outcome = np.where(found, FOUND, np.where(failed, FAILED, SEARCHING))
    going = np.flatnonzero(outcome == SEARCHING)
    if len(going):
        part = state[:, going]
        with np.errstate(all="ignore"):  # interpolations that have no minimum are not used
            _next(part, value[going], slope[going], enough[going], c1)
        # The last point of a search without end is the best, if one is better than the start
        last = (part[_COUNT] >= limit - 1) & (part[_BEST] > 0)
        part[_STEP] = np.where(last, part[_BEST], part[_STEP])
        state[:, going] = part
        outcome[going[~np.isfinite(part[_STEP])]] = FAILED
    return outcome


def _next(state: Array, value: Array, slope: Array, enough: Array, c1: float) -> None:
    """Move the brackets to the judged points, and choose the next steps: all in ``state``."""
    step, finite = state[_STEP].copy(), np.isfinite(value)
    state[_FIRST_STAGE][(value <= enough) & (slope >= 0)] = 0.0
    # A lower value that is not low enough: look at the objective less the promised decrease
    tilt = (state[_FIRST_STAGE] > 0) & (value <= state[_F_BEST]) & (value > enough)
    tilted = np.where(tilt, c1 * state[_D_START], 0.0)
    for at, f, d in ((_BEST, _F_BEST, _D_BEST), (_END, _F_END, _D_END)):
        state[f] -= state[at] * tilted
        state[d] -= tilted
    trial = _interpolated(state, step, value - step * tilted, slope - tilted)
    for at, f, d in ((_BEST, _F_BEST, _D_BEST), (_END, _F_END, _D_END)):
        state[f] += state[at] * tilted
        state[d] += tilted

    best, end = state[_BEST], state[_END]
    bracketed = state[_BRACKETED] > 0
    width = np.abs(end - best)
    halve = bracketed & ((width >= 0.66 * state[_OLD_WIDTH]) | ~np.isfinite(trial))
    trial = np.where(halve, best + 0.5 * (end - best), trial)
    trial = np.where(finite, trial, best + 0.25 * (end - best))
    state[_OLD_WIDTH] = np.where(bracketed, state[_WIDTH], state[_OLD_WIDTH])
    state[_WIDTH] = np.where(bracketed, width, state[_WIDTH])
    state[_LOW] = low = np.where(bracketed, np.minimum(best, end), trial + 1.1 * (trial - best))
    state[_HIGH] = high = np.where(bracketed, np.maximum(best, end), trial + 4.0 * (trial - best))
    trial = np.clip(trial, _SHORTEST, _LONGEST)
    # No room left: once more the best point, which then ends the search
    tight = (trial <= low) | (trial >= high) | (high - low <= _NARROWEST * high)
    state[_STEP] = np.where(bracketed & tight, best, trial)


def _interpolated(state: Array, t: Array, ft: Array, dt: Array) -> Array:
    """MINPACK-2's dcstep for all problems: the next steps; best and end are moved in ``state``.

    Args:
        state: with the best point x, and the other end y of the bracket if there is one.
        t: the steps just judged.
        ft: values there.
        dt: slopes there.
    """
    x, fx, dx, y, fy, dy, low, high = state[_BEST : _HIGH + 1].copy()
    bracketed = state[_BRACKETED] > 0
    way = t - x
    slope = (fx - ft) / way
    (cubic, root), secant = _cubic(t, dt, x, dx, -slope), t - dt / (dt - dx) * way
    to_cubic, to_secant = np.abs(cubic - t), np.abs(secant - t)

    # 1: a higher value. The minimum is bracketed
    from_x = _cubic(x, dx, t, dt, -slope)[0]
    quadratic = x + dx / (slope + dx) / 2.0 * way
    nearer = np.abs(from_x - x) <= np.abs(quadratic - x)
    first = np.where(nearer, from_x, from_x + (quadratic - from_x) / 2.0)

    # 2: a lower value, and the slope changes its sign. The minimum is bracketed
    second = np.where(to_cubic > to_secant, cubic, secant)

    # 3: a lower value, a flatter slope of the same sign: as far as the cubic has a minimum ahead
    ahead, end = (root != 0) & ((cubic - t) * way > 0), np.where(way > 0, high, low)
    reach = np.where(ahead, cubic, end)
    to_reach = np.abs(reach - t)
    limit = t + 0.66 * (y - t)
    inner = np.where(to_reach < to_secant, reach, secant)
    inner = np.where(way > 0, np.minimum(limit, inner), np.maximum(limit, inner))
    outer = np.minimum(np.maximum(np.where(to_reach > to_secant, reach, secant), low), high)
    third = np.where(bracketed, inner, outer)

    # 4: a lower value, a slope of the same sign that is no flatter
    fourth = np.where(bracketed, _cubic(t, dt, y, dy, (ft - fy) / (t - y))[0], end)

    higher, turned = ft > fx, np.sign(dt) * np.sign(dx) < 0
    step = np.where(np.abs(dt) < np.abs(dx), third, fourth)
    step = np.where(higher, first, np.where(turned, second, step))

    old, new = np.stack([x, fx, dx]), np.stack([t, ft, dt])
    other = np.where(turned, old, state[_END : _D_END + 1])
    state[_END : _D_END + 1] = np.where(higher, new, other)
    state[_BEST : _D_BEST + 1] = np.where(higher, old, new)
    state[_BRACKETED][higher | turned] = 1.0
    return step


def _cubic(a: Array, da: Array, b: Array, db: Array, chord: Array) -> tuple[Array, Array]:
    """Where the cubic through two points with these slopes has its minimum, and the root in it,
    which is zero where it has none.

    Args:
        a: first points.
        da: slopes there.
        b: second points.
        db: slopes there.
        chord: slopes of the straight lines through both points.
    """
    theta = da + db - 3.0 * chord
    size = np.maximum(np.abs(theta), np.maximum(np.abs(da), np.abs(db)))
    root = size * np.sqrt(np.maximum((theta / size) ** 2 - (da / size) * (db / size), 0.0))
    root = np.where(b > a, root, -root)
    return a + (root - da + theta) / (2.0 * root - da + db) * (b - a), root

"""A line search for the strong Wolfe conditions, for many problems at once.

Each problem is a column of one array of states, and moves on by itself: one call of ``advance`` is
one point for every problem, wherever its own search stands. The arrays are NumPy's, whose
operations on a few hundred numbers take a fraction of torch's time.
"""

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
    success = (value <= enough) & (np.abs(slope) <= -c2 * state[_D_START])
    tight = (step <= low) | (step >= high) | (high - low <= _NARROWEST * high)
    failed = (state[_BRACKETED] > 0) & tight
    failed |= (step >= _LONGEST) | (step <= _SHORTEST) | (state[_COUNT] >= limit)
    outcome = np.where(success, FOUND, np.where(failed, FAILED, SEARCHING))
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
    low_enough = value <= enough
    state[_FIRST_STAGE][low_enough & (slope >= 0)] = 0.0
    # A lower value that is not low enough: look at the objective less the promised decrease
    tilt = ~low_enough & (state[_FIRST_STAGE] > 0) & (value <= state[_F_BEST])
    if tilt.any():
        tilted = np.where(tilt, c1 * state[_D_START], 0.0)
        _tilt(state, -tilted)
        trial = _interpolated(state, step, value - step * tilted, slope - tilted)
        _tilt(state, tilted)
    else:
        trial = _interpolated(state, step, value, slope)

    best, end = state[_BEST], state[_END]
    bracketed, way = state[_BRACKETED] > 0, end - best
    width = np.abs(way)
    halve = bracketed & ((width >= 0.66 * state[_OLD_WIDTH]) | ~np.isfinite(trial))
    trial = np.where(halve, best + 0.5 * way, trial)
    if not finite.all():
        trial = np.where(finite, trial, best + 0.25 * way)
    np.copyto(state[_OLD_WIDTH], state[_WIDTH], where=bracketed)
    np.copyto(state[_WIDTH], width, where=bracketed)
    state[_LOW] = low = np.where(bracketed, np.minimum(best, end), trial + 1.1 * (trial - best))
    state[_HIGH] = high = np.where(bracketed, np.maximum(best, end), trial + 4.0 * (trial - best))
    trial = np.minimum(np.maximum(trial, _SHORTEST), _LONGEST)
    # No room left: once more the best point, which then ends the search
    tight = (trial <= low) | (trial >= high) | (high - low <= _NARROWEST * high)
    state[_STEP] = np.where(bracketed & tight, best, trial)


def _tilt(state: Array, slope: Array) -> None:
    """Add straight lines of these slopes (M,) to the values at the ends of the brackets."""
    for at, f, d in ((_BEST, _F_BEST, _D_BEST), (_END, _F_END, _D_END)):
        state[f] += state[at] * slope
        state[d] += slope


def _interpolated(state: Array, t: Array, ft: Array, dt: Array) -> Array:
    """MINPACK-2's dcstep for all problems: the next steps; best and end are moved in ``state``.

    Each of its four cases is computed for all problems if any is in it.

    Args:
        state: with the best point x, and the other end y of the bracket if there is one.
        t: the steps just judged.
        ft: values there.
        dt: slopes there.
    """
    x, fx, dx, y, fy, dy, low, high = state[_BEST : _HIGH + 1].copy()
    bracketed, way = state[_BRACKETED] > 0, t - x
    chord = (ft - fx) / way
    higher = ft > fx
    turned = ~higher & (np.sign(dt) * np.sign(dx) < 0)
    alike = ~(higher | turned)
    flatter = alike & (np.abs(dt) < np.abs(dx))
    steeper = alike & ~flatter
    step = t.copy()

    if higher.any():  # a higher value: the minimum is bracketed
        cubic = _cubic(x, dx, t, dt, chord)[0]
        quadratic = x + dx / (dx - chord) / 2.0 * way
        nearer = np.abs(cubic - x) <= np.abs(quadratic - x)
        np.copyto(step, np.where(nearer, cubic, cubic + (quadratic - cubic) / 2.0), where=higher)

    if turned.any() or flatter.any():
        cubic, root = _cubic(t, dt, x, dx, chord)
        secant = t - dt / (dt - dx) * way
        to_secant = np.abs(secant - t)
        # A lower value, and the slope changes its sign: the minimum is bracketed
        np.copyto(step, np.where(np.abs(cubic - t) > to_secant, cubic, secant), where=turned)

    if flatter.any():  # a flatter slope of the same sign: as far as the cubic has a minimum ahead
        ahead = (root != 0) & ((cubic - t) * way > 0)
        reach = np.where(ahead, cubic, np.where(way > 0, high, low))
        to_reach, limit = np.abs(reach - t), t + 0.66 * (y - t)
        inner = np.where(to_reach < to_secant, reach, secant)
        inner = np.where(way > 0, np.minimum(limit, inner), np.maximum(limit, inner))
        outer = np.minimum(np.maximum(np.where(to_reach > to_secant, reach, secant), low), high)
        np.copyto(step, np.where(bracketed, inner, outer), where=flatter)

    if steeper.any():  # a slope of the same sign that is no flatter
        within = _cubic(t, dt, y, dy, (ft - fy) / (t - y))[0]
        outer = np.where(way > 0, high, low)
        np.copyto(step, np.where(bracketed, within, outer), where=steeper)

    old, new = state[_BEST : _D_BEST + 1].copy(), np.stack([t, ft, dt])
    ends = state[_END : _D_END + 1]
    np.copyto(ends, old, where=turned)
    np.copyto(ends, new, where=higher)
    np.copyto(state[_BEST : _D_BEST + 1], new, where=~higher)
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

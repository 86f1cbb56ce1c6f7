"""A whole spectrum from few solved frequencies, chosen where a rational interpolant is unsure.

A reflection coefficient is a rational function of frequency but for its branch points, with a pole
for each resonance. The AAA algorithm finds such a function from samples; where two of them from
nested samples differ most, the next samples are taken.
"""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import AAA

Complex = NDArray[np.complex128]
Whole = NDArray[np.int64]

_FIRST = 15  # samples to start with, denser at the ends
_STEP = 3  # samples a round
_FEWEST = 33  # so that two rounds do not agree on a resonance that both have missed
_MOST = 120  # more would cost the interpolant what they save the solver
_NEAR = 3  # grid points: samples of one round stay so far apart
_TERMS = 1e-8  # the interpolant's own accuracy, relative


def interpolated(
    solve: Callable[[Whole], Complex], count: int, *, tolerance: float = 1e-4
) -> tuple[Complex, int]:
    """Compute ``count`` values on an even grid from as few solves as they need.

    The values are trusted when two rounds in a row change none by more than the tolerance; the
    error left is then about a tenth of it.

    References:
        Nakatsukasa, Sète, Trefethen, SIAM J. Sci. Comput. 40, A1494 (2018).

    Args:
        solve: gives the values at some of the grid's numbers 0 to count - 1.
        count: of the grid's points.
        tolerance: the largest change, absolute.

    Returns:
        The values (count,), and how many were solved; all, where the interpolant never settles.

    Example:
        >>> grid = np.linspace(0.0, 1.0, 300)
        >>> curve = 1.0 / (grid - 0.4 - 0.01j)
        >>> values, solved = interpolated(lambda places: curve[places], 300)
        >>> bool(abs(values - curve).max() < 1e-4), solved < 60
        (True, True)
    """
    grid = np.linspace(-1.0, 1.0, count)
    solutions: dict[int, complex] = {}
    ends = (1.0 - np.cos(np.linspace(0.0, np.pi, _FIRST))) / 2.0 * (count - 1)
    places = np.unique(np.round(ends).astype(np.int64))
    before: Complex | None = None
    calm = 0
    while True:
        solutions.update(zip(places.tolist(), solve(places).tolist(), strict=True))
        solved = np.array(sorted(solutions))
        values = np.array([solutions[place] for place in solved])
        if len(solved) >= min(_MOST, count - _STEP):
            missing = np.setdiff1d(np.arange(count), solved)
            solutions.update(zip(missing.tolist(), solve(missing).tolist(), strict=True))
            return np.array([solutions[place] for place in range(count)]), count
        now = _rational(grid, solved, values)
        if before is None:
            before = _rational(grid, solved[::2], values[::2])
        change: NDArray[np.float64] = np.abs(now - before).astype(np.float64)
        calm = calm + 1 if change.max() < tolerance else 0
        if calm >= 2 and len(solved) >= _FEWEST:
            now[solved] = values
            return now, len(solved)
        places, before = _next(change, solved), now


def _rational(grid: NDArray[np.float64], solved: Whole, values: Complex) -> Complex:
    with warnings.catch_warnings():
        # It may use fewer terms than it would like: the next round says whether they sufficed.
        warnings.simplefilter("ignore", RuntimeWarning)
        interpolant = AAA(grid[solved], values, rtol=_TERMS, max_terms=len(solved) // 2 + 1)
        every = np.asarray(interpolant(grid))
    return np.where(np.isfinite(every), every, 0.0)


def _next(change: NDArray[np.float64], solved: Whole) -> Whole:
    """Where the two interpolants differ most, and, where they do not, far from other samples."""
    number = np.arange(len(change))
    gap = abs(number[:, None] - solved[None, :]).min(axis=1)
    doubt = np.minimum(change, 1.0)
    chosen = []
    for _ in range(_STEP):
        place = int(np.argmax((doubt + 1e-6 * gap) * (gap > 0)))
        chosen.append(place)
        gap = np.minimum(gap, abs(number - place))
        doubt = np.where(abs(number - place) <= _NEAR, 0.05 * doubt, doubt)
    return np.array(sorted(chosen))

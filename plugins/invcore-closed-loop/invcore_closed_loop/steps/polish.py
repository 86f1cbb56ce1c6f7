"""Broyden's steps: the last digits, without a surrogate."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array, Flags

_RANK = 1e-8  # of the largest singular value: smaller ones are none


def polish_steps(slopes: Array, residuals: Array, u: Array, longest: Array, moves: Flags) -> Array:
    """Gauss-Newton steps within the unit box, whose active bounds hold variables where they are.

    Args:
        slopes: (M, R, D).
        residuals: (M, R).
        u: (M, D), where the steps begin.
        longest: (M,), most that a variable may change.
        moves: (D,), the variables that may move.

    Returns:
        Coordinates (M, D).

    References:
        Broyden, 1965, for the slopes; Nocedal, Wright, 2006, section 10.3.

    Example:
        >>> slopes, residuals = np.array([[[2.0, 0.0], [0.0, 1.0]]]), np.array([[0.4, 0.9]])
        >>> start, longest = np.array([[0.5, 0.0]]), np.array([1.0])
        >>> moves = np.ones(2, dtype=bool)
        >>> polish_steps(slopes, residuals, start, longest, moves).round(6).tolist()
        [[0.3, 0.0]]
    """
    free = np.broadcast_to(moves, u.shape).copy()
    end = u.copy()
    active = np.arange(len(u))
    for _ in range(u.shape[1]):
        masked = slopes[active] * free[active, None]
        step = -(np.linalg.pinv(masked, rcond=_RANK) @ residuals[active, :, None])[..., 0]
        size = np.abs(step).max(axis=1, initial=0.0)
        step *= np.minimum(1.0, longest[active] / np.maximum(size, 1e-300))[:, None]
        trial = u[active] + step
        end[active] = np.clip(trial, 0.0, 1.0)
        stuck = ((trial < 0.0) & (u[active] <= 1e-9)) | ((trial > 1.0) & (u[active] >= 1 - 1e-9))
        stuck &= free[active]
        free[active] &= ~stuck
        active = active[stuck.any(axis=1)]
        if not len(active):
            break
    return np.where(moves, end, u)


def broyden_update(slopes: Array, step: Array, change: Array) -> Array:
    """Slopes (Dy, D) that agree with how responses changed (Dy,) along a step (D,).

    References:
        Broyden, 1965: the smallest change of the slopes that does.

    Example:
        >>> broyden_update(np.zeros((1, 2)), np.array([2.0, 0.0]), np.array([3.0])).tolist()
        [[1.5, 0.0]]
    """
    updated: Array = slopes + np.outer(change - slopes @ step, step) / (step @ step + 1e-300)
    return updated

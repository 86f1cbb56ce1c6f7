"""Levenberg-Marquardt within a box on a surrogate, batched over starts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from invcore_closed_loop.arrays import Array, Flags, Places

Residuals = Callable[[Array, Places], tuple[Array, Array]]
"""Of coordinates (M, D) of the starts (M,): residuals (M, R), and their slopes (M, R, D)."""

_STILL = 1e-9  # steps that are shorter change nothing


def least_squares(
    residuals: Residuals, start: Array, low: Array, high: Array, moves: Flags, *, steps: int = 20,
    nearest: Callable[[Array], Array] | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """Move starts to where residuals are small.

    Args:
        residuals: and their slopes.
        start: (N, D).
        low: (N, D), lower ends.
        high: (N, D), upper ends.
        moves: (D,) or (N, D), the variables that may move.
        steps: most iterations.
        nearest: brings coordinates (M, D) to those that are allowed; None: all in the box are.

    Returns:
        Coordinates (N, D), and the sums of squared residuals there (N,).

    References:
        Nocedal, Wright, Numerical Optimization, 2nd edition, Springer 2006, section 10.3.

    Example:
        >>> def parabola(u, rows):
        ...     return np.square(u) - 0.25, 2 * u[:, :, None]
        >>> box = np.zeros((1, 1)), np.ones((1, 1))
        >>> u, cost = least_squares(parabola, np.array([[0.9]]), *box, np.array([True]))
        >>> u.round(6).tolist()
        [[0.5]]
    """
    end = np.clip(start, low, high)
    cost_at_end = np.empty(len(start))
    rows = np.arange(len(start))
    u, unit = end.copy(), np.eye(start.shape[1])
    r, j = residuals(u, rows)
    cost = np.square(r).sum(axis=1)
    damping = np.full(len(u), 1e-2)
    cost_at_end[:] = cost
    still = ~np.broadcast_to(moves, start.shape)
    for _ in range(steps):
        gradient = np.einsum("brj,br->bj", j, r)
        fixed = ((u <= low[rows] + 1e-12) & (gradient > 0)) | (
            (u >= high[rows] - 1e-12) & (gradient < 0)
        )
        fixed |= still[rows]
        free = np.where(fixed, 0.0, 1.0)
        square = (j.transpose(0, 2, 1) @ j) * free[:, :, None] * free[:, None, :]
        size = np.trace(square, axis1=1, axis2=2)[:, None] / len(unit) + 1e-300
        shift = damping[:, None] * size + (1.0 - free) * size
        step = -np.linalg.solve(square + shift[..., None] * unit, (gradient * free)[..., None])
        trial = np.clip(u + step[..., 0], low[rows], high[rows])
        if nearest is not None:
            trial = nearest(trial)
        trial_r, trial_j = residuals(trial, rows)
        trial_cost = np.square(trial_r).sum(axis=1)
        better = trial_cost < cost
        moved = np.abs(trial - u).max(axis=1)
        u = np.where(better[:, None], trial, u)
        r = np.where(better[:, None], trial_r, r)
        j = np.where(better[:, None, None], trial_j, j)
        cost = np.where(better, trial_cost, cost)
        damping = np.clip(damping * np.where(better, 0.2, 5.0), 1e-12, 1e6)
        done = (moved < _STILL) | (cost <= 1e-28) | (damping >= 1e6)
        end[rows], cost_at_end[rows] = u, cost
        keep = ~done
        if not keep.any():
            break
        rows, u, r, j = rows[keep], u[keep], r[keep], j[keep]
        cost, damping = cost[keep], damping[keep]
    return end, cost_at_end

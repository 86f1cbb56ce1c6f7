"""The nearest point on planes within bounds, for many points at once."""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDS = 60
_EXACT = 1e-13  # of the numbers that are added
_STEPS = (1.0, 0.5, 0.2, 0.05)
_LEAPS = (1.0, 4.0, 16.0, 64.0)


def nearest_on_planes(
    x: Tensor, matrix: Tensor, value: Tensor, low: Tensor, high: Tensor, width: Tensor
) -> Tensor:
    """The points z nearest to x with matrix z = value and low <= z <= high.

    Without active bounds that is one step of least squares. With some, the dual problem is solved:
    z(m) = clamp(x + matrix' m), where the multipliers m are found by Newton's method, whose steps
    are those of least squares in the variables that no bound holds. The last steps are such as
    well, so that the sums are exact.

    References:
        Hager, The dual active set algorithm and its application to linear programming,
        Computational Optimization and Applications 21, 2002.

    Args:
        x: (N, D), finite.
        matrix: (M, D).
        value: (N, M).
        low: (D,), or -inf.
        high: (D,), or inf.
        width: (D,), each variable's unit of distance.

    Returns:
        (N, D). Where no such point exists, one within the bounds that is as near as was found.

    Example:
        >>> x = torch.tensor([[0.9, 0.4]], dtype=torch.float64)
        >>> one = torch.ones(1, 2, dtype=torch.float64)
        >>> nearest_on_planes(x, one, one[:, :1], 0 * one[0], one[0], one[0]).round(decimals=6)
        tensor([[0.7500, 0.2500]], dtype=torch.float64)
    """
    norm = (matrix * width).norm(dim=1)
    norm = torch.where(norm > 0, norm, 1.0)
    a, wanted = matrix * width / norm[:, None], value / norm
    start, low_z, high_z = x / width, low / width, high / width
    whole = torch.linalg.pinv(a @ a.T, hermitian=True)
    dual = (wanted - start @ a.T) @ whole
    z = (start + dual @ a).clamp(low_z, high_z)
    active = (~_exact(z, a, wanted)).nonzero()[:, 0]
    for _ in range(_ROUNDS):
        if not len(active):
            break
        dual[active] = _better(start[active], dual[active], a, whole, wanted[active], low_z, high_z)
        z[active] = (start[active] + dual[active] @ a).clamp(low_z, high_z)
        active = active[~_exact(z[active], a, wanted[active])]
    for _ in range(3):  # rounding errors, and those of units
        z = _corrected(z, a, wanted, low_z, high_z)
    return (z * width).clamp(low, high)


def _exact(z: Tensor, a: Tensor, wanted: Tensor) -> Tensor:
    """Which points satisfy the equalities, but for rounding (N,)."""
    size = wanted.abs() + z.abs() @ a.abs().T + 1e-300
    return ((wanted - z @ a.T).abs() <= _EXACT * size).all(1)


def _better(
    start: Tensor, dual: Tensor, a: Tensor, whole: Tensor, wanted: Tensor, low: Tensor, high: Tensor
) -> Tensor:
    """The best of some steps of the multipliers (N, M)."""
    moved = start + dual @ a
    free = ((moved >= low) & (moved <= high)).double()
    left = wanted - moved.clamp(low, high) @ a.T
    newton = _solved(free, a, left)
    steps = [t * newton for t in _STEPS] + [t * (left @ whole) for t in _LEAPS]
    tried = dual + torch.stack(steps)  # (T, N, M)
    z = (start + tried @ a).clamp(low, high)
    gain = 0.5 * (z - start).square().sum(-1) + (tried * (wanted - z @ a.T)).sum(-1)
    best = gain.nan_to_num(nan=-torch.inf).argmax(0)
    return tried[best, torch.arange(len(start))]


def _solved(free: Tensor, a: Tensor, left: Tensor) -> Tensor:
    """Multipliers (N, M) by which the free variables take up what is left (N, M)."""
    if len(a) == 1:
        slope = free @ a.square().T
        return torch.where(slope > 1e-12, left / slope.clamp(min=1e-12), 0.0)
    gram = torch.einsum("nd,id,jd->nij", free, a, a)
    return (torch.linalg.pinv(gram, rtol=1e-10, hermitian=True) @ left[..., None])[..., 0]


def _corrected(z: Tensor, a: Tensor, wanted: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """A step of least squares in the variables that are not on a bound."""
    left = wanted - z @ a.T
    rows = (left != 0).any(1).nonzero()[:, 0]
    if not len(rows):
        return z
    part = z[rows]
    free = ((part > low) & (part < high)).double()
    moved = (part + free * (_solved(free, a, left[rows]) @ a)).clamp(low, high)
    return z.index_copy(0, rows, moved)

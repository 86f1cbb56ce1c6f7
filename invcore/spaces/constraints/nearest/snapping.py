"""The nearest values of single variables, and of those that are rows of a list."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from invcore.spaces.constraints.layout import Layout

_CELLS = 4_000_000  # distances at once: 32 MB
_TURNING = 4  # periodic variables of one list whose nearest turn is looked for


def wrapped(layout: Layout, x: Tensor) -> Tensor:
    """Designs (N, Dx) whose periodic variables are within their turn."""
    for i, (begin, period) in layout.turns.items():
        column = x[:, i].round() if bool(layout.whole[i]) else x[:, i]
        round_trip = begin + torch.remainder(column - begin, period)
        round_trip = torch.where(round_trip >= begin + period, begin, round_trip)  # by rounding
        inside = (column >= begin) & (column < begin + period)
        x = x.index_copy(1, torch.tensor([i]), torch.where(inside, column, round_trip)[:, None])
    return x


def snapped(layout: Layout, x: Tensor) -> Tensor:
    """The nearest allowed value of each variable, linear equalities apart.

    Args:
        layout: what is allowed.
        x: (N, Dx), float64, wrapped.
    """
    near = x.clamp(layout.low, layout.high)
    near = torch.where(layout.whole, near.round(), near)
    columns = list(near.unbind(1))
    for i, (begin, period) in layout.turns.items():
        columns[i] = _clamped_round(x[:, i], layout, i, begin, period)
    for i, levels in layout.levels.items():
        columns[i] = _nearest(layout, torch.tensor([i]), levels[:, None], x)[:, 0]
    for where, rows in layout.lists:
        found = _nearest(layout, where, rows, x)
        for k, i in enumerate(where.tolist()):
            columns[i] = found[:, k]
    return torch.stack(columns, 1)


def _clamped_round(x: Tensor, layout: Layout, i: int, begin: float, period: float) -> Tensor:
    """The nearest value between the bounds of a variable that goes round (N,)."""
    low, high = layout.low[i], layout.high[i]
    to_low = torch.remainder(low - x, period)
    to_high = torch.remainder(x - high, period)
    inside = ((x >= low) & (x <= high)) | x.isnan()
    near = torch.where(to_low <= to_high, low, high)
    return torch.where(inside, x, near)


def _nearest(layout: Layout, where: Tensor, rows: Tensor, x: Tensor) -> Tensor:
    """The nearest of the rows (R, k), for the positions ``where`` (k,) of designs (N, Dx).

    Where a value is not known, nor is what is nearest.
    """
    own, width = x[:, where], layout.width[where]
    shifts: list[tuple[float, ...]] = []
    for i in where.tolist():
        period = layout.turns[i][1] if i in layout.turns else 0.0
        turning = period and len(shifts) < _TURNING
        shifts.append((0.0, -period, period) if turning else (0.0,))
    copies = torch.tensor(list(itertools.product(*shifts)), dtype=torch.float64)  # (S, k)
    every = (rows + copies[:, None]).flatten(0, 1)  # (S R, k)
    finite = own.nan_to_num(nan=0.0, posinf=1e300, neginf=-1e300)
    finite = finite.clamp(rows.amin(0) - 2 * width, rows.amax(0) + 2 * width)
    index = nearest_rows(finite / width, every / width) % len(rows)
    return torch.where(own.isnan().any(1, keepdim=True), torch.nan, rows[index])


def nearest_rows(points: Tensor, rows: Tensor, count: int = 0) -> Tensor:
    """Which of the rows (R, k) is nearest to each point (N, k): (N,); memory is bounded.

    Args:
        points: float64.
        rows: float64.
        count: 0 for the nearest one; else so many, nearest first: (N, count).
    """
    shape = (0, count) if count else (0,)
    found = [torch.zeros(shape, dtype=torch.long)]
    for part in points.split(max(1, _CELLS // max(1, len(rows)))):
        apart = torch.cdist(part, rows, compute_mode="donot_use_mm_for_euclid_dist")
        nearest = apart.topk(count, largest=False).indices if count else apart.argmin(1)
        found.append(nearest)
    return torch.cat(found)

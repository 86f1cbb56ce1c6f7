"""Least-distance programs, each with rows of its own, many at once."""

from __future__ import annotations

import torch
from torch import Tensor

_VIOLATED = 1e-12
_DEPENDENT = 1e-13  # squared sine between a row and those that are active


def least_distance(normals: Tensor, offsets: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """The points z nearest to given ones with normals z <= offsets, by a dual active-set method.

    References:
        Goldfarb and Idnani, A numerically stable dual method for solving strictly convex quadratic
        programs, Mathematical Programming 27, 1983.

    Args:
        normals: (N, m, k), of unit length, or zero where a row says nothing.
        offsets: (N, m).
        points: (N, k), float64.

    Returns:
        (N, k), and whether each was found (N,), bool: not where the rows leave no point.

    Example:
        >>> below = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]).double()
        >>> one, three = torch.ones(2, 1).double(), torch.full((2, 2), 3.0).double()
        >>> z, found = least_distance(below, one, three)
        >>> z.tolist(), found.tolist()
        ([[1.0, 3.0], [3.0, 1.0]], [True, True])
    """
    count, rows, dimension = normals.shape
    most = min(rows, dimension)
    z, found = points.clone(), torch.ones(count, dtype=torch.bool)
    if not count or not rows or not dimension:
        return z, found
    active = torch.full((count, most), -1)
    price = torch.zeros(count, most, dtype=torch.float64)
    size = torch.zeros(count, dtype=torch.long)
    entering, entered = torch.full((count,), -1), torch.zeros(count, dtype=torch.float64)
    live = torch.arange(count)
    place = torch.arange(most)
    for _ in range(20 * (dimension + 5) + rows):
        gap = (normals[live] @ z[live, :, None])[..., 0] - offsets[live]
        worst, which = gap.max(1)
        fresh = entering[live] < 0
        scale = _VIOLATED * (1 + offsets[live].abs().gather(1, which[:, None])[:, 0])
        begin = live[fresh & (worst > scale)]
        entering[begin], entered[begin] = which[fresh & (worst > scale)], 0.0
        live = live[entering[live] >= 0]
        if not len(live):
            break
        used = place < size[live, None]
        own = torch.arange(len(live))
        span = normals[live[:, None], active[live].clamp(min=0)] * used[..., None]
        normal = normals[live, entering[live]]
        gram = span @ span.transpose(1, 2) + torch.diag_embed((~used).double() + 1e-16)
        shares, way = torch.zeros_like(price[live]), normal
        for _ in range(2):  # the second time takes out what rounding left
            more = torch.linalg.solve(gram, (span @ way[..., None])[..., 0])
            shares, way = shares + more, way - (more[:, None] @ span)[:, 0]
        length = way.square().sum(1)
        violated = (z[live] * normal).sum(1) - offsets[live, entering[live]]
        free = (length > _DEPENDENT) & (size[live] < most)
        whole = torch.where(free, violated / length.clamp(min=1e-300), torch.inf)
        falls = used & (shares > 1e-13)
        ratio = torch.where(falls, price[live] / shares.clamp(min=1e-300), torch.inf)
        part, first = ratio.min(1)
        move = torch.minimum(whole, part)
        stuck = ~move.isfinite()
        move = torch.where(stuck, 0.0, move)
        z[live] -= torch.where(free, move, 0.0)[:, None] * way
        price[live] = (price[live] - move[:, None] * shares).clamp(min=0.0)
        entered[live] += move
        full = (whole <= part) & ~stuck
        add, at = live[full], size[live[full]]
        active[add, at], price[add, at] = entering[add], entered[add]
        size[add] += 1
        entering[add] = -1
        drop = own[~full & ~stuck]
        out, gone = live[drop], first[drop]
        last = size[out] - 1
        active[out, gone], price[out, gone] = active[out, last], price[out, last]
        active[out, last], price[out, last] = -1, 0.0
        size[out] = last
        found[live[stuck]] = violated[stuck] <= 1e-9
        live = live[~stuck]
    found[live] = False
    return z, found

"""Rows that fill the space, before there is a surrogate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from invcore_samplers.maximin import maximin_lhs

from invcore_closed_loop.arrays import Array

if TYPE_CHECKING:
    from invcore_closed_loop.started import StartedClosedLoop

_MOST = 10  # rows for each variable and one more, for many targets
_POWER = 0.6  # of the number of targets
_EFFORT = 0.05


def start_size(targets: int, designs: int, responses: int) -> int:
    """How many rows fill the space.

    For one target few, since a call spent there is not spent near its answer; for many, which all
    profit, ten for each variable and one more.

    Example:
        >>> start_size(1, 4, 2), start_size(50, 4, 2)
        (5, 50)
    """
    one = min(designs + 1, 2 * responses + 2)
    many = round((designs + 1) * min(float(_MOST), targets**_POWER))
    return max(one, many) if targets > 1 else one


def start_rows(loop: StartedClosedLoop) -> Array:
    """Coordinates (N, D) of a maximin Latin hypercube, mapped by the priors; all are different."""
    responses = loop.problem.responses.dim
    wanted = loop.config.start or start_size(len(loop.targets), loop.coordinates.dim, responses)
    count = max(0, min(wanted - loop.known, loop.config.calls * len(loop.targets)))
    if not count:
        return np.empty((0, loop.coordinates.dim))
    generator = torch.Generator().manual_seed(loop.seed % (1 << 62))
    points = maximin_lhs(count, loop.coordinates.dim, generator, effort=_EFFORT)
    u = loop.coordinates.allowed(loop.coordinates.spread(points.numpy()))
    first = np.sort(np.unique(u, axis=0, return_index=True)[1])
    return u[first]

"""Neighbours in what comes in steps: other categories, levels, whole numbers, rows of a list."""

from __future__ import annotations

import numpy as np
import torch

from invcore.search import Neighbours
from invcore_closed_loop.arrays import Array, Places
from invcore_closed_loop.problem.coordinates import Coordinates

_MOST = 4096  # neighbours at once


class DiscreteNeighbours:
    """The single changes of designs, as coordinates.

    Args:
        coordinates: of the designs.
    """

    def __init__(self, coordinates: Coordinates) -> None:
        self._coordinates = coordinates
        self._neighbours = Neighbours.of(coordinates.space)

    def __bool__(self) -> bool:
        return bool(self._neighbours)

    def __call__(self, u: Array) -> tuple[Array, Places]:
        """Neighbours (S, D) of allowed coordinates (M, D), and whose they are (S,)."""
        x = torch.from_numpy(self._coordinates.designs(u))
        near, good = self._neighbours.allowed(x, self._neighbours.changes(x))
        owner = np.broadcast_to(np.arange(len(u))[:, None], good.shape)[good.numpy()]
        found = self._coordinates.units(near[good].numpy())
        if len(found) > _MOST:  # evenly of all
            some = np.linspace(0, len(found) - 1, _MOST).astype(int)
            found, owner = found[some], owner[some]
        return found, owner

"""The rows of a table as neighbours: how far a design lies from them, in units of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree

from invcore.plugin import Space
from invcore_solve.typicality.whitening import Whitening

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_NEAREST = 3  # rows whose mean distance tells how typical a design is
_TYPICAL = 0.9  # share of the rows that are as near to the others
_SAME = 1e-9


@dataclass(frozen=True)
class Neighbourhood:
    """The different designs of a table, and distances to them.

    Args:
        whitening: the units.
        rows: (M, Dx), the different designs of the table.
    """

    whitening: Whitening
    rows: Numbers

    @classmethod
    def of(cls, designs: Space, x: Numbers) -> Neighbourhood:
        """From the rows (N, Dx) of a table; rows of one design count once."""
        return cls(Whitening.of(designs, x), np.unique(x, axis=0))

    @cached_property
    def places(self) -> Numbers:
        """The rows in whitened units (M, W)."""
        return self.whitening(self.rows)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.places)

    @cached_property
    def own(self) -> Numbers:
        """For each row (M,), its mean distance to the nearest other rows."""
        if len(self.rows) < 2:
            return np.zeros(len(self.rows))
        apart = self._tree.query(self.places, k=min(_NEAREST + 1, len(self.rows)))[0]
        return apart[:, 1:].mean(axis=1)

    @cached_property
    def unit(self) -> float:
        """The median distance of a row to the nearest other: what distances are told in."""
        if len(self.rows) < 2:
            return 1.0
        nearest = self._tree.query(self.places, k=2)[0][:, 1]
        nearest = nearest[nearest > _SAME]
        return float(np.median(nearest)) if len(nearest) else 1.0

    @cached_property
    def limit(self) -> float:
        """The mean distance to the nearest rows that nine of ten rows keep."""
        return float(np.quantile(self.own, _TYPICAL)) if len(self.rows) > 1 else np.inf

    def distance(self, x: Numbers) -> Numbers:
        """Mean distance of designs (N, Dx) to the nearest rows (N,), in whitened units."""
        apart = self._tree.query(self.whitening(x), k=min(_NEAREST, len(self.rows)))[0]
        return apart if apart.ndim == 1 else apart.mean(axis=1)

    def nearest(self, x: Numbers) -> tuple[Numbers, Places]:
        """Distance to the nearest row in units of ``unit`` (N,), and its position (N,)."""
        apart, which = self._tree.query(self.whitening(x))
        return apart / self.unit, which

    def among(self, x: Numbers, rows: Places, count: int) -> Places:
        """For each design (N, Dx) the nearest of some rows (N, at most count), nearest first."""
        count = min(count, len(rows))
        which = cKDTree(self.places[rows]).query(self.whitening(x), k=count)[1]
        return rows[which.reshape(len(x), count)]

    def neighbours(self, count: int) -> Places:
        """For each row its nearest others (M, at most count), nearest first."""
        count = min(count, len(self.rows) - 1)
        which = self._tree.query(self.places, k=count + 1)[1]
        own = np.arange(len(self.rows))[:, None]
        # Where rows coincide in whitened units, a row need not be its own first neighbour
        later = np.argsort(which == own, axis=1, kind="stable")
        return np.take_along_axis(which, later, axis=1)[:, :count]

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors to store."""
        own = {
            "rows": self.rows, "centre": self.whitening.centre,
            "directions": self.whitening.directions,
        }  # fmt: skip
        return {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in own.items()}

    @classmethod
    def restore(cls, designs: Space, state: dict[str, torch.Tensor]) -> Neighbourhood:
        """The neighbourhood that ``state`` came from."""
        parts = {name: value.cpu().numpy() for name, value in state.items()}
        whitening = Whitening(designs, parts["centre"], parts["directions"])
        return cls(whitening, parts["rows"])

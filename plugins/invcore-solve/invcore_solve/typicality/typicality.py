"""Designs that are like those of a table: on relations and levels, among the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import Space
from invcore_solve.typicality.blocks import Block
from invcore_solve.typicality.neighbourhood import Neighbourhood

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_STEPS = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0625)
_SLACK = 1e-9


@dataclass(frozen=True)
class Typicality:
    """Which designs are typical of a table, and how others are made so.

    A design is typical if the space allows it and its mean distance to the three nearest rows,
    in whitened units, is no larger than nine of ten rows keep from each other.

    Args:
        designs: space of the designs, with its bounds and constraints.
        neighbourhood: the rows.
        blocks: columns that move together.
        novelty: factor of the distance; 1: as far as rows are from each other.
    """

    designs: Space
    neighbourhood: Neighbourhood
    blocks: tuple[Block, ...]
    novelty: float = 1.0

    @property
    def limit(self) -> float:
        """The largest mean distance to the nearest rows, in whitened units."""
        return self.neighbourhood.limit * self.novelty * (1 + _SLACK)

    def project(self, x: Numbers) -> Numbers:
        """The nearest designs that the space allows (N, Dx)."""
        return self.designs.project(torch.from_numpy(np.ascontiguousarray(x))).numpy()

    def allowed(self, x: Numbers) -> Flags:
        """Which designs (N, Dx) the space allows."""
        return self.designs.contains(torch.from_numpy(np.ascontiguousarray(x))).numpy()

    def near(self, x: Numbers) -> Flags:
        """Which designs (N, Dx) are no farther from the rows than rows from each other.

        A variable whose bounds are wider than the rows counts as if it ended with them: what lies
        beyond was asked for.
        """
        return self.neighbourhood.distance(self.inside(x)) <= self.limit

    def inside(self, x: Numbers) -> Numbers:
        """The designs (N, Dx) moved into the box of the rows."""
        rows = self.neighbourhood.rows
        return np.clip(x, rows.min(axis=0), rows.max(axis=0))

    def beyond(self, x: Numbers) -> Flags:
        """Which values of designs (N, Dx) lie beyond those of the rows (N, Dx)."""
        rows = self.neighbourhood.rows
        slack = _SLACK * (np.ptp(rows, axis=0) + np.abs(rows).max(axis=0))
        return (x < rows.min(axis=0) - slack) | (x > rows.max(axis=0) + slack)

    def typical(self, x: Numbers) -> Flags:
        """Which designs (N, Dx) are both."""
        return self.allowed(x) & self.near(x)

    def drawn_in(self, x: Numbers) -> tuple[Numbers, Numbers]:
        """Designs (N, Dx) of any method moved towards the rows until they are typical.

        The nearest allowed design comes first; one that is too far from the rows goes straight
        towards the nearest row, its blocks with levels by jumps, as far as it has to.

        Returns:
            The designs (N, Dx), all typical, and how far each was moved (N,), in units of the
            distance between rows.
        """
        rows, start = self.neighbourhood.rows, x
        x = self.project(np.where(np.isfinite(x), x, rows.mean(axis=0)))
        left = np.flatnonzero(~self.typical(x))
        if len(left):
            x = x.copy()
            _, which = self.neighbourhood.nearest(x[left])
            anchors = rows[self._anchors[which]]
            ends = x[left].copy()
            for block in self.blocks:
                if block.discrete:  # the steps between would break its levels
                    columns = list(block.columns)
                    ends[:, columns] = anchors[:, columns]
            for share in _STEPS:
                tried = self.project(anchors + share * (ends - anchors))
                good = self.typical(tried)
                x[left[good]] = tried[good]
                left, anchors, ends = left[~good], anchors[~good], ends[~good]
                if not len(left):
                    break
            x[left] = anchors
        moved = self.neighbourhood.whitening(x) - self.neighbourhood.whitening(
            np.where(np.isfinite(start), start, x)
        )
        return x, np.sqrt(np.square(moved).sum(axis=1)) / self.neighbourhood.unit

    @property
    def _anchors(self) -> npt.NDArray[np.intp]:
        """For each row the nearest one, most often itself, that is typical and allowed."""
        rows = self.neighbourhood.rows
        good = np.flatnonzero(self.typical(rows))
        if not len(good):
            return np.arange(len(rows))
        places = self.neighbourhood.places
        result = np.arange(len(rows))
        bad = np.setdiff1d(result, good)
        for start in range(0, len(bad), 256):
            part = bad[start : start + 256]
            apart = np.square(places[part, None] - places[None, good]).sum(axis=2)
            result[part] = good[apart.argmin(axis=1)]
        return result

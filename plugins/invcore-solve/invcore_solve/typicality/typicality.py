"""Designs that are like those of a table: on relations and levels, among the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import Space
from invcore_solve.typicality.blocks import Block
from invcore_solve.typicality.neighbourhood import Neighbourhood

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_ANCHORS = 4  # nearest rows towards which a design may be moved
_HALVINGS = 8
_ON_A_ROW = 1e6
_SPARSE = 2.0  # most of the usual limit, where rows themselves are far apart
_SLACK = 1e-9
_DECIDED = 0.1  # share of rows whose value is allowed, below which users have decided it


@dataclass(frozen=True)
class Typicality:
    """Which designs are typical of a table, and how others are made so.

    A design is typical if the space allows it and its mean distance to the three nearest rows,
    in whitened units, is no larger than nine of ten rows keep from each other, or than its nearest
    row keeps from the others, up to twice as much.

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

    @cached_property
    def decided(self) -> Flags:
        """Columns (Dx,) in which hardly a row is allowed as it is: those with values, levels or
        bounds that users chose away from the table's.
        """
        rows = self.neighbourhood.rows
        slack = 1e-6 * np.ptp(rows, axis=0) + 1e-300
        kept: Numbers = (np.abs(self.project(rows) - rows) <= slack).mean(axis=0)
        return kept < _DECIDED

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
        return self.excess(x) <= 1 + _SLACK

    def excess(self, x: Numbers) -> Numbers:
        """Distance of designs (N, Dx) to the rows, as a share of the largest that is typical."""
        neighbourhood, inside = self.neighbourhood, self.inside(x)
        usual = neighbourhood.limit
        local = neighbourhood.own[neighbourhood.nearest(inside)[1]]
        most = np.clip(local, usual, _SPARSE * usual) * self.novelty
        return neighbourhood.distance(inside) / np.maximum(most, 1e-300)

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
        towards one of the nearest rows, its blocks with levels by jumps, as far as it has to, and
        to the row where it has to go least.

        Returns:
            The designs (N, Dx), all typical, and how far each was moved (N,), in units of the
            distance between rows.
        """
        rows, start = self.neighbourhood.rows, x
        x = self.project(np.where(np.isfinite(x), x, rows.mean(axis=0)))
        left = np.flatnonzero(~self.typical(x))
        if len(left):
            x = x.copy()
            x[left] = self._moved(x[left])
        moved = self.neighbourhood.whitening(x) - self.neighbourhood.whitening(
            np.where(np.isfinite(start), start, x)
        )
        return x, np.sqrt(np.square(moved).sum(axis=1)) / self.neighbourhood.unit

    def _moved(self, x: Numbers) -> Numbers:
        """Allowed designs (N, Dx), moved towards the rows until they are typical."""
        neighbourhood = self.neighbourhood
        good = np.flatnonzero(self.typical(neighbourhood.rows))
        if not len(good):
            return neighbourhood.rows[neighbourhood.nearest(x)[1]]
        start = neighbourhood.whitening(x)
        which = neighbourhood.among(x, good, _ANCHORS)  # (N, A)
        best, least = neighbourhood.rows[which[:, 0]], np.full(len(x), np.inf)
        for anchors in which.T:
            ends, own = x.copy(), neighbourhood.rows[anchors]
            for block in self.blocks:
                if block.discrete:  # the steps between would break its levels
                    columns = list(block.columns)
                    ends[:, columns] = own[:, columns]
            kept, low, high = own.copy(), np.zeros(len(x)), np.ones(len(x))
            for _ in range(_HALVINGS):
                share = (low + high) / 2 if low.any() or (high < 1).any() else high
                tried = self.project(own + share[:, None] * (ends - own))
                fits = self.typical(tried)
                kept[fits] = tried[fits]
                low, high = np.where(fits, share, low), np.where(fits, high, share)
            away = np.square(neighbourhood.whitening(kept) - start).sum(axis=1)
            away = np.where(low > 0, away, away + _ON_A_ROW)  # a row itself proposes nothing
            nearer = away < least
            best[nearer], least[nearer] = kept[nearer], away[nearer]
        return best

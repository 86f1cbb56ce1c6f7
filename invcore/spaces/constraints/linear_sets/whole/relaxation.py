"""Relaxations of nodes of a search tree: whole numbers that may be broken within bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.active_set import nearest
from invcore.spaces.constraints.linear_sets.presolve import piece_of, root_weights
from invcore.spaces.constraints.linear_sets.reduction import Reduction
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers, LinearSystem

_WHOLE = 1e-7


@dataclass(eq=False)
class Node:
    """Bounds of the whole numbers, and what the node above found.

    Args:
        low: (q,).
        high: (q,).
        at_least: the squared distance of all points within.
        faint: (f,), values of columns without weight, near which new ones are sought.
        active: (K,), rows to begin with.
    """

    low: Floats
    high: Floats
    at_least: float
    faint: Floats
    active: Integers


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Solutions of B nodes' relaxations.

    Args:
        values: (B, q), of the whole numbers.
        low: (B, q), the nodes' bounds.
        high: (B, q).
        at_least: (B,), squared distances that no point of the node falls below.
        faint: (B, f), of the columns without weight.
        active: (B, K), rows that hold with equality.
        infeasible: (B,), bool.
        exact: (B,), bool, whether the relaxation was solved.
    """

    values: Floats
    low: Floats
    high: Floats
    at_least: Floats
    faint: Floats
    active: Integers
    infeasible: Booleans
    exact: Booleans


class Relaxation:
    """The system with broken whole numbers, in coordinates of its affine hull.

    The bounds of whole numbers are rows whose limits are those of a node.

    Args:
        system: with points.
    """

    def __init__(self, system: LinearSystem) -> None:
        self.system, self.reduction = system, Reduction(system)
        columns = np.nonzero(self.reduction.free)[0]
        rows = np.arange(len(self.reduction.rows))
        piece = piece_of(self.reduction, rows, columns)
        if piece is None:
            raise ValueError("the constraints leave no point")
        self.piece = piece
        self.root_weight = root_weights(system.weight[columns])
        self.faint = np.nonzero(system.weight[columns] == 0)[0]
        self.whole = np.nonzero(system.integer)[0]
        place = np.full(system.columns, -1)
        place[columns] = np.arange(len(columns))
        inside = place[self.whole]  # -1 where the reduction has fixed the whole number
        size = np.linalg.norm(piece.basis, axis=1)
        self.moving = np.nonzero((inside >= 0) & (size[inside] > 1e-10))[0]
        self.inside = inside[self.moving]
        self.size = size[self.inside]
        alone = (np.abs(piece.rows) > 1e-13).sum(axis=1) == 1
        bounds = alone & system.integer[columns[np.abs(piece.rows).argmax(axis=1)]]
        self.static = piece.offsets[~bounds]
        directions = piece.basis[self.inside] / self.size[:, None]
        self.normals = np.vstack([piece.normals[~bounds], directions, -directions])

        reduction, centre = self.reduction, np.zeros(system.columns)
        centre[columns] = piece.centre / self.root_weight
        everywhere = reduction.origin + system.width * np.where(
            reduction.free, centre, reduction.value
        )
        self._fixed = everywhere[self.whole]
        limits = np.stack([reduction.low[columns], reduction.high[columns]]) * self.root_weight
        self._faint_low, self._faint_high = limits[:, self.faint]
        place = np.full(system.columns, -1)
        place[self.whole] = np.arange(len(self.whole))
        self._faint_whole = place[columns[self.faint]]  # -1 where it is not whole

    def scaled(self, points: Floats) -> Floats:
        """In scaled units; columns without weight at 0."""
        scaled = (points - self.reduction.origin) / self.system.width
        return np.where(self.system.weight > 0, scaled, 0.0)

    def root(self) -> Node:
        """All whole numbers within their bounds."""
        system, reduction, whole = self.system, self.reduction, self.whole
        ends = []
        for end, rounding in ((reduction.low, -_WHOLE), (reduction.high, _WHOLE)):
            scaled = np.where(reduction.free, end, reduction.value)[whole]
            values = reduction.origin[whole] + scaled * system.width[whole]
            ends.append(np.ceil(values + rounding) if rounding < 0 else np.floor(values + rounding))
        faint = np.where(np.isfinite(reduction.low), reduction.low, 0.0)
        start = (faint[self.piece.columns] * self.root_weight)[self.faint]
        return Node(ends[0], ends[1], 0.0, start, np.zeros(0, dtype=np.int64))

    def solve(self, nodes: list[Node], given: Floats) -> Relaxed:
        """The relaxations of nodes, each for one of the given points (B, n), in scaled units."""
        piece, root = self.piece, self.root_weight
        low, high = np.array([n.low for n in nodes]), np.array([n.high for n in nodes])
        wanted = given[:, piece.columns] * root
        wanted[:, self.faint] = np.array([node.faint for node in nodes])
        columns = self.whole[self.moving]
        factor = root[self.inside] / self.system.width[columns]
        low_y, high_y = (
            (end[:, self.moving] - self.reduction.origin[columns]) * factor for end in (low, high)
        )
        centre = piece.centre[self.inside]
        limits = np.concatenate(
            [
                np.broadcast_to(self.static, (len(nodes), len(self.static))),
                (high_y - centre) / self.size,
                (centre - low_y) / self.size,
            ],
            axis=1,
        )
        active = np.full((len(nodes), max(len(node.active) for node in nodes)), -1)
        for row, node in zip(active, nodes, strict=True):
            row[: len(node.active)] = node.active
        found = nearest(self.normals, limits, (wanted - piece.centre) @ piece.basis, active=active)
        y = piece.centre + found.points @ piece.basis.T
        values = np.broadcast_to(self._fixed, low.shape).copy()
        values[:, self.moving] = self.reduction.origin[columns] + y[:, self.inside] / factor
        outside = np.abs(values - np.clip(values, low, high)).max(axis=1, initial=0.0) > 1e-6
        return Relaxed(
            values,
            low,
            high,
            self._at_least(y, wanted, given, low, high),
            y[:, self.faint],
            found.active,
            found.infeasible | outside,
            found.solved,
        )

    def _at_least(
        self, y: Floats, wanted: Floats, given: Floats, low: Floats, high: Floats
    ) -> Floats:
        """Squared distances (B,) that no point of a node falls below.

        The relaxation's solution is the nearest point with the pull of columns without weight. The
        distance without it is convex, so that it can only be shorter by what these columns can
        still gain along the gradient of their pull.
        """
        piece, system = self.piece, self.system
        away = y - wanted
        pull = away[:, self.faint]
        away[:, self.faint] = 0.0
        others = np.setdiff1d(np.arange(system.columns), piece.columns)
        gap = given[:, others] - self.reduction.value[others]
        total = (away * away).sum(axis=1) + (gap * gap) @ system.weight[others]
        if not len(self.faint):
            return total
        ends = []
        for end, limit in ((low, self._faint_low), (high, self._faint_high)):
            at = np.broadcast_to(limit, pull.shape).copy()
            whole = self._faint_whole >= 0
            columns = self.piece.columns[self.faint[whole]]
            scale = self.root_weight[self.faint[whole]] / system.width[columns]
            values = end[:, self._faint_whole[whole]]
            at[:, whole] = (values - self.reduction.origin[columns]) * scale
            ends.append(at)
        still = np.where(pull > 0, ends[1], ends[0]) - y[:, self.faint]
        gain = np.where(np.abs(pull) > 1e-15, pull * np.where(pull == 0, 0.0, still), 0.0)
        return total - 2.0 * np.maximum(gain, 0.0).sum(axis=1)


def halves(node: Node, values: Floats, broken: Floats) -> list[Node]:
    """Two nodes below and above the most broken whole number, the nearer first."""
    j = int(broken.argmax())
    floor = np.floor(values[j])
    below, above = _part(node, j, node.low[j], floor), _part(node, j, floor + 1.0, node.high[j])
    return [below, above] if values[j] - floor < 0.5 else [above, below]


def around(node: Node, values: Floats) -> list[Node]:
    """Nodes where the first whole number that can vary has a value, less, or more."""
    j = int(np.nonzero(node.high > node.low)[0][0])
    ends = (
        (values[j], values[j]),
        (node.low[j], values[j] - 1.0),
        (values[j] + 1.0, node.high[j]),
    )
    return [_part(node, j, first, last) for first, last in ends if first <= last]


def _part(node: Node, j: int, first: float, last: float) -> Node:
    low, high = node.low.copy(), node.high.copy()
    low[j], high[j] = first, last
    return Node(low, high, node.at_least, node.faint, node.active)

"""The nearest points where whole numbers have too many assignments to list them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.active_set import nearest
from invcore.spaces.constraints.linear_sets.polytope import Incumbents, Polytope, Projected
from invcore.spaces.constraints.linear_sets.presolve import piece_of, root_weights
from invcore.spaces.constraints.linear_sets.reduction import Reduction
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers, LinearSystem

_NODES = 2000  # for each point; those that need more are not proven
_BATCH = 256  # nodes whose relaxations are solved at once
_WHOLE = 1e-7
_CLOSE = 2e-11  # of distances: what can gain no more is left out


@dataclass(eq=False)
class _Node:
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


class BranchAndBound:
    """Nearest points, each with a search tree of its own, whose nodes are solved in batches.

    A node's relaxation is the nearest point where whole numbers may be broken within the node's
    bounds. Columns without weight are held near their last values by a small one: a proximal-point
    method. What that costs is bounded by its gradient, so that a node's bound is one for the
    distance as it is. Trees are searched depth first until there is a first assignment, and then
    by the least bound. An assignment's points are found in its own polytope.

    Args:
        system: with points, and bounds of whole numbers that are whole.
        leaf: the polytope of an assignment (q,).
        first: the polytope of some assignment that leaves a point.
        nodes: for each point; where these do not suffice, what was found is not proven.
    """

    def __init__(
        self,
        system: LinearSystem,
        leaf: Callable[[Floats], Polytope],
        first: Polytope,
        nodes: int = _NODES,
    ) -> None:
        self.system, self.leaf, self.first, self.nodes = system, leaf, first, nodes
        self.whole = np.nonzero(system.integer)[0]
        self.relaxation = _Relaxation(system)

    def project(self, points: Floats) -> Projected:
        """The nearest points of the system to points (N, n)."""
        best = Incumbents(points, self.system)
        best.offer(self.first, np.arange(len(points)))
        trees = [_Tree(self.relaxation.root(), self.nodes) for _ in points]
        given = self.relaxation.scaled(points)
        while True:
            live = [i for i, tree in enumerate(trees) if tree.open(best.distance[i])]
            if not live:
                break
            share = max(1, _BATCH // len(live))
            nodes = [(i, node) for i in live for node in trees[i].take(share, best.distance[i])]
            for start in range(0, len(nodes), _BATCH):
                self._solve(nodes[start : start + _BATCH], given, trees, best)
        return best.projected(np.array([tree.proven for tree in trees], dtype=np.bool_))

    def _solve(
        self,
        nodes: list[tuple[int, _Node]],
        given: Floats,
        trees: list[_Tree],
        best: Incumbents,
    ) -> None:
        at = np.array([i for i, _ in nodes])
        solved = self.relaxation.solve([node for _, node in nodes], given[at])
        bound = np.array([node.at_least for _, node in nodes])
        bound = np.where(solved.exact, np.maximum(bound, solved.at_least), bound)
        hopeful = ~solved.infeasible & ~closed(bound, best.distance[at])
        rounded = np.clip(np.round(solved.values), solved.low, solved.high)
        broken = np.where(solved.high > solved.low, np.abs(solved.values - rounded), 0.0)
        ready = hopeful & (broken.max(axis=1, initial=0.0) < _WHOLE)
        distance = np.full(len(nodes), np.inf)
        for values in np.unique(rounded[ready], axis=0):
            same = np.nonzero(ready & (rounded == values).all(axis=1))[0]
            leaf = self.leaf(values)
            if leaf.feasible:
                distance[same] = best.offer(leaf, at[same])
        for k in np.nonzero(hopeful)[0]:
            i, node = nodes[k]
            node.at_least, node.faint, node.active = bound[k], solved.faint[k], solved.active[k]
            if ready[k]:
                if closed(bound[k], distance[k]) or (node.low == node.high).all():
                    continue
                trees[i].add(_around(node, rounded[k]))
            else:
                trees[i].add(_halves(node, solved.values[k], broken[k]))


def closed(at_least: Floats | float, distance: Floats | float) -> Booleans:
    """Whether squared distances of at least so much cannot be shorter than a distance."""
    return np.sqrt(np.maximum(at_least, 0.0)) >= np.asarray(distance) - _CLOSE


class _Tree:
    """The open nodes of one point."""

    def __init__(self, root: _Node, nodes: int) -> None:
        self._heap: list[tuple[float, int, _Node]] = []
        self._stack: list[_Node] = [root]
        self._ticks, self._left, self._found = itertools.count(), nodes, False
        self.proven = True

    def open(self, distance: float) -> bool:
        """Whether a node is left that could bring something nearer than this distance."""
        nodes = [*self._stack, *(self._heap[:1] and [self._heap[0][2]])]
        worth = any(not closed(node.at_least, distance) for node in nodes)
        if worth and self._left <= 0:
            self.proven = False
        return worth and self._left > 0

    def take(self, count: int, distance: float) -> list[_Node]:
        """The next nodes."""
        taken: list[_Node] = []
        while len(taken) < count and self._left > 0 and (self._stack or self._heap):
            node = self._stack.pop() if self._stack else heapq.heappop(self._heap)[2]
            if closed(node.at_least, distance):
                continue
            taken.append(node)
            self._left -= 1
        return taken

    def add(self, nodes: list[_Node]) -> None:
        """Further nodes; the first is the one to be looked at next."""
        ahead, others = nodes[:1], nodes[1:]
        self._stack.extend(ahead)
        for node in others:
            heapq.heappush(self._heap, (node.at_least, -next(self._ticks), node))


@dataclass(frozen=True, eq=False)
class _Relaxed:
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


class _Relaxation:
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

    def root(self) -> _Node:
        """All whole numbers within their bounds."""
        system, reduction, whole = self.system, self.reduction, self.whole
        ends = []
        for end, rounding in ((reduction.low, -_WHOLE), (reduction.high, _WHOLE)):
            scaled = np.where(reduction.free, end, reduction.value)[whole]
            values = reduction.origin[whole] + scaled * system.width[whole]
            ends.append(np.ceil(values + rounding) if rounding < 0 else np.floor(values + rounding))
        faint = np.where(np.isfinite(reduction.low), reduction.low, 0.0)
        start = (faint[self.piece.columns] * self.root_weight)[self.faint]
        return _Node(ends[0], ends[1], 0.0, start, np.zeros(0, dtype=np.int64))

    def solve(self, nodes: list[_Node], given: Floats) -> _Relaxed:
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
        return _Relaxed(
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


def _halves(node: _Node, values: Floats, broken: Floats) -> list[_Node]:
    """Two nodes below and above the most broken whole number, the nearer first."""
    j = int(broken.argmax())
    floor = np.floor(values[j])
    below, above = _part(node, j, node.low[j], floor), _part(node, j, floor + 1.0, node.high[j])
    return [below, above] if values[j] - floor < 0.5 else [above, below]


def _around(node: _Node, values: Floats) -> list[_Node]:
    """Nodes where the first whole number that can vary has a value, less, or more."""
    j = int(np.nonzero(node.high > node.low)[0][0])
    ends = (
        (values[j], values[j]),
        (node.low[j], values[j] - 1.0),
        (values[j] + 1.0, node.high[j]),
    )
    return [_part(node, j, first, last) for first, last in ends if first <= last]


def _part(node: _Node, j: int, first: float, last: float) -> _Node:
    low, high = node.low.copy(), node.high.copy()
    low[j], high[j] = first, last
    return _Node(low, high, node.at_least, node.faint, node.active)

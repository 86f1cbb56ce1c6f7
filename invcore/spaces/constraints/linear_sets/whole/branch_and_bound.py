"""The nearest points where whole numbers have too many assignments to list them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

import numpy as np

from invcore.spaces.constraints.linear_sets.polytope import Polytope, Projected
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, LinearSystem
from invcore.spaces.constraints.linear_sets.whole.incumbents import Incumbents
from invcore.spaces.constraints.linear_sets.whole.relaxation import Node, Relaxation, around, halves

_NODES = 2000  # for each point; those that need more are not proven
_BATCH = 256  # nodes whose relaxations are solved at once
_WHOLE = 1e-7
_CLOSE = 2e-11  # of distances: what can gain no more is left out


class BranchAndBound:
    """Nearest points, each with a search tree of its own, whose nodes are solved in batches.

    A node's relaxation is the nearest point where whole numbers may be broken within the node's
    bounds. Columns without weight are held near their last values by a small one: a proximal-point
    method. What that costs is bounded by its gradient, so that a node's bound is one for the
    distance as it is. A tree is searched by the least bound, and from there depth first towards the
    nearest whole numbers. An assignment's points are found in its own polytope.

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
        self.relaxation = Relaxation(system)

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
        nodes: list[tuple[int, Node]],
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
                trees[i].add(around(node, rounded[k]))
            else:
                trees[i].add(halves(node, solved.values[k], broken[k]))


def closed(at_least: Floats | float, distance: Floats | float) -> Booleans:
    """Whether squared distances of at least so much cannot be shorter than a distance."""
    return np.sqrt(np.maximum(at_least, 0.0)) >= np.asarray(distance) - _CLOSE


class _Tree:
    """The open nodes of one point."""

    def __init__(self, root: Node, nodes: int) -> None:
        self._heap: list[tuple[float, int, Node]] = []
        self._stack: list[Node] = [root]
        self._ticks, self._left = itertools.count(), nodes
        self.proven = True

    def open(self, distance: float) -> bool:
        """Whether a node is left that could bring something nearer than this distance."""
        nodes = self._stack + [entry[2] for entry in self._heap[:1]]
        worth = any(not closed(node.at_least, distance) for node in nodes)
        if worth and self._left <= 0:
            self.proven = False
        return worth and self._left > 0

    def take(self, count: int, distance: float) -> list[Node]:
        """The next nodes."""
        taken: list[Node] = []
        while len(taken) < count and self._left > 0 and (self._stack or self._heap):
            node = self._stack.pop() if self._stack else heapq.heappop(self._heap)[2]
            if closed(node.at_least, distance):
                continue
            taken.append(node)
            self._left -= 1
        return taken

    def add(self, nodes: list[Node]) -> None:
        """Further nodes; the first is the one to be looked at next."""
        ahead, others = nodes[:1], nodes[1:]
        self._stack.extend(ahead)
        for node in others:
            heapq.heappush(self._heap, (node.at_least, -next(self._ticks), node))

"""The continuous part: a polytope, its dimension and ranges, points drawn from it, nearest ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from invcore.spaces.constraints.linear_sets.active_set import nearest
from invcore.spaces.constraints.linear_sets.presolve import Piece, piece_of, root_weights
from invcore.spaces.constraints.linear_sets.programs import Program
from invcore.spaces.constraints.linear_sets.reduction import EQUAL, Reduction, parts_of
from invcore.spaces.constraints.linear_sets.sampling.sampler import Sampler
from invcore.spaces.constraints.linear_sets.sampling.walks import Walk
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, LinearSystem

_PULLS = 1e-9  # a multiplier that counts
_AWAY = 1e3  # widths, from where a nearest point is corrected
_FAR = 1e-9  # beyond which a nearest point is too far
_ROUNDS = 8  # of the proximal-point method, where columns have no weight


@dataclass(frozen=True, eq=False)
class Projected:
    """The nearest points of a set.

    Args:
        points: (N, n), in the set.
        distance: (N,), square root of the weighted sum of squared differences in scaled units.
        proven: (N,), bool, whether no point of the set is nearer.
        binding: (N, 2M + 2n), bool, the sides that keep a point from being nearer, in the order of
            ``LinearSystem``; ``LinearSystem.owners_of(binding[i])`` says whose they are.
    """

    points: Floats
    distance: Floats
    proven: Booleans
    binding: Booleans


class Polytope:
    """The points of a system, whole numbers or not.

    Columns that no row ties to others are intervals; others are handled in pieces that share no
    row, each in coordinates of its affine hull; see ``presolve.piece_of``.

    Args:
        system: whose whole numbers count as continuous.

    Example:
        >>> system = LinearSystem.of([[1.0, 1.0, 0.0]], [1.0], [1.0], np.zeros(3), np.ones(3))
        >>> polytope = Polytope(system)
        >>> polytope.feasible, polytope.dimension
        (True, 2)
        >>> found = polytope.project(np.array([[0.9, 0.5, 2.0]]))
        >>> found.points, found.distance.round(3)
        (array([[0.7, 0.3, 1. ]]), array([1.039]))
    """

    def __init__(self, system: LinearSystem) -> None:
        self.system = system
        self.reduction = Reduction(system)
        self.pieces: tuple[Piece, ...] = ()
        self.feasible = self.reduction.feasible
        """Whether there is any point."""
        alone = np.ones(system.columns, dtype=np.bool_)
        if self.feasible:
            pieces = []
            for rows, columns in parts_of(self.reduction.matrix != 0):
                if len(rows):
                    pieces.append(piece_of(self.reduction, rows, columns))
                    alone[columns] = False
            self.pieces = tuple(piece for piece in pieces if piece is not None)
            self.feasible = len(self.pieces) == len(pieces)
        self._alone = np.nonzero(alone)[0]

    @property
    def dimension(self) -> int:
        """Of the affine hull; 0 for a single point."""
        intervals = self.reduction.free[self._alone].sum()
        return int(intervals) + sum(piece.dimension for piece in self.pieces)

    @cached_property
    def implied(self) -> Booleans:
        """(2M + 2n,), which sides hold with equality everywhere in the set."""
        system, reduction = self.system, self.reduction
        sides = np.zeros(2 * system.rows + 2 * system.columns, dtype=np.bool_)
        fixed = ~reduction.free
        sides[reduction.low_side[fixed]] = sides[reduction.high_side[fixed]] = True
        for piece in self.pieces:
            for side in (piece.equal_high, piece.equal_low):
                sides[side[side >= 0]] = True
        same = system.row_high - system.row_low <= EQUAL * system.row_norm
        both = np.concatenate([same, same, np.zeros(2 * system.columns, dtype=np.bool_)])
        return sides | both

    @cached_property
    def _root(self) -> Floats:
        """(n,), square roots of the weights, which scaled values are multiplied by in pieces."""
        return root_weights(self.system.weight)

    def _given(self, points: Floats) -> Floats:
        """In scaled units; columns of weight 0 near their bounds."""
        system = self.system
        scaled = (points - self.reduction.origin) / system.width
        return np.where(system.weight > 0, scaled, 0.0)

    def _points(self, scaled: Floats) -> Floats:
        system = self.system
        return np.clip(self.reduction.origin + scaled * system.width, system.low, system.high)

    def centre(self) -> Floats:
        """A point (n,) of the set; inside it, if it has an inside.

        Raises:
            ValueError: the set is empty.
        """
        self._require()
        low, high = self._ends()
        finite = np.where(np.isfinite(low), low, high), np.where(np.isfinite(high), high, low)
        scaled = np.where(np.isfinite(finite[0]), 0.5 * (finite[0] + finite[1]), 0.0)
        for piece in self.pieces:
            scaled[piece.columns] = piece.centre / self._root[piece.columns]
        return self._points(scaled)

    def _ends(self) -> tuple[Floats, Floats]:
        """The bounds (n,) of columns in scaled units, equal where they are fixed."""
        reduction = self.reduction
        low = np.where(reduction.free, reduction.low, reduction.value)
        return low, np.where(reduction.free, reduction.high, reduction.value)

    def ranges(self) -> Floats:
        """(n, 2), the smallest and the largest value of each column in the set, or infinite.

        Raises:
            ValueError: the set is empty.
        """
        self._require()
        ends = np.stack(self._ends())
        for piece in self.pieces:
            root, columns = self._root[piece.columns], piece.columns
            count, dimension = piece.normals.shape
            free, none = np.full(dimension, np.inf), np.full(count, -np.inf)
            program = Program(piece.normals, none, piece.offsets, -free, free, presolve=False)
            for end, sign in ((0, 1.0), (1, -1.0)):
                ends[end, columns] = piece.centre / root
                for j in np.nonzero(np.abs(piece.basis).max(axis=1, initial=0.0) > 1e-11)[0]:
                    found = program.minimise(sign * piece.basis[j]).point
                    if found is None:
                        ends[end, columns[j]] = -sign * np.inf
                    else:
                        ends[end, columns[j]] += (piece.basis[j] @ found) / root[j]
        return np.stack([self._points(end) for end in ends], axis=1)

    @cached_property
    def _samplers(self) -> list[Sampler]:
        return [Sampler(piece) for piece in self.pieces]

    @property
    def walks(self) -> list[Walk]:
        """What is walked on to draw points."""
        return [walk for sampler in self._samplers for walk in sampler.walks]

    def sample(
        self,
        count: int,
        generator: np.random.Generator,
        walked: Mapping[Walk, Floats] = MappingProxyType({}),
    ) -> Floats:
        """(count, n), uniform.

        The same state of the generator gives the same points, whatever was drawn before.

        Args:
            count: how many.
            generator: of the random numbers.
            walked: points (count, k) that were drawn before, of some walks.

        Raises:
            ValueError: the set is empty or unbounded.
        """
        self._require()
        low, high = self._ends()
        if not np.isfinite(high - low).all() and not np.isfinite(self.ranges()).all():
            raise ValueError("the set is unbounded: nothing is uniform on it")
        low, high = low[self._alone], high[self._alone]
        scaled = np.zeros((count, self.system.columns))
        scaled[:, self._alone] = low + generator.random((count, len(low))) * (high - low)
        for piece, sampler in zip(self.pieces, self._samplers, strict=True):
            values = sampler.sample(count, generator, walked)
            scaled[:, piece.columns] = values / self._root[piece.columns]
        return self._points(scaled)

    def project(self, points: Floats, within: Floats | None = None) -> Projected:
        """The nearest points of the set to points (N, n), finite where a column's weight is not 0.

        Args:
            points: (N, n).
            within: (N,), distances within which a nearest point is of interest; others need not be
                found, and are not proven then.

        Raises:
            ValueError: the set is empty.
        """
        self._require()
        system = self.system
        given = self._given(points)
        scaled, proven = given.copy(), np.ones(len(points), dtype=np.bool_)
        binding = np.zeros((len(points), 2 * system.rows + 2 * system.columns), dtype=np.bool_)
        low, high = self._ends()
        scaled[:, self._alone] = np.clip(given, low, high)[:, self._alone]
        for j in self._alone[system.weight[self._alone] > 0]:
            binding[:, self.reduction.high_side[j]] |= given[:, j] > high[j] + _PULLS
            binding[:, self.reduction.low_side[j]] |= given[:, j] < low[j] - _PULLS
        for piece in self.pieces:
            root, faint = self._root[piece.columns], system.weight[piece.columns] == 0
            wanted = given[:, piece.columns] * root
            for _ in range(_ROUNDS if faint.any() else 1):
                reach = None if faint.any() else within
                values, solved = _project(piece, wanted, binding, reach)
                moved = np.abs(values - wanted)[:, faint].max(initial=0.0)
                wanted[:, faint] = values[:, faint]
                if moved < 1e-12:
                    break
            scaled[:, piece.columns] = values / root
            proven &= solved
        results = self._points(scaled)
        moved = np.where(system.weight > 0, scaled - given, 0.0)
        distance = np.sqrt((moved * moved) @ system.weight)
        return Projected(results, distance, proven, binding)

    def at_least(self, points: Floats) -> Floats:
        """Distances (N,) that no nearest point falls below: those to the affine hull or to the
        bounds.
        """
        given, (low, high) = self._given(points), self._ends()
        gap = given - np.clip(given, low, high)
        square = gap * gap * self.system.weight
        total = square[:, self._alone].sum(axis=1)
        for piece in self.pieces:
            to_bounds = square[:, piece.columns].sum(axis=1)
            if (self.system.weight[piece.columns] > 0).all():
                away = given[:, piece.columns] * self._root[piece.columns] - piece.centre
                away -= (away @ piece.basis) @ piece.basis.T
                to_bounds = np.maximum(to_bounds, (away * away).sum(axis=1))
            total += to_bounds
        return np.sqrt(total)

    def _require(self) -> None:
        if not self.feasible:
            raise ValueError("the constraints leave no point")


def _project(
    piece: Piece, given: Floats, binding: Booleans, within: Floats | None
) -> tuple[Floats, Booleans]:
    """The nearest values (N, c) of a piece, and for whom they are so; notes what binds."""
    away = given - piece.centre
    inside = away @ piece.basis
    if within is not None:
        across = away - inside @ piece.basis.T
        within = np.sqrt(np.maximum(within * within - (across * across).sum(axis=1), 0.0)) + _FAR
    found = nearest(piece.normals, piece.offsets, inside, within=within, solvable=True)
    at = found.points
    if np.abs(inside).max(initial=0.0) > _AWAY:  # rounding errors of the way there
        at = nearest(piece.normals, piece.offsets, at).points
    lost = ~found.solved
    if lost.any():  # towards the inside, as far as needed
        speed = (at[lost] @ piece.normals.T / np.maximum(piece.offsets, 1e-300)).max(axis=1)
        at[lost] /= np.maximum(speed, 1.0)[:, None]
    values = piece.centre + at @ piece.basis.T
    used = (found.active >= 0) & (found.multipliers > _PULLS)
    point, place = np.nonzero(used)
    rows = found.active[point, place]
    binding[point, piece.sides[rows]] = True
    if len(piece.level):  # what is left of the way there is across the affine hull
        left = given - values
        np.subtract.at(left, point, found.multipliers[point, place, None] * piece.rows[rows])
        pull = left @ np.linalg.pinv(piece.equal, rcond=1e-9)
        for sides, sign in ((piece.equal_high, 1.0), (piece.equal_low, -1.0)):
            for i in np.nonzero(sides >= 0)[0]:
                binding[:, sides[i]] |= sign * pull[:, i] > _PULLS
    return values, found.solved

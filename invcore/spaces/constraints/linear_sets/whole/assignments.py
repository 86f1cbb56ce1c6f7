"""Assignments: the values that whole numbers take together, listed or drawn at random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.programs import Outcome, Program
from invcore.spaces.constraints.linear_sets.system import Floats, LinearSystem

_APART = 8  # values of one column that are tried one by one; more are halved first
_PROGRAMS = 20  # that may be solved for each assignment that is asked for
_HELD = 1e-9

Box = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Listing:
    """Assignments of a system.

    Args:
        values: (A, q), of the columns of whole numbers.
        complete: whether these are all.
    """

    values: Floats
    complete: bool


class Assignments:
    """Which assignments of a system's whole numbers leave a point.

    Args:
        system: with bounds of whole numbers that are whole.
    """

    def __init__(self, system: LinearSystem) -> None:
        self.system = system
        self.places = np.nonzero(system.integer)[0]
        # Columns in units of their widths, whole numbers in ones; all from their lower bounds.
        self._origin = np.where(np.isfinite(system.low), system.low, 0.0)
        self._unit = np.where(system.integer, 1.0, system.width)
        shift = system.matrix @ self._origin
        self._matrix = system.matrix * self._unit / system.row_norm[:, None]
        self._rows = (
            (system.row_low - shift) / system.row_norm,
            (system.row_high - shift) / system.row_norm,
        )
        self._bounds = self._scaled(system.low), self._scaled(system.high)
        self._relaxed: Program | None = None

    def _scaled(self, values: Floats) -> Floats:
        return (values - self._origin) / self._unit

    @property
    def box(self) -> Box:
        """The bounds (q,) of the whole numbers."""
        return self.system.low[self.places], self.system.high[self.places]

    def _mixed(self) -> Program:
        return Program(self._matrix, *self._rows, *self._bounds, self.system.integer)

    def ranges(self) -> Floats:
        """(n, 2), the smallest and the largest value of each column, or infinite; two
        mixed-integer programs each.
        """
        program, columns = self._mixed(), self.system.columns
        ends = np.empty((columns, 2))
        for j in range(columns):
            for end, sign in ((0, 1.0), (1, -1.0)):
                found = program.minimise(sign * np.eye(columns)[j]).point
                ends[j, end] = -sign * np.inf if found is None else found[j]
        ends = self._origin[:, None] + self._unit[:, None] * ends
        ends = np.where(self.system.integer[:, None], np.round(ends), ends)
        return np.clip(ends, self.system.low[:, None], self.system.high[:, None])

    def any(self) -> Floats | None:
        """An assignment (q,) that leaves a point, by a mixed-integer program; None if none does,
        and nothing (0,) if the solver could not tell.
        """
        found = self._mixed().minimise()
        if found.infeasible:
            return None
        if found.point is None:
            return np.zeros(0)
        return np.round(self._origin + self._unit * found.point)[self.places]

    def listed(self, most: int) -> Listing:
        """All assignments, depth first; or the first ones, if there are more than ``most`` or too
        many programs would have to be solved.
        """
        found: list[Floats] = []
        waiting: list[tuple[Box, Floats | None]] = [(self.box, None)]
        programs = 0
        while waiting:
            box, point = waiting.pop()
            if point is None or not self._holds(box, point):
                if programs >= _PROGRAMS * most:
                    return Listing(self._stacked(found), False)
                programs += 1
                point = self._relaxation(box).point
                if point is None:
                    continue
            parts = _parts(box)
            if parts:
                waiting.extend((part, point) for part in reversed(parts))
            elif len(found) == most:
                return Listing(self._stacked(found), False)
            else:
                found.append(box[0])
        return Listing(self._stacked(found), True)

    def drawn(self, count: int, generator: np.random.Generator) -> Floats:
        """Assignments (A, q) at random, at most ``count``, nearly equally likely each.

        Each is the end of a dive: columns in random order take one of the values that leave a
        point. Those that dives reach by fewer other ways are likelier to be kept.
        """
        found, weights = [], []
        for _ in range(count):
            dive = self._dive(generator)
            if dive is not None:
                found.append(dive[0])
                weights.append(dive[1])
        if not found:
            return self._stacked(found)
        share = np.exp(np.array(weights) - max(weights))
        # Evenly spaced places along the sum of shares: each is kept as often as its share says.
        places = (np.arange(count) + generator.random()) / count * share.sum()
        chosen = np.searchsorted(np.cumsum(share), places).clip(max=len(found) - 1)
        return self._stacked(found)[chosen]

    def _dive(self, generator: np.random.Generator) -> tuple[Floats, float] | None:
        box, weight = self.box, 0.0
        point = self._relaxation(box).point
        order = generator.permutation(len(self.places))
        while point is not None:
            parts = _parts(box, order)
            if not parts:
                return box[0], weight
            points = [
                point if self._holds(part, point) else self._relaxation(part).point
                for part in parts
            ]
            sizes = np.array(
                [
                    0.0 if p is None else float((high - low + 1).prod() ** (1 / len(low)))
                    for (low, high), p in zip(parts, points, strict=True)
                ]
            )
            if not sizes.sum():
                return None
            share = sizes / sizes.sum()
            i = int(generator.choice(len(parts), p=share))
            weight -= math.log(share[i])
            box, point = parts[i], points[i]
        return None

    def _holds(self, box: Box, point: Floats) -> bool:
        values = point[self.places] + self._origin[self.places]
        return bool((values >= box[0] - _HELD).all() and (values <= box[1] + _HELD).all())

    def _relaxation(self, box: Box) -> Outcome:
        """Any point within the bounds of the whole numbers, which may be broken."""
        if self._relaxed is None:
            self._relaxed = Program(self._matrix, *self._rows, *self._bounds, presolve=False)
        low, high = self._bounds[0].copy(), self._bounds[1].copy()
        origin = self._origin[self.places]
        low[self.places], high[self.places] = box[0] - origin, box[1] - origin
        self._relaxed.bound(low, high)
        return self._relaxed.minimise(sure=False)

    def _stacked(self, found: list[Floats]) -> Floats:
        return np.array(found, dtype=np.float64).reshape(-1, len(self.places))


def _parts(box: Box, order: np.typing.NDArray[np.int64] | None = None) -> list[Box]:
    """The first column with several values, in some order, takes one each, or half of many."""
    low, high = box
    order = np.arange(len(low)) if order is None else order
    open_ = order[high[order] > low[order]]
    if not len(open_):
        return []
    j = int(open_[0])
    if high[j] - low[j] < _APART:
        ends = [(value, value) for value in np.arange(low[j], high[j] + 1)]
    else:
        middle = math.floor((low[j] + high[j]) / 2)
        ends = [(low[j], middle), (middle + 1.0, high[j])]
    parts = []
    for first, last in ends:
        part = low.copy(), high.copy()
        part[0][j], part[1][j] = first, last
        parts.append(part)
    return parts

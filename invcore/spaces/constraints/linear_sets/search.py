"""The steps of the dual active-set method, for many points at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers

TOLERANCE = 1e-11  # of rows of unit norm
_DEPENDENT = 1e-14  # squared sine between a row and the span of the active ones
_ROUNDING = 1e-9  # by no more than this is a row violated that is not
_UNCLEAR = 1e-6  # by more than this, there is no doubt
_EXACT = 1e-13
_NEGATIVE = -1e-12
_PRUNINGS = 4


@dataclass(frozen=True, eq=False)
class Nearest:
    """Nearest points, and what keeps them from being nearer.

    Args:
        points: (N, k).
        active: (N, K), rows that hold with equality; -1 fills up.
        multipliers: (N, K), of these rows; points = given - multipliers @ normals[active].
        solved: (N,), bool, whether the conditions for a minimum hold.
        infeasible: (N,), bool, for whom no point satisfies the rows, or none near enough.
    """

    points: Floats
    active: Integers
    multipliers: Floats
    solved: Booleans
    infeasible: Booleans


class Search:
    """The state of the rows that are still being solved; see ``nearest``.

    Unused places of a row's active set hold zeros, so that sums run over all places.
    """

    def __init__(
        self,
        normals: Floats,
        limits: Floats,
        points: Floats,
        active: Integers | None,
        within: Floats,
        *,
        careful: bool = False,
    ) -> None:
        count, dimension = points.shape
        most = min(normals.shape)
        self.normals, self.limits, self.given, self.careful = normals, limits, points, careful
        self.tolerance = TOLERANCE + _EXACT * np.abs(points).max(axis=1, initial=0.0)
        self.reach = within * within if np.isfinite(within).any() else None
        self.final = np.full((count, most), -1)
        self.final_span = np.zeros((count, most, dimension))
        self.final_inverse = np.zeros((count, most, most))
        self.infeasible, self.far = np.zeros((2, count), dtype=np.bool_)
        self.done = np.zeros(count, dtype=np.bool_)
        self.at = np.arange(count)  # the points that the following belong to
        self.x = points.copy()
        self.span = np.zeros((count, most, dimension))  # the active normals
        self.inverse = np.zeros((count, most, most))  # of their Gram matrix
        self.rows = np.full((count, most), -1)
        self.price = np.zeros((count, most))
        self.size = np.zeros(count, dtype=np.int64)
        self.entering = np.full(count, -1)
        self.entering_price = np.zeros(count)
        if active is not None:
            self._begin(active)

    def _begin(self, active: Integers) -> None:
        """Active rows to begin with, less those whose multipliers would be negative; none where
        that leads nowhere.
        """
        if not active.size or (active < 0).all():
            return
        active = -np.sort(-active[:, : self.rows.shape[1]], axis=1)
        place, zero = np.arange(active.shape[1]), np.zeros(active.shape)
        for _ in range(_PRUNINGS):
            used = active >= 0
            span = np.where(used[:, :, None], self.normals[active], 0.0)
            gram = span @ span.transpose(0, 2, 1)
            gram[:, place, place] += np.where(used, 1e-15, 1.0)
            inverse = np.linalg.inv(gram) * (used[:, :, None] & used[:, None, :])
            limits = np.where(used, np.take_along_axis(self.limits, active, 1), zero)
            gap = (span @ self.given[:, :, None])[..., 0] - limits
            price = (inverse @ gap[..., None])[..., 0]
            negative = price < 0
            if not negative.any():
                break
            active = -np.sort(-np.where(negative, -1, active), axis=1)
        error = np.abs(inverse @ gram - np.eye(len(place)) * used[:, :, None]).max(axis=(1, 2))
        good = np.nonzero((error < 1e-7) & ~negative.any(axis=1) & used.any(axis=1))[0]
        width = len(place)
        self.span[good, :width], self.rows[good, :width] = span[good], active[good]
        self.inverse[good, :width, :width] = inverse[good]
        self.price[good, :width], self.size[good] = price[good], used[good].sum(axis=1)
        self.x[good] -= (price[good, None, :] @ span[good])[:, 0]

    def run(self, steps: int) -> None:
        """Take steps until all points are solved, or so many have been taken."""
        for _ in range(steps):
            if len(self.at):
                self._choose()
            if not len(self.at):
                return
            self._step()

    def _choose(self) -> None:
        """The most violated row enters, where none is entering; the points without one are done."""
        free = np.nonzero(self.entering < 0)[0]
        at = self.at[free]
        if self.reach is not None:  # with all active rows in place, the way so far is a bound
            way = self.x[free] - self.given[at]
            far = (way * way).sum(axis=1) > self.reach[at]
            self.far[at[far]] = True
            self._leave(free[far])
            free = np.nonzero(self.entering < 0)[0]
            at = self.at[free]
        gap = self.x[free] @ self.normals.T - self.limits[at]
        worst = gap.argmax(axis=1)
        wrong = gap[np.arange(len(free)), worst] > self.tolerance[at]
        self.entering[free[wrong]], self.entering_price[free[wrong]] = worst[wrong], 0.0
        done = free[~wrong]
        self.done[self.at[done]] = True
        self._leave(done)

    def _leave(self, places: Integers) -> None:
        if not len(places):
            return
        at = self.at[places]
        self.final[at], self.final_span[at] = self.rows[places], self.span[places]
        self.final_inverse[at] = self.inverse[places]
        stays = np.ones(len(self.at), dtype=np.bool_)
        stays[places] = False
        for name in (
            "at",
            "x",
            "span",
            "inverse",
            "rows",
            "price",
            "size",
            "entering",
            "entering_price",
        ):
            setattr(self, name, getattr(self, name)[stays])

    def _step(self) -> None:
        """Move along the entering row's normal, less its part in the span of the active ones."""
        used = max(int(self.size.max()), 1)
        price = self.price[:, :used]
        normal = self.normals[self.entering]
        shares, way = self._orthogonal(normal, used) if self.careful else self._across(normal, used)
        length = (way * way).sum(axis=1)
        gap = (self.x * normal).sum(axis=1) - self.limits[self.at, self.entering]
        least = _DEPENDENT * (1e-4 if self.careful else 1.0)
        independent = (length > least) & (self.size < self.rows.shape[1])
        whole = np.where(independent, gap / np.where(independent, length, 1.0), np.inf)
        falls = shares > 1e-12
        ratios = np.where(falls, price / np.where(falls, shares, 1.0), np.inf)
        first = ratios.argmin(axis=1)
        part = ratios[np.arange(len(first)), first]
        move = np.minimum(whole, part)
        stuck = ~np.isfinite(move)
        move = np.where(stuck, 0.0, move)
        self.x -= np.where(independent, move, 0.0)[:, None] * way
        self.price[:, :used] = np.maximum(price - move[:, None] * shares, 0.0)
        self.entering_price += move
        full = (whole <= part) & ~stuck
        self._add(full, shares, length)
        self._drop(np.nonzero(~full & ~stuck)[0], first)
        lost = np.nonzero(stuck)[0]
        # What is hardly violated may be a rounding error of a row that the active ones imply.
        clear = gap[lost] > (_ROUNDING if self.careful else _UNCLEAR)
        self.infeasible[self.at[lost[clear]]] = True
        self.done[self.at[lost[gap[lost] <= _ROUNDING]]] = True
        self._leave(lost)

    def _across(self, normal: Floats, used: int) -> tuple[Floats, Floats]:
        """The shares (L, used) of active rows in normals (L, k), and what is left of these."""
        span, inverse = self.span[:, :used], self.inverse[:, :used, :used]
        shares, way = np.zeros(span.shape[:2]), normal
        for _ in range(2):  # the second time takes out what rounding left
            more = (inverse @ (span @ way[:, :, None]))[..., 0]
            shares = shares + more
            way = way - (more[:, None, :] @ span)[:, 0]
        return shares, way

    def _orthogonal(self, normal: Floats, used: int) -> tuple[Floats, Floats]:
        """The same by orthogonal factors, for each point anew."""
        shares, way = np.zeros((len(normal), used)), normal.copy()
        for i, size in enumerate(self.size.tolist()):
            basis, factor = np.linalg.qr(self.span[i, :size].T)
            for _ in range(2):
                part = basis.T @ way[i]
                way[i] -= basis @ part
                shares[i, :size] += np.linalg.lstsq(factor, part, rcond=None)[0]
        return shares, way

    def _add(self, full: Booleans, shares: Floats, length: Floats) -> None:
        """Take the entering row in: the inverse of a matrix with one more row and column."""
        if not full.any():
            return
        used, scale = shares.shape[1], np.where(full, 1.0 / np.where(full, length, 1.0), 0.0)
        scaled = shares * scale[:, None]
        self.inverse[:, :used, :used] += scaled[:, :, None] * shares[:, None, :]
        places = np.nonzero(full)[0]
        end = self.size[places]
        self.inverse[places, end, :used] = -scaled[places]
        self.inverse[places, :used, end] = -scaled[places]
        self.inverse[places, end, end] = scale[places]
        self.span[places, end] = self.normals[self.entering[places]]
        self.rows[places, end] = self.entering[places]
        self.price[places, end] = self.entering_price[places]
        self.size[places] += 1
        self.entering[places] = -1

    def _drop(self, places: Integers, first: Integers) -> None:
        """Let one row go; the last takes its place."""
        if not len(places):
            return
        out, last, used = first[places], self.size[places] - 1, int(self.size.max())
        inverse = self.inverse[places, :used, :used]
        each = np.arange(len(places))
        column = inverse[each, out]
        scaled = column / column[each, out][:, None]
        inverse -= scaled[:, :, None] * column[:, None, :]
        inverse[each, out] = inverse[each, last]
        inverse[each, last] = 0.0
        inverse[each, :, out] = inverse[each, :, last]
        inverse[each, :, last] = 0.0
        self.inverse[places, :used, :used] = inverse
        for array, empty in ((self.span, 0.0), (self.rows, -1), (self.price, 0.0)):
            array[places, out] = array[places, last]
            array[places, last] = empty
        self.size[places] = last

    def result(self) -> Nearest:
        """The points that the final active rows give, and whether they are the nearest."""
        if len(self.at):
            self._leave(np.arange(len(self.at)))
        span, inverse, active = self.final_span, self.final_inverse, self.final
        used = max(int((active >= 0).sum(axis=1).max(initial=0)), 1)
        span, inverse, active = span[:, :used], inverse[:, :used, :used], active[:, :used]
        limits = np.where(active >= 0, np.take_along_axis(self.limits, active, 1), 0.0)
        points, multipliers = self.given.copy(), np.zeros(active.shape)
        for _ in range(3):  # the first step goes all the way, the others correct it
            gap = (span @ points[:, :, None])[..., 0] - limits
            more = (inverse @ gap[..., None])[..., 0]
            multipliers += more
            points -= (more[:, None, :] @ span)[:, 0]
        wrong = np.abs((span @ points[:, :, None])[..., 0] - limits).max(axis=1)
        for at in np.nonzero(~(wrong <= self.tolerance * 0.01) | self.careful)[0]:
            self._factored(int(at), points, multipliers)
        gap = (points @ self.normals.T - self.limits).max(axis=1, initial=0.0)
        size = np.abs(multipliers).max(axis=1, initial=0.0)
        lost = self.infeasible | self.far
        solved = self.done & ~lost & (gap <= 3 * self.tolerance)
        solved &= multipliers.min(axis=1, initial=0.0) >= _NEGATIVE * (1.0 + size)
        return Nearest(points, active, multipliers, solved, lost)

    def _factored(self, at: int, points: Floats, multipliers: Floats) -> None:
        """By orthogonal factors, where the inverse is not exact enough."""
        rows = self.final[at][self.final[at] >= 0]
        if not len(rows):
            return
        basis, factor = np.linalg.qr(self.normals[rows].T)
        factor = factor + np.diag(np.abs(np.diagonal(factor)) < 1e-12)
        x, total = self.given[at], np.zeros(len(rows))
        for _ in range(2):
            step = np.linalg.solve(factor.T, self.normals[rows] @ x - self.limits[at, rows])
            x, total = x - basis @ step, total + np.linalg.solve(factor, step)
        points[at], multipliers[at, : len(rows)], multipliers[at, len(rows) :] = x, total, 0.0

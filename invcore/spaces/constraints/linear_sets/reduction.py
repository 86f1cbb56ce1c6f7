"""What bounds alone say of a system: columns that are fixed, rows that never bind."""

from __future__ import annotations

import numpy as np

from invcore.spaces.constraints.linear_sets.system import Booleans, Floats, Integers, LinearSystem

EQUAL = 2e-9  # a slack up to this, in scaled units, counts as an equality
WRONG = 1e-9  # by more than this, in scaled units, nothing may be violated
_ZERO = 1e-12
_ROUNDS = 100
_BROKEN = 1e-7  # by up to this, a number counts as whole


class Reduction:
    """A system in scaled units v = (x - origin) / width, and what follows from bounds alone.

    Rows of one column become bounds; rows that bounds imply are left out; columns that have no
    room are fixed.

    Args:
        system: what is reduced.
        whole: whether bounds of whole numbers are rounded to such.

    Attributes:
        feasible: False if bounds alone show that there is no point.
        low: (n,), lower bounds in scaled units, or -inf.
        high: (n,), upper bounds.
        low_side: (n,), the side that each lower bound comes from, a bound of the column or a row.
        high_side: (n,), the side that each upper bound comes from.
        free: (n,), bool, the columns that are not fixed.
        value: (n,), of those that are.
        rows: which rows of the system remain.
        matrix: (R, n), these, zero where columns are fixed, of unit norm.
        row_low: (R,), less what fixed columns contribute.
        row_high: (R,).
    """

    def __init__(self, system: LinearSystem, *, whole: bool = False) -> None:
        rows, columns = system.rows, system.columns
        self.system = system
        self.origin = np.where(np.isfinite(system.low), system.low, system.high)
        self.origin = np.where(np.isfinite(self.origin), self.origin, 0.0)
        self.low = (system.low - self.origin) / system.width
        self.high = (system.high - self.origin) / system.width
        self.high_side = 2 * rows + np.arange(columns)
        self.low_side = 2 * rows + columns + np.arange(columns)
        norm, shift = system.row_norm, system.matrix @ self.origin
        self.rows = np.arange(rows)
        self._all = system.matrix * system.width / norm[:, None]
        self._low, self._high = (system.row_low - shift) / norm, (system.row_high - shift) / norm
        self.feasible = True
        self.free: Booleans = np.ones(columns, dtype=np.bool_)
        self.value: Floats = np.zeros(columns)
        self._whole = np.nonzero(system.integer)[0] if whole else np.zeros(0, dtype=np.int64)
        if len(self._whole):
            self._round_rows(norm, shift)
        self._reduce()

    def _round_rows(self, norm: Floats, shift: Floats) -> None:
        """Rows of whole numbers alone are multiples of something: their sides become such."""
        system = self.system
        used = system.matrix != 0
        for i in np.nonzero(used.any(axis=1) & ~used[:, ~system.integer].any(axis=1))[0].tolist():
            step = common_divisor(system.matrix[i, used[i]])
            if step:
                exact = WRONG * norm[i] / step
                low = np.ceil(system.row_low[i] / step - exact) * step
                high = np.floor(system.row_high[i] / step + exact) * step
                self._low[i], self._high[i] = (np.array([low, high]) - shift[i]) / norm[i]
                if low > high:
                    self.feasible = False

    def _reduce(self) -> None:
        for _ in range(_ROUNDS):
            self._fix()
            self._substitute()
            if not self.feasible or not (self._single() | self._forced()):
                return
        self._fix()
        self._substitute()

    def _fix(self) -> None:
        """Columns without room are fixed in the middle of it."""
        for ends, rounded, sign in ((self.low, np.ceil, -1.0), (self.high, np.floor, 1.0)):
            if not len(self._whole):
                break
            origin, width = self.origin[self._whole], self.system.width[self._whole]
            values = origin + ends[self._whole] * width
            ends[self._whole] = (rounded(values + sign * _BROKEN) - origin) / width
        gap = self.high - self.low
        if (gap < -WRONG).any():
            self.feasible = False
        closed = gap <= EQUAL
        self.free = ~closed
        self.value = np.where(closed, self.low + 0.5 * np.where(closed, gap, 0.0), 0.0)

    def _substitute(self) -> None:
        """Put in the fixed columns, and leave rows out that no longer say anything."""
        shift = self._all[self.rows] @ self.value
        matrix = self._all[self.rows] * self.free
        low, high = self._low[self.rows] - shift, self._high[self.rows] - shift
        norm = np.linalg.norm(matrix, axis=1)
        matrix = np.where(np.abs(matrix) > _ZERO * norm[:, None], matrix, 0.0)
        gone = norm <= 1e-11
        if (gone & ((low > WRONG) | (high < -WRONG))).any():
            self.feasible = False
        least, most = self._activity(matrix)
        if ((least > high + WRONG) | (most < low - WRONG)).any():
            self.feasible = False
        norm = np.where(gone, 1.0, norm)
        slack = _ZERO * norm
        low = np.where(least >= low - slack, -np.inf, low)
        high = np.where(most <= high + slack, np.inf, high)
        stays = ~gone & (np.isfinite(low) | np.isfinite(high))
        self.rows = self.rows[stays]
        norm = norm[stays]
        self.matrix = matrix[stays] / norm[:, None]
        self.row_low, self.row_high = low[stays] / norm, high[stays] / norm

    def bounds(self, columns: Integers) -> tuple[Floats, Floats]:
        """The bounds (c,) of columns in the system's units, equal where they are fixed."""
        system, ends = self.system, []
        for scaled, given, own in (
            (self.low, system.low, self.low_side >= 2 * system.rows + system.columns),
            (self.high, system.high, self.high_side >= 2 * system.rows),
        ):
            value = np.where(self.free, scaled, self.value)[columns]
            exact = self.origin[columns] + value * system.width[columns]
            exact = np.where(system.integer[columns] & np.isfinite(exact), np.round(exact), exact)
            ends.append(
                np.where(
                    (own & self.free)[columns] & ~system.integer[columns], given[columns], exact
                )
            )
        return ends[0], ends[1]

    def _activity(self, matrix: Floats) -> tuple[Floats, Floats]:
        """The least and the largest value (R,) of rows within the bounds."""
        low, high = np.where(self.free, self.low, 0.0), np.where(self.free, self.high, 0.0)
        half = 0.5 * (high - low)
        if np.isfinite(half).all():
            middle, reach = matrix @ (low + half), np.abs(matrix) @ half
            return middle - reach, middle + reach
        down, up = np.minimum(matrix, 0.0), np.maximum(matrix, 0.0)
        return _times(up, low) + _times(down, high), _times(up, high) + _times(down, low)

    def _single(self) -> bool:
        """Rows of one column become bounds. Whether there were any."""
        single = (self.matrix != 0).sum(axis=1) == 1
        if not single.any():
            return False
        for i in np.nonzero(single)[0].tolist():
            j = int(np.nonzero(self.matrix[i])[0][0])
            sign, row = float(self.matrix[i, j]), int(self.rows[i])
            ends = self.row_low[i] / sign, self.row_high[i] / sign
            sides = self.system.rows + row, row
            if sign < 0:
                ends, sides = ends[::-1], sides[::-1]
            self._tighten(j, ends[0], ends[1], sides)
        stays = ~single
        self.rows, self.matrix = self.rows[stays], self.matrix[stays]
        self.row_low, self.row_high = self.row_low[stays], self.row_high[stays]
        return True

    def _tighten(self, j: int, low: float, high: float, sides: tuple[int, int]) -> None:
        if low > self.low[j]:
            self.low[j], self.low_side[j] = low, sides[0]
        if high < self.high[j]:
            self.high[j], self.high_side[j] = high, sides[1]

    def _forced(self) -> bool:
        """Columns that rows keep at a bound, since all others do what they can. Whether any."""
        found = False
        if not len(self.rows):
            return False
        least, most = self._activity(self.matrix)
        with np.errstate(invalid="ignore"):
            gaps = (self.row_high - least, most - self.row_low)
        for upper, gap in zip((True, False), gaps, strict=True):
            for i in np.nonzero(gap <= EQUAL)[0].tolist():
                room = max(gap[i], 0.0)
                for j in np.nonzero(self.matrix[i])[0].tolist():
                    reach = room / abs(self.matrix[i, j])
                    side = int(self.rows[i] + (0 if upper else self.system.rows))
                    if reach > EQUAL or self.high[j] - self.low[j] <= EQUAL:
                        continue
                    found = True
                    if (self.matrix[i, j] > 0) == upper:
                        self._tighten(j, -np.inf, self.low[j] + reach, (side, side))
                    else:
                        self._tighten(j, self.high[j] - reach, np.inf, (side, side))
        return found


def common_divisor(values: Floats) -> float:
    """The largest number that all of some numbers, not zero, are multiples of; 0 if there is none
    of at least a tenth of the smallest.

    Example:
        >>> common_divisor(np.array([0.2, -0.3, 1.0])).__round__(9)
        0.1
    """
    least = np.abs(values).min()
    for parts in range(1, 11):
        shares = values / least * parts
        if np.abs(shares - np.round(shares)).max() < 1e-9:
            return float(np.gcd.reduce(np.round(np.abs(shares)).astype(np.int64)) * least / parts)
    return 0.0


def _times(matrix: Floats, values: Floats) -> Floats:
    """The product (R,) of coefficients and values that may be infinite, where 0 times inf is 0."""
    finite = np.isfinite(values)
    product = matrix[:, finite] @ values[finite]
    for j in np.nonzero(~finite)[0]:
        sign = np.sign(matrix[:, j])
        product = product + np.where(sign > 0, values[j], np.where(sign < 0, -values[j], 0.0))
    return product


def parts_of(touches: Booleans) -> list[tuple[Integers, Integers]]:
    """The connected parts of rows and columns.

    Args:
        touches: (R, n), whether a row has a column.

    Returns:
        For each part its rows and its columns, in the order of the first column; columns without
        rows are parts of their own.

    Example:
        >>> touches = np.array([[True, False, True], [False, False, True]])
        >>> [(rows.tolist(), columns.tolist()) for rows, columns in parts_of(touches)]
        [([0, 1], [0, 2]), ([], [1])]
    """
    _, columns = touches.shape
    label = np.arange(columns)
    while True:
        of_row = np.where(touches, label, columns).min(axis=1, initial=columns)
        lowest = np.where(touches, of_row[:, None], columns).min(axis=0, initial=columns)
        better = np.minimum(label, lowest)
        if (better == label).all():
            break
        label = better
    of_row = np.where(touches, label, columns).min(axis=1, initial=columns)
    return [
        (np.nonzero(of_row == part)[0], np.nonzero(label == part)[0]) for part in np.unique(label)
    ]

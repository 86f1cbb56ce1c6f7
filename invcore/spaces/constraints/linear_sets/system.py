"""Linear constraints on columns, some of which are whole numbers, and whom each belongs to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_LARGEST = 1e6
INTERNAL = -1  # the owner of what no user wrote, and which is never given up


@dataclass(frozen=True, eq=False)
class LinearSystem:
    """The points x with row_low <= matrix x <= row_high and low <= x <= high, some x whole.

    Columns are design variables, one-hot columns of categories, or auxiliaries, such as indicators
    of levels, supports and conditions. ``LinearSystem.of`` fills in what is not given.

    What can bind is a *side*. There are 2M + 2n, in this order: the rows' upper sides, the rows'
    lower sides, the columns' upper bounds, the columns' lower bounds; see ``side_owner``.

    Args:
        matrix: (M, n).
        row_low: (M,), or -inf.
        row_high: (M,), or inf; equal to ``row_low`` for an equality.
        low: (n,), or -inf where the column is not whole.
        high: (n,), or inf where the column is not whole.
        integer: (n,), bool, which columns are whole numbers.
        owner: (M,), which of the user's constraints a row belongs to; -1 for rows that are never
            given up when a conflict is sought.
        weight: (n,), of each column in the squared distance: 1 for a design variable, 0.5 for a
            one-hot column, 0 for an auxiliary, whose values in points are then ignored.
        width: (n,), unit of each column in distances and in what counts as a violation; positive.
        low_owner: (n,), which of the user's constraints a lower bound is, or -1.
        high_owner: (n,), which of the user's constraints an upper bound is, or -1.
    """

    matrix: Floats
    row_low: Floats
    row_high: Floats
    low: Floats
    high: Floats
    integer: Booleans
    owner: Integers
    weight: Floats
    width: Floats
    low_owner: Integers
    high_owner: Integers

    @classmethod
    def of(
        cls,
        matrix: ArrayLike,
        row_low: ArrayLike,
        row_high: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        *,
        integer: ArrayLike | None = None,
        owner: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        width: ArrayLike | None = None,
        low_owner: ArrayLike | None = None,
        high_owner: ArrayLike | None = None,
    ) -> LinearSystem:
        """A system, checked, with defaults.

        Args:
            matrix: (M, n); anything empty where there are no rows.
            row_low: (M,).
            row_high: (M,).
            low: (n,).
            high: (n,).
            integer: (n,); none are whole by default.
            owner: (M,); by default row i belongs to constraint i.
            weight: (n,); 1 by default.
            width: (n,); by default high - low, and 1 where that is zero or infinite.
            low_owner: (n,); -1 by default.
            high_owner: (n,); that of the lower bound by default.

        Raises:
            ValueError: shapes that do not fit; NaN; infinite coefficients; an infinite bound of a
                whole number; widths that are not positive; negative weights.

        Example:
            >>> system = LinearSystem.of([[1.0, 1.0]], [1.0], [1.0], [0.0, 0.0], [1.0, 2.0])
            >>> system.width, system.violation(np.array([[0.5, 0.7]])).round(3)
            (array([1., 2.]), array([0.089]))
        """
        low, high = _vector(low), _vector(high)
        columns = len(low)
        matrix = np.asarray(matrix, dtype=np.float64)
        matrix = matrix.reshape(-1 if columns else len(_vector(row_low)), columns)
        span = high - low
        measurable = np.isfinite(span) & (span > 0)
        low_owner = np.full(columns, INTERNAL) if low_owner is None else _whole(low_owner)
        system = cls(
            matrix=matrix,
            row_low=_vector(row_low),
            row_high=_vector(row_high),
            low=low,
            high=high,
            integer=np.zeros(columns, np.bool_) if integer is None else _flags(integer),
            owner=np.arange(len(matrix)) if owner is None else _whole(owner),
            weight=np.ones(columns) if weight is None else _vector(weight),
            width=np.where(measurable, span, 1.0) if width is None else _vector(width),
            low_owner=low_owner,
            high_owner=low_owner if high_owner is None else _whole(high_owner),
        )
        system._check()
        return system

    def _check(self) -> None:
        rows, columns = self.matrix.shape
        for name, size in _SIZES.items():
            shape, wanted = getattr(self, name).shape, (rows if size == "M" else columns,)
            if shape != wanted:
                raise ValueError(f"{name} has the shape {shape}, not {wanted}")
        for name in ("row_low", "row_high", "low", "high"):
            if np.isnan(getattr(self, name)).any():
                raise ValueError(f"{name} has NaN in it")
        if not np.isfinite(self.matrix).all():
            raise ValueError("a coefficient of the matrix is not finite")
        if not np.isfinite(np.r_[self.low[self.integer], self.high[self.integer]]).all():
            raise ValueError("a column of whole numbers has an infinite bound")
        if not (np.isfinite(self.width) & (self.width > 0)).all():
            raise ValueError("widths must be positive and finite")
        if not (np.isfinite(self.weight) & (self.weight >= 0)).all():
            raise ValueError("weights must be finite and not negative")

    @property
    def rows(self) -> int:
        """How many rows there are, M."""
        return self.matrix.shape[0]

    @property
    def columns(self) -> int:
        """How many columns there are, n."""
        return self.matrix.shape[1]

    @property
    def imprecise(self) -> Booleans:
        """(n,), which columns have numbers so large, beside their widths, that rounding errors
        come near to what counts as a violation: a million times as large.
        """
        size = np.maximum(np.abs(_finite(self.low)), np.abs(_finite(self.high)))
        return size > _LARGEST * self.width

    @cached_property
    def row_norm(self) -> Floats:
        """(M,), the unit of each row's violations: its norm where columns have their widths."""
        movable = np.where(self.high > self.low, self.width, 0.0)
        norm = np.linalg.norm(self.matrix * movable, axis=1)
        numbers = np.maximum(np.abs(_finite(self.low)), np.abs(_finite(self.high)))
        size = np.abs(self.matrix) @ np.maximum(numbers, self.width)
        return np.where(norm > 1e-13 * size, norm, np.where(size > 0, size, 1.0))

    @cached_property
    def side_owner(self) -> Integers:
        """(2M + 2n,), whom each side belongs to."""
        return np.concatenate([self.owner, self.owner, self.high_owner, self.low_owner])

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """All owners but -1, in order."""
        return tuple(int(o) for o in np.unique(self.side_owner) if o != INTERNAL)

    def owners_of(self, sides: Booleans) -> tuple[int, ...]:
        """The owners, in order and without -1, of some sides.

        Args:
            sides: (2M + 2n,), bool, such as a row of ``Projected.binding``.
        """
        return tuple(int(o) for o in np.unique(self.side_owner[sides]) if o != INTERNAL)

    def violation(self, points: Floats) -> Floats:
        """By how much points (N, n) fail, in scaled units: the largest of all rows, of all bounds,
        and of the distances to whole numbers; 0 where nothing does: (N,).
        """
        values = points @ self.matrix.T
        worst = np.zeros(len(points))
        for gap in (
            (values - self.row_high) / self.row_norm,
            (self.row_low - values) / self.row_norm,
            (points - self.high) / self.width,
            (self.low - points) / self.width,
            np.abs(points - np.round(points))[:, self.integer],
        ):
            worst = np.maximum(worst, gap.max(axis=1, initial=0.0))
        return worst

    def keeping(self, owners: Collection[int]) -> LinearSystem:
        """Only what belongs to these owners, and what is internal.

        The bounds of others become infinite; those of whole numbers ten thousand widths wider.
        """
        kept = np.array(sorted({INTERNAL, *owners}))
        rows = np.isin(self.owner, kept)
        reach = np.where(self.integer, 1e4 * np.ceil(self.width), np.inf)
        return replace(
            self,
            matrix=self.matrix[rows],
            row_low=self.row_low[rows],
            row_high=self.row_high[rows],
            owner=self.owner[rows],
            low=np.where(np.isin(self.low_owner, kept), self.low, self.low - reach),
            high=np.where(np.isin(self.high_owner, kept), self.high, self.high + reach),
        )


_SIZES = {
    "row_low": "M",
    "row_high": "M",
    "owner": "M",
    "low": "n",
    "high": "n",
    "integer": "n",
    "weight": "n",
    "width": "n",
    "low_owner": "n",
    "high_owner": "n",
}


def _vector(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1)


def _whole(values: ArrayLike) -> Integers:
    return np.asarray(values, dtype=np.int64).reshape(-1)


def _flags(values: ArrayLike) -> Booleans:
    return np.asarray(values, dtype=np.bool_).reshape(-1)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, 0.0)

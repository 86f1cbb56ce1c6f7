"""Exact linear relations between columns: sums of mixtures, areas that add up."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from invcore.plugin import Config

Numbers = npt.NDArray[np.float64]

_EXACT = 1e-7  # of the terms' sizes: how far rows may be from a relation that is exact
_ROUNDED = 1e-3  # likewise, where rounding of the columns explains it
_FLAT = 1e-2  # singular value over the largest, below which a combination may be constant
_SMALL = 1e-4  # a coefficient that moves the sum by less than this share of the largest is none


class Relation(Config):
    """Columns that satisfy ``sum of coefficients × columns = value`` in every row.

    Args:
        coefficients: by column.
        value: of the sum.
        tolerance: the largest distance of a row from it.
    """

    coefficients: dict[str, float]
    value: float
    tolerance: float = 0.0

    def __str__(self) -> str:
        """As people write it.

        Example:
            >>> str(Relation(coefficients={"a": 1.0, "b": -2.0}, value=0.5))
            'a - 2 b = 0.5'
        """
        text = ""
        for name, factor in self.coefficients.items():
            sign = ("- " if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
            size = abs(factor)
            text += sign + ("" if size == 1 else f"{size:.6g} ") + name
        return f"{text} = {self.value:.6g}"


def exact_relations(x: Numbers, names: Sequence[str]) -> tuple[Relation, ...]:
    """The linear relations that all rows satisfy, as few columns in each as can be.

    Args:
        x: (N, D), finite, no column constant.
        names: of the columns.

    Example:
        >>> rows = np.random.default_rng(0).random((20, 2))
        >>> [str(r) for r in exact_relations(np.c_[rows, 1 - rows.sum(1)], ["a", "b", "c"])]
        ['a + b + c = 1']
    """
    count, width = x.shape
    if width < 2 or count < width + 3:
        return ()
    span = np.ptp(x, axis=0)
    unit = np.array([rounding(column) for column in x.T])
    found: list[Relation] = []
    for columns, factors in _combinations((x - x.mean(axis=0)) / span):
        relation = _relation(x[:, columns], factors / span[columns], unit[columns], span[columns])
        if relation is not None:
            nice, value, tolerance = relation
            coefficients = {names[c]: f for c, f in zip(columns, nice.tolist(), strict=True)}
            found.append(Relation(coefficients=coefficients, value=value, tolerance=tolerance))
    return tuple(found)


def rounding(column: Numbers) -> float:
    """The step to which a column's numbers are rounded; 0 where none is seen.

    Example:
        >>> rounding(np.array([0.1, 0.25, 3.0])), rounding(np.array([0.1, 1 / 3]))
        (0.01, 0.0)
    """
    for digits in range(-2, 7):
        step = 10.0**-digits
        if np.abs(column / step - np.round(column / step)).max() < 1e-6 * max(
            1.0, np.abs(column / step).max() * 1e-6
        ):
            return step
    return 0.0


def _combinations(z: Numbers) -> list[tuple[list[int], Numbers]]:
    """Combinations of columns (N, D), centred, that hardly vary: sparse, one pivot column each."""
    _, sizes, directions = np.linalg.svd(z, full_matrices=False)
    flat = directions[sizes <= _FLAT * sizes[0]]
    if not len(flat):
        return []
    # Reduced row echelon form: each relation has a column of its own, and few others
    rows, pivots = flat.copy(), []
    for i in range(len(rows)):
        rest = [j for j in range(z.shape[1]) if j not in pivots]
        block = np.abs(rows[i:][:, rest])
        if block.max() < _SMALL:
            return []
        best, column = np.unravel_index(block.argmax(), block.shape)
        pivot = rest[int(column)]
        rows[[i, i + best]] = rows[[i + best, i]]
        rows[i] /= rows[i, pivot]
        others = [k for k in range(len(rows)) if k != i]
        rows[others] -= rows[others][:, [pivot]] * rows[i]
        pivots.append(pivot)
    found = []
    for row in rows:
        columns = np.flatnonzero(np.abs(row) > _SMALL * np.abs(row).max()).tolist()
        if len(columns) > 1:
            found.append((columns, row[columns]))
    return found


def _relation(
    x: Numbers, start: Numbers, unit: Numbers, span: Numbers
) -> tuple[Numbers, float, float] | None:
    """Coefficients, value and tolerance, where the rows (N, C) satisfy such a relation."""
    pivot = int(np.abs(start * span).argmax())
    rest = [j for j in range(x.shape[1]) if j != pivot]
    design = np.c_[(x[:, rest] - x[:, rest].mean(0)) / span[rest], np.ones(len(x))]
    fit = np.linalg.lstsq(design, x[:, pivot], rcond=None)[0]
    factors = np.empty(x.shape[1])
    factors[pivot], factors[rest] = 1.0, -fit[:-1] / span[rest]
    for nice in (_nice(factors), factors):
        sums = x @ nice
        terms = float((np.abs(nice) * span).max())
        value = float(np.median(sums))
        off = float(np.abs(sums - value).max())
        whole = round(value, 9)
        if abs(whole - value) <= max(off, 1e-12 * terms):
            off, value = float(np.abs(sums - whole).max()), whole
        rounded = float((np.abs(nice) * unit).sum()) / 2 * 1.01
        if off <= _EXACT * terms or (unit.all() and off <= rounded <= _ROUNDED * terms * 50):
            return nice, value, off
    return None


def _nice(factors: Numbers) -> Numbers:
    """Coefficients of which the smallest is one, those next to simple fractions made such."""
    scaled = factors / np.abs(factors).min()
    scaled *= np.sign(scaled[0])
    result = scaled.copy()
    for i, value in enumerate(scaled):
        near = Fraction(float(value)).limit_denominator(12)
        if abs(float(near) - value) <= 1e-3 * abs(value):
            result[i] = float(near)
    return result

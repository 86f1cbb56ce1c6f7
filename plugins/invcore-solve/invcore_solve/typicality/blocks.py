"""Blocks of columns that move together: joined by exact relations, or nearly collinear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_COLLINEAR = 0.9  # correlation from which columns move together
_ROWS_A_COMBINATION = 3  # of a block's columns, from which on the combinations are its levels


@dataclass(frozen=True)
class Block:
    """Columns that move together.

    Args:
        columns: their positions.
        discrete: whether one of them has levels or categories, so that a design takes the block's
            values from one row as a whole, or by a step that leads from one row to another.
        stepped: whether there are such steps: all of its columns are numbers, and the rows do not
            show that it has levels as a whole, a few combinations with several rows each.
    """

    columns: tuple[int, ...]
    discrete: bool
    stepped: bool


def find_blocks(
    x: Numbers, discrete: Sequence[bool], numeric: Sequence[bool],
    related: Sequence[Sequence[int]],
) -> tuple[Block, ...]:  # fmt: skip
    """The blocks of a table's designs.

    Args:
        x: (N, Dx).
        discrete: for each column, whether it has levels or categories.
        numeric: for each column, whether its values are numbers that can be added.
        related: columns of each exact relation.

    Example:
        >>> a = np.random.default_rng(0).random((50, 2))
        >>> x = np.c_[a, 2 * a[:, 0]]
        >>> [b.columns for b in find_blocks(x, [False] * 3, [True] * 3, [[0, 2]])]
        [(0, 2), (1,)]
    """
    width = x.shape[1]
    scale = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    joined = np.abs(z.T @ z / len(z)) > _COLLINEAR
    joined &= np.outer(numeric, numeric)
    for columns in related:
        joined[np.ix_(columns, columns)] = True
    block = np.arange(width)
    for _ in range(width):  # the least number spreads through what is joined
        block = np.array([block[joined[i] | (np.arange(width) == i)].min() for i in range(width)])
    groups = [tuple(np.flatnonzero(block == number).tolist()) for number in np.unique(block)]
    blocks = []
    for group in groups:
        combinations = len(np.unique(x[:, list(group)], axis=0))
        stepped = len(group) > 1 and all(numeric[c] for c in group)
        stepped &= len(x) < _ROWS_A_COMBINATION * combinations
        blocks.append(Block(group, any(discrete[c] for c in group), stepped))
    return tuple(blocks)

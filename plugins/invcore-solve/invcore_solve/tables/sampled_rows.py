"""Rows of a very large table to learn from: drawn, with the extremes of its responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from invcore_solve.tables.raw_table import RawTable

MOST = 20_000
"""Rows that surrogates learn from, and that designs are mixed of."""
_EXTREMES = 100  # rows with the smallest and as many with the largest values of each response
_SHARE = 4  # of the rows that are kept, one in so many is an extreme at most


def sampled_rows(
    table: RawTable, responses: Sequence[str], seed: int, most: int = MOST
) -> RawTable:
    """A table of at most so many of the rows, in their order; one that is no larger is as it was.

    The rows with the smallest and the largest values of each response stay, since those are what
    is mostly wanted; the others are drawn with equal chances. A note of the table says so.

    Args:
        table: that was read.
        responses: names of columns.
        seed: of what is drawn.
        most: rows to keep.

    Example:
        >>> cells = (np.arange(50.0), np.arange(50.0) ** 2)
        >>> table = RawTable(("x", "y"), cells, "t.csv", np.arange(2, 52))
        >>> some = sampled_rows(table, ["y"], seed=0, most=8)
        >>> len(some), float(some.cells[1].min()), float(some.cells[1].max())
        (8, 0.0, 2401.0)
    """
    if len(table) <= most:
        return table
    kept = np.zeros(len(table), dtype=bool)
    count = max(1, min(_EXTREMES, most // (2 * _SHARE * max(1, len(responses)))))
    for name in responses[: most // (2 * _SHARE)]:
        values = table.column(name).values
        known = np.flatnonzero(~np.isnan(values))
        order = known[np.argsort(values[known], kind="stable")]
        kept[order[:count]] = kept[order[-count:]] = True
    others = np.flatnonzero(~kept)
    random = np.random.default_rng([seed, len(table)])
    kept[random.choice(others, most - int(kept.sum()), replace=False)] = True
    said = (
        f"Of {len(table):,} rows {most:,} are learnt from, drawn by the seed {seed}; those with "
        f"the {count} smallest and largest values of each response are among them."
    )
    return replace(table.take(kept), notes=(*table.notes, said))

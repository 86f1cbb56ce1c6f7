"""Which rows of a table stand for all of them."""

import torch
from torch import Tensor

MOST = 4096
"""Rows that are kept: enough for kernels, cheap to compare with every target."""
_ENDS = 64  # lowest and highest rows of each column, which goals and edges ask for
_ALL_ENDS = 1024


def kept_rows(columns: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows at the ends of each column, and others at random: at most 4,096 of them.

    Args:
        columns: (N, D).
        generator: draws among the rows that are at no end.

    Returns:
        Their places (M,), in order; and for how many rows each stands (M,), float64.

    Example:
        >>> rows, stands_for = kept_rows(torch.arange(10_000.0)[:, None], torch.Generator())
        >>> len(rows), int(rows[0]), int(rows[-1]), round(float(stands_for.sum()))
        (4096, 0, 9999, 10000)
    """
    count = len(columns)
    if count <= MOST:
        return torch.arange(count), torch.ones(count, dtype=torch.float64)
    each = max(1, min(_ENDS, _ALL_ENDS // (2 * columns.shape[1])))
    order = columns.argsort(dim=0, stable=True)
    at_end = torch.zeros(count, dtype=torch.bool)
    at_end[order[:each].flatten()] = True
    at_end[order[-each:].flatten()] = True
    others = (~at_end).nonzero()[:, 0]
    more = MOST - int(at_end.sum())
    drawn = others[torch.randperm(len(others), generator=generator)[:more]]
    stands_for = torch.zeros(count, dtype=torch.float64)
    stands_for[drawn] = len(others) / len(drawn)
    stands_for[at_end] = 1.0
    rows = stands_for.nonzero()[:, 0]
    return rows, stands_for[rows]

"""The order in which the direct solver eliminates: blocks of pixels, then blocks of blocks."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from invcore.plugin import ShapeError
from invcore_architecture.element import CASES, DOFS

LEAF = 4  # pixels on a side of the smallest block

Node = tuple[int, int]  # column, row


@dataclass(frozen=True)
class Merge:
    """How four square blocks make one of twice the side.

    Args:
        interior: variables of the new block that no other block shares; they come first.
        pinned: variables after those that are fixed at zero, since a periodic cell can float.
        size: all variables of the new block, the three mean strains last.
        places: (4, M), the variables of each old block among the new ones.
        rows: new blocks on a side of the cell.
        first: (size²), for each entry of the new matrix one of the old ones that it sums, counted
            from the first entry of the lower left old block, row by row of blocks.
        filled: (size²), 1 where there is such an entry, else 0.
        to, extra: (E,) each, the further entries: new ones, and old ones to be added there.
    """

    interior: int
    pinned: int
    size: int
    places: Tensor
    rows: int
    first: Tensor
    filled: Tensor
    to: Tensor
    extra: Tensor


@dataclass(frozen=True)
class Blocks:
    """The whole order for one size of cell.

    Args:
        side: pixels on a side of the cell.
        elements: (LEAF², 11), the variables of each pixel among those of the smallest block.
        interior: variables of the smallest block that no other block shares; they come first.
        size: all variables of the smallest block.
        merges: from small to large; the last makes the periodic cell.
    """

    side: int
    elements: Tensor
    interior: int
    size: int
    merges: tuple[Merge, ...]


@lru_cache(maxsize=8)
def blocks(side: int, device: torch.device) -> Blocks:
    """The order for cells of ``side`` × ``side`` pixels, on a device.

    Raises:
        ShapeError: the side is no power of two from 8 on.
    """
    if side < 2 * LEAF or side & (side - 1):
        raise ShapeError(
            f"cells of {side} by {side} pixels: the direct solver takes sides of 8, 16, 32, 64, …; "
            f"use the solver 'fft'"
        )
    inner = [(i, j) for i in range(1, LEAF) for j in range(1, LEAF)]
    nodes = inner + _ring(LEAF)
    elements = [
        _variables([(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)], nodes)
        for j in range(LEAF)
        for i in range(LEAF)
    ]
    merges, half = [], LEAF
    while 2 * half < side:
        merges.append(_merge(half, side // (2 * half), device, periodic=False))
        half *= 2
    merges.append(_merge(half, 1, device, periodic=True))
    size = 2 * len(nodes) + CASES
    places = torch.tensor(elements, device=device)
    assert places.shape == (LEAF**2, DOFS + CASES)
    return Blocks(side, places, 2 * len(inner), size, tuple(merges))


def _ring(side: int) -> list[Node]:
    """The nodes on the border of a block, in the order in which all blocks keep them."""
    every = [(i, j) for j in range(side + 1) for i in range(side + 1)]
    return [(i, j) for i, j in every if i in (0, side) or j in (0, side)]


def _variables(subset: list[Node], nodes: list[Node]) -> list[int]:
    """Where the displacements of some nodes, and the mean strains, are among all variables."""
    place = {node: k for k, node in enumerate(nodes)}
    total = 2 * len(nodes)
    moved = [2 * place[node] + way for node in subset for way in (0, 1)]
    return moved + list(range(total, total + CASES))


def _merge(half: int, rows: int, device: torch.device, *, periodic: bool) -> Merge:
    """Four blocks of side ``half`` make one, which is the whole cell if ``periodic``.

    There are ``rows`` new blocks on a side of the cell.
    """
    side, pinned = 2 * half, 0
    if periodic:
        cross = [(i, j) for j in range(side) for i in range(side) if i % half == 0 or j % half == 0]
        nodes = cross[1:] + cross[:1]  # the corner of the cell stays where it is
        interior, pinned = 2 * len(nodes) - 2, 2
    else:
        inside = range(1, side)
        inner = [(i, j) for j in inside for i in inside if half in (i, j)]
        nodes, interior = inner + _ring(side), 2 * len(inner)
    wrap = side if periodic else side + 1
    places = torch.tensor(
        [
            _variables([((i + a) % wrap, (j + b) % wrap) for i, j in _ring(half)], nodes)
            for b in (0, half)
            for a in (0, half)
        ]
    )
    size = 2 * len(nodes) + CASES
    entries = (places[:, :, None] * size + places[:, None, :]).flatten()
    order = torch.arange(len(entries))
    first = torch.full((size * size,), len(entries))
    first.scatter_reduce_(0, entries, order, "amin")
    extra = order[first[entries] != order]
    filled = first < len(entries)
    # The four are no neighbours in memory: two each of two rows of old blocks.
    of_one = places.shape[1] ** 2
    corner = torch.tensor([0, 1, 2 * rows, 2 * rows + 1]) * of_one
    where = corner[order // of_one] + order % of_one
    first = torch.where(filled, where[first.clamp(max=len(entries) - 1)], 0)
    tensors = (first, filled.double(), entries[extra], where[extra])
    return Merge(
        interior, pinned, size, places.to(device), rows, *(tensor.to(device) for tensor in tensors)
    )

"""The modes of sine-wave: the connected pieces of {x in [-1, 1]² : sin(3πx1) + cos(3πx2) = y*}.

They are found exactly. The sine has its turning points at x1 = ±1/6, ±1/2, ±5/6, the cosine at
x2 = 0, ±1/3, ±2/3: these lines, with the box's sides, make 7 x 6 cells in each of which both terms
are monotone. So

* a cell holds a solution if and only if y* lies between its smallest and its largest corner;
* all solutions in a cell are then one arc: x2 is a monotone function of x1 on an interval;
* two neighbours' arcs meet if and only if y* lies between the two ends of their common edge, since
  on the edge the system is monotone as well; four at a corner whose value is y*.

The corners' values are whole numbers, known without rounding. Joining the cells along such edges
and corners (union-find) therefore gives the number of pieces without error, for any y*.
"""

from functools import cache

import torch
from torch import Tensor

from invcore.plugin import Modes

# Sixths: all knots are whole numbers of them.
_KNOTS_1 = (-6, -5, -3, -1, 1, 3, 5, 6)
_KNOTS_2 = (-6, -4, -2, 0, 2, 4, 6)
_SINE = (0, -1, 1, -1, 1, -1, 1, 0)  # sin(3π knot / 6)
_COSINE = (-1, 1, -1, 1, -1, 1, -1)  # cos(3π knot / 6)
_ROWS, _COLUMNS = len(_KNOTS_1) - 1, len(_KNOTS_2) - 1
_LEVELS = (-2, -1, 0, 1, 2)  # the corners' values: between two of them nothing changes


@cache
def _pieces(level: float) -> tuple[int, tuple[int, ...]]:
    """The number of pieces, and the piece of each cell, row by row; -1 for a cell without."""
    value = [[s + c for c in _COSINE] for s in _SINE]
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(cell: tuple[int, int]) -> tuple[int, int]:
        while parent[cell] != cell:
            cell = parent[cell]
        return cell

    def join(cells: list[tuple[int, int]]) -> None:
        inside = [cell for cell in cells if cell in parent]
        for cell in inside[1:]:
            parent[root(cell)] = root(inside[0])

    for i in range(_ROWS):
        for j in range(_COLUMNS):
            corners = [value[i + a][j + b] for a in (0, 1) for b in (0, 1)]
            if min(corners) <= level <= max(corners):
                parent[i, j] = (i, j)
    for i in range(_ROWS + 1):
        for j in range(_COLUMNS + 1):
            if value[i][j] == level:
                join([(i - 1, j - 1), (i - 1, j), (i, j - 1), (i, j)])
            if j < _COLUMNS and _between(level, value[i][j], value[i][j + 1]):
                join([(i - 1, j), (i, j)])
            if i < _ROWS and _between(level, value[i][j], value[i + 1][j]):
                join([(i, j - 1), (i, j)])
    number: dict[tuple[int, int], int] = {}
    for cell in parent:
        number.setdefault(root(cell), len(number))
    cells = [(i, j) for i in range(_ROWS) for j in range(_COLUMNS)]
    return len(number), tuple(number[root(c)] if c in parent else -1 for c in cells)


def _between(level: float, a: int, b: int) -> bool:
    return min(a, b) <= level <= max(a, b)


def sine_modes(targets: Tensor, designs: Tensor) -> Modes:
    """The connected pieces of the solution set of each target, and those that designs are on.

    A design is on the piece of its cell's arc. Where its cell holds no solution, or outside the
    box, it is on none.

    Args:
        targets: (B, 1).
        designs: (B, K, 2).

    Example:
        >>> sine_modes(torch.tensor([[-0.3], [2.0], [2.5]]), torch.zeros(3, 1, 2)).count
        tensor([16,  9,  0])
    """
    y = targets[:, 0].detach().double().cpu()
    levels = torch.tensor(_LEVELS, dtype=torch.float64)
    below = torch.searchsorted(levels, y)  # how many levels are below y*
    exact = (y[:, None] == levels).any(dim=1)
    count, piece = [], []
    for number, same in zip(below.tolist(), exact.tolist(), strict=True):
        # One value stands for all between two levels; 2.5 and -2.5 for those out of reach.
        level = float(_LEVELS[number]) if same else number - 2.5
        pieces = _pieces(level)
        count.append(pieces[0])
        piece.append(pieces[1])
    inside = ((designs >= -1) & (designs <= 1)).all(dim=2)  # NaN is not
    sixths = torch.where(inside[..., None], designs.double(), 0.0) * 6
    row = _cell(sixths[..., 0], _KNOTS_1)
    column = _cell(sixths[..., 1], _KNOTS_2)
    table = torch.tensor(piece, device=designs.device).reshape(len(y), _ROWS * _COLUMNS)
    label = table.gather(1, row * _COLUMNS + column)
    return Modes(
        torch.tensor(count, dtype=torch.long, device=designs.device),
        torch.where(inside, label, -1),
    )


def _cell(values: Tensor, knots: tuple[int, ...]) -> Tensor:
    """Which interval between two knots holds each value."""
    inner = torch.tensor(knots[1:-1], dtype=values.dtype, device=values.device)
    return torch.searchsorted(inner, values.contiguous())

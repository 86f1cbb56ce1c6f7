"""Where searches are: between the coordinates that move and whole designs."""

from typing import Literal

import torch
from torch import Tensor

from invcore.plugin import Space
from invcore_optimisers.coordinates import Coordinates

Moves = Literal["continuous", "numbers"]


class Placement:
    """N searches in a space, each with a start that has all variables, and those that move.

    Args:
        designs: the space.
        starts: (N, Dx), designs.
        moves: ``continuous``: other variables stay as the start has them; ``numbers``: whole
            numbers move too, rounded when simulated, and categories stay.
    """

    def __init__(self, designs: Space, starts: Tensor, moves: Moves = "continuous") -> None:
        self._designs, self._fixed = designs, starts.detach().double()
        self.movable = movable(designs, moves)
        """The positions of variables that move, long (D,)."""
        self._all = len(self.movable) == designs.dim
        self._rounds = bool(designs.whole[self.movable].any())
        self.coordinates = Coordinates(designs, self.movable)
        """Between points and designs."""
        self.start = self.points(self._fixed)
        """The starts as points (N, D)."""

    def points(self, designs: Tensor) -> Tensor:
        """The points (M, D) of designs (M, Dx)."""
        return self.coordinates.points(designs[:, self.movable])

    def whole(self, z: Tensor, rows: Tensor) -> Tensor:
        """The designs (M, Dx) of points (M, D) of the searches ``rows`` (M,): with constraints, the
        nearest allowed ones.
        """
        moved = self.coordinates.designs(z)
        if not self._all:
            moved = self._fixed[rows].index_copy(1, self.movable, moved)
        if self._designs.constraints:  # with the slopes of what was moved to the nearest allowed
            return self._designs.project(moved.detach()) + (moved - moved.detach())
        return self._designs.rounded(moved) if self._rounds else moved

    def allowed(self, z: Tensor, rows: Tensor) -> Tensor:
        """The same, inside the bounds whatever rounding does; without a gradient."""
        return self._designs.project(self.whole(z.detach(), rows))


def movable(designs: Space, moves: Moves) -> Tensor:
    """The positions of variables that move, long."""
    stays = [bool(v.categories) or (v.whole and moves == "continuous") for v in designs.variables]
    return torch.tensor([i for i, stay in enumerate(stays) if not stay], dtype=torch.long)

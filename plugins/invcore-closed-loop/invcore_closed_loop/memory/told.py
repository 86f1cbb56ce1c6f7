"""What the loop was told: rows in the order in which they came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from invcore_closed_loop.arrays import Array, Flags, Places

NOBODY = -1


@dataclass
class Told:
    """Rows with their responses.

    Args:
        x: (N, D), designs as they were made.
        u: (N, D), their coordinates.
        y: (N, Dy), responses; NaN where they are unknown.
        owner: (N,), the target whose context a row has; -1 where nobody asked for it.
    """

    x: Array
    u: Array
    y: Array
    owner: Places

    @classmethod
    def nothing(cls, designs: int, responses: int) -> Told:
        """No rows."""
        empty = np.empty((0, designs))
        return cls(empty, empty.copy(), np.empty((0, responses)), np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.x)

    def add(self, x: Array, u: Array, y: Array, owner: Places) -> None:
        """Further rows."""
        self.x, self.u = np.concatenate([self.x, x]), np.concatenate([self.u, u])
        self.y, self.owner = np.concatenate([self.y, y]), np.concatenate([self.owner, owner])

    @property
    def whole(self) -> Flags:
        """Which rows have all responses (N,)."""
        return np.asarray(np.isfinite(self.y).all(axis=1))

    @property
    def failed(self) -> Flags:
        """Which rows have no response at all (N,)."""
        return np.asarray(~np.isfinite(self.y).any(axis=1))

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        return {
            "x": torch.from_numpy(self.x.copy()), "u": torch.from_numpy(self.u.copy()),
            "y": torch.from_numpy(self.y.copy()), "owner": torch.from_numpy(self.owner.copy()),
        }  # fmt: skip

    @classmethod
    def of(cls, state: dict[str, Tensor], prefix: str) -> Told:
        """The rows that ``state`` came from."""
        return cls(*(state[f"{prefix}{name}"].numpy().copy() for name in ("x", "u", "y", "owner")))

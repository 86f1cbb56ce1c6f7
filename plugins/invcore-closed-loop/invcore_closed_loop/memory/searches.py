"""Where the search for each target stands."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from invcore_closed_loop.arrays import Array, Flags, Places

FIRST_BOX = 0.3
NONE = -1


@dataclass
class Searches:
    """T searches.

    Args:
        error: (T,), of the best row; infinite where there is none.
        row: (T,), the best row; -1 where there is none.
        box: (T,), half the width of the box around the best row that near steps stay in.
        failures: (T,), steps since the error was last halved.
        slopes: (T, Dy, D), of the responses at the best row, as Broyden's updates have them; NaN
            where they are to be taken from the surrogate.
        asked: (T,), rows that were asked for.
        closed: (T,), whether nothing more is to be gained.
        hopeless: (T,), steps in turn from which next to nothing was expected.
    """

    error: Array
    row: Places
    box: Array
    failures: Places
    slopes: Array
    asked: Places
    closed: Flags
    hopeless: Places

    @classmethod
    def begin(cls, count: int, responses: int, designs: int) -> Searches:
        """None has any row."""
        return cls(
            np.full(count, np.inf), np.full(count, NONE), np.full(count, FIRST_BOX),
            np.zeros(count, dtype=np.int64), np.full((count, responses, designs), np.nan),
            np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool),
            np.zeros(count, dtype=np.int64),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.error)

    @property
    def sloped(self) -> Flags:
        """Which have slopes of their own (T,)."""
        return np.asarray(~np.isnan(self.slopes[:, 0, 0]))

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        return {f.name: torch.from_numpy(getattr(self, f.name).copy()) for f in fields(self)}

    @classmethod
    def of(cls, state: dict[str, Tensor], prefix: str) -> Searches:
        """The searches that ``state`` came from."""
        return cls(*(state[f"{prefix}{f.name}"].numpy().copy() for f in fields(cls)))

"""What designs cost for targets, and for exact responses how much."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from invcore_solve.proposals.judged import Judged

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

CAUTION = 0.25
"""How much the variance of a response counts beside its squared distance from the target. With 1 it
would be the expected squared distance, which prefers designs whose response is sure over those
whose response is right; that was measured to be worse."""


class Aim(ABC):
    """B targets, and what judged designs cost for each: less is better."""

    beyond: bool = False
    """Whether better designs may lie beyond the rows rather than between them."""

    @abstractmethod
    def __len__(self) -> int:
        """B."""

    @abstractmethod
    def costs(self, designs: Judged, rows: slice) -> Numbers:
        """Of N designs for the targets of a slice (b, N)."""

    @abstractmethod
    def own_costs(self, designs: Judged, owner: Places) -> Numbers:
        """Of N designs, each for its own target (N,)."""


@dataclass(frozen=True)
class ExactAim(Aim):
    """Squared distances of expected responses from exact ones, and ``CAUTION`` times variances.

    Args:
        targets: (B, Dy).
        scale: (Dy,), in which distances count.
    """

    targets: Numbers
    scale: Numbers

    def __len__(self) -> int:
        return len(self.targets)

    def costs(self, designs: Judged, rows: slice) -> Numbers:
        """Of N designs for the targets of a slice (b, N)."""
        targets, scale = self.targets[rows], self.scale
        own = CAUTION * np.square(designs.std / scale).mean(axis=1)
        total = np.broadcast_to(own, (len(targets), len(designs)))
        for i in range(targets.shape[1]):
            away = (designs.mean[:, i] - targets[:, [i]]) / scale[i]
            total = total + np.square(away) / targets.shape[1]
        return total

    def own_costs(self, designs: Judged, owner: Places) -> Numbers:
        """Of N designs, each for its own target (N,)."""
        away = (designs.mean - self.targets[owner]) / self.scale
        return (np.square(away) + CAUTION * np.square(designs.std / self.scale)).mean(axis=1)

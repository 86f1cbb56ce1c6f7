"""What responses the data reach: a box, and how sparse the rows are in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.learning import Normaliser
from invcore.plugin import (
    DataError,
    Pairs,
    Space,
    generator,
)


@dataclass(frozen=True)
class Reach:
    """Which responses the data reach: a box, and how sparse the data are in it.

    Args:
        low: (Dy,).
        high: (Dy,).
        y: normaliser of responses.
        points: (M, Dy), some of the responses, scaled.
        gap: largest distance from a response to its nearest other, scaled.
    """

    low: Tensor
    high: Tensor
    y: Normaliser
    points: Tensor
    gap: float

    @classmethod
    def of(cls, pairs: Pairs, seed: int) -> Reach:
        """From the data, with at most 2,000 rows of it."""
        rows = torch.randperm(len(pairs), generator=generator(seed, "reach"))[:2000]
        y = Normaliser.standard(pairs.y)
        points = y(pairs.y[rows])
        apart = torch.cdist(points, points).fill_diagonal_(torch.inf).amin(dim=1)
        return cls(pairs.y.amin(0), pairs.y.amax(0), y, points, float(apart.max()))

    def problem(self, target: Tensor, names: Sequence[str]) -> str:
        """Why a target (Dy,) is out of reach; empty if it is not."""
        for name, value, low, high in zip(names, target, self.low, self.high, strict=True):
            if not low <= value <= high:
                return f"{name} = {value:g} is outside the data's {low:g} to {high:g}"
        nearest = float(torch.cdist(self.y(target)[None], self.points).min())
        if nearest > self.gap:
            return (
                f"its nearest row is {nearest:.2g} standard deviations away, "
                f"rows lie at most {self.gap:.2g} apart"
            )
        return ""

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        return {
            "low": self.low,
            "high": self.high,
            **self.y.state(""),
            "known": self.points,
            "gap": torch.tensor(self.gap, dtype=torch.float64),
        }

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> Reach:
        """The reach that ``state`` came from."""
        y = Normaliser.restore(state, "")
        return cls(state["low"], state["high"], y, state["known"], float(state["gap"]))


def check_reach(reach: Reach, targets: Tensor, responses: Space, extrapolate: bool) -> list[str]:
    """For each target (B, Dy), why the data do not reach it, or an empty text.

    Raises:
        DataError: one is out of reach, and ``extrapolate`` is off; up to three are named.
    """
    notes = [reach.problem(target, responses.names) for target in targets]
    far = [(i + 1, note) for i, note in enumerate(notes) if note]
    if far and not extrapolate:
        reasons = "; ".join(f"target {number}: {note}" for number, note in far[:3])
        more = f" (and {len(far) - 3} more)" if len(far) > 3 else ""
        raise DataError(
            f"out of the data's reach: {reasons}{more}",
            remedy="extrapolate=True tries all the same",
        )
    return notes

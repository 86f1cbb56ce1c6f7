"""Designs with the judge's opinion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import FittedJudge

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_NORMAL = 1.6448536269514722  # half-width of a normal's 90%, in standard deviations


@dataclass(frozen=True)
class Judged:
    """Designs and what the judge expects of them.

    Args:
        x: (N, Dx).
        mean: (N, Dy).
        std: (N, Dy), of the true response around it.
    """

    x: Numbers
    mean: Numbers
    std: Numbers

    @classmethod
    def by(cls, judge: FittedJudge, x: Numbers) -> Judged:
        """Ask the judge."""
        width = torch.from_numpy(np.ascontiguousarray(x))
        verdict = judge.predict(width)
        std = verdict.error / _NORMAL if verdict.std is None else verdict.std
        return cls(x, verdict.response.numpy(), std.numpy())

    def __len__(self) -> int:
        return len(self.x)

    def rows(self, keep: Places) -> Judged:
        """Some of them."""
        return Judged(self.x[keep], self.mean[keep], self.std[keep])


def joined(parts: list[Judged]) -> Judged:
    """One below the other."""
    return Judged(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("x", "mean", "std")))

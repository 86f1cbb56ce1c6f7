"""Designs with the judge's opinion, and what each costs for a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import FittedJudge

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

CAUTION = 0.25
"""How much the variance of a response counts beside its squared distance from the target. With 1 it
would be the expected squared distance, which prefers designs whose response is sure over those
whose response is right; that was measured to be worse."""

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

    def cost(self, targets: Numbers, scale: Numbers) -> Numbers:
        """Squared distance of each expected response from each target, and ``CAUTION`` times its
        variance (B, N).

        Args:
            targets: (B, Dy).
            scale: (Dy,), in which distances count.
        """
        own = CAUTION * np.square(self.std / scale).mean(axis=1)
        total = np.broadcast_to(own, (len(targets), len(self)))
        for i in range(targets.shape[1]):
            away = (self.mean[:, i] - targets[:, [i]]) / scale[i]
            total = total + np.square(away) / targets.shape[1]
        return total


def joined(parts: list[Judged]) -> Judged:
    """One below the other."""
    return Judged(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("x", "mean", "std")))

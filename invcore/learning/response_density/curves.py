"""Curves: responses so many that they hang together, drawn by their principal scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.contracts.problem import Targets

WIDTH = 0.3
"""Of kernels, in those of Scott's rule: it is for one hump, and responses have many."""
SCORES = 8
"""Principal scores, which numbers of the unit cube move."""
_NEAREST = 32  # curves to begin with, those that violate a target least
_STEPS = 15
_DAMPING = 1e-3  # of the mean diagonal of what is solved
_NUMBERS = 1 << 22  # held at once


@dataclass(frozen=True)
class Curves:
    """Training curves and the directions along which they vary most.

    Args:
        y: (M, Dy), curves.
        basis: (S, Dy), how a curve changes with each score, in its own units; orthogonal, and as
            long as a standard deviation of the score.
        scores: (M, S), of mean zero and variance one.
    """

    y: Tensor
    basis: Tensor
    scores: Tensor

    @classmethod
    def of(cls, y: Tensor) -> Curves:
        """Principal components of curves (M, Dy), at most eight."""
        away = y - y.mean(dim=0)
        count = min(SCORES, *y.shape)
        _, values, vectors = torch.linalg.svd(_thinned(away), full_matrices=False)
        vectors = vectors[:count]
        raw = away @ vectors.T
        deviation = raw.std(dim=0, correction=0)
        deviation = torch.where(values[:count] > 1e-12 * values[:1], deviation, 0.0)
        scores = torch.where(deviation > 0, raw / torch.where(deviation > 0, deviation, 1.0), 0.0)
        return cls(y, vectors * deviation[:, None], scores)

    def draw(
        self, targets: Targets, points: Tensor, context: Callable[[Targets], Tensor]
    ) -> Tensor:
        """Curves (B, K, Dy) near training ones that are moved to where targets are met.

        Args:
            targets: B of them.
            points: (B, K, 1 + S), in the unit cube: which curve, and how its scores are shifted.
            context: log weights (B, M) of the curves by what is known of the problems.

        References:
            Nocedal, Wright, Numerical Optimization, 2006, chapter 10 (Gauss-Newton).
        """
        parts = []
        rows = max(len(self.y), SCORES * points.shape[1])
        step = max(1, _NUMBERS // max(1, rows * self.y.shape[1]))
        for begin in range(0, len(targets), step):
            some = slice(begin, begin + step)
            part, own = targets[some], points[some]
            error = part.error(self.y.expand(len(part), *self.y.shape)) - context(part)
            near = error.topk(min(_NEAREST, len(self.y)), dim=1, largest=False).indices
            place = (own[..., 0] * near.shape[1]).long().clamp(max=near.shape[1] - 1)
            y = self.y[near.gather(1, place)]
            width = WIDTH * len(self.y) ** (-1 / (len(self.basis) + 4))
            shift = width * torch.special.ndtri(own[..., 1 : 1 + len(self.basis)])
            parts.append(self._moved(part, y + shift @ self.basis))
        empty = self.y.new_empty(0, points.shape[1], self.y.shape[1])
        return torch.cat([empty, *parts])

    def _moved(self, targets: Targets, y: Tensor) -> Tensor:
        """Damped Gauss-Newton steps of the scores towards where curves (B, K, Dy) violate least."""
        weight = torch.where(targets.wanted, targets.weight.double(), 0.0)
        weight = (weight / targets.scale.double().square())[:, None]  # (B, 1, Dy)
        best, least = y, targets.error(y)
        count = len(self.basis)
        for _ in range(_STEPS):
            violation = targets.violation(y)
            counts = torch.where(violation != 0, weight, 0.0)
            # A point that is wanted exactly is violated, or just met: it stays where it is
            counts = torch.where((targets.low == targets.high)[:, None], weight, counts)
            normal = torch.einsum("sd,bkd,td->bkst", self.basis, counts, self.basis)
            gradient = torch.einsum("sd,bkd->bks", self.basis, counts * violation)
            size = normal.diagonal(dim1=2, dim2=3).mean(dim=2)
            damping = (_DAMPING * size + torch.finfo(y.dtype).tiny)[..., None, None]
            damped = normal + damping * torch.eye(count, dtype=y.dtype)
            step = torch.linalg.solve(damped, gradient[..., None])[..., 0]
            y = y - step @ self.basis
            error = targets.error(y)
            best = torch.where((error < least)[..., None], y, best)
            least = torch.minimum(error, least)
            if not bool(least.any()):
                break
        return best


def _thinned(rows: Tensor) -> Tensor:
    """Rows (M, Dy) with the same principal components, no more than there are columns."""
    return torch.linalg.qr(rows, mode="r").R if len(rows) > rows.shape[1] else rows

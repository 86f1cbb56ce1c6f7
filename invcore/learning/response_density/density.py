"""A density over responses: kernels on the training ones, and draws of it inside intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from invcore.base.errors import DataError, ShapeError
from invcore.contracts.problem import Targets
from invcore.data.pairs import Pairs, flat
from invcore.learning.response_density.curves import SCORES, WIDTH, Curves
from invcore.learning.response_density.kept_rows import kept_rows
from invcore.numerics.truncated_normal import log_mass, quantile

MANY = 16
"""Responses beyond which they are a curve, whose principal scores are drawn."""
MOST = 0.8
"""Of half an interval's width: the most by which it is narrowed for draws."""
_NUMBERS = 1 << 22  # held at once
_THINNEST = 1e-9  # of a response's size: the width of a kernel on a constant one


@dataclass(frozen=True)
class ResponseDensity:
    """Kernels on training responses: normal ones, each response by itself.

    Args:
        y: (M, Dy), float64, training responses; at most 4,096.
        stands_for: (M,), how many training pairs each stands for.
        context: (M, C), what was known of each one's problem; C = 0 for nothing.
        spread: (Dy,), standard deviations of all training responses.

    References:
        Scott, Multivariate density estimation, Wiley 1992, section 6.3.

    Example:
        >>> from invcore.spaces.space import Space
        >>> from invcore.spaces.specification import Requirement, Specification
        >>> y = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
        >>> density = ResponseDensity.fit(Pairs(y, y), torch.Generator())
        >>> responses = Space.model_validate({"variables": [{"name": "gap"}]})
        >>> wanted = Specification.of(gap=Requirement(low=0.4, high=0.5))
        >>> points = torch.tensor([[[0.2, 0.5], [0.8, 0.5]]]).double()
        >>> density.draw(Targets.of([wanted], responses), points)[0, :, 0].round(decimals=2)
        tensor([0.4300, 0.4700], dtype=torch.float64)
    """

    y: Tensor
    stands_for: Tensor
    context: Tensor
    spread: Tensor

    @classmethod
    def fit(cls, pairs: Pairs, generator: torch.Generator) -> ResponseDensity:
        """From training pairs, of which those with all responses count.

        Args:
            pairs: to learn from.
            generator: draws among them, where there are more than are kept.

        Raises:
            DataError: no pair has all responses.
        """
        known = pairs.whole()
        if not len(known):
            raise DataError("no pair has all responses: nothing tells which ones go together")
        y = known.y.detach().cpu().double()
        context = flat(known.context, len(known)).detach().cpu().double()
        columns = y if y.shape[1] <= MANY else Curves.of(y).scores
        rows, stands_for = kept_rows(columns, generator)
        spread = y.std(dim=0, correction=0)
        return cls(y[rows].clone(), stands_for, context[rows].clone(), spread)

    @property
    def point_dim(self) -> int:
        """How many numbers of the unit cube drive one draw."""
        responses = self.y.shape[1]
        return 1 + (responses if responses <= MANY else SCORES)

    def draw(self, targets: Targets, points: Tensor, shrink: Tensor | float = 0.0) -> Tensor:
        """Responses that meet targets, as training responses do that meet them.

        Where none does, they are such as the nearest ones come to when they are moved inside.
        Responses that may have any value go with the others. Of curves, what is drawn is close to
        training curves first, and meets the target as well as eight principal scores can.

        Args:
            targets: B of them.
            points: (B, K, ``point_dim``) in the open unit cube: the only source of randomness.
            shrink: (Dy,), by how much draws stay away from the ends of intervals, in the
                responses' own units; at most 0.8 of half the width.

        Returns:
            (B, K, Dy), float64.

        Raises:
            ShapeError: sizes do not match.
        """
        expected = (len(targets), self.point_dim)
        if points.ndim != 3 or (len(points), points.shape[2]) != expected:
            raise ShapeError(
                f"points: expected ({expected[0]}, K, {expected[1]}), got {tuple(points.shape)}"
            )
        if targets.low.shape[1] != self.y.shape[1]:
            raise ShapeError(
                f"targets: expected (B, {self.y.shape[1]}), got {tuple(targets.low.shape)}"
            )
        points = points.detach().cpu().double()
        targets = targets.to(torch.device("cpu")).measured_in(self.spread)
        by = torch.as_tensor(shrink, dtype=torch.float64).expand(self.y.shape[1])
        targets = targets.narrowed(by, MOST)
        if self._curves is not None:
            return self._curves.draw(targets, points, self._context_weights)
        parts = []
        step = max(1, _NUMBERS // max(1, self.y.numel()))
        for begin in range(0, len(targets), step):
            rows = slice(begin, begin + step)
            parts.append(self._drawn(targets[rows], points[rows]))
        return torch.cat(parts) if parts else points.new_empty(0, points.shape[1], self.y.shape[1])

    def _drawn(self, targets: Targets, points: Tensor) -> Tensor:
        low, high = targets.low.double(), targets.high.double()
        weight = self.stands_for.log() + self._context_weights(targets)
        for j in targets.wanted.any(dim=0).nonzero()[:, 0].tolist():
            ends = ((end[:, j : j + 1] - self.y[:, j]) / self._widths[j] for end in (low, high))
            weight = weight + log_mass(*ends)
        share = (weight - weight.amax(dim=1, keepdim=True)).exp().cumsum(dim=1)
        wanted = points[..., 0] * share[:, -1:]
        row = torch.searchsorted(share, wanted).clamp(max=len(self.y) - 1)  # (B, K)
        parts = []
        step = max(1, _NUMBERS // max(1, points.shape[1] * self.y.shape[1]))
        for begin in range(0, len(row), step):
            own = slice(begin, begin + step)
            centre = self.y[row[own]]
            first, last = (end[own, None].expand_as(centre) for end in (low, high))
            below, above = (first - centre) / self._widths, (last - centre) / self._widths
            away = quantile(below, above, points[own, :, 1:])
            parts.append((centre + away * self._widths).clamp(first, last))
        return torch.cat(parts)

    def _context_weights(self, targets: Targets) -> Tensor:
        """Log weights (B, M) of the kernels by what is known of the problems; (B, 1) of nothing."""
        columns = self.context.shape[1]
        if not columns:
            return torch.zeros(len(targets), 1, dtype=torch.float64)
        known = flat(targets.context, len(targets)).cpu().double()
        if known.shape[1] != columns:
            raise ShapeError(f"context: expected {columns} numbers a problem, got {known.shape[1]}")
        width = _widths(self.context, self._factor)
        return -0.5 * torch.cdist(known / width, self.context / width).square()

    @cached_property
    def _factor(self) -> float:
        dims = self.y.shape[1] + self.context.shape[1]
        return WIDTH * len(self.y) ** (-1 / (dims + 4))

    @cached_property
    def _widths(self) -> Tensor:
        return _widths(self.y, self._factor)

    @cached_property
    def _curves(self) -> Curves | None:
        return Curves.of(self.y) if self.y.shape[1] > MANY else None

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        names = ("y", "stands_for", "context", "spread")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> ResponseDensity:
        """The density that ``state`` came from."""
        names = ("y", "stands_for", "context", "spread")
        return cls(*(state[name].cpu() for name in names))


def _widths(columns: Tensor, factor: float) -> Tensor:
    """Of kernels on columns (M, D): (D,), positive."""
    least = _THINNEST * columns.abs().amax(dim=0) + torch.finfo(columns.dtype).tiny
    return torch.maximum(factor * columns.std(dim=0, correction=0), least)

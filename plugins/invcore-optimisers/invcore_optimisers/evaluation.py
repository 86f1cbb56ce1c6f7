"""Objectives of many problems, and their values and gradients in bounded memory."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from invcore.plugin import ShapeError

Objective: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Values (M,) of points (M, D); the second argument, (M,) long, says whose problems they are."""


class Evaluator:
    """Values and gradients of an objective; counts what is asked for.

    A value that is not finite, or whose gradient is not, becomes inf with a gradient of zero.

    Args:
        objective: whose rows are independent of each other.
        rows_at_once: most points in one call.
    """

    def __init__(self, objective: Objective, rows_at_once: int) -> None:
        self._objective, self._rows_at_once = objective, rows_at_once
        self.calls = 0
        self.values = 0
        self.gradients = 0

    def __call__(self, z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Values (M,) and gradients (M, D) of points (M, D) of the problems ``rows`` (M,)."""
        self.calls += 1
        self.values += len(z)
        self.gradients += len(z)
        if len(z) <= self._rows_at_once:
            return self._part(z, rows)
        chunks = zip(z.split(self._rows_at_once), rows.split(self._rows_at_once), strict=True)
        parts = [self._part(*chunk) for chunk in chunks]
        return torch.cat([value for value, _ in parts]), torch.cat([slope for _, slope in parts])

    def _part(self, z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        point = z.detach().requires_grad_()
        with torch.enable_grad():
            value = self._objective(point, rows)
            if value.shape != (len(z),):
                raise ShapeError(
                    f"objective: expected values ({len(z)},), got {tuple(value.shape)}"
                )
            gradient = None
            if value.requires_grad:
                gradient = torch.autograd.grad(value.sum(), point, allow_unused=True)[0]
        value = value.detach().to(z)
        if gradient is None:
            gradient = torch.zeros_like(z)
        # One sum tells whether anything is wrong, which is rare
        if not bool((value.sum() + gradient.sum()).isfinite()):
            good = value.isfinite() & gradient.isfinite().all(dim=1)
            value = torch.where(good, value, torch.inf)
            gradient = torch.where(good[:, None], gradient, 0.0)
        return value, gradient


def norms(gradient: Tensor) -> Tensor:
    """The largest part of each gradient (M, D): (M,); 0 where there are no parts."""
    if gradient.shape[1] == 0:
        return gradient.new_zeros(len(gradient))
    return gradient.abs().amax(dim=1)

"""A simulator over many rows in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def in_chunks(simulate: Callable[[Tensor], Tensor], x: Tensor, rows: int) -> Tensor:
    """Apply a function of rows to some rows at a time.

    Where gradients are wanted of more than one chunk, each chunk is computed again on the way
    back instead of being kept: that takes the time of one more simulation, and such a gradient
    has no gradient itself.

    Args:
        simulate: (n, Dx) to (n, Dy), each row on its own.
        x: (N, Dx).
        rows: the most rows at a time.

    Returns:
        (N, Dy).

    Example:
        >>> in_chunks(lambda x: x**2, torch.arange(3.0)[:, None], 2).flatten()
        tensor([0., 1., 4.])
    """
    if len(x) <= rows:
        return simulate(x)
    if torch.is_grad_enabled() and x.requires_grad:
        result: Tensor = _Again.apply(x, simulate, rows)
        return result
    return torch.cat([simulate(part) for part in x.split(rows)])


class _Again(torch.autograd.Function):
    """Torch's own checkpoints do the same, after seconds of imports."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, simulate: Callable[[Tensor], Tensor], rows: int
    ) -> Tensor:  # without gradients, as all of a Function's forward
        ctx.save_for_backward(x)
        ctx.simulate, ctx.rows = simulate, rows
        return torch.cat([simulate(part) for part in x.split(rows)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        slopes = []
        for part, weight in zip(x.split(ctx.rows), grad.split(ctx.rows), strict=True):
            with torch.enable_grad():
                leaf = part.detach().requires_grad_()
                y = ctx.simulate(leaf)
            slopes.append(torch.autograd.grad(y, leaf, weight)[0])
        return torch.cat(slopes), None, None

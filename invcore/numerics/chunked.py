"""A simulator over many rows in bounded memory."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from invcore.numerics.single_derivative_guard import differentiable_once


def in_chunks(simulate: Callable[..., Tensor], rows: int, *parts: Tensor) -> Tensor:
    """Apply a function of rows to some rows at a time.

    Where gradients are wanted of more than one chunk, each chunk is computed again on the way
    back instead of being kept: that takes the time of one more simulation, and such a gradient
    cannot be differentiated (``differentiable_once``).

    Args:
        simulate: the parts' rows (n, ...) to (n, Dy), each row on its own.
        rows: the most rows at a time.
        parts: tensors of N rows each.

    Returns:
        (N, Dy).

    Example:
        >>> in_chunks(torch.add, 2, torch.arange(3.0)[:, None], torch.ones(3, 1)).flatten()
        tensor([1., 2., 3.])
    """
    if len(parts[0]) <= rows:
        return simulate(*parts)
    if torch.is_grad_enabled() and any(part.requires_grad for part in parts):
        result: Tensor = _Again.apply(simulate, rows, *map(differentiable_once, parts))
        return result
    return torch.cat([simulate(*some) for some in _split(rows, parts)])


def _split(rows: int, parts: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    return list(zip(*(part.split(rows) for part in parts), strict=True))


class _Again(torch.autograd.Function):
    """Torch's own checkpoints do the same, after seconds of imports."""

    @staticmethod
    def forward(
        ctx: Any, simulate: Callable[..., Tensor], rows: int, *parts: Tensor
    ) -> Tensor:  # without gradients, as all of a Function's forward
        ctx.save_for_backward(*parts)
        ctx.simulate, ctx.rows = simulate, rows
        return torch.cat([simulate(*some) for some in _split(rows, parts)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        parts, needs = ctx.saved_tensors, ctx.needs_input_grad[2:]
        slopes: list[list[Tensor]] = []
        for some, weight in zip(_split(ctx.rows, parts), grad.split(ctx.rows), strict=True):
            with torch.enable_grad():
                leaves = [
                    part.detach().requires_grad_(need)
                    for part, need in zip(some, needs, strict=True)
                ]
                total = (ctx.simulate(*leaves) * weight).sum()  # grad's own weights import sympy
            moved = [leaf for leaf in leaves if leaf.requires_grad]
            slopes.append(list(torch.autograd.grad(total, moved)))
        columns = iter(torch.cat(column) for column in zip(*slopes, strict=True))
        return (None, None, *(next(columns) if need else None for need in needs))

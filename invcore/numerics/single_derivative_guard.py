"""Gradients that say so when they have none themselves."""

from typing import Any

import torch
from torch import Tensor


def differentiable_once(x: Tensor) -> Tensor:
    """Give x itself; a gradient that reaches it cannot be differentiated.

    What a simulator computes its gradient from may be constants for torch. A second derivative
    would then leave their part out, silently, and a penalty on a gradient be none.

    Raises:
        RuntimeError: when such a gradient is differentiated.

    Example:
        >>> x = torch.tensor([2.0], requires_grad=True)
        >>> y = differentiable_once(x) ** 2
        >>> (slope,) = torch.autograd.grad(y, x, create_graph=True)
        >>> slope.backward()
        Traceback (most recent call last):
        ...
        RuntimeError: a gradient of this simulator has no gradient itself
    """
    if not (torch.is_grad_enabled() and x.requires_grad):
        return x
    result: Tensor = _Once.apply(x)
    return result


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        result: Tensor = _Last.apply(slope, *ctx.saved_tensors)
        return result


class _Last(torch.autograd.Function):
    """The gradient as a function of x too, so that its derivative by x is asked for here."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, x: Tensor) -> Tensor:
        return slope.clone()

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor, Tensor]:
        raise RuntimeError("a gradient of this simulator has no gradient itself")

"""Many equal time steps, with a gradient whose memory is bounded."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Coefficients: TypeAlias = tuple[Tensor, ...]
Prepare: TypeAlias = Callable[[Tensor], Coefficients]
Step: TypeAlias = Callable[[Tensor, Coefficients], Tensor]

_MORE = 32  # times as many rows keep a GPU busy, and fit its memory


def rows_on(device: torch.device, rows: int) -> int:
    """How many rows to take at a time on a device, for as many on the CPU.

    Example:
        >>> rows_on(torch.device("cpu"), 128), rows_on(torch.device("cuda"), 128)
        (128, 4096)
    """
    return rows if device.type == "cpu" else _MORE * rows


def march(prepare: Prepare, step: Step, steps: int, state: Tensor, knobs: Tensor) -> Tensor:
    """Take ``steps`` time steps of every row's state; rows are independent of each other.

    Where a gradient is wanted, only about sqrt(steps) states are kept. The stretches between them
    are computed again on the way back, one at a time: the time of one more simulation. Such a
    gradient has no gradient itself. A row whose final state is not finite gets a gradient of zero,
    so that it spoils no sum over rows.

    References:
        Chen, Xu, Zhang, Guestrin, Training deep nets with sublinear memory cost, 2016,
        https://arxiv.org/abs/1604.06174

    Args:
        prepare: knobs (N, P) to the step's coefficients, each (N, ...); computed once.
        step: a state and the coefficients to the next state.
        steps: how many.
        state: where to start (N, ...), real or complex.
        knobs: what the step depends on (N, P); finite, P may be 0.

    Returns:
        The final state, as ``state`` is.

    Example:
        >>> rate = torch.tensor([[0.5], [0.1]])
        >>> halve = lambda u, c: u * c[0]
        >>> march(lambda knobs: (knobs,), halve, 3, torch.ones(2, 1), rate).flatten()
        tensor([0.1250, 0.0010])
    """
    if torch.is_grad_enabled() and (state.requires_grad or knobs.requires_grad):
        result: Tensor = _March.apply(state, knobs, prepare, step, steps)
        return result
    return _stretch(step, steps, state, prepare(knobs))


def _stretch(step: Step, steps: int, state: Tensor, coefficients: Coefficients) -> Tensor:
    for _ in range(steps):
        state = step(state, coefficients)
    return state


def _along(ends: Sequence[Tensor], slopes: Sequence[Tensor]) -> Tensor:
    """A number whose gradient is that of the ends weighted with slopes.

    Torch takes such weights itself, after seconds of imports.
    """
    pairs = zip(ends, slopes, strict=True)
    return torch.stack([(end * slope.conj()).real.sum() for end, slope in pairs]).sum()


class _March(torch.autograd.Function):
    """Torch's own checkpoints do the same, after seconds of imports, and keep the lost rows."""

    @staticmethod
    def forward(
        ctx: Any, state: Tensor, knobs: Tensor, prepare: Prepare, step: Step, steps: int
    ) -> Tensor:  # without gradients, as all of a Function's forward
        length = max(1, math.isqrt(steps))
        ctx.lengths = [min(length, steps - done) for done in range(0, steps, length)]
        ctx.prepare, ctx.step = prepare, step
        coefficients, states = prepare(knobs), []
        for stretch in ctx.lengths:
            states.append(state)
            state = _stretch(step, stretch, state, coefficients)
        ctx.save_for_backward(knobs, state, *states)
        return state.clone()  # what is returned may be written into, what is kept may not

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        knobs, final, *states = ctx.saved_tensors
        lost = ~final.isfinite().flatten(1).all(dim=1)

        def sound(values: Tensor) -> Tensor:  # zeros in lost rows: zero times infinity is NaN
            return values.masked_fill(lost.reshape(-1, *[1] * (values.ndim - 1)), 0)

        slope = sound(slope)
        with torch.enable_grad():
            leaf = knobs.detach().requires_grad_()
            roots = ctx.prepare(leaf)
        coefficients = tuple(c.detach().requires_grad_(c.requires_grad) for c in roots)
        moved = [c for c in coefficients if c.requires_grad]
        totals = [torch.zeros_like(c) for c in moved]
        for stretch, start in zip(reversed(ctx.lengths), reversed(states), strict=True):
            with torch.enable_grad():
                begin = sound(start).requires_grad_()
                end = _stretch(ctx.step, stretch, begin, coefficients)
                along = _along([end], [slope])
            slope, *parts = torch.autograd.grad(along, [begin, *moved])
            for total, part in zip(totals, parts, strict=True):
                total += part
        if not moved:
            return slope, torch.zeros_like(knobs), None, None, None
        with torch.enable_grad():
            along = _along([root for root in roots if root.requires_grad], totals)
        (by_knob,) = torch.autograd.grad(along, leaf)
        return sound(slope), sound(by_knob), None, None, None

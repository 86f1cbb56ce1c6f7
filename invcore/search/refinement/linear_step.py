"""The step that makes a linear model of the responses meet an aim, within bounds."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.search.aim import Aim

_RANK = 1e-8  # of the largest singular value: what is less is no direction of its own
_ROUNDS = 10
_GAIN = 1e-10  # of the error that is left: below it another round is of no use
_NONE = 1e-28  # a squared error that is none, in scaled units


def linear_step(
    aim: Aim, y: Tensor, jacobian: Tensor, low: Tensor, high: Tensor, ties: Tensor | None = None
) -> Tensor:
    """The shortest step q that makes the violation of y + J q least, between two ends.

    Gauss-Newton steps on the linear model: variables at an end that would leave are held, and the
    others make up for them; an interval's response counts once it is outside. They end in few
    rounds, and of exact targets without bounds in one.

    Args:
        aim: at N targets, in the units of y; float64.
        y: (N, Dy).
        jacobian: (N, Dy, D).
        low: (N, D), the least steps, at most 0.
        high: (N, D), the largest steps, at least 0; equal to ``low`` for what must not move.
        ties: (N, M, D), whose products with the step stay 0; None for none.

    Returns:
        (N, D).

    References:
        Nocedal, Wright, Numerical Optimization, 2006, sections 10.3 and 16.7.

    Example:
        >>> one = torch.ones(1, 1).double()
        >>> linear_step(Aim(3 * one, 3 * one), one, 4 * one[..., None], -one, one)
        tensor([[0.5000]], dtype=torch.float64)
    """
    q = torch.zeros_like(low)
    error = aim.error(y)
    rows = (error > _NONE).nonzero()[:, 0]
    for _ in range(_ROUNDS):
        if not len(rows):
            break
        own, slope, at = aim[rows], jacobian[rows], q[rows]
        ends = low[rows], high[rows]
        tied = None if ties is None else ties[rows]
        model = y[rows] + torch.einsum("nyd,nd->ny", slope, at)
        residual, slopes = own.residual(model), own.slopes(model, slope)
        down = -torch.einsum("nyd,ny->nd", slopes, residual)
        before = error[rows]
        step = _unbounded(residual, slopes, down, at, ends, tied)
        trial, trial_error = _inside(own, y[rows], slope, at, step, ends, tied)
        if tied is None and not bool((trial_error < (1 - _GAIN) * before).all()):
            # What the least squares want outside may be wanted inside by the gradient
            step = _steepest(slopes, down, at, ends)
            other, other_error = _inside(own, y[rows], slope, at, step, ends, tied)
            trial = torch.where((other_error < trial_error)[:, None], other, trial)
            trial_error = torch.minimum(trial_error, other_error)
        better = trial_error < before
        q[rows] = torch.where(better[:, None], trial, at)
        error[rows] = torch.where(better, trial_error, before)
        on = better & (before - trial_error > _GAIN * before) & (trial_error > _NONE)
        rows = rows[on]
    return q


def _unbounded(
    residual: Tensor, slopes: Tensor, down: Tensor, at: Tensor, ends: tuple[Tensor, Tensor],
    ties: Tensor | None,
) -> Tensor:  # fmt: skip
    """The Gauss-Newton step (N, D), with what is at an end and would leave held."""
    low, high = ends
    held = _leaving(down, at, ends) | (low >= high)
    step = _least_squares(slopes, residual, held, ties)
    for _ in range(_ROUNDS):  # a variable may be wanted outside only once others are held
        leaves = _leaving(step, at, ends)
        if not bool((leaves & ~held).any()):
            break
        held = held | leaves
        step = _least_squares(slopes, residual, held, ties)
    return step


def _steepest(slopes: Tensor, down: Tensor, at: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
    """The best step (N, D) down the gradient, of what that does not lead outside."""
    way = down.masked_fill(_leaving(down, at, ends) | (ends[0] >= ends[1]), 0.0)
    gained = torch.einsum("nyd,nd->ny", slopes, way).square().sum(dim=1)
    length = way.square().sum(dim=1) / gained.clamp(min=torch.finfo(way.dtype).tiny)
    return way * length[:, None]


def _leaving(step: Tensor, at: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
    """What is at an end (N, D), and would go beyond it."""
    return ((at <= ends[0]) & (step < 0)) | ((at >= ends[1]) & (step > 0))


def _inside(
    aim: Aim, y: Tensor, jacobian: Tensor, at: Tensor, step: Tensor, ends: tuple[Tensor, Tensor],
    ties: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The step cut to the ends, and the error after it: each variable by itself, or, where that
    brings less or would leave a tie, all of them by the same share.
    """
    low, high = ends
    end = torch.where(step < 0, low, high)
    room = torch.where(step == 0, torch.inf, (end - at) / step)
    share = room.amin(dim=1, keepdim=True).clamp(0.0, 1.0)
    short = torch.where(room <= share, end, (at + share * step).clamp(low, high))
    error = aim.error(y + torch.einsum("nyd,nd->ny", jacobian, short))
    if ties is not None:
        return short, error
    cut = (at + step).clamp(low, high)
    other = aim.error(y + torch.einsum("nyd,nd->ny", jacobian, cut))
    return torch.where((other < error)[:, None], cut, short), torch.minimum(other, error)


def _least_squares(slopes: Tensor, residual: Tensor, held: Tensor, ties: Tensor | None) -> Tensor:
    """The shortest step that makes |slopes step + residual| least, 0 for what is held."""
    slopes = slopes.masked_fill(held[:, None], 0.0)
    if ties is not None and ties.shape[1]:
        free = ties.masked_fill(held[:, None], 0.0)
        slopes = slopes - slopes @ torch.linalg.pinv(free, rtol=_RANK) @ free
    responses, features = slopes.shape[1:]
    right = residual[..., None]
    if responses > features:  # singular values of what is small
        basis, triangle = torch.linalg.qr(slopes)
        return -(torch.linalg.pinv(triangle, rtol=_RANK) @ (basis.mT @ right))[..., 0]
    basis, triangle = torch.linalg.qr(slopes.mT)
    return -(basis @ (torch.linalg.pinv(triangle.mT, rtol=_RANK) @ right))[..., 0]

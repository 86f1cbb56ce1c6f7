"""L-BFGS of many small functions at once, each with its own steps and end."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_MEMORY = 10
_ARMIJO = 1e-4


def minimise_each(
    function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], start: Tensor, *, steps: int,
    tolerance: float = 1e-3, largest_step: float = 2.0,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The lowest points of R functions of P numbers that were found, one after another's own pace.

    Each pass asks the functions that have not ended, once; one whose step did not go down enough
    takes a shorter one.

    References:
        Nocedal, Wright, Numerical optimization, Springer 2006, algorithm 7.4.

    Args:
        function: of points (A, P) and their numbers (A,), long: values (A,), which may be infinite,
            and gradients (A, P).
        start: (R, P), where values are finite.
        steps: most steps of each.
        tolerance: a function ends once two steps in a row go down by less.
        largest_step: most that a number changes in a step.

    Returns:
        Points (R, P) and values (R,).

    Example:
        >>> def bowls(x, which):
        ...     wide = 1.0 + which[:, None]
        ...     return (wide * (x - 3) ** 2).sum(1), 2 * wide * (x - 3)
        >>> minimise_each(bowls, torch.zeros(2, 1), steps=20)[0].round(decimals=3).tolist()
        [[3.0], [3.0]]
    """
    point = start.clone()
    active = torch.arange(len(start), device=start.device)
    value, slope = function(point, active)
    direction = -slope
    size = 1.0 / slope.norm(dim=1).clamp(min=1e-12)  # a first step of length one
    moves = point.new_zeros(len(start), _MEMORY, start.shape[1])
    turns = torch.zeros_like(moves)
    taken = torch.zeros(len(start), dtype=torch.long, device=start.device)
    small, tries = torch.zeros_like(taken), torch.zeros_like(taken)
    active = active[value.isfinite() & (slope.abs().amax(dim=1) > 1e-8)]
    for _ in range(2 * steps):
        if not len(active):
            break
        way = direction[active]
        size[active] = size[active].minimum(largest_step / way.abs().amax(dim=1).clamp(min=1e-12))
        down = (slope[active] * way).sum(dim=1)
        trial = point[active] + size[active, None] * way
        new, new_slope = function(trial, active)
        good = new <= value[active] + _ARMIJO * size[active] * down
        off, bad = active[good], active[~good]

        size[bad] *= _shorter(value[bad], new[~good], size[bad] * down[~good])
        tries[bad] += 1
        tries[off] = 0

        gain = value[off] - new[good]
        small[off] = torch.where(gain < tolerance, small[off] + 1, 0)
        taken[off] += 1
        move, turn = trial[good] - point[off], new_slope[good] - slope[off]
        useful = (move * turn).sum(dim=1) > 1e-10 * turn.square().sum(dim=1)
        kept = off[useful]
        moves[kept] = torch.cat([moves[kept, 1:], move[useful, None]], dim=1)
        turns[kept] = torch.cat([turns[kept, 1:], turn[useful, None]], dim=1)
        point[off], value[off], slope[off] = trial[good], new[good], new_slope[good]
        direction[off] = _direction(slope[off], moves[off], turns[off])
        size[off] = 1.0

        over = (small > 1) | (taken >= steps) | (tries > 8)
        active = active[~over[active]]
    return point, value


def _shorter(value: Tensor, new: Tensor, down: Tensor) -> Tensor:
    """By what to multiply steps that went up: to the lowest point of a parabola."""
    factor = -down / (2 * (new - value - down))
    return factor.nan_to_num(0.1).clamp(0.1, 0.5)


def _direction(slope: Tensor, moves: Tensor, turns: Tensor) -> Tensor:
    """The quasi-Newton direction (A, P), by the steps (A, M, P) that were last taken."""
    both = (moves * turns).sum(dim=2)  # (A, M), zero where nothing is remembered yet
    inverse = torch.where(both > 0, 1.0 / both.clamp(min=1e-300), 0.0)
    ahead = slope.clone()
    shares = torch.zeros_like(both)
    for i in reversed(range(moves.shape[1])):
        shares[:, i] = inverse[:, i] * (moves[:, i] * ahead).sum(dim=1)
        ahead -= shares[:, i, None] * turns[:, i]
    last = turns[:, -1].square().sum(dim=1)
    scale = torch.where(last > 0, both[:, -1] / last.clamp(min=1e-300), 0.0)
    plain = 1.0 / slope.norm(dim=1).clamp(min=1.0)
    ahead *= torch.where(scale > 0, scale, plain)[:, None]
    for i in range(moves.shape[1]):
        back = inverse[:, i] * (turns[:, i] * ahead).sum(dim=1)
        ahead += (shares[:, i] - back)[:, None] * moves[:, i]
    downhill = (ahead * slope).sum(dim=1) > 0
    return -torch.where(downhill[:, None], ahead, slope)

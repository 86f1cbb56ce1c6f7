"""Where balls lie before the game begins."""

import math

import torch
from torch import Tensor

_TRIES = 256  # each finds a place at least every second time


def crowded(balls: int, length: float, width: float, radius: float, gap: float) -> bool:
    """Whether the balls before the last may leave less than half of the table to it.

    Example:
        >>> crowded(4, 2.0, 1.0, 0.05, 0.05), crowded(40, 2.0, 1.0, 0.05, 0.05)
        (False, True)
    """
    room = max(length - 2 * radius, 0.0) * max(width - 2 * radius, 0.0)
    return (balls - 1) * math.pi * (2 * radius + gap) ** 2 > room / 2


def draw_layouts(
    count: int,
    balls: int,
    length: float,
    width: float,
    radius: float,
    gap: float,
    generator: torch.Generator,
) -> Tensor:
    """Draw places of balls that overlap neither each other nor a wall.

    One ball after the other, uniform on what the earlier ones leave of the table. A table that is
    not ``crowded`` leaves at least half of it, so that a place is found for certain in practice:
    it is missed with a chance of 2^-256.

    Args:
        count: how many layouts.
        balls: in each.
        length: of the table, m.
        width: of the table, m.
        radius: of a ball, m.
        gap: the least room between two balls, m.
        generator: decides the draw.

    Returns:
        Places of the centres (count, balls, 2), float64.

    Example:
        >>> draw_layouts(2, 3, 2.0, 1.0, 0.05, 0.05, torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3, 2])
    """
    low = torch.tensor([radius, radius], dtype=torch.float64)
    span = torch.tensor([length, width], dtype=torch.float64) - 2 * radius
    places = torch.empty(count, 0, 2, dtype=torch.float64)
    for _ in range(balls):
        place = torch.empty(count, 2, dtype=torch.float64)
        missing = torch.arange(count)
        for _ in range(_TRIES):
            draw = torch.rand(len(missing), 2, generator=generator, dtype=torch.float64)
            place[missing] = low + span * draw
            apart = (places[missing] - place[missing, None]).norm(dim=2)
            missing = missing[(apart < 2 * radius + gap).any(dim=1)]
            if len(missing) == 0:
                break
        places = torch.cat([places, place[:, None]], dim=1)
    return places

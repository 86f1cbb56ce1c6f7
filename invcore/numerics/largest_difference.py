"""The largest difference between rows, in bounded memory."""

import torch
from torch import Tensor

_NUMBERS = 1 << 22  # held at once


def largest_squared_difference(rows: Tensor, others: Tensor) -> Tensor:
    """For each row, the largest mean squared difference to any of the others.

    Args:
        rows: (B, D).
        others: (N, D); rows that are not finite are left out.

    Returns:
        (B,), float64; infinite where there are no others.

    Example:
        >>> largest_squared_difference(torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [3.0]]))
        tensor([9., 4.], dtype=torch.float64)
    """
    others = others.detach().cpu().double()
    others = others[others.isfinite().all(dim=1)]
    rows = rows.detach().cpu().double()
    if not len(others) or not rows.shape[1]:
        return torch.full((len(rows),), torch.inf, dtype=torch.float64)
    step = max(1, _NUMBERS // max(1, len(others)))
    # In the middle of the others, so that large offsets do not cancel
    middle = others.mean(dim=0)
    others = others - middle
    squares = others.square().sum(dim=1)
    parts = []
    for some in rows.split(step):
        some = some - middle
        gaps = squares - 2.0 * some @ others.T  # (b, N), but for what all of a row share
        farthest = others[gaps.argmax(dim=1)]
        parts.append((some - farthest).square().mean(dim=1))
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)

"""How evenly designs cover the ranges of their variables."""

from __future__ import annotations

import torch
from torch import Tensor


def stratification(values: Tensor, shares: Tensor, sample: Tensor) -> Tensor:
    """How many of the strata of each variable have a design in them.

    A variable's range is cut into N strata that are equally likely. All of them are filled by a
    Latin hypercube, 0.63 of them by random designs. Of a variable with fewer than N values, it is
    the share of its values that designs have.

    Args:
        values: (N, Dx), designs.
        shares: (N, Dx), what share of all designs is below each value.
        sample: (S, Dx), designs that show how many values a variable has.

    Returns:
        (Dx,), from 1/N to 1, float64.

    Example:
        >>> x = torch.tensor([[0.1], [0.4], [0.45], [0.9]]).double()
        >>> stratification(x, x, torch.rand(100, 1))
        tensor([0.7500], dtype=torch.float64)
    """
    count = len(values)
    parts = (shares * count).long().clamp(0, count - 1)
    filled, own, choices = (
        torch.tensor([len(column.unique()) for column in rows.unbind(1)], dtype=torch.float64)
        for rows in (parts, values, sample)
    )
    few = choices < min(count, len(sample))
    return torch.where(few, (own / choices).clamp(max=1.0), filled / count)

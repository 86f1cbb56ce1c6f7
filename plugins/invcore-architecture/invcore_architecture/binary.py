"""From grey pixels to solid and void."""

from typing import Literal

import torch
from torch import Tensor

Rule = Literal["half", "volume"]


def binarise(density: Tensor, rule: Rule = "volume") -> Tensor:
    """Project densities to 0 and 1.

    Keeping the volume is the default, since it changes the modulus less on most kinds of grey
    cells, and never much more; the README has the figures.

    Args:
        density: (…, Dx), the pixels of a cell in the last dimension; outside [0, 1] counts as the
            nearer end, NaN stays.
        rule: ``volume``: solid are the densest pixels, as many as keep the mean density (of equal
            ones, the first); ``half``: solid where the density is above a half.

    Returns:
        Of density's shape and type.

    Example:
        >>> x = torch.tensor([0.1, 0.4, 0.45, 0.9])
        >>> binarise(x).tolist(), binarise(x, "half").tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0])
    """
    if rule == "half":
        solid = density > 0.5
    else:
        inside = density.clamp(0.0, 1.0)
        count = inside.nan_to_num().sum(dim=-1, keepdim=True).round()
        order = inside.argsort(dim=-1, descending=True, stable=True)
        rank = torch.empty_like(order).scatter_(
            -1, order, torch.arange(density.shape[-1], device=density.device).expand_as(order)
        )
        solid = rank < count
    return torch.where(density.isnan(), density, solid.to(density.dtype))

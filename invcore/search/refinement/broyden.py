"""Broyden's rank-one update of Jacobians."""

import torch
from torch import Tensor


def broyden_update(jacobian: Tensor, step: Tensor, gained: Tensor) -> Tensor:
    """The nearest Jacobians that say of steps what was seen: J step = gained.

    Args:
        jacobian: (N, Dy, D), as they are.
        step: (N, D), none of them zero.
        gained: (N, Dy), how responses changed.

    Returns:
        (N, Dy, D).

    References:
        Broyden, Mathematics of Computation 19, 1965, https://doi.org/10.2307/2003941.

    Example:
        >>> broyden_update(torch.zeros(1, 1, 2), torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0]]))
        tensor([[[3., 0.]]])
    """
    lacks = gained - torch.einsum("nyd,nd->ny", jacobian, step)
    length = step.square().sum(dim=1).clamp(min=torch.finfo(step.dtype).tiny)
    return jacobian + lacks[..., None] * (step / length[:, None])[:, None]

"""Derivatives of functions that treat each row by itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def row_jacobian(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """How the results of each row change with it (N, Dy, Dx).

    Args:
        function: (N, Dx) to (N, Dy); a row's results depend on that row alone.
        x: (N, Dx).

    Example:
        >>> row_jacobian(lambda x: x**2, torch.tensor([[3.0, 4.0]])).tolist()
        [[[6.0, 0.0], [0.0, 8.0]]]
    """
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_(True)
        y = function(leaf)
        columns = []
        for i in range(y.shape[1]):
            more = i + 1 < y.shape[1]
            (column,) = torch.autograd.grad(
                y[:, i].sum(), leaf, retain_graph=more, allow_unused=True
            )
            columns.append(torch.zeros_like(x) if column is None else column)
    return torch.stack(columns, dim=1).detach()

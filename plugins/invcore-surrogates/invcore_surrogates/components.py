"""Partial least squares of one response, by all numbers of components at once."""

from __future__ import annotations

import torch
from torch import Tensor


def partial_least_squares(x: Tensor, y: Tensor, shares: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Linear models by the components that go along with a response.

    References:
        Wold, Sjöström, Eriksson, PLS-regression: a basic tool of chemometrics, Chemometrics and
        Intelligent Laboratory Systems 58, 2001, https://doi.org/10.1016/S0169-7439(01)00155-1.

    Args:
        x: (N, F).
        y: (N,).
        shares: (N,), how much each row counts.
        most: of the components; fewer where no more are left.

    Returns:
        Slopes (M, F) and intercepts (M,) of the models with 1 to M components.

    Example:
        >>> x = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
        >>> slopes, intercepts = partial_least_squares(x, 2 * x[:, 0] + 1, torch.ones(9), 3)
        >>> slopes.round(decimals=6).tolist(), intercepts.round(decimals=6).tolist()
        ([[2.0]], [1.0])
    """
    shares = shares.to(x) / shares.sum()
    centre, mean = shares @ x, shares @ y
    root = shares.sqrt()
    left, wanted = root[:, None] * (x - centre), root * (y - mean)
    whole = wanted.norm().clamp(min=1e-300)
    size = left.norm()
    ways: list[Tensor] = []
    loads: list[Tensor] = []
    parts: list[Tensor] = []
    for _ in range(min(most, len(x) - 1, x.shape[1])):
        way = left.T @ wanted
        if float(way.norm()) <= 1e-10 * float(size * whole):
            break
        way = way / way.norm()
        score = left @ way
        square = score.square().sum()
        load = (left.T @ score) / square
        part = (wanted @ score) / square
        left = left - score[:, None] * load
        wanted = wanted - part * score
        ways.append(way)
        loads.append(load)
        parts.append(part)
    if not ways:
        return x.new_zeros(1, x.shape[1]), mean[None]
    w, p, q = (torch.stack(each) for each in (ways, loads, parts))
    turned = torch.linalg.solve_triangular((p @ w.T).triu().T, w, upper=False)  # (M, F)
    slopes = (q[:, None] * turned).cumsum(dim=0)
    return slopes, mean - slopes @ centre

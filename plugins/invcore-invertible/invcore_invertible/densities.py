"""Densities of networks that see noise beside the designs."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def normal_log_density(values: Tensor, scale: float = 1.0) -> Tensor:
    """Log density (N,) of independent normal columns (N, D) with mean 0 and that deviation.

    Example:
        >>> normal_log_density(torch.zeros(1, 2))
        tensor([-1.8379])
    """
    constant = math.log(scale) + 0.5 * math.log(2 * math.pi)
    return -(0.5 * (values / scale).square() + constant).sum(dim=1)


def without_padding(
    log_density: Callable[[Tensor], Tensor],
    x: Tensor,
    padding: int,
    *,
    scale: float = 1.0,
    draws: int = 256,
) -> Tensor:
    """Integrate normal noise out of a density of (x, noise), by draws of it.

    p(x) is the mean of p(x, e) / p(e) over draws e of p(e). The logarithm of that mean says, on
    average, a little less than the truth.

    Args:
        log_density: of (N, F + padding), to (N,).
        x: (N, F).
        padding: columns of noise.
        scale: its standard deviation.
        draws: how many; the same ones at every call.

    Returns:
        log p(x), (N,), float64.

    Example:
        >>> without_padding(normal_log_density, torch.zeros(1, 1), 2)
        tensor([-0.9189], dtype=torch.float64)
    """
    generator = torch.Generator().manual_seed(0)
    parts = []
    for _ in range(draws if padding else 1):
        noise = scale * torch.randn(len(x), padding, generator=generator).to(x.device)
        whole = torch.cat([x, noise], dim=1)
        parts.append(log_density(whole) - normal_log_density(noise, scale))
    return torch.stack(parts).double().logsumexp(dim=0) - math.log(len(parts))

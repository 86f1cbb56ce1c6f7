"""Features of designs and responses together, in which classifiers are linear."""

import math

import torch
from torch import Tensor

_WIDTHS = (1.0, 3.0)  # of the kernels, for each root of a column
_ROWS = 4096  # that principal components come from
_FAR = 10.0  # spreads; what is farther looks the same, and rules no square


def local_features(
    x: Tensor, conditions: Tensor, count: int, components: int, generator: torch.Generator
) -> Tensor:
    """Random Fourier features of two Gaussian kernels, a constant, and products of two columns.

    Args:
        x: (B, K, Dx); rows of NaN give zeros.
        conditions: (B, C), the same for all designs of a target.
        count: of the Fourier features.
        components: principal components of either that are seen, where it has more columns.
        generator: on the CPU.

    References:
        Rahimi, Recht, Random features for large-scale kernel machines, NeurIPS 2007

    Returns:
        (B, K, M).
    """
    there = x.isfinite().all(dim=2)
    designs = torch.zeros_like(x[..., :1]).expand(*x.shape[:2], min(components, x.shape[2])).clone()
    designs[there] = _reduced(x[there], components)
    given = _reduced(conditions, components)[:, None].expand(-1, x.shape[1], -1)
    columns = torch.cat((designs, given), dim=2)
    width = columns.shape[2]
    parts = [torch.ones_like(columns[..., :1]), columns]
    one, other = torch.triu_indices(width, width)
    parts.append(columns[..., one] * columns[..., other])
    for number, scale in enumerate(_WIDTHS):
        size = (count + number) // len(_WIDTHS)
        directions = torch.randn(width, size, generator=generator, dtype=torch.float64)
        phases = 2 * math.pi * torch.rand(size, generator=generator, dtype=torch.float64)
        waves = columns @ (directions / (scale * math.sqrt(width))) + phases
        parts.append(math.sqrt(2 / size) * waves.cos())
    return torch.where(there[..., None], torch.cat(parts, dim=2), 0.0)


def _reduced(rows: Tensor, components: int) -> Tensor:
    """Rows (N, D) by the first of their principal components, each with a variance of 1."""
    rows = rows - rows.mean(dim=0)
    if rows.shape[1] > components:
        some = rows[:_ROWS]
        rows = rows @ torch.linalg.eigh(some.T @ some).eigenvectors[:, -components:]
    spread = rows.std(dim=0, correction=0)
    return (rows / torch.where(spread > 1e-12, spread, 1.0)).clamp(-_FAR, _FAR)

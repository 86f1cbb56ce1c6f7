"""How well the nearest neighbours tell two samples apart."""

import torch
from torch import Tensor

from invcore_metrics.posterior import standardised

_NUMBERS = 1 << 22  # distances held at once


def neighbour_accuracy(a: Tensor, b: Tensor, neighbours: int = 5) -> Tensor:
    """The leave-one-out accuracy of the nearest neighbours' vote, for a batch of problems.

    Each row is given to the sample that holds more of its nearest neighbours, in shares of the
    samples' sizes; an even vote counts half. All that are as
    near as the last of them vote too. Both samples weigh the same. Columns are standardised by b.

    References:
        Lopez-Paz, Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545

    Args:
        a: (R, n, D); rows of NaN are left out.
        b: (R, m, D), likewise.
        neighbours: how many vote.

    Returns:
        (R,) between 0 and 1; NaN where a or b has fewer than two rows, or both together have no
        more than ``neighbours``.

    Example:
        >>> a = torch.linspace(0, 1, 20).reshape(1, 20, 1)
        >>> neighbour_accuracy(a, a + 5)
        tensor([1.], dtype=torch.float64)
    """
    step = max(1, _NUMBERS // max(a.shape[1] + b.shape[1], 1) ** 2)
    parts = [_part(a[i : i + step], b[i : i + step], neighbours) for i in range(0, len(a), step)]
    return torch.cat(parts) if parts else a.new_empty(0)


def _part(a: Tensor, b: Tensor, neighbours: int) -> Tensor:
    x = standardised(a, b)
    mask = ~x.isnan().any(dim=2)  # (R, n + m)
    first = torch.arange(x.shape[1]) < a.shape[1]
    n, m = mask[:, first].sum(dim=1), mask[:, ~first].sum(dim=1)
    enough = (n > 1) & (m > 1) & (n + m > neighbours)
    if x.shape[1] <= neighbours:
        return torch.full((len(a),), torch.nan, dtype=torch.float64)
    x = x.nan_to_num(nan=0.0)
    far = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    far = far.masked_fill(~mask[:, None], torch.inf)
    far.diagonal(dim1=1, dim2=2).fill_(torch.inf)  # nobody votes for itself
    limit = far.topk(neighbours, dim=2, largest=False).values[..., -1:]
    votes = (far <= limit).double()
    for_a, for_b = votes[..., first].sum(dim=2), votes[..., ~first].sum(dim=2)  # (R, n + m)
    # A row's own sample has one row less to find.
    own_a = (n[:, None] - first.long()).clamp(min=1)
    own_b = (m[:, None] - (~first).long()).clamp(min=1)
    lead = for_a / own_a - for_b / own_b
    right = torch.where(first, lead > 0, lead < 0).double() + 0.5 * (lead == 0)
    right = torch.where(mask, right, 0.0)
    share = right[:, first].sum(dim=1) / n + right[:, ~first].sum(dim=1) / m
    return torch.where(enough, 0.5 * share, torch.nan)

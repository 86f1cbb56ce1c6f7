"""Scoring: errors, the expected best of T candidates, and bootstrap intervals."""

from collections.abc import Sequence

import torch
from torch import Tensor

from invcore.base.errors import ShapeError

_CHUNK = 1 << 22  # numbers held at once beside the errors themselves


def expected_best(errors: Tensor, counts: Sequence[int], *, ranked: bool) -> Tensor:
    """The expected smallest error among T candidates, for each target.

    For exchangeable candidates this is the mean over all subsets of T of the K, in closed form:
    with errors sorted, the i-th is the smallest of a share C(K - i, T - 1) / C(K, T) of the
    subsets. For ranked candidates it is the smallest among the first T. A candidate that has no
    response (NaN), or one that is infinitely far, is never the smallest; subsets without any
    response are left out.

    Args:
        errors: (B, K).
        counts: the values of T, each from 1 to K.
        ranked: whether the order of the candidates counts.

    Returns:
        (len(counts), B); NaN for a target with no response to go by.

    Raises:
        ShapeError: a T below 1 or above K.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, equation 2.

    Example:
        >>> expected_best(torch.tensor([[1.0, 0.0]]), [1, 2], ranked=False)
        tensor([[0.5000],
                [0.0000]])
    """
    targets, total = errors.shape
    for count in counts:
        if not 1 <= count <= total:
            raise ShapeError(f"r_T: T = {count} of {total} candidates")
    result = errors.new_empty(len(counts), targets)
    weights = None if ranked else _subset_weights(total, counts).to(errors)
    step = max(1, _CHUNK // total)
    for start in range(0, targets, step):
        rows = slice(start, start + step)
        part = errors[rows]
        if weights is None:
            filled = torch.where(part.isnan(), torch.inf, part)
            for i, count in enumerate(counts):
                result[i, rows] = filled[:, :count].amin(dim=1)
        else:
            ordered = part.sort(dim=1).values  # infinity and NaN go last
            finite = ordered.isfinite()
            mass = finite.to(errors) @ weights.T
            result[:, rows] = (torch.where(finite, ordered, 0.0) @ weights.T / mass).T
    return torch.where(result.isfinite(), result, torch.nan)


def _subset_weights(total: int, counts: Sequence[int]) -> Tensor:
    """(len(counts), K): how likely the i-th smallest of K is the smallest of T."""
    rank = torch.arange(1, total + 1, dtype=torch.float64)

    def log_choose(n: Tensor, k: int) -> Tensor:
        return torch.lgamma(n + 1) - torch.lgamma(n - k + 1)  # the k! cancels

    rows = []
    for count in counts:
        below = total - rank
        possible = below >= count - 1
        log_share = log_choose(below.clamp(min=count - 1), count - 1) - log_choose(
            torch.tensor(float(total), dtype=torch.float64), count
        )
        rows.append(torch.where(possible, log_share.exp() * count, 0.0))
    return torch.stack(rows)

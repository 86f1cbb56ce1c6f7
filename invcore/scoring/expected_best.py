"""Scoring: errors, the expected best of T candidates, and bootstrap intervals."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from invcore.base.errors import ShapeError

_CHUNK = 1 << 22  # numbers held at once beside the errors themselves


def counted(errors: Tensor, penalty: Tensor | None = None) -> Tensor:
    """Errors (B, K) in which a candidate without a response counts as the penalty (B,).

    Without a penalty it is infinitely far: no number then comes out better for it.

    Example:
        >>> counted(torch.tensor([[1.0, torch.nan]]), torch.tensor([9.0]))
        tensor([[1., 9.]])
    """
    worst = torch.full_like(errors[:, :1], torch.inf) if penalty is None else penalty[:, None]
    return torch.where(errors.isfinite(), errors, worst.to(errors))


def expected_best(
    errors: Tensor, counts: Sequence[int], *, ranked: bool, penalty: Tensor | None = None
) -> Tensor:
    """The expected smallest error among T candidates, for each target.

    For exchangeable candidates this is the mean over all subsets of T of the K, in closed form:
    with errors sorted, the i-th is the smallest of a share C(K - i, T - 1) / C(K, T) of the
    subsets. For ranked candidates it is the smallest among the first T. A candidate that has no
    response (NaN), or one that is infinitely far, counts as the penalty.

    Args:
        errors: (B, K).
        counts: the values of T, each from 1 to K.
        ranked: whether the order of the candidates counts.
        penalty: (B,), see ``counted``; infinite where none is given.

    Returns:
        (len(counts), B).

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
    weights = None if ranked else _subset_weights(total, tuple(counts)).to(errors)
    step = max(1, _CHUNK // total)
    for start in range(0, targets, step):
        rows = slice(start, start + step)
        part = counted(errors[rows], None if penalty is None else penalty[rows])
        if weights is None:
            for i, count in enumerate(counts):
                result[i, rows] = part[:, :count].amin(dim=1)
        else:
            ordered = part.sort(dim=1).values
            finite = ordered.isfinite()
            # The weights of a subset without any response, whose smallest error is infinite
            lost = (~finite).to(errors) @ weights.T > 0
            sums = torch.where(finite, ordered, 0.0) @ weights.T
            mass = finite.to(errors) @ weights.T  # 1, but for rounding
            result[:, rows] = torch.where(lost, torch.inf, sums / mass).T
    return result


@cache
def _subset_weights(total: int, counts: tuple[int, ...]) -> Tensor:
    """(len(counts), K): how likely the i-th smallest of K is the smallest of T; not to be changed.

    A bench asks for the same again and again, and for few different ones.
    """
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

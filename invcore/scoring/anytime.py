"""The pace of a run: what candidates cost in seconds and simulator calls, and what they bring."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from invcore.base.errors import ShapeError
from invcore.scoring.expected_best import expected_best


class Pace(NamedTuple):
    """The answer to be expected as candidates come in; T numbers of candidates.

    Args:
        seconds: (T,), for one target, fitting left out.
        calls: (T,), of the simulator, for one target.
        best: (T,), r_T: the expected smallest error, mean over the targets.
    """

    seconds: Tensor
    calls: Tensor
    best: Tensor


def anytime(
    errors: Tensor, *, ranked: bool, propose_s: float, call_s: float, counts: Sequence[int],
    propose_calls: int = 0, penalty: Tensor | None = None,
) -> Pace:  # fmt: skip
    """Time, simulator calls and expected best error after T candidates of a target.

    Exchangeable candidates can be proposed one by one: T of them cost T / K of the proposals.
    Ranked ones must all be there before the first is known. Then each is simulated once.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (section 5.2)

    Args:
        errors: (B, K).
        ranked: whether candidates come best first.
        propose_s: seconds that all B * K proposals took.
        call_s: seconds of one simulator call.
        counts: the values of T, each from 1 to K.
        propose_calls: simulator calls that all proposals took.
        penalty: (B,), what a candidate without a response counts as; infinite by default.

    Raises:
        ShapeError: a T below 1 or above K, or no errors at all.

    Example:
        >>> errors = torch.tensor([[4.0, 0.0], [4.0, 2.0]])
        >>> pace = anytime(errors, ranked=False, propose_s=8.0, call_s=1.0, counts=[1, 2])
        >>> pace.seconds.tolist(), pace.calls.tolist(), pace.best.tolist()
        ([3.0, 6.0], [1.0, 2.0], [2.5, 1.0])
        >>> anytime(errors, ranked=True, propose_s=8.0, call_s=1.0, counts=[1, 2]).seconds.tolist()
        [5.0, 6.0]
    """
    if errors.ndim != 2 or errors.numel() == 0:
        raise ShapeError(f"anytime: expected errors (B, K), got {tuple(errors.shape)}")
    targets, total = errors.shape
    best = expected_best(errors, counts, ranked=ranked, penalty=penalty).mean(dim=1)
    judged = torch.tensor(list(counts), dtype=torch.float64)
    proposed = torch.full_like(judged, total) if ranked else judged
    share = proposed / (targets * total)  # of all proposals, for one target
    return Pace(share * propose_s + judged * call_s, share * propose_calls + judged, best)

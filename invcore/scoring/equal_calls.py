"""The best error of each target within a number of simulator calls: methods at equal calls."""

from collections.abc import Sequence

import torch
from torch import Tensor

from invcore.contracts.simulation.call_record import History
from invcore.scoring.expected_best import counted, expected_best


def best_within_calls(
    errors: Tensor, calls: Sequence[int], *, ranked: bool, penalty: Tensor | None = None,
    search: History | None = None,
) -> Tensor:  # fmt: skip
    """The smallest error of each target after so many simulator calls for it.

    A method that searches has what its calls brought by then. Of any other, T calls judge T
    candidates: it has the expected smallest error among them. Calls for training pairs are not
    counted here: they are made once for all targets.

    Args:
        errors: (B, K).
        calls: numbers of calls for one target.
        ranked: whether candidates come best first.
        penalty: (B,), what a target without a response counts as; infinite by default.
        search: what the calls of a search brought; None for a method that makes none.

    Returns:
        (len(calls), B); NaN for more calls than the run made for a target.

    Example:
        >>> best_within_calls(torch.tensor([[1.0, 0.0]]), [1, 2, 3], ranked=False).flatten()
        tensor([0.5000, 0.0000,    nan])
    """
    targets, total = errors.shape
    result = torch.full((len(calls), targets), torch.nan, dtype=errors.dtype)
    if search is None:
        rows = [i for i, count in enumerate(calls) if 1 <= count <= total]
        counts = [calls[i] for i in rows]
        if counts:
            result[rows] = expected_best(errors, counts, ranked=ranked, penalty=penalty).cpu()
        return result
    most = search.most_calls
    for i, count in enumerate(calls):
        if count <= most:
            within = search.within(count)[:, None]
            result[i] = counted(within, None if penalty is None else penalty.cpu())[:, 0]
    return result

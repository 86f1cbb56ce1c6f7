"""Judging candidates: by the true simulator, and by a surrogate that is one for all methods."""

import torch
from torch import Tensor

from invcore.contracts.problem import Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import repeated, rows_of
from invcore.learning.surrogate.network import Surrogate
from invcore.pipeline.proposals import ROWS


def resimulate(simulator: Simulator, designs: Tensor, targets: Targets) -> Tensor:
    """Responses (B, K, Dy) of candidates (B, K, Dx); NaN where there is none.

    A candidate that is not finite is not simulated; a response that is not finite is none.
    """
    rows, count = designs.flatten(0, 1), designs.shape[1]
    finite = rows.isfinite().all(dim=1)
    owner = torch.arange(len(targets)).repeat_interleave(count)
    context = repeated(targets.context, count)
    if bool(finite.all()):
        y = simulator(rows, context, owner)
    else:
        y = rows.new_full((len(rows), targets.low.shape[1]), torch.nan)
        if bool(finite.any()):
            y[finite] = simulator(rows[finite], rows_of(context, finite), owner[finite]).to(y)
    y = torch.where(y.isfinite().all(dim=1, keepdim=True), y, torch.nan)
    return y.unflatten(0, designs.shape[:2])


def rerank(surrogate: Surrogate, candidates: Tensor, targets: Targets) -> Tensor:
    """The candidates' places, best first, by a surrogate's error.

    Args:
        surrogate: the judge.
        candidates: (B, K, Dx).
        targets: B of them.

    Returns:
        (B, K), whole numbers from 0 to K - 1.
    """
    count = candidates.shape[1]
    parts = []
    for start in range(0, len(candidates), max(1, ROWS // count)):
        rows = slice(start, start + max(1, ROWS // count))
        context = repeated(rows_of(targets.context, rows), count)
        parts.append(surrogate.predict(candidates[rows].flatten(0, 1), context))
    errors = targets.objective(torch.cat(parts).unflatten(0, candidates.shape[:2]))
    return errors.argsort(dim=1, stable=True)

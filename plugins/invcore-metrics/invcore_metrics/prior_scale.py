"""Scales that make designs and responses of any unit comparable, from the task's own prior."""

from typing import Any

import torch
from torch import Tensor

from invcore.plugin import Evaluation, Task, generator

DRAWS = 4096


def has_prior(task: Task[Any]) -> bool:
    """Whether designs can be drawn from the task's prior."""
    return all(variable.prior is not None for variable in task.designs.variables)


def design_scale(evaluation: Evaluation) -> Tensor:
    """The prior's standard deviation of each design variable (Dx,), over even quantiles."""
    share = (torch.arange(DRAWS, dtype=torch.float64) + 0.5) / DRAWS
    x = evaluation.designs.from_unit(share[:, None].expand(-1, evaluation.designs.dim))
    return _positive(x.std(dim=0, unbiased=False))


def response_scale(evaluation: Evaluation, task: Task[Any]) -> Tensor:
    """The standard deviation of each response (Dy,) over designs of the prior, in float64.

    Where the simulator may not be called freely, it is that of the responses that the run has.
    """
    if not task.free_calls:
        variance = evaluation.variance
        if variance is None:
            variance = evaluation.targets.double().var(dim=0, correction=0)
        return _positive(variance.double().cpu().sqrt())
    x = task.designs.sample(DRAWS, generator(0, "metric", "response-scale"))
    y = task.simulate(x).double()
    return _positive(y[y.isfinite().all(dim=1)].std(dim=0))


def _positive(spread: Tensor) -> Tensor:
    """A constant column has no scale of its own: 1."""
    return torch.where(spread > 0, spread, 1.0)

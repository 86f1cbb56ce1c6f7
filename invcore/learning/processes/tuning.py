"""The most likely parameters of Gaussian processes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from invcore.learning.processes.likelihood import Loss
from invcore.learning.processes.parameters import GaussianProcessConfig, Parameters, Rows
from invcore.numerics.lbfgs import minimise_each

_NUMBERS = 1 << 22  # of a covariance of some responses, held at once


@torch.no_grad()
def tuned(
    config: GaussianProcessConfig, rows: Rows, *, shared: bool, start: Parameters | None = None,
    steps: int | None = None,
) -> Parameters:  # fmt: skip
    """The most likely parameters of each response, or those that all share.

    Args:
        config: kernel, starts, steps.
        rows: N rows of R responses.
        shared: whether all responses have the same parameters.
        start: parameters to begin with, instead of the usual ones.
        steps: most of them, instead of the config's.
    """
    responses = rows.y.shape[1]
    several = 1 if shared else max(1, _NUMBERS // len(rows) ** 2)
    parts = []
    for columns in torch.arange(responses).split(responses if shared else several):
        loss = Loss(config.kernel, rows.responses(columns), config.least_noise, shared)
        count = 1 if shared else len(columns)
        if start is None:
            starts = _starts(config, count, rows.x)
        else:
            starts = [_some(loss.numbers(start), columns, count)]
        ends = [minimise_each(loss, each, steps=steps or config.steps) for each in starts]
        best, lowest = ends[0]
        for numbers, value in ends[1:]:
            best = torch.where((value < lowest)[:, None], numbers, best)
            lowest = value.minimum(lowest)
        parts.append(loss.parameters(best))
    return Parameters(*(torch.cat([getattr(part, name) for part in parts])
                        for name in ("length", "signal", "noise")))  # fmt: skip


def _some(numbers: Tensor, columns: Tensor, count: int) -> Tensor:
    """Numbers (count, F + 2) of the responses that are tuned, from given ones."""
    if len(numbers) == 1:
        return numbers.repeat(count, 1)
    return numbers.mean(dim=0, keepdim=True) if count == 1 < len(columns) else numbers[columns]


def _starts(config: GaussianProcessConfig, responses: int, x: Tensor) -> list[Tensor]:
    """Starts (R, F + 2): of lengths that are short, and long."""
    features = x.shape[1]
    base = math.log(math.sqrt(max(1, features)))
    starts = []
    for length, noise in ((base, -3.0), (base + 0.7, -6.0)):
        start = torch.full((responses, features + 2), length, dtype=torch.float64)
        start[:, -2], start[:, -1] = 0.0, max(noise, math.log(config.least_noise))
        starts.append(start.to(x.device))
    return starts[: config.starts]

"""Proposals for many targets: a batch at a time, and sorted by a surrogate on wish."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore.base.progress import Progress
from invcore.contracts.candidates import Candidates, History
from invcore.contracts.method import InverseModel, Targets
from invcore.contracts.sampler import Sampler
from invcore.contracts.simulator import Simulator
from invcore.data.pairs import repeated, rows_of
from invcore.learning.surrogate import Surrogate
from invcore.scoring.errors import squared_error

ROWS = 65536  # candidates proposed at once: bounds memory, and moves the bar


def draw_points(
    sampler: Sampler[Any], model: InverseModel, targets: int, count: int, generator: torch.Generator
) -> Tensor:
    """What drives a model's candidates, (targets, count, L); empty where it takes no points."""
    if model.point_dim == 0:
        return torch.empty(targets, count, 0, dtype=torch.float64)
    return sampler.batch(targets, count, model.point_dim, generator)


def propose_in_batches(
    model: InverseModel,
    targets: Targets,
    points: Tensor,
    simulator: Simulator | None,
    progress: Progress,
) -> Candidates:
    """Propose for a batch of targets at a time, so that memory does not grow with all of them.

    Args:
        model: fitted.
        targets: B of them.
        points: (B, K, L).
        simulator: for methods that need it.
        progress: shows how many targets are done.
    """
    step = len(targets) if model.joint else max(1, ROWS // max(1, points.shape[1]))
    parts: list[Candidates] = []
    with progress.stage("proposing", len(targets)) as stage:
        for start in range(0, len(targets), step):
            rows = slice(start, start + step)
            part = Targets(targets.y[rows], rows_of(targets.context, rows))
            found = model.propose(part, points[rows], simulator=simulator)
            parts.append(
                Candidates(
                    found.x.detach().cpu().double(),
                    None if found.predicted is None else found.predicted.detach().cpu().double(),
                    found.history,
                )
            )
            stage.advance(len(part))
    predicted = [part.predicted for part in parts if part.predicted is not None]
    histories = [part.history for part in parts if part.history is not None]
    return Candidates(
        torch.cat([part.x for part in parts]),
        torch.cat(predicted) if len(predicted) == len(parts) else None,
        History.beside(histories) if len(histories) == len(parts) else None,
    )


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
        known = repeated(rows_of(targets.context, rows), count)
        parts.append(surrogate.predict(candidates[rows].flatten(0, 1), known))
    errors = squared_error(torch.cat(parts).unflatten(0, candidates.shape[:2]), targets.y)
    return errors.argsort(dim=1, stable=True)

"""Proposals for many targets: points drawn, and candidates for a batch of targets at a time."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import BudgetError, ShapeError
from invcore.base.progress import Progress
from invcore.base.seeding import generator
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.method import InverseModel
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.sampler import Sampler
from invcore.contracts.simulation.simulator import Simulator
from invcore.learning.response_density import ResponseDensity
from invcore.pipeline.feasibility import Residual, within
from invcore.pipeline.specifications import specified
from invcore.storage.moves import Moves

ROWS = 65536  # candidates proposed at once: bounds memory, and moves the bar


def propose(
    model: InverseModel, problem: Problem, sampler: Sampler[Any], targets: Targets, count: int, *,
    seed: int = 0, simulator: Simulator | None = None, progress: Progress | None = None,
    env: FitEnvironment = SILENT, density: ResponseDensity | None = None,
    residual: Residual | None = None,
    told: Callable[[Moves], None] | None = None,
) -> Candidates:  # fmt: skip
    """Propose ``count`` candidates for each target, in bounded memory; on the CPU, in float64.

    With constraints, each is the nearest allowed design to what the model gives.

    Args:
        model: fitted.
        problem: that it was fitted to.
        sampler: gives the points that drive it.
        targets: B of them.
        count: K.
        seed: of the sampler.
        simulator: for methods that need it.
        progress: shows how many targets are done.
        env: that the model is given.
        density: over the responses that the model has learnt from, for targets that are intervals
            or goals; see ``specified``.
        residual: of the task's own constraints, if it has such.
        told: how far candidates were moved, where there are constraints.

    Raises:
        UnfitError: targets that are no exact responses, of which the model needs a density.
        ShapeError: the model gives candidates of another shape than (B, K, Dx).
    """
    model = specified(model, targets, density)
    points = draw_points(sampler, model, len(targets), count, generator(seed, "points"))
    candidates = propose_in_batches(model, targets, points, simulator, progress or Progress(), env)
    expected = (len(targets), count, problem.designs.dim)
    if candidates.x.shape != expected:
        raise ShapeError(f"candidates have shape {tuple(candidates.x.shape)}, expected {expected}")
    candidates, moves = within(candidates, problem.designs, seed=seed, residual=residual)
    if moves is not None and told is not None:
        told(moves)
    return candidates


def draw_points(
    sampler: Sampler[Any], model: InverseModel, targets: int, count: int, generator: torch.Generator
) -> Tensor:
    """What drives a model's candidates, (targets, count, L); empty where it takes no points."""
    if model.point_dim == 0:
        return torch.empty(targets, count, 0, dtype=torch.float64)
    return sampler.batch(targets, count, model.point_dim, generator)


def propose_in_batches(
    model: InverseModel, targets: Targets, points: Tensor, simulator: Simulator | None,
    progress: Progress, env: FitEnvironment = SILENT,
) -> Candidates:  # fmt: skip
    """Candidates for a batch of targets at a time, so that memory does not grow with all.

    A search whose budget ends has the best designs that it has simulated for each target, where the
    simulator keeps them.
    """
    step = len(targets) if model.joint else max(1, ROWS // max(1, points.shape[1]))
    parts: list[Candidates] = []
    with progress.stage("proposing", len(targets)) as stage:
        for start in range(0, len(targets), step):
            rows = slice(start, start + step)
            part = targets[rows]
            own = None if simulator is None else simulator.part(rows)
            try:
                proposed = model.propose(part, points[rows], simulator=own, env=env)
            except BudgetError:  # the answer is the best that it has simulated by then
                designs = None if own is None else own.best_designs()
                if designs is None:
                    raise
                proposed = Candidates(designs)
            x, predicted = proposed.x.detach().cpu().double(), proposed.predicted
            predicted = None if predicted is None else predicted.detach().cpu().double()
            parts.append(Candidates(x, predicted))
            stage.advance(len(part))
    predictions = [part.predicted for part in parts if part.predicted is not None]
    return Candidates(
        torch.cat([part.x for part in parts]),
        torch.cat(predictions) if len(predictions) == len(parts) else None,
    )

"""Refinement of any method's candidates: whose slopes it follows, and what becomes of the order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.progress import Progress
from invcore.base.types import Context
from invcore.contracts.candidates import Candidates
from invcore.contracts.method import InverseModel
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs, repeated, rows_of
from invcore.learning.processes.forward import ProcessForward
from invcore.search.refinement.refine import Slopes, refine

_LOOKED_AT = 64  # candidates of a target, whose order a process says
_ROWS = 8192

Predict = Callable[[Tensor, Context | None], Tensor]


@dataclass(frozen=True)
class RefinedCandidates:
    """Candidates after refinement.

    Args:
        candidates: those that were simulated first, the best first, then the others in their order,
            then those that have no response. ``predicted`` of the first is what the simulator said.
        order: (B, K), where each stood before.
        responses: (B, K, Dy), what the simulator said; NaN of others.
        calls: (B,), simulator calls for each target.
    """

    candidates: Candidates
    order: Tensor
    responses: Tensor
    calls: Tensor


def refined_candidates(
    model: InverseModel | None, problem: Problem, targets: Targets, candidates: Candidates,
    simulator: Simulator, calls: int, *, pairs: Pairs, variance: float,
    generator: torch.Generator, ranked: bool, responses: Tensor | None = None,
    progress: Progress | None = None,
) -> RefinedCandidates:  # fmt: skip
    """Spend simulator calls on the best candidates of each target; see ``refine``.

    The slopes are those of the method's own forward model, or else of a Gaussian process on pairs.
    The first candidate is the best by the method's own order, or by what it predicts; of one that
    has neither, by the process.

    Args:
        model: fitted; None where there is none.
        problem: the spaces.
        targets: B of them.
        candidates: (B, K, Dx), allowed ones.
        simulator: counted.
        calls: the most for a target.
        pairs: for the process.
        variance: of the responses, mean over Dy.
        generator: draws among the pairs.
        ranked: whether candidates come best first.
        responses: (B, K, Dy), where they are known: no call is spent on such candidates.
        progress: shows the calls.
    """
    slopes, predict = _forward(model, problem, pairs, generator)
    order = _preferred(targets, candidates, ranked, predict)
    x = candidates.x.take_along_dim(order[..., None], 1)
    known = None if responses is None else responses.take_along_dim(order[..., None], 1)
    with (progress or Progress()).stage("refining", len(targets) * calls) as bar:
        found = refine(
            problem, targets, x, slopes, simulator, calls, variance=variance, responses=known,
            advance=bar.advance,
        )  # fmt: skip
    place = _by_truth(targets, found.responses, found.begun)
    order = order.gather(1, place)
    true = found.responses.take_along_dim(place[..., None], 1)
    predicted = torch.full_like(true, torch.nan)
    if candidates.predicted is not None:
        predicted = candidates.predicted.double().take_along_dim(order[..., None], 1)
    predicted = torch.where(true.isnan().all(dim=2, keepdim=True), predicted, true)
    designs = found.designs.take_along_dim(place[..., None], 1)
    return RefinedCandidates(Candidates(designs, predicted), order, true, found.calls)


def _forward(
    model: InverseModel | None, problem: Problem, pairs: Pairs, generator: torch.Generator
) -> tuple[Slopes, Predict | None]:
    """The slopes to follow, and predictions where a process was fitted."""
    first = pairs[:1]
    own = None if model is None else model.gradient(first.x, first.context)
    if model is not None and own is not None:

        def slopes(x: Tensor, context: Context | None) -> Tensor:
            gradient = model.gradient(x, context)
            assert gradient is not None  # it was there before
            return gradient

        return slopes, None
    process = ProcessForward.fit(problem.designs, pairs, generator)
    return process.gradient, process.predict


def _preferred(
    targets: Targets, candidates: Candidates, ranked: bool, predict: Predict | None
) -> Tensor:
    """The places (B, K) of candidates, in the order in which they are begun."""
    count, places = candidates.x.shape[:2]
    order = torch.arange(places).expand(count, places)
    if ranked:
        return order
    if candidates.predicted is not None:
        value = targets.objective(candidates.predicted.double())
        return value.nan_to_num(torch.inf).argsort(dim=1, stable=True)
    if predict is None:
        return order
    some, parts = min(places, _LOOKED_AT), []
    step = max(1, _ROWS // some)
    for begin in range(0, max(1, count), step):
        rows = slice(begin, begin + step)
        x = candidates.x[rows, :some].flatten(0, 1)
        y = predict(x.nan_to_num(0.0), repeated(rows_of(targets.context, rows), some))
        y = torch.where(x.isfinite().all(dim=1, keepdim=True), y, torch.nan)
        value = targets[rows].objective(y.unflatten(0, (-1, some)))
        parts.append(value.nan_to_num(torch.inf).argsort(dim=1, stable=True))
    return torch.cat([torch.cat(parts), order[:, some:]], dim=1)


def _by_truth(targets: Targets, responses: Tensor, begun: Tensor) -> Tensor:
    """The places (B, K): what the simulator answered, the best first; what it was not asked, in
    order; and what it had no answer to.
    """
    value = targets.objective(responses)
    known = value.isfinite()
    group = torch.where(known, 0, torch.where(begun, 2, 1))
    by_value = torch.where(known, value, 0.0).argsort(dim=1, stable=True)
    return by_value.gather(1, group.gather(1, by_value).argsort(dim=1, stable=True))

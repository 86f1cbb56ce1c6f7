"""The answers of a fitted model to a run's targets, within its budgets, and their re-simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from invcore.base.progress import Progress
from invcore.base.seeding import generator
from invcore.contracts.candidates import Candidates
from invcore.contracts.method import InverseModel, Needs
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.call_record import History
from invcore.contracts.simulation.simulator import Budget, Simulator
from invcore.pipeline.feasibility import residual_of, within
from invcore.pipeline.fit import SEARCHES
from invcore.pipeline.pipeline import Pipeline
from invcore.pipeline.proposals import propose_in_batches
from invcore.runs.data import FEW, RunData
from invcore.runs.plan import Plan, problem_of
from invcore.runs.seen_rows import RememberingSimulator

_INDEPENDENT = 20  # candidates that independent points drive: 21 ranks among them
_CLOCK = "a budget in seconds: what is reached in it depends on the machine and cannot be repeated"


@dataclass(frozen=True)
class Answers:
    """What a model gave, and what the simulator says of it.

    Args:
        candidates: (B, K, Dx), as many as the budgets allow.
        responses: (B, K, Dy), NaN where there is none.
        calls: of the simulator, to search and to judge.
        search_calls: those of them that the method made, and refinement.
        history: what the calls brought each target.
        draws: (B, S, Dx), further candidates, of independent points, if there are any.
        ranked: whether candidates come best first.
    """

    candidates: Candidates
    responses: Tensor
    calls: int
    search_calls: int
    history: History | None
    draws: Tensor | None
    ranked: bool


def search_and_judge(
    plan: Plan, pipeline: Pipeline, model: InverseModel, targets: Targets, data: RunData
) -> Answers:
    """Propose candidates for a run's targets, and simulate them.

    A method that searches spends a budget on its search; of any other, the candidates that a budget
    does not suffice to judge are not simulated, and do not count. What refinement may spend is put
    aside of either.
    """
    config, task = plan.config, plan.task
    searches = bool(plan.method.needs & SEARCHES)
    calls = config.calls_per_target
    each = Budget(None if calls is None else calls - config.refine, config.seconds_per_target)
    limited = each != Budget()
    facts: dict[str, Any] = {"targets": targets, "scale": float(data.variance.mean())}
    if searches:
        facts |= {"each": each, "keep": config.candidates if limited else 0}
    simulator = Simulator(task, **facts)
    if config.refine and Needs.PAIRS not in plan.method.needs:
        random = generator(config.seed, "seen rows")
        simulator = RememberingSimulator(task, generator=random, context=targets.context, **facts)
    problem = problem_of(plan)
    candidates = pipeline.propose(
        model, problem, targets, simulator if searches else None,
        residual=residual_of(task, targets.context),
    )  # fmt: skip
    ranked, refiner = model.ranked, simulator.judge()
    if config.refine:
        pairs = data.splits.train
        if isinstance(simulator, RememberingSimulator):  # what the search saw, and a few beside
            pairs = simulator.with_seen(pairs[:FEW])
        found = pipeline.refine(
            model, problem, targets, candidates, refiner, config.refine, pairs=pairs.whole(),
            variance=float(data.variance.mean()), ranked=ranked,
        )  # fmt: skip
        candidates, ranked = found.candidates, True
    search = simulator.history() if searches or config.refine else None
    if each.calls is not None and not searches:
        candidates = _first(candidates, each.calls)
    judge = simulator.judge()
    responses = pipeline.resimulate(judge, candidates.x, targets)
    if each.seconds is not None:
        pipeline.note(_CLOCK)
        if not searches:
            count = _within(each.seconds, pipeline, model.ranked, *responses.shape[:2])
            candidates, responses = _first(candidates, max(1, count)), responses[:, : max(1, count)]
            responses = responses if count else torch.full_like(responses, torch.nan)
    history = judge.history()
    if history is not None:  # in time, as the search went on: there is nothing else to see
        of = history if search is None else search
        moments = {name: getattr(of, name) for name in ("error", "calls", "seconds")}
        if search is None:
            moments = {name: value[:0] for name, value in moments.items()}
        history = replace(history, **moments)
    return Answers(
        candidates, responses, simulator.calls + refiner.calls + judge.calls,
        simulator.calls + refiner.calls, history,
        None if searches or config.refine else _draws(plan, model, targets), ranked,
    )  # fmt: skip


def _first(candidates: Candidates, count: int) -> Candidates:
    predicted = candidates.predicted
    return Candidates(candidates.x[:, :count], None if predicted is None else predicted[:, :count])


def _within(seconds: float, pipeline: Pipeline, ranked: bool, targets: int, count: int) -> int:
    """How many candidates of a target can be proposed and simulated in a time."""
    times = pipeline.timings
    call = times.simulate_s / (targets * count)
    proposals = times.propose_s / targets  # ranked ones must all be there before the first is known
    if ranked:
        return min(count, max(0, int((seconds - proposals) / max(call, 1e-12))))
    return min(count, int(seconds / max(proposals / count + call, 1e-12)))


def _draws(plan: Plan, model: InverseModel, targets: Targets) -> Tensor | None:
    """Candidates of independent points, for what asks whether a method samples a distribution."""
    independent = plan.parts["sampler"].component.independent
    alone = independent or model.ranked or model.joint or not model.point_dim
    if alone or not targets.exact:
        return None
    random = generator(plan.config.seed, "points", "independent")
    shape = (len(targets), _INDEPENDENT, model.point_dim)
    points = torch.rand(shape, generator=random, dtype=torch.float64)
    points = points.clamp(2.0**-53, 1 - 2.0**-53)
    drawn = propose_in_batches(model, targets, points, None, Progress())
    task = plan.task
    residual = residual_of(task, targets.context)
    return within(drawn, task.designs, seed=plan.config.seed, residual=residual)[0].x

"""Checked designs refined: a few more simulator calls for each target, on steps from its best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from invcore.plugin import (
    Candidates,
    FittedJudge,
    InverseModel,
    Pairs,
    Problem,
    Simulator,
    Targets,
)
from invcore.search import refined_candidates
from invcore_solve.answers.proposal import Proposal
from invcore_solve.answers.ranking import checked, distinct, places


def refined_proposal(
    ranked: Proposal, model: InverseModel | None, problem: Problem, simulator: Simulator,
    calls: int, *, pairs: Pairs, variance: float, generator: torch.Generator,
    judge: FittedJudge | None,
) -> tuple[Proposal, int]:  # fmt: skip
    """The same designs, the best of each target moved by steps from it, ranked anew.

    Args:
        ranked: by the simulator's responses, which are known of every row.
        model: that proposed, if one was fitted.
        problem: the spaces.
        simulator: counted.
        calls: the most for a target.
        pairs: to learn slopes from where the model has none.
        variance: of the responses, mean over Dy.
        generator: draws among them.
        judge: says what to expect of designs that have moved, where others have such.

    Returns:
        The designs, without copies, and how many calls were made.
    """
    assert ranked.responses is not None
    group, place = (ranked.rank == 1).cumsum(0) - 1, ranked.rank - 1
    size = int(group[-1]) + 1, int(ranked.rank.max())

    def grid(values: Tensor, fill: float) -> Tensor:
        full = values.new_full((*size, *values.shape[1:]), fill)
        full[group, place] = values
        return full

    first = ranked.rank == 1
    targets = Targets(ranked.target[first]) if ranked.wanted is None else ranked.wanted[first]
    designs, y = (grid(v.double(), torch.nan) for v in (ranked.designs, ranked.responses))
    found = refined_candidates(
        model, problem, targets, Candidates(designs), simulator, calls, pairs=pairs,
        variance=variance, generator=generator, ranked=True, responses=y,
    )  # fmt: skip
    rows = grid(torch.arange(len(ranked)), -1).gather(1, found.order)
    there = rows >= 0
    result = ranked.rows(rows[there])
    x = found.candidates.x[there]
    moved = (x != result.designs).any(dim=1)
    result = _expected(replace(result, designs=x.to(result.designs)), moved, judge)
    own = torch.arange(size[0])[:, None].expand(size)[there]
    result = replace(result, rank=places(own))
    result = checked(result, found.responses[there].to(ranked.responses))
    keep = [
        torch.tensor(group)[distinct(problem.designs.to_unit(result.designs[group]))]
        for group in result.groups()
    ]
    result = result.rows(torch.cat(keep))
    own = torch.repeat_interleave(torch.arange(size[0]), torch.tensor([len(k) for k in keep]))
    return replace(result, rank=places(own)), int(found.calls.sum())


def _expected(proposal: Proposal, moved: Tensor, judge: FittedJudge | None) -> Proposal:
    """What the judge expects of designs that have moved."""
    if judge is None or proposal.predicted is None or not bool(moved.any()):
        return proposal
    x = proposal.designs[moved]
    verdict = judge.predict(x)
    predicted, error = proposal.predicted.clone(), proposal.predicted_error
    predicted[moved] = verdict.response.to(predicted)
    changes: dict[str, Any] = {"predicted": predicted}
    if error is not None:
        changes["predicted_error"] = error.clone()
        changes["predicted_error"][moved] = verdict.error.to(error)
    if proposal.probability is not None and proposal.wanted is not None:
        probability = proposal.probability.clone()
        chance = judge.probability(x[:, None], proposal.wanted[moved])[:, 0]
        probability[moved] = chance.to(probability)
        changes["probability"] = probability
    return replace(proposal, **changes)

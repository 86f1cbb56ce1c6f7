"""Designs put in order: by a judge's opinion, or by the error that a simulator says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DivergedError, FittedJudge, Problem, Space, Targets
from invcore_solve.answers.asked import Wanted
from invcore_solve.answers.preference import preferred, true_order
from invcore_solve.answers.proposal import Names, Proposal, categories_of
from invcore_solve.answers.specified import exact_values
from invcore_solve.proposals.aims.specified import SpecifiedAim
from invcore_solve.proposals.judged import Judged

_CLOSE = 1e-4  # designs closer than this share of the box, in every variable, are one


def by_judge(
    problem: Problem, target: Tensor, designs: Tensor, predicted: Tensor, error: Tensor,
    scale: Tensor, reach: Sequence[str],
) -> Proposal:  # fmt: skip
    """Designs ranked by a judge's upper bound of the distance to the target, without copies.

    Args:
        problem: the spaces.
        target: (B, Dy).
        designs: (B, K, Dx), allowed ones.
        predicted: (B, K, Dy), what the judge expects.
        error: (B, K, Dy), half-width around it.
        scale: (Dy,), in which distances count.
        reach: for each target why the data do not reach it, or an empty text.

    Raises:
        DivergedError: a target has no design that is finite.
    """
    bound = ((predicted - target[:, None]).abs() + error) / scale
    order = bound.square().mean(dim=2).argsort(dim=1, stable=True)
    usable = (designs.isfinite().all(dim=2) & bound.isfinite().all(dim=2)).gather(1, order)
    rows = []
    for b in range(len(target)):  # over targets, of which there are few; numbers vary from here
        best = order[b][usable[b]]
        if len(best) == 0:
            raise DivergedError(f"target {b + 1}: the method gave no finite design")
        best = best[distinct(problem.designs.to_unit(designs[b, best]))]
        rows.append((torch.full_like(best, b), torch.arange(1, len(best) + 1), best))
    which, rank, best = (torch.cat(column) for column in zip(*rows, strict=True))
    return Proposal(
        target=target[which], rank=rank, designs=designs[which, best],
        names=(problem.designs.names, problem.responses.names),
        predicted=predicted[which, best], predicted_error=error[which, best],
        reach=tuple(reach[b] for b in which.tolist()), categories=categories_of(problem.designs),
    )  # fmt: skip


def by_probability(
    problem: Problem, wanted: Wanted, designs: Tensor, judge: FittedJudge, reach: Sequence[str]
) -> Proposal:  # fmt: skip
    """Designs ranked for specifications by a judge, without copies; see ``preferred``.

    Args:
        problem: the spaces.
        wanted: B specifications.
        designs: (B, K, Dx), allowed ones.
        judge: of designs.
        reach: for each target why the data do not reach it, or an empty text.

    Raises:
        DivergedError: a target has no design that is finite.
    """
    aim, rows = SpecifiedAim.of(wanted.targets), []
    for b, own in enumerate(designs):
        own = own[own.isfinite().all(dim=1)]
        if len(own) == 0:
            raise DivergedError(f"target {b + 1}: the method gave no finite design")
        chance = judge.probability(own[None], wanted.targets[b : b + 1])[0].double().numpy()
        judged = Judged.by(judge, own.numpy())
        owner = np.full(len(own), b * aim.repeats)
        goals = aim.expected_goals(judged, owner)[:, aim.goals[b * aim.repeats] != 0]
        order = torch.from_numpy(preferred(chance, aim.violation(judged, owner), goals))
        best = order[distinct(problem.designs.to_unit(own[order]))]
        rank = torch.arange(1, len(best) + 1)
        rows.append((torch.full_like(best, b), rank, own[best], torch.from_numpy(chance)[best]))
    which, rank, x, probability = (torch.cat(column) for column in zip(*rows, strict=True))
    verdict = judge.predict(x)
    own_targets = wanted.targets[which]
    return Proposal(
        target=exact_values(own_targets), rank=rank, designs=x,
        names=(problem.designs.names, problem.responses.names), predicted=verdict.response,
        predicted_error=verdict.error, reach=tuple(reach[b] for b in which.tolist()),
        probability=probability, wanted=own_targets,
        asked=tuple(wanted.texts[b] for b in which.tolist()),
        categories=categories_of(problem.designs),
    )  # fmt: skip


def by_error(
    targets: Targets, group: Tensor, designs: Tensor, responses: Tensor, names: Names,
    texts: Sequence[str] = (),
) -> Proposal:  # fmt: skip
    """Designs ranked by the error that the simulator says; without a response, last.

    Args:
        targets: B of them.
        group: (R,), which target a row is for: 0, 1, …
        designs: (R, Dx).
        responses: (R, Dy), the simulator's.
        names: of designs and responses.
        texts: B targets in words; none of exact ones.
    """
    own = targets[group]
    exact = targets.exact
    asked = tuple(texts[b] for b in group.tolist()) if texts else ()
    found = Proposal(
        own.y if exact else exact_values(own), torch.zeros(len(group), dtype=torch.long), designs,
        names, wanted=None if exact else own, asked=asked,
    )  # fmt: skip
    return _by_truth(found, group, responses)


def checked(proposed: Proposal, responses: Tensor) -> Proposal:
    """What a judge ranked, ranked anew by the simulator's responses (R, Dy) of the same rows."""
    return _by_truth(proposed, (proposed.rank == 1).cumsum(0) - 1, responses)


def _by_truth(found: Proposal, group: Tensor, responses: Tensor) -> Proposal:
    """The rows put in order within each group (R,) by what is true of them."""
    if found.wanted is None:
        error = (responses - found.target).square().mean(dim=1)
        order, rank = _ranks(error, group)
    else:
        each = responses[:, None]  # one response of each row's own target
        error = found.wanted.error(each)[:, 0]
        error = torch.where(responses.isfinite().all(dim=1), error, torch.nan)
        met = found.wanted.met(each)[:, 0].double()
        goals = found.wanted.goals(each)[:, 0] / found.wanted.spread
        parts = []
        for b in range(int(group.max()) + 1 if len(group) else 0):
            own = (group == b).nonzero()[:, 0]
            some = goals[own][:, (goals[own] != 0).any(dim=0)]
            place = true_order(met[own].numpy(), error[own].numpy(), some.numpy())
            parts.append(own[torch.from_numpy(place)])
        order = torch.cat(parts) if parts else group
        rank = places(group[order])
    return replace(found.rows(order), rank=rank, responses=responses[order], error=error[order])


def _ranks(error: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """The order of rows, group after group and by error, and the rank of each in that order."""
    by_size = error.argsort(stable=True)  # NaN goes last
    order = by_size[group[by_size].argsort(stable=True)]
    return order, places(group[order])


def places(group: Tensor) -> Tensor:
    """The place of each row in its group, from 1; of groups (R,) in order."""
    return torch.arange(len(group)) - torch.searchsorted(group, group.clone()) + 1


def distinct(unit: Tensor) -> Tensor:
    """Positions of the designs (K, Dx), in the unit cube, that repeat no earlier one, in order."""
    cells = (unit / _CLOSE).round()
    _, group = torch.unique(cells, dim=0, return_inverse=True)
    first = torch.full((int(group.max()) + 1,), len(unit))
    first = first.scatter_reduce(0, group, torch.arange(len(unit)), "amin")
    return first.sort().values


def without_copies(space: Space, proposed: Tensor, method: str) -> tuple[Tensor, Tensor]:
    """Allowed designs without copies of one target.

    Args:
        space: of designs.
        proposed: (B, K, Dx).
        method: who proposed them, for messages.

    Returns:
        Whose targets they are (R,), and the designs (R, Dx).

    Raises:
        DivergedError: a target has no design that is finite.
    """
    designs, groups = [], []
    for b, rows in enumerate(space.project(proposed)):  # of which there are few
        rows = rows[rows.isfinite().all(dim=1)]
        if len(rows) == 0:
            raise DivergedError(f"target {b + 1}: method {method!r} gave no finite design")
        designs.append(rows[distinct(space.to_unit(rows))])
        groups.append(torch.full((len(designs[-1]),), b))
    return torch.cat(groups), torch.cat(designs)

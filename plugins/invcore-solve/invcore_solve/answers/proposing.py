"""The work of proposing: what is wanted, who proposes, and which way it is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.learning import ResponseDensity
from invcore.pipeline import build, propose
from invcore.plugin import Pairs, Progress, Space, Targets, generator
from invcore_solve.answers.answering import Question, answer
from invcore_solve.answers.asked import Wanted
from invcore_solve.answers.proposal import Proposal
from invcore_solve.answers.ranking import by_judge, by_probability
from invcore_solve.answers.specified import Specified, answer_specified
from invcore_solve.derived.judge import DerivedJudge
from invcore_solve.typicality.of_table import listed_designs

if TYPE_CHECKING:
    from invcore_solve.designer import Designer

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class How:
    """How designs are proposed; see ``Designer.propose``."""

    candidates: int
    sampler: str
    seed: int
    strict: bool
    diverse: bool
    apart: float
    progress: Progress | None


def proposed(designer: Designer, wanted: Wanted, how: How) -> Proposal:
    """Ranked designs for what is wanted."""
    targets = wanted.targets
    exact = targets.exact
    reach = designer.reach
    reached = reach.check(targets.y.numpy()) if exact else reach.check_specified(targets)
    notes = designer.reach_notes(reached, how.strict)
    further = _by_methods(designer, targets, how)
    if not designer.near:
        assert further is not None
        return _by_judge_alone(designer, wanted, further[1], notes)
    listed = listed_designs(designer.data.designs) is not None
    apart, diverse = 0.0 if listed else how.apart, how.diverse and not listed
    x = None if further is None else further[0]
    rng = designer.random("search", how.seed)
    parts = (designer.data, designer.measured, designer.judge, designer.typicality, designer.pool)
    if exact:
        question = Question(
            targets.y.numpy(), reach.scale, designer.noise, how.candidates, apart, diverse
        )
        found = answer(question, *parts, rng, inverse=designer.inverse, further=x, listed=listed)
    else:
        specified = Specified(targets, wanted.texts, how.candidates, apart, diverse, listed)
        found = answer_specified(specified, *parts, rng, further=x)
    group = ((found.rank == 1).cumsum(0) - 1).tolist()
    return replace(
        found, reach=tuple(notes[b] for b in group), notes=designer.level_notes + found.notes
    )


def _by_judge_alone(
    designer: Designer, wanted: Wanted, proposals: Tensor, notes: list[str]
) -> Proposal:
    """What methods propose (B, K, Dx), ranked by the judge."""
    designs = designer.data.designs.project(proposals)
    if not wanted.targets.exact:
        return by_probability(designer.problem, wanted, designs, designer.judge, notes)
    verdict = designer.judge.predict(designs.flatten(0, 1))
    response, error = (
        part.unflatten(0, designs.shape[:2]) for part in (verdict.response, verdict.error)
    )
    scale = torch.from_numpy(designer.reach.scale)
    return by_judge(designer.problem, wanted.targets.y, designs, response, error, scale, notes)


def _by_methods(
    designer: Designer, targets: Targets, how: How
) -> tuple[tuple[Numbers, Places], Tensor] | None:
    """What the methods propose: designs (n, Dx) with the target of each, and (B, K, Dx)."""
    if not designer.models:
        return None
    part, problem = build(designer.plugins, "sampler", how.sampler).component, designer.problem
    count, density = len(problem.responses.names), None
    if isinstance(designer.judge, DerivedJudge):  # methods have learnt the table's own responses
        count = len(designer.judge.followers.responses)
        own = Space.of(*problem.responses.variables[:count])
        problem, targets = replace(problem, responses=own), own_targets(targets, count)
        if designer.near and not bool(targets.wanted.any()) and not targets.has_goals:
            return None
    if not targets.exact:
        pairs = designer.data.pairs
        known = Pairs(pairs.x, pairs.y[:, :count], pairs.context)
        density = ResponseDensity.fit(known, generator(designer.record.seed, "responses"))
    every = torch.cat([
        propose(
            model, problem, part, targets, how.candidates, seed=how.seed, progress=how.progress,
            density=density,
        ).x
        for model in designer.models.values()
    ], dim=1)  # fmt: skip
    flat = every.flatten(0, 1).numpy()
    return (flat, np.repeat(np.arange(len(targets)), every.shape[1])), every


def own_targets(targets: Targets, count: int) -> Targets:
    """What is wanted of the first so many responses alone."""
    parts = (getattr(targets, name)[:, :count] for name in Targets.parts)
    return Targets.of_parts(*parts, context=targets.context).measured_in(targets.spread[:count])

"""From targets to a proposal: candidates from everywhere, one judge, one order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import FittedJudge
from invcore_solve.answers.proposal import Proposal, categories_of
from invcore_solve.judging.fitted_stack import FittedStack
from invcore_solve.proposals.aims.aim import ExactAim
from invcore_solve.proposals.diversity import SHOWN, diverse_order, diversity_note
from invcore_solve.proposals.inverse_regression import InverseRegression
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.measured import measured_rows
from invcore_solve.proposals.search import Answers, search
from invcore_solve.tables.table_data import TableData
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_SPREAD = 24  # designs of an inverse regression for each target
_WORTH_SAYING = 1.01
_VARIED = 400  # designs of a target among which those that are shown differ
_TOGETHER = 40_000  # of these for all targets
_MEASURED = 10  # rows that are shown for a target, where so many meet it


@dataclass(frozen=True)
class MeasuredDesigns:
    """The different designs of a table, and what was measured of each.

    Args:
        x: (M, Dx).
        y: (M, Dy), means where there are several measurements; NaN where there is none.
        row: (M,), line of the first of each in the file.
    """

    x: Numbers
    y: Numbers
    row: npt.NDArray[np.int64]

    @classmethod
    def of(cls, data: TableData) -> MeasuredDesigns:
        """From the table, in the order of ``np.unique``."""
        x, first, design = np.unique(
            data.pairs.x.numpy(), axis=0, return_index=True, return_inverse=True
        )
        design, columns = design.reshape(-1), []
        for column in data.pairs.y.numpy().T:
            known = ~np.isnan(column)
            count = np.bincount(design[known], minlength=len(x))
            total = np.bincount(design[known], column[known], minlength=len(x))
            with np.errstate(invalid="ignore"):
                columns.append(total / np.where(count > 0, count, np.nan))
        return cls(x, np.stack(columns, axis=1), data.rows.numpy()[first])

    def has(self, x: Numbers) -> npt.NDArray[np.bool_]:
        """Which designs (N, Dx) are among them."""
        known = {row.tobytes() for row in np.ascontiguousarray(self.x + 0.0)}
        return np.array([row.tobytes() in known for row in np.ascontiguousarray(x + 0.0)])

    def only(self, kept: npt.NDArray[np.bool_]) -> MeasuredDesigns:
        """Some of the designs (M,) alone: those that can be proposed."""
        return MeasuredDesigns(self.x[kept], self.y[kept], self.row[kept])


@dataclass(frozen=True)
class Question:
    """What is asked, and of what.

    Args:
        targets: (B, Dy).
        scale: (Dy,), in which distances of responses count.
        noise: (Dy,), standard deviation of measurements.
        count: designs for each target.
        apart: least distance of a proposal to a measured design, in units of the rows' own.
        diverse: whether the first designs are made to differ.
    """

    targets: Numbers
    scale: Numbers
    noise: Numbers
    count: int
    apart: float
    diverse: bool


def answer(
    question: Question, data: TableData, measured: MeasuredDesigns, judge: FittedJudge,
    typicality: Typicality, pool: Judged, rng: np.random.Generator, *,
    inverse: InverseRegression | None = None, further: tuple[Numbers, Places] | None = None,
    listed: bool = False,
) -> Proposal:  # fmt: skip
    """Ranked designs for each target, rows of the table that meet it first.

    Args:
        question: what is asked.
        data: the table.
        measured: its different designs.
        judge: of designs.
        typicality: which designs are typical.
        pool: judged designs for all targets.
        rng: of local search.
        inverse: where responses are curves.
        further: designs (n, Dx) of methods, and the target of each (n,).
        listed: whether the pool is a list of designs, of which alone one may be chosen.
    """
    targets = question.targets
    own = [] if further is None else [further]
    if inverse is not None:
        drawn = inverse.propose(targets, _SPREAD, rng)
        own.append((drawn.reshape(-1, drawn.shape[2]), np.repeat(np.arange(len(targets)), _SPREAD)))
    extra = None
    if own and not listed:
        x, _ = typicality.drawn_in(np.concatenate([x for x, _ in own]))
        extra = (Judged.by(judge, x), np.concatenate([target for _, target in own]))
    varied = min(_VARIED, _TOGETHER // len(targets)) if question.diverse else 0
    count = max(question.count, varied)
    found = search(
        judge, typicality, ExactAim(targets, question.scale), pool, count, rng,
        further=extra, apart=question.apart, refined=not listed,
        preference=None if inverse is None else
        lambda b, x, cost: inverse.preference(targets[b], x, cost),
    )  # fmt: skip
    shown = measured.only(typicality.allowed(measured.x))  # as bounds and lists want it
    if listed and isinstance(judge, FittedStack):
        # To choose among measured designs is to choose noise, but for what others say of them
        known = judge.known.mean[judge.known.find(shown.x)]
        shown = replace(shown, y=np.where(np.isnan(shown.y), np.nan, known))
    proposal = _proposal(question, data, measured, shown, judge, typicality, found)
    # Costs of an inverse regression are no distances of responses
    return proposal if inverse is None else replace(proposal, notes=())


def _proposal(
    question: Question, data: TableData, measured: MeasuredDesigns, shown: MeasuredDesigns,
    judge: FittedJudge, typicality: Typicality, found: Answers,
) -> Proposal:  # fmt: skip
    """The table of results; of measured designs those are shown whose responses stand there."""
    targets, neighbourhood = question.targets, typicality.neighbourhood
    met = measured_rows(
        shown.y, targets, question.scale, question.noise, min(_MEASURED, question.count)
    )
    known = Judged.by(judge, shown.x[np.concatenate(met)]) if any(map(len, met)) else None
    parts, target, rank, start = [], [], [], 0
    losses = []
    for b in range(len(targets)):
        own = np.flatnonzero(found.target == b)
        if question.diverse and len(own):
            places = neighbourhood.whitening(found.designs.x[own]) / neighbourhood.unit
            order = diverse_order(places, found.cost[own], SHOWN)
            if (order[:SHOWN] != np.arange(len(own))[:SHOWN]).any():
                first = found.cost[own[order[:SHOWN]]].mean()
                losses.append((first, found.cost[own[:SHOWN]].mean()))
            own = own[order]
        own = own[: max(0, question.count - len(met[b]))]
        if len(met[b]) and known is not None:
            parts.append(known.rows(np.arange(start, start + len(met[b]))))
            start += len(met[b])
        parts.append(found.designs.rows(own))
        size = len(met[b]) + len(own)
        target.append(np.full(size, b))
        rank.append(np.arange(1, size + 1))
    every = joined(parts)
    which = np.concatenate(target)
    verdict = judge.predict(torch.from_numpy(np.ascontiguousarray(every.x)))
    return described(
        Proposal(
            target=torch.from_numpy(targets[which]), rank=torch.from_numpy(np.concatenate(rank)),
            designs=torch.from_numpy(every.x), names=(data.designs.names, data.responses.names),
            predicted=verdict.response, predicted_error=verdict.error,
            measured=torch.from_numpy(measured.has(every.x)), notes=_lost(losses),
        ), data, measured, typicality,
    )  # fmt: skip


def _lost(losses: list[tuple[float, float]]) -> tuple[str, ...]:
    """What it costs that the first designs differ, from mean costs with and without."""
    if not losses:
        return ()
    ratio = float(np.mean([np.sqrt(own / best) for own, best in losses if best > 0]))
    if not ratio > _WORTH_SAYING:
        return (diversity_note(),)
    return (
        diversity_note(
            f"; the first are expected {ratio - 1:.0%} farther from it than the best {SHOWN} that "
            "are alike"
        ),
    )


def described(
    proposal: Proposal, data: TableData, measured: MeasuredDesigns, typicality: Typicality
) -> Proposal:
    """The same, with how far designs lie from the table, and how its columns are written."""
    x = proposal.designs.numpy()
    neighbourhood = typicality.neighbourhood
    inside = typicality.inside(x)
    _, nearest = neighbourhood.nearest(inside)
    usual = float(np.median(neighbourhood.own)) or 1.0
    names = np.array(data.designs.names, dtype=object)
    beyond = [", ".join(names[row]) for row in typicality.beyond(x)]
    schema = data.schema
    return replace(
        proposal,
        distance=torch.from_numpy(neighbourhood.distance(x) / usual),
        nearest=torch.from_numpy(measured.row[nearest]),
        nearest_response=torch.from_numpy(measured.y[nearest]),
        beyond=tuple(beyond) if any(beyond) else (),
        categories=categories_of(data.designs),
        constants=schema.constants,
        order=tuple(column.name for column in schema.of_role("design")),
    )

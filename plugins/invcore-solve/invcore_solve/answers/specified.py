"""From specifications to a proposal: what is most probably met, then goals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import FittedJudge, Targets
from invcore_solve.answers.answering import MeasuredDesigns, described
from invcore_solve.answers.preference import preferred
from invcore_solve.answers.proposal import Proposal
from invcore_solve.judging.fitted_stack import FittedStack
from invcore_solve.proposals.aims.specified import ACCEPTABLE, SpecifiedAim
from invcore_solve.proposals.diversity import SHOWN, differing, diversity_note, first_in_order
from invcore_solve.proposals.judged import Judged, joined
from invcore_solve.proposals.search import Answers, search
from invcore_solve.tables.table_data import TableData
from invcore_solve.typicality.typicality import Typicality
from invcore_solve.typicality.whitening import in_columns

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_VARIED = 400  # designs of a target whose probability is asked for
_TOGETHER = 40_000  # of these for all targets
_PROBABLE = 20  # of the most probable designs of a target, from which a search for goals begins
_MEASURED = 10  # rows that are shown for a target, where so many meet it
_WITH_GOALS = 3  # likewise, where new designs may be better
_SHARE = 4  # designs for each of these rows
_ALIKE = 0.5  # share of the best probability from which on designs are made to differ
_CLOSE = 0.2  # standard deviations of a goal within which they are
_APART = (1.0, 0.5)  # distances that these keep where they can, in whitened designs
_SEEN = (0.1, 0.05)  # standard deviations within which, in every column, designs look alike
_WORTH_SAYING = 0.01


@dataclass(frozen=True)
class Specified:
    """What is asked, and of what.

    Args:
        targets: B of them, measured in the responses' standard deviations.
        texts: each in words.
        count: designs for each.
        apart: least distance of a proposal to a measured design, in units of the rows' own.
        diverse: whether the first designs are made to differ.
        listed: whether designs are chosen from a list alone.
    """

    targets: Targets
    texts: tuple[str, ...]
    count: int
    apart: float
    diverse: bool
    listed: bool = False


def answer_specified(
    question: Specified, data: TableData, measured: MeasuredDesigns, judge: FittedJudge,
    typicality: Typicality, pool: Judged, rng: np.random.Generator, *,
    further: tuple[Numbers, Places] | None = None,
) -> Proposal:  # fmt: skip
    """Ranked designs for each specification, rows of the table that meet it first.

    Args:
        question: what is asked.
        data: the table.
        measured: its different designs.
        judge: of designs.
        typicality: which designs are typical.
        pool: judged designs for all targets.
        rng: of local search.
        further: designs (n, Dx) of methods, and the target of each (n,).
    """
    aim = SpecifiedAim.of(question.targets)
    allowed = typicality.allowed(measured.x)
    shown = measured.only(allowed)
    if question.listed and isinstance(judge, FittedStack):
        known = judge.known.mean[judge.known.find(shown.x)]
        shown = MeasuredDesigns(shown.x, np.where(np.isnan(shown.y), np.nan, known), shown.row)
    start, extra = pool, None
    if not question.listed and allowed.any():
        start = joined([pool, Judged.by(judge, measured.x[allowed])])
    if further is not None and not question.listed:
        x, _ = typicality.drawn_in(further[0])
        first = further[1] * aim.repeats
        extra = (Judged.by(judge, x), first + np.arange(len(x)) % aim.repeats)
    if aim.weighs and not question.listed:  # what can be had of probability, before goals
        probable = search(judge, typicality, aim.without_goals(), start, _PROBABLE, rng)
        start = joined([start, probable.designs])
    aim = aim.informed(start)
    varied = max(1, min(_VARIED, _TOGETHER // len(question.targets)) // aim.repeats)
    found = search(
        judge, typicality, aim, start, max(question.count, varied), rng, further=extra,
        apart=question.apart, refined=not question.listed,
    )  # fmt: skip
    return _ranked(question, aim, data, measured, shown, judge, typicality, found)


def _ranked(
    question: Specified, aim: SpecifiedAim, data: TableData, measured: MeasuredDesigns,
    shown: MeasuredDesigns, judge: FittedJudge, typicality: Typicality, found: Answers,
) -> Proposal:  # fmt: skip
    most = min(_WITH_GOALS if aim.has_goals else _MEASURED, max(1, question.count // _SHARE))
    parts, target, rank, losses = [], [], [], []
    for b in range(len(question.targets)):
        one = question.targets[b : b + 1]
        own = np.flatnonzero(found.target // aim.repeats == b)
        own = own[np.unique(found.designs.x[own], axis=0, return_index=True)[1]]
        met = _met_rows(one, shown)
        designs = found.designs.rows(own)
        known = Judged.by(judge, shown.x[met]) if len(met) else designs.rows(met)
        chance, again = (_chance(judge, part.x, one) for part in (designs, known))
        # Where one measurement met it by luck, another would hardly do
        best = max(chance.max(initial=0.0), again.max(initial=0.0))
        met = met[again >= _ALIKE * best]
        known = Judged(shown.x[met], shown.y[met], np.zeros((len(met), shown.y.shape[1])))
        order, _ = _order(aim, b, known, again[again >= _ALIKE * best])
        first, goals = _order(aim, b, designs, chance)
        if question.diverse and len(first):
            alike = first[:SHOWN]
            first = _varied(first, chance, goals, designs.x, typicality)
            if (first[:SHOWN] != alike).any():
                losses.append(chance[alike].mean() - chance[first[:SHOWN]].mean())
        order = order[:most]
        first = first[: max(0, question.count - len(order))]
        parts += [known.x[order], designs.x[first]]
        size = len(order) + len(first)
        target.append(np.full(size, b))
        rank.append(np.arange(1, size + 1))
    x, which = np.concatenate(parts), np.concatenate(target)
    verdict = judge.predict(torch.from_numpy(np.ascontiguousarray(x)))
    wanted = question.targets[torch.from_numpy(which)]
    return described(
        Proposal(
            target=exact_values(wanted), rank=torch.from_numpy(np.concatenate(rank)),
            designs=torch.from_numpy(x), names=(data.designs.names, data.responses.names),
            predicted=verdict.response, predicted_error=verdict.error,
            probability=probabilities(judge, torch.from_numpy(x), question.targets, which),
            wanted=wanted, asked=tuple(question.texts[b] for b in which),
            measured=torch.from_numpy(measured.has(x)), notes=_lost(losses),
        ), data, measured, typicality,
    )  # fmt: skip


def exact_values(wanted: Targets) -> torch.Tensor:
    """Responses (R, Dy) that are wanted exactly; NaN of others."""
    exact = (wanted.low == wanted.high) & wanted.wanted
    return torch.where(exact, wanted.low.double(), torch.nan)


def probabilities(
    judge: FittedJudge, x: torch.Tensor, targets: Targets, which: Places
) -> torch.Tensor:
    """The probability (R,) that each design (R, Dx) meets its target, of which ``which`` tells."""
    result = torch.full((len(x),), torch.nan, dtype=torch.float64)
    for b in np.unique(which):
        own = torch.from_numpy(np.flatnonzero(which == b))
        result[own] = judge.probability(x[own][None], targets[int(b) : int(b) + 1])[0].double()
    return result


def _chance(judge: FittedJudge, x: Numbers, target: Targets) -> Numbers:
    if not len(x):
        return np.zeros(0)
    return judge.probability(torch.from_numpy(x)[None], target)[0].double().numpy()


def _met_rows(target: Targets, shown: MeasuredDesigns) -> Places:
    """Positions of the measured designs that meet one target."""
    return np.flatnonzero(target.met(torch.from_numpy(shown.y)[None])[0].numpy())


def _order(aim: SpecifiedAim, b: int, designs: Judged, chance: Numbers) -> tuple[Places, Numbers]:
    """The order of designs for a target, best first, and their goals (N, G)."""
    owner = np.full(len(designs), b * aim.repeats)
    goals = aim.expected_goals(designs, owner)[:, aim.goals[b * aim.repeats] != 0]
    return preferred(chance, aim.violation(designs, owner), goals), goals


def _varied(
    order: Places, chance: Numbers, goals: Numbers, x: Numbers, typicality: Typicality
) -> Places:
    """The same order, whose first designs differ from each other; they too are in that order.

    They are taken from those of half of the best probability at least. With a goal those that are
    as probable as any and nearly as good are made to differ much; with several a front is varied by
    itself. What looks like one of them comes after them.
    """
    probable = chance[order] >= _ALIKE * chance.max()
    good = probable & (goals.shape[1] < 2)
    if goals.shape[1] == 1:
        value, good = goals[order, 0], chance[order] >= ACCEPTABLE * chance.max()
        good &= value <= value[good].min() + _CLOSE
    neighbourhood = typicality.neighbourhood
    places, chosen = neighbourhood.whitening(x[order]), [0][: len(order)]
    for least in _APART:
        chosen = differing(places, least, chosen, among=np.flatnonzero(good))
    seen = in_columns(neighbourhood.whitening.designs, x[order], neighbourhood.rows)
    for some, least in ((good, _SEEN[0]), (good, _SEEN[1]), (probable, _SEEN[0])):
        chosen = differing(seen, least, chosen, among=np.flatnonzero(some), norm=np.inf)
    if goals.shape[1] > 1:
        rest = np.setdiff1d(np.arange(len(order)), chosen)
        return order[np.concatenate([chosen, rest]).astype(np.intp)]
    return order[first_in_order(chosen, len(order))]


def _lost(losses: list[float]) -> tuple[str, ...]:
    """What it costs that the first designs differ."""
    if not losses:
        return ()
    mean = float(np.mean(losses))
    if mean <= _WORTH_SAYING:
        return (diversity_note(),)
    return (
        diversity_note(
            f"; on average the first are {mean:.0%} less probable to meet it than the best {SHOWN} "
            "that are alike"
        ),
    )

"""Designs ranked by their yield: those that were proposed, and better ones beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import MadeDesigns, Targets, Tolerances
from invcore.results import Robustness
from invcore_solve.answers.answering import described
from invcore_solve.answers.preference import preferred
from invcore_solve.answers.proposal import Proposal
from invcore_solve.proposals.mixes import crossed, mixes, stepped_freely
from invcore_solve.robustness.judged_copies import DRAWS, JudgedCopies
from invcore_solve.robustness.making import Making
from invcore_solve.robustness.movers import movers_of

if TYPE_CHECKING:
    from invcore_solve.answers.asked import Wanted
    from invcore_solve.designer import Designer

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_FEW, _MANY = 64, 256  # copies that order designs, and that tell the yield of the first
_FEW_DRAWS = 40  # of the judge's error, likewise
_FIRST = 24  # designs of a target whose yield is told sharply
_PARENTS, _CHILDREN = 6, 40
_REACH = (0.3, 0.1, 0.05)  # largest share of the way to a neighbour, round by round
_REACH_FREELY = (0.2, 0.1, 0.05, 0.05, 0.02, 0.02)  # of the box, where no rows are to be kept to
_PLACE = 0.02  # of a column's range among the rows, within which one design stands for others
_MOVED = 10  # targets of which it is told what moves the yield
_DIGITS = 3  # of yields that are alike


def robust_proposal(
    designer: Designer, found: Proposal, wanted: Wanted, texts: Sequence[str], *, count: int,
    seed: int, search: bool = True,
) -> Proposal:  # fmt: skip
    """The same with yields, ranked by them.

    Designs near those of the largest yield are tried too: a design that meets its target in the
    middle of what is allowed may be no better than others as it is meant, and better as it is made.

    Args:
        designer: whose judge answers for what is made.
        found: designs for B targets.
        wanted: these targets.
        texts: tolerances.
        count: designs kept for each target.
        seed: of the copies, and of the search.
        search: whether designs beside those that were found are tried.

    Raises:
        ConfigError: a text that says nothing.
        UnknownNameError: there is no such variable.
    """
    designs, responses = designer.data.designs, designer.data.responses
    tolerances = Tolerances.of_texts(texts, designs, responses)
    targets = wanted.targets.measured_in(torch.from_numpy(np.asarray(designer.reach.scale)))

    def copies(number: int, part: str, draws: int = DRAWS) -> JudgedCopies:
        own = int(designer.random("made", seed, part).integers(2**31))
        made = MadeDesigns.draw(tolerances, designs, responses, number, seed=own)
        return JudgedCopies(designer.judge, made, draws)

    quick, sharp = copies(_FEW, "quick", _FEW_DRAWS), copies(_MANY, "sharp")
    x = found.designs.double().numpy()
    owner = ((found.rank == 1).cumsum(0) - 1).numpy()
    known = quick.robustness(torch.from_numpy(x), targets, torch.from_numpy(owner))
    if search:
        rng = designer.random("robust", seed)
        for reach in _REACH if designer.near else _REACH_FREELY:
            x, owner, known = _with_children(designer, quick, targets, x, owner, known, reach, rng)
    order, goals = _order(designer, targets, x, owner, known, count)
    x, owner, known = x[order], owner[order], known.rows(torch.from_numpy(order))
    first = np.flatnonzero(_ranks(owner) <= _FIRST)
    better = sharp.robustness(torch.from_numpy(x[first]), targets, torch.from_numpy(owner[first]))
    known = _replaced(known, torch.from_numpy(first), better)
    # The sharper yields decide between the first; what is after them stays after them
    again = _order_by(known, owner, goals[order], _ranks(owner) > _FIRST)
    x, owner, known = x[again], owner[again], known.rows(torch.from_numpy(again))
    movers = tuple(
        movers_of(designer.judge, sharp.made, designs.names, torch.from_numpy(x[row]),
                  targets[b : b + 1])
        for b, row in list(enumerate(np.flatnonzero(_ranks(owner) == 1)))[:_MOVED]
    )  # fmt: skip
    making = Making(known, tolerances.texts, "judge", movers)
    return _table(designer, found, wanted, x, owner, making)


def _with_children(
    designer: Designer, copies: JudgedCopies, targets: Targets, x: Numbers, owner: Places,
    known: Robustness, reach: float, rng: np.random.Generator,
) -> tuple[Numbers, Places, Robustness]:  # fmt: skip
    """The same designs and others near those of the largest yields, and of the best goals among
    them.
    """
    order = np.lexsort((known.worst.numpy(), -known.share.numpy(), owner))
    parents = order[_ranks(owner[order]) <= _PARENTS]
    if targets.has_goals:
        order = _order_by(known, owner, _goals(designer, targets, x, owner), owner < 0)
        parents = np.concatenate([parents, order[_ranks(owner[order]) <= _PARENTS]])
    seeds, *pair = np.concatenate([
        rng.choice(parents[owner[parents] == b], (3, _CHILDREN)) for b in np.unique(owner)
    ], axis=1)  # fmt: skip
    first, second = (x[each] for each in pair)
    if designer.near:
        typicality = designer.typicality
        made = [
            mixes(typicality, 0, rng, x[seeds], reach=reach, beyond=True),
            crossed(typicality, x[seeds], (first, second), rng),
        ]
    else:
        made = [stepped_freely(designer.data.designs, x[seeds], (first, second), reach, rng)]
    children = np.concatenate([part for part, _ in made])
    if not len(children):
        return x, owner, known
    own = owner[seeds[np.concatenate([origin for _, origin in made])]]
    more = copies.robustness(torch.from_numpy(children), targets, torch.from_numpy(own))
    return np.concatenate([x, children]), np.concatenate([owner, own]), _joined(known, more)


def _goals(designer: Designer, targets: Targets, x: Numbers, owner: Places) -> Numbers:
    """The goals (N, Dy) of designs (N, Dx) by the judge, each of its own target."""
    every = designer.judge.predict(torch.from_numpy(x)).response.double()
    return np.concatenate([
        targets[int(b) : int(b) + 1].goals(y[None, None])[0].numpy()
        for b, y in zip(owner, every, strict=True)
    ])  # fmt: skip


def _order(
    designer: Designer, targets: Targets, x: Numbers, owner: Places, known: Robustness, count: int
) -> tuple[Places, Numbers]:
    """Positions of the best designs of each target in order, and the goals (N, Dy) of all."""
    goals = _goals(designer, targets, x, owner)
    order = _order_by(known, owner, goals, np.zeros(len(owner), dtype=bool))
    _, same = np.unique(np.c_[owner[order], x[order]], axis=0, return_index=True)
    order = order[np.sort(same)]
    return order[_varied(designer, x[order], owner[order], count)], goals


def _varied(designer: Designer, x: Numbers, owner: Places, count: int) -> Places:
    """Positions, in order, of so many designs of each target that lie in different places.

    A design in the place of a better one is kept only where there are too few places.
    """
    width = np.ptp(designer.data.pairs.x.numpy(), axis=0)
    cells = np.round(x / (_PLACE * np.where(width > 0, width, 1.0)))
    alike = np.ones(len(x), dtype=bool)
    alike[np.unique(np.c_[owner, cells], axis=0, return_index=True)[1]] = False
    order = np.lexsort((alike, owner))
    return np.sort(order[_ranks(owner[order]) <= count])


def _order_by(
    known: Robustness, owner: Places, goals: Numbers, later: npt.NDArray[np.bool_]
) -> Places:
    """Positions target by target: by yield, then goals; what comes later stays as it is."""
    parts = []
    for b in np.unique(owner):
        own = np.flatnonzero((owner == b) & ~later)
        used = np.ptp(goals[own], axis=0) > 0
        worst = np.nan_to_num(known.worst[own].numpy(), nan=np.inf)
        share = known.share[own].numpy()
        parts.append(own[preferred(share, worst, goals[own][:, used])])
        parts.append(np.flatnonzero((owner == b) & later))
    return np.concatenate(parts)


def _ranks(owner: Places) -> Places:
    """The rank of each row among those of its target, which lie one after the other."""
    return np.arange(len(owner)) - np.searchsorted(owner, owner) + 1


def _joined(first: Robustness, second: Robustness) -> Robustness:
    return Robustness(**{
        name: torch.cat([value, getattr(second, name)]) for name, value in vars(first).items()
    })  # fmt: skip


def _replaced(known: Robustness, rows: torch.Tensor, better: Robustness) -> Robustness:
    return Robustness(**{
        name: value.index_copy(0, rows, getattr(better, name).to(value))
        for name, value in vars(known).items()
    })  # fmt: skip


def _table(
    designer: Designer, found: Proposal, wanted: Wanted, x: Numbers, owner: Places, making: Making
) -> Proposal:
    """The table of results for other designs than those that were found."""
    from invcore_solve.answers.specified import probabilities

    start = np.flatnonzero((found.rank == 1).numpy())
    row = torch.from_numpy(start[owner])  # one of the same target
    designs = torch.from_numpy(np.ascontiguousarray(x))
    verdict = designer.judge.predict(designs)
    same = replace(found.rows(row), rank=torch.from_numpy(_ranks(owner)), designs=designs,
                   predicted=verdict.response, predicted_error=verdict.error, responses=None,
                   error=None, making=making)  # fmt: skip
    if not wanted.targets.exact:
        same = replace(
            same, probability=probabilities(designer.judge, designs, wanted.targets, owner)
        )
    if not designer.near:
        return same
    same = replace(same, measured=torch.from_numpy(designer.measured.has(x)))
    return described(same, designer.data, designer.measured, designer.typicality)

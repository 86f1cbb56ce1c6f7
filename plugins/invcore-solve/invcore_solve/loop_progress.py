"""What is shown of a loop's search while it goes on, and said of its end."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.plugin import Stage, Targets
from invcore.search import LoopJournal

_LISTED = 20  # targets that are not met, a line each


class Shown:
    """What the bar shows beside the calls: targets that are met, their mean error, failures.

    Args:
        journal: with the rows so far.
        stage: the bar.
    """

    def __init__(self, journal: LoopJournal, stage: Stage) -> None:
        self._stage, self._targets = stage, journal.targets
        rows, known = journal.rows, journal.pairs.y
        self._failed = int((rows.failed & (rows.asked_in >= 0)).sum())
        self._best = torch.full((len(self._targets),), torch.inf, dtype=torch.float64)
        self._met = torch.zeros(len(self._targets), dtype=torch.bool)
        for y in torch.cat([known, rows.responses[rows.whole]]):
            self._see(y)

    def row(self, y: Tensor) -> None:
        """One row more, (Dy,)."""
        self._failed += int(not bool(y.isfinite().any()))
        self._see(y)
        facts = {"met": float(self._met.sum()), "error": float(self._best.mean())}
        self._stage.advance(1, **facts, **({"failed": self._failed} if self._failed else {}))

    def _see(self, y: Tensor) -> None:
        each = y.expand(len(self._targets), 1, -1)
        error = self._targets.error(each)[:, 0].nan_to_num(nan=torch.inf)
        self._best = torch.minimum(self._best, error.double())
        self._met |= self._targets.met(each)[:, 0]


def ending(
    targets: Targets,
    group: Tensor,
    responses: Tensor,
    calls: int,
    left: bool,
    *,
    exact: bool,
    wished: int = 1,
) -> tuple[str, ...]:
    """How a search has ended, and a line for each target that is not met.

    Args:
        targets: B of them.
        group: (R,), whose each row is, the best first.
        responses: (R, Dy).
        calls: rows simulated.
        left: whether the loop would have gone on.
        exact: whether targets are exact responses.
        wished: different designs that shall meet each target that has no goals.
    """
    first = [
        int((group == b).nonzero()[0]) for b in range(len(targets)) if bool((group == b).any())
    ]
    best = responses[first][:, None]
    met = targets.met(best)[:, 0]
    count = f"{int(met.sum())} of {len(targets)} target{'s' * (len(targets) != 1)} met"
    after = f"after {calls} simulator call{'s' * (calls != 1)}"
    if bool(met.all()):
        if left:
            few = _too_few(targets, group, responses, wished)
            more = "finds more designs" if few else "comes nearer"
            used = f"all met {after}, the budget is used up: {count}; a larger one {more}"
            return (used, *few)
        few = _too_few(targets, group, responses, wished)
        return (f"converged {after}: {count}", *few)
    why = "the budget is used up" if left else "the loop has ended"
    error = targets.error(best)[:, 0]
    what = "error" if exact else "violation"
    notes = [f"not converged {after}, {why}: {count}"]
    notes += [
        f"target {b + 1}: not converged: best simulated row has {what} {float(error[b]):.3g}"
        for b in (~met).nonzero()[:_LISTED, 0].tolist()
    ]
    return tuple(notes)


def _too_few(targets: Targets, group: Tensor, responses: Tensor, wished: int) -> tuple[str, ...]:
    """A line for each target that fewer designs meet than were wished for."""
    if targets.exact or wished == 1:
        return ()
    notes = []
    for b in range(len(targets)):
        own = targets[b : b + 1]
        met = int(own.met(responses[group == b][None]).sum())
        if met < wished and not own.has_goals:
            designs = f"{met} design{'s' * (met != 1)} meet{'s' * (met == 1)} it"
            notes.append(f"target {b + 1}: {designs}, of {wished} that were wished for")
    return tuple(notes[:_LISTED])

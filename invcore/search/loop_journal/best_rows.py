"""The best rows of a journal: those whose responses come nearest to what is wanted."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.contracts.candidates import Candidates
from invcore.data.pairs import flat
from invcore.search.loop_journal.ledger import Ledger
from invcore.search.loop_journal.rows import rows_of_entries


def best_rows(ledger: Ledger, count: int) -> Candidates:
    """The best of what was told and known at first, for each target; see ``LoopJournal.best``.

    Args:
        ledger: with its rows.
        count: designs for each target.

    Returns:
        Designs (B, count, Dx) and their responses, best first; NaN where fewer are known.
    """
    x, y, own = _known(ledger)
    targets = ledger.targets
    best_x = torch.full((len(targets), count, x.shape[1]), torch.nan, dtype=torch.float64)
    best_y = torch.full((len(targets), count, y.shape[1]), torch.nan, dtype=torch.float64)
    for b in range(len(targets)):  # of which there are few
        value = targets[b : b + 1].objective(y[None])[0]
        value = torch.where(value.isfinite() & own[:, b], value, torch.inf)
        order = value.argsort(stable=True)
        order = order[value[order].isfinite()][:count]
        best_x[b, : len(order)], best_y[b, : len(order)] = x[order], y[order]
    return Candidates(best_x, best_y)


def _known(ledger: Ledger) -> tuple[Tensor, Tensor, Tensor]:
    """Designs and responses of what is known and allowed, and for which targets it counts (N, B):
    those that have its context.
    """
    entries = [entry for entry in ledger.book.entries if entry.told_in >= 0]
    problem, pairs = ledger.problem, ledger.beginning.pairs
    rows = rows_of_entries(entries, (problem.designs.dim, problem.responses.dim))
    x, y = (
        torch.cat([known.cpu().double(), told])
        for known, told in ((pairs.x, rows.made), (pairs.y, rows.responses))
    )
    wanted = flat(ledger.targets.context, len(ledger.targets)).double()
    none = torch.full((1, wanted.shape[1]), torch.nan, dtype=torch.float64)
    contexts = [flat(e.context, 1).double() if e.context else none for e in entries]
    first = flat(pairs.context, len(pairs)).double() if len(pairs) else none[:0]
    own = (torch.cat([first, *contexts])[:, None] == wanted).all(dim=2)
    if not ledger.changed:
        return x, y, own
    # A row that was asked for counts as asked: it may have come out a little beside
    asked = torch.cat([torch.full((len(pairs),), -1), rows.asked_in]) > ledger.changed
    allowed = asked | problem.designs.contains(x)
    return x[allowed], y[allowed], own[allowed]

"""What people remark on rows: kept beside the rows of a campaign."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from invcore_solve.measured.measured_rows import MeasuredRows

from invcore.search import LoopJournal


def with_notes(
    journal: LoopJournal, read: MeasuredRows, notes: Mapping[str, str]
) -> dict[str, str]:
    """Notes by the places of rows, with those of a table that was told.

    Args:
        journal: that knows the rows of the table by now.
        read: the table.
        notes: that there were.
    """
    found, rows, results = dict(notes), journal.rows, read.results
    for i, text in enumerate(read.remarks):
        if not text:
            continue
        number = -1 if results.id is None else int(results.id[i])
        same = rows.asked_in < 0 if number < 0 else (rows.id == number) | (rows.repeats == number)
        y = results.responses[i]
        agrees = y.isnan() | (rows.responses == y)
        same &= (rows.made == results.designs[i]).all(dim=1) & agrees.all(dim=1)
        places = torch.nonzero(same)[:, 0].tolist()
        if places:
            found[str(places[-1])] = text
    return found

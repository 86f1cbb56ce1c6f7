"""How a campaign takes a table of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invcore_solve.measured.measured_rows import measured_rows
from invcore_solve.measured.sources import as_frame
from torch import Tensor

from invcore.plugin import Requests, Results
from invcore_closed_loop.campaign.changes import measure_targets
from invcore_closed_loop.campaign.tables.notes import with_notes
from invcore_closed_loop.campaign.tables.told_text import TellResult, known_already

if TYPE_CHECKING:
    from invcore_closed_loop.campaign.campaign import Campaign


def tell(campaign: Campaign, results: Any) -> TellResult:
    """Take what came of rows; arguments and errors are those of ``Campaign.tell``."""
    journal, problem, rows = campaign.journal, campaign.problem, campaign.journal.rows
    asked = rows.asked_in >= 0
    requests = Requests(rows.id[asked], rows.asked[asked])
    read = measured_rows(
        as_frame(results), problem.designs, problem.responses, campaign.facts.formulas, requests
    )
    again = known_already(read.results, journal.pairs)
    told = journal.tell(_taken(read.results, ~again))
    facts = campaign.facts
    notes = with_notes(journal, read, facts.notes)
    if notes != facts.notes:
        journal.change(facts=facts.model_copy(update={"notes": notes}).document())
    measure_targets(journal, campaign.data()[1])
    return TellResult(read, told, int(again.sum()), len(journal.pending()))


def _taken(results: Results, which: Tensor) -> Results:
    ids = None if results.id is None else results.id[which]
    failed = None if results.failed is None else results.failed[which]
    return Results(ids, results.designs[which], results.responses[which], failed)

"""What ``invcore solve`` shows: the best designs of each target, and where the rest lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from invcore.cli.kit import add_row, number, stdout, table

if TYPE_CHECKING:
    from invcore.results import RunRecord, Store
    from invcore_solve.proposal import Proposal

_SHOWN = 5  # rows on the screen for each target; the file has all
_COLUMNS = 8  # likewise for columns of designs, and of responses


def document(record: RunRecord, ranked: Proposal, store: Store, out: str) -> dict[str, Any]:
    """What ``--json`` prints, whatever the designs come from."""
    return {
        "id": record.id,
        "status": record.status,
        "method": record.method,
        "metrics": [metric.model_dump() for metric in record.metrics],
        "timings": record.timings.model_dump(),
        "path": str(store.path(record.id)),
        "out": out,
        "designs": ranked.records(),
    }


def show(
    ranked: Proposal,
    record: RunRecord,
    *,
    candidates: int,
    why_fewer: str,
    notes: Sequence[str] = (),
    ends: Sequence[str] = (),
) -> None:
    """Print the best designs of each target.

    Args:
        ranked: the designs.
        record: of the run that proposed them; its metrics are shown.
        candidates: designs wanted for each target; 0 where fewer are no surprise.
        why_fewer: why there may be fewer.
        notes: what one should know.
        ends: the last lines.
    """
    console = stdout()
    xs, ys = ranked.names
    kind = "predicted" if ranked.responses is None else "simulated"
    for rows in ranked.groups():
        target = ranked.target[rows[0]].tolist()
        heading = ", ".join(f"{n} = {number(v)}" for n, v in zip(ys, target, strict=True))
        less = candidates - len(rows)
        copies = f" ({less} {why_fewer} left out)" if less > 0 else ""
        count = f"{len(rows)} design{'s' * (len(rows) != 1)}"
        console.print(f"{heading}: the best of {count}{copies}", markup=False)
        if ranked.responses is None and ranked.reach and ranked.reach[rows[0]]:
            console.print(f"out of the data's reach: {ranked.reach[rows[0]]}", markup=False)
        ranking = table("rank", *xs[:_COLUMNS], *(f"{name}, {kind}" for name in ys[:_COLUMNS]))
        if ranked.error is not None:
            ranking.add_column("error")
        for row in rows[:_SHOWN]:
            design = [number(value) for value in ranked.designs[row].tolist()]
            error = [] if ranked.error is None else [number(float(ranked.error[row]))]
            cells = [*design[:_COLUMNS], *_responses(ranked, row)[:_COLUMNS], *error]
            add_row(ranking, str(int(ranked.rank[row])), *cells)
        console.print(ranking)
        console.print()
    for metric in record.metrics:
        interval = f"{number(metric.ci_low)} .. {number(metric.ci_high)}"
        console.print(f"{metric.name}: {number(metric.value)} ({interval})", markup=False)
    for line in (*(f"note: {note}" for note in notes), *ends):
        console.print(line, markup=False)


def _responses(ranked: Proposal, row: int) -> list[str]:
    """The simulator's, or what the judge expects with its error."""
    if ranked.responses is not None:
        return [number(value, 4) for value in ranked.responses[row].tolist()]
    assert ranked.predicted is not None and ranked.predicted_error is not None
    pairs = zip(ranked.predicted[row], ranked.predicted_error[row], strict=True)
    return [f"{number(float(value))} ± {number(float(off), 2)}" for value, off in pairs]

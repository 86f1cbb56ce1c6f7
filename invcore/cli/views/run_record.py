"""A run for people and as JSON: what ``invcore run`` and ``invcore results show`` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invcore.base.text import number
from invcore.cli.console import stdout, table
from invcore.cli.views.run_rows import task_label

if TYPE_CHECKING:
    from invcore.storage.run_record import RunRecord
    from invcore.storage.store import Store

# What people look for first; the rest follows as metrics give it
_FIRST = ("r_T", "r_T-reranked", "r_T-median", "resimulation-error", "failed", "unanswered")
_INTERNAL = {"schema_version", "kind", "ranked", "config", "versions", "created", "files"}


def document(record: RunRecord, store: Store) -> dict[str, Any]:
    """The run as ``--json`` prints it."""
    facts = record.model_dump(exclude=_INTERNAL)
    for metric in facts["metrics"]:
        if metric["T"] is None:
            del metric["T"]
    entries = {key: v for key, v in facts.items() if v or key not in ("reason", "notes")}
    return {**entries, "path": str(store.path(record.id))}


def show(record: RunRecord, store: Store) -> None:
    """The run as a table for people."""
    console = stdout()
    title = f"{record.method} on {task_label(record)}, seed {record.seed}, {record.device}"
    if record.kind == "run":
        title += f", {record.sampler}, {record.candidates} candidates x {record.targets} targets"
    if record.status != "ok":
        console.print(f"{title}\n{record.status}: {record.reason}")
    else:
        console.print(f"{title}\n")  # as a table's title it would wrap to its width
        rows = table("metric", "value", "95% interval", "unit", "better")
        place = {name: index for index, name in enumerate(_FIRST)}
        for m in sorted(record.metrics, key=lambda m: place.get(m.name, len(place))):
            name = m.name if m.T is None else f"{m.name}, T={m.T}"
            ends = "" if m.ci_low is None else f"{number(m.ci_low)} .. {number(m.ci_high)}"
            rows.add_row(name, number(m.value), ends, m.unit, m.better)
        console.print(rows)
        console.print()
        if record.kind == "run":
            order = "ranked by the method" if record.ranked else "exchangeable"
            console.print(f"candidates: {order}")
        elif record.simulator_calls:  # of a run they are a metric
            console.print(f"simulator calls: {record.simulator_calls:,}")
    for note in record.notes:
        console.print(f"note: {note}")
    t = record.timings
    console.print(
        f"fit {t.fit_s:.1f} s, propose {t.propose_s:.1f} s, simulate {t.simulate_s:.1f} s\n"
        f"run {record.id} in {store.path(record.id)}"
    )

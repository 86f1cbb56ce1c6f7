"""A run for people and as JSON: what ``invcore run`` and ``invcore results show`` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invcore.base.text import number, safe
from invcore.cli.console import stdout, table
from invcore.cli.views.run_rows import moment, percent
from invcore.registry.loader import installed
from invcore.registry.metric_code import old_metrics
from invcore.storage.index.listed_run import task_label

if TYPE_CHECKING:
    from rich.console import Console

    from invcore.registry.loader import Plugins
    from invcore.storage.run_record import RunRecord
    from invcore.storage.store import Store

# What people look for first; the rest follows as metrics give it
_FIRST = ("r_T", "r_T-reranked", "r_T-median", "resimulation-error", "failed", "unanswered")
_WISHED = "specification"  # the metric that comes before all others where it says something
_WISHES = 8  # shown of many
_INTERNAL = {
    "schema_version", "kind", "ranked", "config", "versions", "code", "files", "scoring"
}  # fmt: skip
_OLD = "* of an older version of its metric: `invcore rescore {}` computes it anew"
_OUTDATED = "of an earlier invcore, which did not record its code: an equal run is done again"


def document(record: RunRecord, store: Store, plugins: Plugins | None = None) -> dict[str, Any]:
    """The run as ``--json`` prints it; ``plugins``, those installed, tell which numbers are old."""
    facts = record.model_dump(exclude=_INTERNAL)
    old = old_metrics(record, plugins or installed())
    for metric in facts["metrics"]:
        metric["old"] = metric["metric"] in old
        if metric["T"] is None:
            del metric["T"]
    if wishes := specification_of(record):
        facts["specification"] = wishes
    for name in ("constraints", "refine"):
        if value := record.config.get(name):
            facts[name] = value
    entries = {key: v for key, v in facts.items() if v or key not in ("reason", "notes", "moves")}
    entries |= {
        "answered": record.answered_share, "outdated": record.outdated, "stored": record.stored,
        "not_measured": {name: s.reason for name, s in record.scoring.items() if s.reason},
    }  # fmt: skip
    return {**entries, "path": str(store.path(record.id))}


def specification_of(record: RunRecord) -> dict[str, Any]:
    """What was wanted of a run's responses, as plain data; empty for exact test responses."""
    names = {
        "want": "want",
        "want_file_name": "file",
        "want_first": "first",
        "responses": "derived",
    }
    return {new: record.config[old] for old, new in names.items() if old in record.config}


def wanted_lines(record: RunRecord) -> list[str]:
    """What was wanted of a run's responses, for people."""
    wishes = specification_of(record)
    lines = [f"response: {safe(text)}" for text in wishes.get("derived", ())]
    lines += [f"constraint: {safe(text)}" for text in record.config.get("constraints", ())]
    texts = [safe(text) for text in wishes.get("want", ())]
    if texts:
        more = f"; and {len(texts) - _WISHES:,} more" if len(texts) > _WISHES else ""
        lines.append(f"want: {'; '.join(texts[:_WISHES])}{more}")
    if "file" in wishes:
        first = safe(wishes.get("first", ""))
        lines.append(
            f"want: {record.targets:,} specifications of {safe(wishes['file'])}, first: {first}"
        )
    return lines


def show(record: RunRecord, store: Store, plugins: Plugins | None = None) -> None:
    """The run as a table for people; ``plugins``, those installed, tell which numbers are old."""
    console = stdout()
    title = f"{record.method} on {task_label(record)}, seed {record.seed}, {record.device}"
    if record.kind == "run":
        title += f", {record.sampler}, {record.candidates} candidates x {record.targets} targets"
    for line in wanted_lines(record):
        title += f"\n{line}"
    if refine := record.config.get("refine"):
        title += f"\nrefined: the best candidates, by at most {refine:,} simulator calls a target"
    if record.stored:
        title += f"\na stored result, of {moment(record.created)} (--force repeats the run)"
    if record.status != "ok":
        console.print(f"{title}\n{record.status}: {record.reason}")
    else:
        console.print(f"{title}\n")  # as a table's title it would wrap to its width
        _show_metrics(record, console, old_metrics(record, plugins or installed()))
    if record.moves is not None:
        console.print(f"constraints: {record.moves.text()}")
    for note in record.notes:
        console.print(f"note: {note}")
    if record.outdated:
        console.print(f"note: {_OUTDATED}")
    t = record.timings
    console.print(
        f"fit {t.fit_s:.1f} s, propose {t.propose_s:.1f} s, simulate {t.simulate_s:.1f} s\n"
        f"run {record.id} in {store.path(record.id)}"
    )


def _show_metrics(record: RunRecord, console: Console, old: set[str]) -> None:
    """The numbers of a run that went well, and why others are not there."""
    rows = table("metric", "value", "95% interval", "unit", "better")
    if record.answered_share is not None:
        rows.add_row("answered targets", percent(record.answered_share), "", "", "higher")
    place = {name: index for index, name in enumerate(_FIRST)}
    ordered = sorted(record.metrics, key=lambda m: place.get(m.name, len(place)))
    for m in sorted(ordered, key=lambda m: m.metric != _WISHED):
        name = m.name if m.T is None else f"{m.name}, T={m.T}"
        ends = "" if m.ci_low is None else f"{number(m.ci_low)} .. {number(m.ci_high)}"
        mark = "*" if m.metric in old else ""
        rows.add_row(name + mark, number(m.number), ends, m.unit, m.better)
    console.print(rows)
    console.print()
    if any(m.metric in old for m in record.metrics):
        console.print(_OLD.format(record.id))
    reasons: dict[str, list[str]] = {}
    for name, scoring in record.scoring.items():
        if scoring.reason:
            reasons.setdefault(scoring.reason, []).append(name)
    for reason, names in reasons.items():
        console.print(f"not measured: {', '.join(names)}: {safe(reason)}")
    if record.kind == "run":
        order = "ranked by the method" if record.ranked else "exchangeable"
        if record.config.get("refine"):
            order = "those that were simulated first, the best first"
        console.print(f"candidates: {order}")
    elif record.simulator_calls:  # of a run they are a metric
        console.print(f"simulator calls: {record.simulator_calls:,}")

"""The runs of a store as rows: what ``invcore results`` lists and exports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invcore.base.errors import StoreError
from invcore.base.text import number, safe
from invcore.cli.console import stdout, table
from invcore.registry.loader import Plugins
from invcore.registry.metric_code import old_metrics
from invcore.storage.run_record import MetricRecord, RunRecord
from invcore.storage.store import Store

_FACTS = (
    "id", "created", "kind", "task", "method", "sampler", "candidates", "targets", "seed",
    "device", "status", "reason", "ranked", "outdated",
)  # fmt: skip
_COSTS = ("simulator_calls", "search_calls", "training_calls", "parameters")
_TIMES = ("fit_s", "propose_s", "simulate_s")
_WITHOUT = MetricRecord(name="", value=None, better="")  # for a run that has no metrics
_WIDE = 110  # cells that all columns take
_REASONS = 5  # why runs are not well, the newest
_OUTDATED = "old: of an earlier invcore, which did not record its code; equal runs are done again"


@dataclass(frozen=True)
class Row:
    """A run's folder.

    Args:
        id: its name.
        record: what it holds; None if it is damaged.
        reason: why it is damaged, or the run did not go well; empty if it did.
    """

    id: str
    record: RunRecord | None
    reason: str = ""

    @property
    def status(self) -> str:
        """The run's, or ``damaged``."""
        return "damaged" if self.record is None else self.record.status


def read(
    store: Store, *, task: str | None = None, method: str | None = None, status: str | None = None
) -> list[Row]:
    """The runs of a store, whole or not, the newest last.

    Args:
        store: where.
        task: only runs on this task; None for all. What is damaged is on no known task.
        method: only runs of this method; None for all.
        status: only runs of this status, ``damaged`` being one; None for all.
    """
    rows = []
    for run in store.ids():
        try:
            record = store.read(run)
            row = Row(run, record, record.reason)
        except StoreError as error:
            row = Row(run, None, str(error))
        facts = (getattr(row.record, "task", None), getattr(row.record, "method", None), row.status)
        if all(
            want in (None, has) for want, has in zip((task, method, status), facts, strict=True)
        ):
            rows.append(row)
    return rows


def absence(store: Store) -> str:
    """Why there is nothing to show, and what to do."""
    if not store.root.is_dir():
        return f"no runs: {store.root} does not exist; begin with `invcore run`, or name --store"
    if not store.ids():
        return f"no runs in {store.root}; begin with `invcore run`, or name another --store"
    return f"none of the {len(store.ids())} runs in {store.root} is of that task, method and status"


def summary(row: Row) -> dict[str, Any]:
    """A run in short, as ``results list --json`` has it; None for what a damaged one hides."""
    record = row.record
    facts = {name: getattr(record, name, None) for name in _FACTS}
    r = {m.T: m.value for m in (record.metrics if record else ()) if m.name == "r_T"}
    return {
        **facts, "id": row.id, "status": row.status, "reason": row.reason,
        "r_1": r.get(1), "r_50": r.get(50), "answered": getattr(record, "answered_share", None),
    }  # fmt: skip


def task_label(record: RunRecord) -> str:
    """The task for people: of one that came as a folder the folder, else its name."""
    settings = record.config.get("task")
    bundle = settings.get("bundle") if isinstance(settings, dict) else None
    return f"{Path(bundle).name}/" if isinstance(bundle, str) and bundle else record.task


def _wishes(record: RunRecord) -> str:
    """That its errors are violations of wishes, and no differences from exact responses."""
    return " (wishes)" if {"want", "want_file"} & set(record.config) else ""


def show_rows(rows: list[Row]) -> None:
    """The runs as a table, and below it why some are not well."""
    console, facts = stdout(), [summary(row) for row in rows]
    for row, one in zip(rows, facts, strict=True):
        one["task"] = f"{task_label(row.record)}{_wishes(row.record)}" if row.record else None
    titles = {"candidates": "K", "targets": "B", "created": "when"}
    names = ["id", "created", "task", "method", "sampler", "candidates", "targets", "seed"]
    if console.width < _WIDE:
        names = ["id", "task", "method", "sampler", "seed"]
    errors = [name for name in ("r_1", "r_50") if any(one[name] is not None for one in facts)]
    heads = (*(titles.get(name, name) for name in names), "status", *errors, "answered")
    view = table(*heads, right=("K", "B", "seed", "r_1", "r_50", "answered"))
    for column in view.columns:  # what is copied stays in one piece
        column.no_wrap = column.header not in ("task", "method", "sampler")
    for one in facts:
        cells = [_cell(one[name]) for name in names]
        status = one["status"] + (", old" if one["outdated"] else "")
        numbers = (*(number(one[name]) for name in errors), percent(one["answered"]))
        view.add_row(*cells, status, *numbers)
    console.print(view)
    if any(one["outdated"] for one in facts):
        console.print(_OUTDATED)
    unwell = [row for row in rows if row.reason]
    for row in unwell[-_REASONS:]:
        console.print(f"{row.id} {row.status}: {safe(row.reason)}")
    if len(unwell) > _REASONS:
        console.print(f"and {len(unwell) - _REASONS} more: --json has all reasons")


def _cell(value: Any) -> str:
    """A fact as a cell; of a time, the date and minutes."""
    text = "" if value is None else safe(str(value))
    return moment(text) if text[10:11] == "T" else text


def moment(text: str) -> str:
    """A time in ISO's words as date and minutes, for people."""
    return safe(text)[:16].replace("T", " ")


def percent(share: float | None) -> str:
    """A share for people; what is not quite all is not called so.

    Example:
        >>> percent(1.0), percent(0.9996), percent(0.5), percent(None)
        ('100%', '99.9%', '50%', '-')
    """
    if share is None:
        return "-"
    return "99.9%" if 0.999 < share < 1 else f"{100 * share:.3g}%"


def by_metric(records: list[RunRecord], plugins: Plugins) -> dict[str, list[Any]]:
    """Columns with one row for each run and metric; one for a run that has none.

    ``old`` says whether the number is of another version of its metric than is installed.
    """
    rows = []
    for record in records:
        old = old_metrics(record, plugins)
        for m in record.metrics or (_WITHOUT,):
            ends = {end: _number(getattr(m, end)) for end in ("T", "ci_low", "ci_high")}
            row = {"metric": m.name, "T": ends.pop("T"), "value": m.number, **ends}
            row |= {"unit": m.unit, "better": m.better}
            row["old"] = m.metric in old
            rows.append(_facts(record) | row)
    return _columns(rows)


def by_run(records: list[RunRecord]) -> dict[str, list[Any]]:
    """Columns with one row for each run: ``r_T_50`` is r_T at T = 50.

    A metric named as a fact of the run (``parameters``) gets ``metric_`` before its name.
    """
    rows = []
    for record in records:
        facts = _facts(record)
        row = dict(facts)
        for metric in record.metrics:
            name = metric.name if metric.T is None else f"{metric.name}_{metric.T}"
            name = f"metric_{name}" if name in facts else name
            row[name] = metric.number
            if metric.ci_low is not None:
                row[f"{name}_ci_low"] = _number(metric.ci_low)
                row[f"{name}_ci_high"] = _number(metric.ci_high)
        rows.append(row)
    return _columns(rows)


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, float("nan")) for row in rows] for name in names}


def _facts(record: RunRecord) -> dict[str, Any]:
    """What is known of a run beside its metrics; truth as 0 and 1."""
    facts = {name: getattr(record, name) for name in (*_FACTS, *_COSTS)}
    facts["answered"] = _number(record.answered_share)
    return facts | {name: getattr(record.timings, name) for name in _TIMES}


def _number(value: float | None) -> float:
    """NaN where there is none: a column of a table has one type."""
    return float("nan") if value is None else float(value)

"""The runs of a store as rows: what ``invcore results`` lists and exports."""

from collections.abc import Iterator
from typing import Any

from invcore.base.text import number, safe
from invcore.cli import text_table
from invcore.cli.console import progress, stdout
from invcore.storage.index.listed_run import FACTS, ListedRun
from invcore.storage.store import Store

_WIDE = 110  # cells that all columns take
_REASONS = 5  # why runs are not well, the newest
_RIGHT = ("K", "B", "seed", "r_1", "r_50", "answered")
_OUTDATED = "old: of an earlier invcore, which did not record its code; equal runs are done again"


def read(
    store: Store, *, task: str | None = None, method: str | None = None, status: str | None = None,
    details: bool = False,
) -> Iterator[ListedRun]:  # fmt: skip
    """The runs of a store, whole or not, the newest last.

    Args:
        store: where.
        task: only runs on this task; None for all. What is damaged is on no known task.
        method: only runs of this method; None for all.
        status: only runs of this status, ``damaged`` being one; None for all.
        details: with their numbers.
    """
    with progress() as bars:
        for run in store.listing(details=details, progress=bars):
            facts = (run.facts.get("task"), run.facts.get("method"), run.status)
            wanted = zip((task, method, status), facts, strict=True)
            if all(want in (None, has) for want, has in wanted):
                yield run


def absence(store: Store) -> str:
    """Why there is nothing to show, and what to do."""
    if not store.root.is_dir():
        return f"no runs: {store.root} does not exist; begin with `invcore run`, or name --store"
    if not store.ids():
        return f"no runs in {store.root}; begin with `invcore run`, or name another --store"
    return f"none of the {len(store.ids())} runs in {store.root} is of that task, method and status"


def summary(run: ListedRun) -> dict[str, Any]:
    """A run in short, as ``results list --json`` has it; None for what a damaged one hides."""
    facts = {name: run.facts.get(name) for name in (*FACTS, "r_1", "r_50", "answered")}
    return facts | {"id": run.id, "status": run.status, "reason": run.reason}


def show_rows(rows: list[ListedRun]) -> None:
    """The runs as a table, and below it why some are not well."""
    console, facts = stdout(), [summary(row) for row in rows]
    for row, one in zip(rows, facts, strict=True):
        if row.facts:
            one["task"] = row.facts["label"] + (" (wishes)" if row.facts["wishes"] else "")
    titles = {"candidates": "K", "targets": "B", "created": "when"}
    names = ["id", "created", "task", "method", "sampler", "candidates", "targets", "seed"]
    if console.width < _WIDE:
        names = ["id", "task", "method", "sampler", "seed"]
    errors = [name for name in ("r_1", "r_50") if any(one[name] is not None for one in facts)]
    heads = (*(titles.get(name, name) for name in names), "status", *errors, "answered")
    rows_shown = []
    for one in facts:
        cells = [_cell(one[name]) for name in names]
        status = one["status"] + (", old" if one["outdated"] else "")
        numbers = (*(number(one[name]) for name in errors), percent(one["answered"]))
        rows_shown.append([*cells, status, *numbers])
    places = {name: place for place, name in enumerate(heads)}
    text_table.show(
        heads, rows_shown, wrapped=[places[name] for name in ("task", "method", "sampler")],
        right=[places[name] for name in _RIGHT if name in places],
    )  # fmt: skip
    if any(one["outdated"] for one in facts):
        console.print(_OUTDATED)
    unwell = [row for row in rows if row.reason]
    for row in unwell[-_REASONS:]:
        console.print(f"{row.id} {row.status}: {safe(row.reason)}")
    if len(unwell) > _REASONS:
        console.print(f"and {len(unwell) - _REASONS} more: --json has all reasons")


def _cell(value: Any) -> str:
    """A fact as a cell; of a time, the date and minutes."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = safe(value)
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

"""The runs of a store as a table in a file: what ``invcore results export`` writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from invcore.base.errors import DataError
from invcore.cli.views.run_rows import absence, read
from invcore.data.tables.stream import table_stream
from invcore.registry.loader import Plugins
from invcore.registry.metric_code import InstalledMetrics
from invcore.storage.index.listed_run import COSTS, FACTS, TIMES, ListedNumber, ListedRun
from invcore.storage.store import Store

_WITHOUT = ListedNumber("", "", None, None, False, None, None, "", "")  # of a run without metrics
_NOTHING = float("nan")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        rows: of the table.
        runs: that they are of.
        damaged: runs that are left out, by id, and why each is damaged.
    """

    rows: int
    runs: int
    damaged: dict[str, str]


def export_rows(
    store: Store, file: str, plugins: Plugins, *, wide: bool, **filters: Any
) -> Exported:
    """Write runs to a table, some hundreds in memory at a time.

    Args:
        store: where they are.
        file: the table.
        plugins: where metrics are looked up.
        wide: one row a run, and not one for each of its metrics.
        filters: as for ``read``.

    Raises:
        DataError: there is nothing to export, or the file cannot be written.
    """
    metrics, runs = InstalledMetrics(plugins), 0
    damaged: dict[str, str] = {}
    names: dict[str, None] = {}
    for run in read(store, details=wide, **filters):  # the columns, before any row
        if run.problem:
            damaged[run.id] = run.problem
            continue
        if wide or not runs:
            names |= dict.fromkeys(by_run(run) if wide else next(by_metric(run, metrics)))
        runs += 1
    if not runs:
        raise DataError(f"nothing to export: {absence(store)}")
    with table_stream(file, list(names)) as stream:
        for run in read(store, details=True, **filters):
            if not run.problem:
                rows = [by_run(run)] if wide else by_metric(run, metrics)
                for row in rows:
                    stream.add([row.get(name, _NOTHING) for name in names])
    return Exported(stream.rows, runs, damaged)


def by_metric(run: ListedRun, metrics: InstalledMetrics) -> Iterator[dict[str, Any]]:
    """A row for each metric of a run; one for a run that has none.

    ``old`` says whether the number is of another version of its metric than is installed.
    """
    old, facts = metrics.old(run.facts["codes"]), _facts(run)
    for m in run.numbers or (_WITHOUT,):
        ends = {end: _number(getattr(m, end)) for end in ("T", "ci_low", "ci_high")}
        row = {"metric": m.name, "T": ends.pop("T"), "value": m.number, **ends}
        row |= {"unit": m.unit, "better": m.better}
        row["old"] = m.metric in old
        yield facts | row


def by_run(run: ListedRun) -> dict[str, Any]:
    """The one row of a run: ``r_T_50`` is r_T at T = 50.

    A metric named as a fact of the run (``parameters``) gets ``metric_`` before its name.
    """
    facts = _facts(run)
    row = dict(facts)
    for metric in run.numbers:
        name = metric.name if metric.T is None else f"{metric.name}_{metric.T}"
        name = f"metric_{name}" if name in facts else name
        row[name] = metric.number
        if metric.ci_low is not None:
            row[f"{name}_ci_low"] = _number(metric.ci_low)
            row[f"{name}_ci_high"] = _number(metric.ci_high)
    return row


def _facts(run: ListedRun) -> dict[str, Any]:
    """What is known of a run beside its metrics; truth as 0 and 1."""
    more = run.more
    facts = {name: run.facts[name] for name in FACTS} | {name: more[name] for name in COSTS}
    facts["answered"] = _number(run.facts["answered"])
    return facts | {name: run.facts[name] for name in TIMES}


def _number(value: float | None) -> float:
    """NaN where there is none: a column of a table has one type."""
    return float("nan") if value is None else float(value)

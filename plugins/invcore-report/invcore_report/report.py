"""Making a report: read, measure, draw, write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from invcore.results import Store
from invcore_report import folder as folders
from invcore_report.candidates import candidate_pictures
from invcore_report.charts import anytime_charts, curve_charts
from invcore_report.collect import Collection, collect
from invcore_report.convergence import convergence_chart
from invcore_report.coverage import coverage_chart
from invcore_report.leaderboard import Board, board
from invcore_report.method_summary import summaries
from invcore_report.page import TaskPart, render
from invcore_report.parity import parity_chart
from invcore_report.pictures import Gallery
from invcore_report.series import series_charts
from invcore_report.style import styles
from invcore_report.tables import wanted_counts
from invcore_report.wishes import wish_pictures

_STEPS = 3  # of drawing a task


@dataclass(frozen=True)
class Report:
    """What was written.

    Args:
        page: the file.
        collection: what was read, and what was left out.
        boards: one a task.
        pictures: names of the pictures' files, without ending.
    """

    page: Path
    collection: Collection
    boards: tuple[Board, ...]
    pictures: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "path": str(self.page),
            "title": self.collection.title,
            "bench": self.collection.bench or None,
            "pictures": [
                str(self.page.parent / folders.PICTURES / f"{name}.{ending}")
                for name in self.pictures
                for ending in ("svg", "png")
            ],
            "tasks": [_plain(one) for one in self.boards],
            "left_out": [{"what": x.what, "why": x.why} for x in self.collection.left_out],
        }


def make(
    store: Store,
    to: Path,
    bench: str | None = None,
    bar: Callable[[int], Callable[[], None]] | None = None,
) -> Report:
    """Write the report of a store.

    Args:
        store: where the runs are.
        to: folder of the report; one of ours is replaced.
        bench: name of a benchmark; None for the only one, or else for the whole store.
        bar: given a number of steps, what to call after each.

    Raises:
        StoreError: there is nothing to report, or ``to`` cannot be written.
        UnknownNameError: no such benchmark.
    """
    folders.check(to)  # before any work
    collection = collect(store, bench)
    tasks = collection.tasks()
    steps = len(collection.runs) + _STEPS * len(tasks)
    step = bar(steps) if bar else _nothing
    measured = summaries(collection, store, wanted_counts(collection), step)
    looks = styles(summary.method for summary in measured)
    with folders.replacing(to) as new:
        gallery = Gallery(new / folders.PICTURES)
        parts = []
        for task in tasks:
            mine = [summary for summary in measured if summary.task == task]
            if not mine:
                continue
            part = TaskPart(board(mine))
            part.curves = curve_charts(mine, looks, gallery)
            step()
            part.curves += anytime_charts(mine, looks, gallery)
            part.curves += convergence_chart(part.board, collection, store, looks, gallery)
            part.curves += series_charts(part.board, gallery)
            part.curves += parity_chart(part.board, collection, store, looks, gallery)
            part.curves += coverage_chart(part.board, collection, store, looks, gallery)
            step()
            part.candidates = wish_pictures(part.board, collection, store, looks, gallery)
            if not part.candidates:
                part.candidates = candidate_pictures(part.board, collection, store, gallery)
            step()
            parts.append(part)
        written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        html = render(collection, parts, written)
        (new / folders.PAGE).write_text(html, encoding="utf-8")
    boards = tuple(part.board for part in parts)
    return Report(to / folders.PAGE, collection, boards, tuple(gallery.names))


def _nothing() -> None:
    """No bar."""


def _plain(one: Board) -> dict[str, Any]:
    return {
        "task": one.task,
        "T": one.T,
        "winner": one.rows[0].summary.method if one.rows[0].rank else None,
        "ahead": one.ahead,
        "methods": [
            {
                "method": row.summary.method,
                "rank": row.rank,
                "ranked": row.summary.ranked,
                "runs": [record.id for record in row.summary.records],
                "seeds": [record.seed for record in row.summary.records],
                "numbers": {
                    key: {
                        "value": cell.value,
                        "low": cell.low,
                        "high": cell.high,
                        "rank": row.places.get(key),
                    }
                    for key, cell in row.cells.items()
                },
            }
            for row in one.rows
        ],
    }

"""The leaderboard of a task: methods by their expected best error, and all that is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from invcore_report.columns import Column, Measure, columns_of
from invcore_report.curves import Interval
from invcore_report.method_summary import Summary
from invcore_report.regret import regrets

HEADLINE = 50  # the number of candidates by which methods are ranked, where they have as many
REGRET = Column(
    "regret",
    "regret",
    "how much worse the best candidate is than the best that any method here found: of goals, in "
    "spreads of the responses, else of violations",
)
CLEAR = 0.95
SEEDS = 3  # without as many, nothing is said to be clear of methods


@dataclass
class Row:
    """A method on the leaderboard.

    Args:
        summary: what is known of it.
        rank: its place by the headline; None where it has none, or leaves targets unanswered.
        cells: numbers by the key of their column; absent where not known.
        places: the method's place in a column.
    """

    summary: Summary
    rank: int | None = None
    cells: dict[str, Interval] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    """The leaderboard of one task.

    Args:
        task: its label.
        T: number of candidates that decides the ranks.
        columns: what is known.
        rows: the methods, best first.
        ahead: share of bootstrap resamples in which the winner is ahead of the second; None
            where there is no second one, or it had other targets.
        seeds: how many of the winner, over which is resampled too.
    """

    task: str
    T: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    ahead: float | None = None
    seeds: int = 1

    @property
    def headline(self) -> str:
        """Key of the column that decides."""
        return f"r_{self.T}"

    @property
    def told_apart(self) -> frozenset[str]:
        """Keys of the columns in which not all methods share one place."""
        places = {
            c.key: {row.places.get(c.key) for row in self.rows} - {None} for c in self.columns
        }
        return frozenset(key for key, ranks in places.items() if len(ranks) > 1)


def board(summaries: Sequence[Summary]) -> Board:
    """Make the leaderboard of one task from what is known of its methods (at least one)."""
    shared = [T for T in summaries[0].raw.counts if all(T in s.raw.counts for s in summaries)]
    most = max(shared)
    deciding = HEADLINE if any(HEADLINE in s.raw.counts for s in summaries) else most
    columns = columns_of(summaries, sorted({1, deciding, most}))
    rows = [Row(summary) for summary in summaries]
    columns, own = _with_regret(columns, rows)
    for column, measure in columns:
        for row in rows:
            interval = own.get(id(row)) if column is REGRET else measure(row.summary)
            if interval is not None and not math.isnan(interval.value):
                row.cells[column.key] = interval
        if column.better:
            _place(rows, column)
    headline = f"r_{deciding}"
    entries = [row for row in rows if headline in row.cells and row.summary.answered.value == 1]
    for row in entries:
        value = row.cells[headline].value
        row.rank = 1 + sum(other.cells[headline].value < value for other in entries)
    last = math.inf
    rows.sort(
        key=lambda row: (
            row.rank is None, row.rank or 0,
            row.cells[headline].value if headline in row.cells else last, row.summary.method,
        )
    )  # fmt: skip
    ranked = [row.summary for row in rows if row.rank is not None]
    ahead = _ahead(ranked[0], ranked[1], deciding) if len(ranked) > 1 else None
    seeds = len(rows[0].summary.records) if rows else 1
    return Board(
        summaries[0].task, deciding, tuple(column for column, _ in columns), tuple(rows), ahead,
        seeds,
    )  # fmt: skip


def _with_regret(
    columns: list[tuple[Column, Measure]], rows: Sequence[Row]
) -> tuple[list[tuple[Column, Measure]], dict[int, Interval]]:
    """The columns, with that of regret first where wishes are answered, and its numbers by row."""
    of = rows[0].summary
    same = [r.summary.found if r.summary.targets == of.targets else None for r in rows]
    every = regrets(same, [record.targets for record in of.records])
    own = {id(row): one for row, one in zip(rows, every, strict=True) if one is not None}
    return ([(REGRET, lambda _: None), *columns] if own else columns), own


def mean_ranks(boards: Sequence[Board]) -> list[tuple[str, float, dict[str, int]]]:
    """Methods with their mean rank over the tasks that they have one on, best first.

    Those that lack a task come after those that have all: their mean is not comparable.
    """
    ranks: dict[str, dict[str, int]] = {}
    for one in boards:
        for row in one.rows:
            if row.rank is not None:
                ranks.setdefault(row.summary.method, {})[one.task] = row.rank
    means = [(name, math.fsum(own.values()) / len(own), own) for name, own in ranks.items()]
    return sorted(means, key=lambda item: (-len(item[2]), item[1], item[0]))


def _place(rows: Sequence[Row], column: Column) -> None:
    """Rank the rows in a column; equal values share a place."""
    sign = -1.0 if column.better == "higher" else 1.0
    entries = [row for row in rows if column.key in row.cells]
    values = sorted(sign * row.cells[column.key].value for row in entries)
    for row in entries:
        row.places[column.key] = 1 + values.index(sign * row.cells[column.key].value)


def _ahead(first: Summary, second: Summary, T: int) -> float | None:
    """The share of paired resamples in which the first has the smaller error."""
    if first.targets != second.targets or T not in first.raw.counts or T not in second.raw.counts:
        return None
    mine = first.raw.resamples[first.raw.counts.index(T)]
    other = second.raw.resamples[second.raw.counts.index(T)]
    return float((mine < other).double().mean())

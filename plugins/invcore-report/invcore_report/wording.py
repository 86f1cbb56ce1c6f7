"""Numbers and sentences for people."""

import math

from invcore_report.curves import Interval
from invcore_report.leaderboard import CLEAR, SEEDS, Board


def number(value: float | None) -> str:
    """A number for people; a dash where there is none.

    Example:
        >>> number(6.234e-09), number(0.0), number(None), number(1234567.0), number(43.24)
        ('6.2e-9', '0', '–', '1.2e6', '43.2')
    """
    if value is None or math.isnan(value):
        return "–"  # noqa: RUF001 - a dash as wide as a digit
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value and not 1e-3 <= abs(value) < 1e5:
        digits, _, exponent = f"{value:.1e}".partition("e")
        return f"{digits}e{int(exponent)}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def between(interval: Interval) -> str:
    """The ends of an interval.

    Example:
        >>> between(Interval(2.0, 1.5, 2.5))
        '1.5 .. 2.5'
    """
    return f"{number(interval.low)} .. {number(interval.high)}"


def answer(board: Board) -> str:
    """Which method is best on a task, in one sentence.

    That is by its mean; ``verdict`` says how sure that is.
    """
    rows = [row for row in board.rows if row.rank is not None]
    if not rows:
        return f"{board.task}: no method has an answer to every target"
    best = rows[0].cells[board.headline]
    text = (
        f"{board.task}: best at T={board.T} is {rows[0].summary.method}, "
        f"{number(best.value)} ({between(best)}), all targets answered"
    )
    return text + (f", then {rows[1].summary.method}" if len(rows) > 1 else "")


def verdict(board: Board) -> str:
    """How sure it is that the winner is ahead of the second."""
    rows = [row for row in board.rows if row.rank is not None]
    if not rows:
        return "No method answers every target, so that none is best."
    if len(rows) < 2:
        others = any(row.summary.answered.value < 1 for row in board.rows)
        return f"The only method with {'an answer to every target' if others else 'a result'}."
    first, second = (row.cells[board.headline] for row in rows[:2])
    winner, other = (row.summary.method for row in rows[:2])
    times = number(second.value / first.value) if first.value > 0 else ""
    then = f"{other} has {f'{times} times' if times else 'above'} its error"
    if times == "1":
        then = f"{other} has the same error to three digits"
    if board.ahead is None:  # other targets: no pairs
        apart = first.high < second.low
        return f"{then}; the intervals {'do not overlap' if apart else 'overlap'}."
    share = f"{100 * board.ahead:.0f}% of resamples of the targets"
    if board.seeds > 1:
        share = f"{100 * board.ahead:.0f}% of resamples of the {board.seeds} seeds and targets"
    if board.ahead < CLEAR:
        return f"{then}. Too close to call: {winner} is ahead in {share}."
    if board.seeds >= SEEDS:
        return f"{then}. {winner} is clearly ahead: in {share}."
    few = "one seed" if board.seeds == 1 else f"{board.seeds} seeds"
    return (
        f"{then}. {winner} is ahead in {share}, with {few} of each: that is of these fitted "
        f"models, not yet of the methods. At least {SEEDS} seeds can tell."
    )


def single(board: Board) -> str:
    """Which method is best with one candidate: in its own order, and in a common one.

    They may differ: the mean of a method that does not rank is that of any candidate, and a
    common surrogate may rank a method's candidates worse than the method does.
    """
    own = _best(board, "r_1")
    reranked = _best(board, "r_1-reranked")
    if own and reranked:
        return f"With one candidate: {own}; all re-ranked by one surrogate: {reranked}."
    return f"With one candidate: {own}." if own else ""


def _best(board: Board, key: str) -> str:
    winners = [row for row in board.rows if row.places.get(key) == 1]
    if not winners or board.headline == key:
        return ""
    names = " and ".join(row.summary.method for row in winners)
    return f"{names}, {number(winners[0].cells[key].value)}"

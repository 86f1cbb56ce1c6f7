"""What ``invcore solve`` shows: the best designs of each target, and where the rest lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from invcore.cli.kit import add_row, number, stdout, table
from invcore_solve.page.wording import probability_text

if TYPE_CHECKING:
    from rich.table import Table
    from torch import Tensor

    from invcore.results import RunRecord, Store
    from invcore_solve.answers.proposal import Proposal

_SHOWN = 5  # designs on the screen for each target; the file has all
_TARGETS = 10  # from more on, one line for each
_WIDE = 8  # columns from which on designs stand beside each other instead of below
_LONG = 100  # signs of all headers together, likewise
_CURVE = 6  # responses from which on they are not shown one by one
_MOST = 40  # variables that are shown


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
        **({} if ranked.making is None else {"making": ranked.making.document()}),
    }


def asked_of(ranked: Proposal) -> list[str]:
    """What each target asks for, in words."""
    return [_wanted(ranked, rows[0]) for rows in ranked.groups()]


def show(
    ranked: Proposal, record: RunRecord, *, candidates: int, why_fewer: str,
    level: float | None = None, notes: Sequence[str] = (), ends: Sequence[str] = (),
) -> None:  # fmt: skip
    """Print the best designs of each target; of more than ten targets the best one alone.

    Args:
        ranked: the designs.
        record: of the run that proposed them; its metrics are shown.
        candidates: designs wanted for each target; 0 where fewer are no surprise.
        why_fewer: why there may be fewer.
        level: the share of responses that errors cover; None where there are no errors.
        notes: what one should know.
        ends: the last lines.
    """
    console = stdout()
    groups = list(ranked.groups())
    if len(groups) > _TARGETS:
        console.print(_summary(ranked, groups))
    for rows in groups if len(groups) <= _TARGETS else []:
        less = candidates - len(rows)
        copies = f" ({less} {why_fewer} left out)" if less > 0 else ""
        count = f"{len(rows)} design{'s' * (len(rows) != 1)}"
        console.print(f"{_wanted(ranked, rows[0])}: the best of {count}{copies}")
        if ranked.responses is None and ranked.reach and ranked.reach[rows[0]]:
            console.print(f"out of reach: {ranked.reach[rows[0]]}")
        console.print(_designs(ranked, rows[:_SHOWN]))
        console.print()
    for metric in record.metrics:
        interval = f"{number(metric.ci_low)} .. {number(metric.ci_high)}"
        console.print(f"{metric.name}: {number(metric.value)} ({interval})")
    if level is not None:
        console.print(f"± covers {level:.0%} of true responses, all of a design at once")
    if ranked.making is not None:
        console.print(ranked.making.note())
    if ranked.probability is not None:
        console.print("probability: that a measurement of the design meets all that is wanted, "
                      "by the judge")  # fmt: skip
    if ranked.measured is not None and bool(ranked.measured.any()):
        console.print(
            "* known before: it cost no call" if ranked.distance is None
            else "* measured already: a row of the table"
        )  # fmt: skip
    if groups and ranked.responses is None:
        out = sum(1 for rows in groups if ranked.reach and ranked.reach[rows[0]])
        if out and len(groups) > _TARGETS:
            console.print(f"note: {out} of {len(groups)} targets are out of the table's reach")
    for note in notes:
        console.print(f"note: {note}")
    for line in ends:
        console.print(line, soft_wrap=True)  # a command is copied whole


def _wanted(ranked: Proposal, row: int) -> str:
    """A target for people."""
    if ranked.asked:
        return ranked.asked[row]
    values = ranked.target[row].tolist()
    if len(values) > _CURVE:
        return f"a curve of {len(values)} values, {number(min(values))} to {number(max(values))}"
    pairs = zip(ranked.names[1], values, strict=True)
    return ", ".join(f"{name} = {number(value, 4)}" for name, value in pairs)


def _summary(ranked: Proposal, groups: Sequence[Sequence[int]]) -> Table:
    """The best design of each target, a line each."""
    names = ranked.order or ranked.names[0]
    few = names[: max(1, _WIDE - 4)]
    result = table("target", "wanted", *few, *_heads(ranked), "row")
    columns = ranked.columns()
    for number_, rows in enumerate(groups, 1):
        row = rows[0]
        mark = "" if ranked.nearest is None else str(int(ranked.nearest[row])) + _mark(ranked, row)
        flag = "!" if ranked.reach and ranked.reach[row] else ""
        cells = [_cell(columns[name][row]) for name in few]
        add_row(result, f"{number_}{flag}", _wanted(ranked, row), *cells, *_responses(ranked, row),
                mark)  # fmt: skip
    return result


def _designs(ranked: Proposal, rows: Sequence[int]) -> Table:
    """The designs of one target: a line each, or a column each where there are many variables."""
    names = ranked.order or ranked.names[0]
    heads = _heads(ranked)
    extra = ["distance", "row"] if ranked.distance is not None else []
    if ranked.error is not None:
        extra.append("error" if ranked.wanted is None else "violation")
    titles = [*names[:_MOST], *heads, *extra]
    columns = ranked.columns()
    lines = []
    for row in rows:
        cells = [_cell(columns[name][row]) for name in names[:_MOST]]
        cells += _responses(ranked, row)
        if ranked.distance is not None and ranked.nearest is not None:
            cells += [number(float(ranked.distance[row]), 2), str(int(ranked.nearest[row]))]
        if ranked.error is not None:
            cells.append(number(float(ranked.error[row])))
        lines.append(cells)
    ranks = [f"{int(ranked.rank[row])}{_mark(ranked, row)}" for row in rows]
    if len(titles) <= _WIDE and sum(map(len, titles)) <= _LONG:
        result = table("rank", *titles)
        for rank, cells in zip(ranks, lines, strict=True):
            add_row(result, rank, *cells)
        return result
    result = table("rank", *ranks)
    for title, *cells in zip(titles, *lines, strict=True):
        add_row(result, title, *cells)
    if len(names) > _MOST:
        add_row(result, f"… {len(names)} variables in all", *[""] * len(ranks))
    return result


def _mark(ranked: Proposal, row: int) -> str:
    return "*" if ranked.measured is not None and bool(ranked.measured[row]) else ""


def _heads(ranked: Proposal) -> list[str]:
    kind = "predicted" if ranked.responses is None else "simulated"
    chance = ["yield"] if ranked.making is not None else []
    chance += ["probability"] if ranked.probability is not None else []
    if len(ranked.names[1]) > _CURVE:
        if ranked.wanted is not None:
            return [*chance, f"share of the {kind} curve that meets"]
        return [f"mean distance of the {kind} curve"]
    return chance + [f"{name}, {kind}" for name in ranked.names[1]]


def _responses(ranked: Proposal, row: int) -> list[str]:
    """The simulator's, or what the judge expects with its error; before them the probability."""
    chance = [] if ranked.making is None else [ranked.making.cell(row)]
    chance += (
        [] if ranked.probability is None else [probability_text(float(ranked.probability[row]))]
    )
    own = ranked.predicted if ranked.responses is None else ranked.responses
    assert own is not None
    if len(ranked.names[1]) > _CURVE:
        return [*chance, _of_curve(ranked, own, row)]
    off = _violations(ranked, row)
    if ranked.responses is not None:
        pairs = zip(own[row].tolist(), off, strict=True)
        return chance + [number(value, 4) + more for value, more in pairs]
    said = (ranked.said(row, place, number) for place in range(own.shape[1]))
    return chance + [
        text if text.endswith(" measured") else text + more
        for text, more in zip(said, off, strict=True)
    ]


def _of_curve(ranked: Proposal, own: Tensor, row: int) -> str:
    """The distance of a curve from the target, or the share of it that is as it is wanted."""
    if ranked.wanted is not None and ranked.met is not None:
        some = ranked.wanted.wanted[row]
        return f"{float(ranked.met[row][some].double().mean()):.0%}"
    away = (own[row] - ranked.target[row]).abs().mean()
    wide = ""
    if ranked.responses is None and ranked.predicted_error is not None:
        wide = f" ± {number(float(ranked.predicted_error[row].mean()), 2)}"
    return number(float(away)) + wide


def _violations(ranked: Proposal, row: int) -> list[str]:
    """How far each response is beyond its interval; empty texts where it is not."""
    if ranked.violation is None:
        return [""] * len(ranked.names[1])
    return [
        f" ({number(abs(v), 2)} too {'high' if v > 0 else 'low'})" if v else ""
        for v in ranked.violation[row].tolist()
    ]


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else number(float(value), 4)

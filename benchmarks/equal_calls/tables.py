"""What the lines say, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from equal_calls.problems import Numbers
from equal_calls.rows import LEVELS, Line, best_after, calls_to

REFERENCE = "dfo-ls"
RESAMPLES = 2000
BUDGETS = (50, 100, 200)
KNOWN_LEVELS = LEVELS[:3]


def groups(lines: Sequence[Line], *names: str) -> dict[tuple[Any, ...], list[Line]]:
    """Lines by what they have under some names, in the order in which those come."""
    found: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        found.setdefault(tuple(line[name] for name in names), []).append(line)
    return found


def calls_of(lines: Sequence[Line], level: float, most: float = np.inf) -> tuple[Numbers, Numbers]:
    """Calls to a level (N,), of unsolved targets the cap, and whether each was solved (N,).

    Args:
        lines: of one target each.
        level: of the error.
        most: a cap that is lower than the lines' own.
    """
    caps = [min(line["cap"], most) for line in lines]
    reached = [calls_to(line["best"], level, cap) for line, cap in zip(lines, caps, strict=True)]
    calls = [cap if n is None else n for n, cap in zip(reached, caps, strict=True)]
    return np.array(calls, dtype=float), np.array([n is not None for n in reached], dtype=float)


def quantile(values: Numbers, share: float) -> float:
    """A quantile, infinite ones among them: the median may lie between two values, others are some.

    Example:
        >>> quantile(np.array([1.0, 2.0, np.inf]), 0.5), quantile(np.array([1.0, np.inf]), 0.9)
        (2.0, inf)
    """
    if share == 0.5:
        return float(np.median(values))
    return float(np.quantile(values, share, method="inverted_cdf"))


def ratio(
    own: Sequence[Line], others: Sequence[Line], level: float
) -> tuple[float, float, float] | None:
    """The ratio of median calls to those of others, with a 95% bootstrap interval.

    Seeds and targets are paired, and drawn anew together; the cap of both is the lower one. None
    where there is no common one, or
    where more than half of either are not solved, so that a median is but the cap.
    """
    both = [
        {(line["seed"], line["target"]): line for line in lines} for lines in (own, others)
    ]  # fmt: skip
    common = [key for key in both[0] if key in both[1]]
    if not common:
        return None
    most = min(part[key]["cap"] for part in both for key in common)
    first, second = (calls_of([part[key] for key in common], level, most) for part in both)
    if min(first[1].mean(), second[1].mean()) <= 0.5:
        return None
    drawn = np.random.default_rng(0).integers(len(common), size=(RESAMPLES, len(common)))
    medians = [np.median(part[0][drawn], axis=1) for part in (first, second)]
    low, high = np.quantile(medians[0] / medians[1], [0.025, 0.975])
    return float(np.median(first[0]) / np.median(second[0])), float(low), float(high)


Cell = Callable[[Sequence[Line]], str]


def wide(lines: Sequence[Line], cell: Cell) -> Iterator[str]:
    """A table of tasks, a row each, and competitors."""
    own = groups(lines, "task")
    names = list(dict.fromkeys(line["competitor"] for line in lines))
    yield f"| {' | '.join(['task', *names])} |"
    yield "|---" * (1 + len(names)) + "|"
    for (task,), some in own.items():
        by_name = groups(some, "competitor")
        cells = [cell(by_name[name,]) if (name,) in by_name else "" for name in names]
        yield f"| {' | '.join([task, *cells])} |"


def level_tables(lines: Sequence[Line]) -> Iterator[str]:
    """Calls to each level, of one target at a time and of many jointly, and ratios."""
    titles = {"single": "one target at a time", "joint": "many jointly, all calls / targets"}
    for part, title in titles.items():
        own = [line for line in lines if line["part"] == part]
        if not own:
            continue
        yield f"\n{title[0].upper()}{title[1:]}: targets over all seeds, and the cap\n"
        yield from wide(own, _sizes)
        for level in LEVELS:
            yield f"\nCalls to {level:g}, {title}: median / 90% (share solved)\n"
            yield from wide(own, partial(_level, level))
        reference = groups([o for o in own if o["competitor"] == REFERENCE], "task")
        others = [line for line in own if line["competitor"] != REFERENCE]
        for level in LEVELS if reference and others else ():
            yield f"\nMedian calls to {level:g} / those of {REFERENCE}, at the lower cap of both\n"
            yield from wide(others, partial(_ratio, level, reference))
        yield f"\nSeconds of an ask, {title}: median over runs\n"
        yield from wide(own, _ask)


def _sizes(some: Sequence[Line]) -> str:
    return f"{len(some)}; {'-'.join(f'{cap:g}' for cap in sorted({o['cap'] for o in some}))}"


def _ask(some: Sequence[Line]) -> str:
    return f"{np.median([line['ask_s'] for line in some]):.2g}"


def _level(level: float, some: Sequence[Line]) -> str:
    calls, solved = calls_of(some, level)
    if not solved.any():
        return "-"
    open_ended = np.where(solved > 0, calls, np.inf)
    parts = [quantile(open_ended, share) for share in (0.5, 0.9)]
    texts = [f"{value:.3g}" if np.isfinite(value) else "-" for value in parts]
    share = "" if solved.all() else f" ({solved.mean():.0%})"
    return " / ".join(texts) + share


def _ratio(level: float, reference: dict[Any, list[Line]], some: Sequence[Line]) -> str:
    found = ratio(some, reference.get((some[0]["task"],), []), level)
    return "" if found is None else "{:.2f} ({:.2f} .. {:.2f})".format(*found)


def constrained_table(lines: Sequence[Line]) -> Iterator[str]:
    """The best feasible objective after some calls."""
    own = [line for line in lines if line["part"] == "constrained"]
    for calls in BUDGETS:
        some = [line for line in own if line["cap"] >= calls]
        if some:
            yield f"\nBest feasible objective after {calls} calls: median (share with one)\n"
            yield from wide(some, partial(_feasible, calls))
    if own:
        yield "\nSeconds of an ask, with constraints: median over seeds\n"
        yield from wide(own, _ask)


def _feasible(calls: int, some: Sequence[Line]) -> str:
    values = np.array([best_after(line["best"], calls) for line in some])
    median, share = quantile(values, 0.5), np.isfinite(values).mean()
    text = f"{median:.6g}" if np.isfinite(median) else "-"
    return text if share == 1 else f"{text} ({share:.0%})"


def known_table(lines: Sequence[Line]) -> Iterator[str]:
    """Which targets were solved where pairs were known, and the median error, also before."""
    own = [line for line in lines if line["part"] == "known"]
    if not own:
        return
    names = [f"solved to {level:g}" for level in KNOWN_LEVELS]
    yield "\nMany targets jointly, after pairs that cost no call, and the best of these before\n"
    heads = ("task", "loop", "targets", "calls each", *names, "median error", "before")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for (task, competitor), some in groups(own, "task", "competitor").items():
        errors = np.array([best_after(line["best"], line["cap"]) for line in some])
        before = np.array([line["known"] for line in some])
        solved = [f"{np.mean(errors <= level):.0%}" for level in KNOWN_LEVELS]
        caps = "-".join(f"{cap:g}" for cap in sorted({line["cap"] for line in some}))
        medians = [f"{np.median(values):.2g}" for values in (errors, before)]
        yield f"| {' | '.join([task, competitor, str(len(some)), caps, *solved, *medians])} |"


def campaign_table(lines: Sequence[Line]) -> Iterator[str]:
    """Experiments until a good structure was measured, beside random search."""
    own = [line for line in lines if line["part"] == "campaign"]
    if not own:
        return
    yield "\nExperiments until success, after those at random; the unsolved count as all\n"
    yield "| a round | competitor | repeats | median | mean | solved | ratio of means to random |"
    yield "|---|---|---|---|---|---|---|"
    for (task, competitor), some in groups(own, "task", "competitor").items():
        base = {o["seed"]: o for o in own if (o["task"], o["competitor"]) == (task, "random")}
        calls = np.array([_experiments(line) for line in some], dtype=float)
        solved = np.mean([line["success"] is not None for line in some])
        pairs = [
            (_experiments(line), _experiments(base[line["seed"]]))
            for line in some if line["seed"] in base
        ]  # fmt: skip
        text = ""
        if pairs and competitor != "random":
            both = np.array(pairs, dtype=float)
            drawn = np.random.default_rng(0).integers(len(both), size=(RESAMPLES, len(both)))
            means = both[drawn].mean(axis=1)
            low, high = np.quantile(means[:, 0] / means[:, 1], [0.025, 0.975])
            text = f"{both[:, 0].mean() / both[:, 1].mean():.2f} ({low:.2f} .. {high:.2f})"
        yield (
            f"| {task} | {competitor} | {len(some)} | {np.median(calls):.3g} | {calls.mean():.3g} "
            f"| {solved:.0%} | {text} |"
        )


def _experiments(line: Line) -> float:
    return line["cap"] if line["success"] is None else line["success"]


def ask_table(lines: Sequence[Line]) -> Iterator[str]:
    """How long an ask takes."""
    own = [line for line in lines if line["part"] == "ask"]
    if not own:
        return
    yield "\nSeconds of an ask, the tell before it included\n"
    yield "| task | loop | targets | rows known | first ask | later asks, mean | rows an ask |"
    yield "|---|---|---|---|---|---|---|"
    for line in own:
        cells = (line[name] for name in ("task", "competitor", "targets", "rows"))
        times = f"{line['first_s']:.2g} | {line['ask_s']:.2g} | {line['rows_an_ask']:.3g}"
        yield f"| {' | '.join(str(cell) for cell in cells)} | {times} |"


def tables(lines: Sequence[Line]) -> Iterator[str]:
    """All tables."""
    for table in (level_tables, known_table, constrained_table, campaign_table, ask_table):
        yield from table(lines)

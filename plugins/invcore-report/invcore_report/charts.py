"""The curves of a task as pictures."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from matplotlib.ticker import LogLocator

from invcore.plugin import drawn
from invcore_report.curves import Curve, seconds
from invcore_report.method_summary import Summary
from invcore_report.pictures import Gallery, Picture
from invcore_report.style import Style
from invcore_report.wording import number

_SIZE = (4.6, 3.3)
_MARKS = 7  # markers on a curve: enough to know it by, few enough to see it
_BOTTOM = 1e-3  # a band's lower end is drawn at most so far below the curve

Styles = Mapping[str, Style]


def curve_charts(summaries: Sequence[Summary], styles: Styles, gallery: Gallery) -> list[Picture]:
    """r_T against T: in the methods' own order, and re-ranked where runs have that.

    None where all runs have one candidate for each target: that is a number, which the table has.
    """
    if all(s.candidates == 1 for s in summaries):
        return []
    task, unit = summaries[0].task, _unit(summaries)
    own = [(s, s.raw) for s in summaries]
    common = [(s, s.reranked) for s in summaries if s.reranked is not None]
    charts = [("rT", "in the methods' own order", own)]
    if common:
        charts.append(("rT-reranked", "re-ranked by one surrogate", common))
    pictures = []
    for name, order, curves in charts:
        lines = [(s, curve, list(map(float, curve.counts))) for s, curve in curves]
        caption = f"Expected best error among T candidates, {order}"
        pictures.append(
            _chart(f"{task}-{name}", caption, f"{task}: {order}", "T, candidates for a target",
                   unit, lines, styles, gallery)
        )  # fmt: skip
    return pictures


def anytime_charts(summaries: Sequence[Summary], styles: Styles, gallery: Gallery) -> list[Picture]:
    """Expected best error against seconds at two costs of a simulator call, and against calls.

    Against calls only where a method makes some to propose: elsewhere that is the curve of T.
    """
    task, unit = summaries[0].task, _unit(summaries)
    by_calls, measured, slow = [], [], []
    for s in summaries:
        positions = partial(seconds, s.raw.counts, candidates=s.candidates, ranked=s.ranked)
        by_calls.append((s, s.raw, positions(propose=s.propose_calls, call=1.0)))
        measured.append((s, s.raw, positions(propose=s.propose_s, call=s.call_s)))
        dearer = s.propose_s + s.propose_calls * (1.0 - s.call_s)  # for searches that ask it
        slow.append((s, s.raw, positions(propose=dearer, call=1.0)))
    cost = max(s.call_s for s in summaries)
    charts = [
        (
            "measured",
            f"by seconds, a simulator call as measured ({number(cost)} s at most)",
            "seconds",
            measured,
        ),
        ("one-second", "by seconds, if a simulator call took 1 s", "seconds", slow),
    ]
    if any(s.propose_calls for s in summaries):
        charts.insert(0, ("calls", "by simulator calls", "simulator calls", by_calls))
    return [
        _chart(
            f"{task}-anytime-{name}", f"Expected best error {caption}",
            f"{task}: {caption.partition(' (')[0]}",  # a title has no room for more
            f"{across} for a target", unit, lines, styles, gallery,
        )
        for name, caption, across, lines in charts
    ]  # fmt: skip


def _chart(
    name: str,
    caption: str,
    title: str,
    across: str,
    unit: str,
    lines: Sequence[tuple[Summary, Curve, list[float]]],
    styles: Styles,
    gallery: Gallery,
) -> Picture:
    with gallery.figure(*_SIZE) as figure:
        axes = figure.add_subplot()
        for summary, curve, x in lines:
            _line(axes, summary.method, styles[summary.method], curve, x)
        axes.set_xscale("log")
        axes.set_xlim(*_decades(lines))
        if any(bool((curve.mean > 0).any()) for _, curve, _ in lines):
            axes.set_yscale("log")
        axes.grid(True, which="major")
        axes.minorticks_off()
        low, high = axes.get_ylim()
        if axes.get_yscale() == "log" and high < 100 * low:  # a decade's ends alone say too little
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(_tick)  # not powers of 10 in mathematics: ten times slower
        axes.set_xlabel(across)
        axes.set_ylabel(f"expected best error{unit}")

        def finish() -> None:
            axes.set_title(drawn(title), fontsize="medium")
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")

        return gallery.chart(name, caption, figure, finish)


def _tick(value: float, _place: float) -> str:
    if 1e-3 <= value < 1e5:
        return f"{value:g}"
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e") if value > 0 else "0"


def _decades(lines: Sequence[tuple[Summary, Curve, list[float]]]) -> tuple[float, float]:
    """Limits of a logarithmic axis with at least two ticks."""
    values = [value for _, _, x in lines for value in x if value > 0]
    low, high = math.log10(min(values, default=1.0)), math.log10(max(values, default=10.0))
    if math.floor(high) - math.ceil(low) < 1:
        low, high = math.floor(low), math.floor(high) + 1
    margin = 0.04 * (high - low)
    return 10 ** (low - margin), 10 ** (high + margin)


def _line(axes: Any, method: str, style: Style, curve: Curve, x: list[float]) -> None:
    mean = curve.mean.where(curve.mean > 0, torch.nan)  # zero has no place on a logarithmic axis
    low = torch.maximum(curve.low, mean * _BOTTOM)
    axes.fill_between(
        x, low.numpy(), curve.high.numpy(), color=style.colour, alpha=0.16, linewidth=0
    )
    axes.plot(
        x, mean.numpy(), color=style.colour, linestyle=style.dash, linewidth=1.6,
        marker=style.marker, markersize=5, markevery=max(1, len(x) // _MARKS), label=drawn(method),
    )  # fmt: skip


def _unit(summaries: Sequence[Summary]) -> str:
    """The unit of r_T, as the runs' metrics say it."""
    units = {m.unit for s in summaries for r in s.records for m in r.metrics if m.name == "r_T"}
    named = units - {""}
    return f", {named.pop()}" if len(named) == 1 else ""

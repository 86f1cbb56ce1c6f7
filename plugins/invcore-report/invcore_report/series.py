"""What a setting changes: numbers of methods that differ in one numeric setting alone."""

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from invcore.plugin import drawn
from invcore_report.curves import Interval
from invcore_report.labels import flat
from invcore_report.leaderboard import Board, Row
from invcore_report.pictures import Gallery, Picture
from invcore_report.style import styles

FEWEST = 3  # values of a setting that make a curve
SHARE = "better-than-reference"
_LEVELS = 4  # methods without the setting that are shown beside those with it
_SIZE = (4.6, 3.3)


@dataclass(frozen=True)
class Series:
    """Runs of one method that differ in one numeric setting.

    Args:
        setting: its name.
        label: the method, with the settings in which it differs from other series.
        points: the setting's values, ascending, and what was measured there.
        zero: what was measured at 0, if that is no point: it often stands for all, none or a
            default, and has no place on an axis of powers.
    """

    setting: str
    label: str
    points: tuple[tuple[float, Interval], ...]
    zero: Interval | None = None


def series_charts(board: Board, gallery: Gallery) -> list[Picture]:
    """A chart for each numeric setting that a bench varies: the share of problems below the
    reference, where that was measured, or else the first candidate's error.

    Level lines show the best methods that have no such setting.
    """
    key = SHARE if series_of(board, SHARE) else "r_1"
    curves = series_of(board, key)
    pictures = []
    for setting in dict.fromkeys(one.setting for one in curves):
        lines = [one for one in curves if one.setting == setting]
        levels = without(board, setting, key)[:_LEVELS]
        look = styles([*(one.label for one in lines), *(name for name, _ in levels)])
        with gallery.figure(*_SIZE) as figure:
            axes = figure.add_subplot()
            for one in lines:
                x = [value for value, _ in one.points]
                own = look[one.label]
                axes.fill_between(
                    x, [p.low for _, p in one.points], [p.high for _, p in one.points],
                    color=own.colour, alpha=0.15, linewidth=0,
                )  # fmt: skip
                axes.plot(
                    x, [p.value for _, p in one.points], color=own.colour, marker=own.marker,
                    markersize=4, linewidth=1.4, label=drawn(one.label),
                )  # fmt: skip
                if one.zero is not None:
                    axes.axhline(
                        one.zero.value, color=own.colour, linestyle=":", linewidth=1.2,
                        label=drawn(f"{one.label}, {setting}=0"),
                    )  # fmt: skip
            for name, level in levels:
                axes.axhline(
                    level.value,
                    color=look[name].colour,
                    linestyle="--",
                    linewidth=1.2,
                    label=drawn(name),
                )
            if all(value > 0 for one in lines for value, _ in one.points):
                axes.set_xscale("log", base=2)
                axes.xaxis.set_major_formatter("{x:g}")
            if key == SHARE:
                axes.set_ylim(0, 1)
            else:
                axes.set_yscale("log")
            axes.set(xlabel=drawn(setting), ylabel=drawn(key))
            axes.grid(True)
            axes.legend(frameon=False, fontsize="small")
            title = f"{board.task}: {key} by {setting}"
            beside = "; dashed: methods without it" if levels else ""
            caption = f"{key} by the setting {setting}; bands as in the table{beside}"
            name = f"{board.task}-by-{setting}"
            pictures.append(
                gallery.chart(name, caption, figure, partial(axes.set_title, drawn(title)))
            )
    return pictures


def series_of(board: Board, key: str) -> list[Series]:
    """The series of a leaderboard's rows that have a number in the column ``key``."""
    groups: dict[tuple[str, ...], dict[float, Row]] = defaultdict(dict)
    for row in board.rows:
        record = row.summary.records[0]
        own = flat(record.config.get("method", {}))
        work = {"sampler": record.sampler, "candidates": record.candidates, "device": record.device}
        for setting, text in own.items() if key in row.cells else ():
            value = _number(text)
            if value is not None:
                others = sorted(f"{k}={v}" for k, v in (own | work).items() if k != setting)
                groups[(setting, record.method, *others)][value] = row
    many = {name: rows for name, rows in groups.items() if len(rows) >= FEWEST}
    result = []
    for name, rows in many.items():
        setting, method, *others = name
        peers = [set(peer[2:]) for peer in many if peer[:2] == name[:2]]
        apart = [fact for fact in others if not all(fact in peer for peer in peers)]
        label = f"{method} ({', '.join(apart)})" if apart else method
        cells = {value: rows[value].cells[key] for value in sorted(rows)}
        apart_from_0 = len(cells) > FEWEST and all(value >= 0 for value in cells)
        zero = cells.pop(0.0, None) if apart_from_0 else None
        result.append(Series(setting, label, tuple(cells.items()), zero))
    return result


def without(board: Board, setting: str, key: str) -> list[tuple[str, Interval]]:
    """Methods that do not have a setting, best first, and what was measured of them."""
    upwards = key == SHARE  # the rows are in the order of their errors
    entries = [row for row in board.rows if key in row.cells]
    rows = sorted(entries, key=lambda row: -row.cells[key].value if upwards else 0.0)
    own = [(row, row.summary.records[0].config.get("method", {})) for row in rows]
    return [(row.summary.method, row.cells[key]) for row, c in own if setting not in flat(c)]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

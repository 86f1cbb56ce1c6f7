"""Pictures of designs over the data: parallel coordinates and pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from invcore_solve.page.drawing import COLOURS, GREY, figure, grid, inline
from invcore_solve.page.wording import number, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from invcore_solve.tables.table_data import TableData

Numbers = npt.NDArray[np.float64]

_ROWS = 250  # of the table, drawn as lines
_POINTS = 400  # of the table, drawn as points in each panel
_COLUMNS = 14  # beside each other
_PAIRED = 4
_TICKS = 8  # names of levels or categories on an axis of its own
_PAIR_TICKS = 5  # likewise, in a small panel


@dataclass(frozen=True)
class Overlay:
    """The table's designs with proposals over them.

    Args:
        names: of the columns.
        steps: for each column the values that have ticks with their names; empty for numbers.
        rows: (N, Dx), of the table.
        proposals: for each of the first targets its designs (n, Dx).
        labels: of these targets.
        order: positions of the columns, the most important first.
    """

    names: Sequence[str]
    steps: Sequence[Sequence[tuple[float, str]]]
    rows: Numbers
    proposals: Sequence[Numbers]
    labels: Sequence[str]
    order: Sequence[int]

    def parallel(self, name: str) -> tuple[str, str]:
        """Parallel coordinates, and their caption."""
        columns = sorted(self.order[:_COLUMNS])
        caption = (
            "Each column of designs has an axis of its own, and each design is a line across "
            "them. Thin grey lines are rows of the table; coloured ones are proposals that "
            "are not measured yet."
        )
        if len(columns) < len(self.order):
            caption += f" Shown are the {len(columns)} columns that move the responses most."
        rows = _some(self.rows, _ROWS)[:, columns]
        own = [design[:, columns] for design in self.proposals]
        every = np.concatenate([self.rows[:, columns], *own])
        low, span = every.min(axis=0), np.ptp(every, axis=0)
        span = np.where(span > 0, span, 1.0)
        with figure(max(5.4, 1.05 * len(columns) + 0.8), 3.6) as drawn:
            axes = drawn.add_subplot()
            places = np.arange(len(columns))
            _lines(axes, (rows - low) / span, GREY, 0.5, 0.2, "rows of the table")
            for design, label, colour in zip(own, self.labels, COLOURS, strict=False):
                _lines(axes, (design - low) / span, colour, 1.2, 0.85, label)
            axes.set_yticks([])
            axes.spines[["left", "bottom"]].set_visible(False)
            axes.tick_params(length=0)
            names = [short(self.names[c], 18) for c in columns]
            axes.set_xticks(places, names, rotation=28, ha="right")
            for place, column in enumerate(columns):
                axes.axvline(place, color=GREY, lw=0.6, zorder=0)
                ends = (low[place], span[place])
                for at, text in self._ticks(column, *ends):
                    axes.text(place + 0.05, at, text, fontsize=7, va="center", zorder=9)
            axes.set_xlim(-0.15, len(columns) - 0.5)
            _legend(drawn, axes)
            return inline(drawn, name, caption), caption

    def pairs(self, name: str) -> tuple[str, str]:
        """Each two of the most important columns, and the caption; empty for a single column."""
        columns = [*self.order[:_PAIRED]]
        if len(columns) < 2:
            return "", ""
        caption = (
            f"The {len(columns)} columns that move the responses most, two at a time. Grey points "
            "are rows of the table; coloured ones are proposals."
        )
        rows = _some(self.rows, _POINTS)
        size = len(columns) - 1
        with figure(2.35 * size + 1.0, 2.15 * size + 0.7) as drawn:
            every = drawn.subplots(size, size, squeeze=False)
            for i in range(size):
                for j in range(size):
                    axes = every[i, j]
                    if j > i:
                        axes.set_axis_off()
                        continue
                    across, up = columns[j], columns[i + 1]
                    self._pair(axes, rows, across, up)
                    last, first = i == size - 1, j == 0
                    axes.set_xlabel(short(self.names[across], 20) if last else "")
                    axes.set_ylabel(short(self.names[up], 20) if first else "")
                    axes.tick_params(labelbottom=last, labelleft=first, labelsize=7.5)
            _legend(drawn, every[0, 0])
            return inline(drawn, name, caption), caption

    def _pair(self, axes: Axes, rows: Numbers, across: int, up: int) -> None:
        grid(axes)
        axes.plot(
            rows[:, across], rows[:, up], "o", ms=2.4, mew=0, color=GREY, alpha=0.55,
            label="rows of the table",
        )  # fmt: skip
        for design, label, colour in zip(self.proposals, self.labels, COLOURS, strict=False):
            axes.plot(
                design[:, across], design[:, up], "D", ms=3.6, mew=0, color=colour, label=label
            )
        axes.locator_params(nbins=4)
        for axis, column in ((axes.xaxis, across), (axes.yaxis, up)):
            if ticks := self.steps[column]:
                shown = _spread(ticks, _PAIR_TICKS)
                axis.set_ticks([at for at, _ in shown], [text for _, text in shown])
        if self.steps[across]:
            axes.tick_params(axis="x", rotation=35)

    def _ticks(self, column: int, low: float, span: float) -> list[tuple[float, str]]:
        """Positions between 0 and 1 on a parallel axis, and their texts."""
        steps = self.steps[column]
        if steps:
            return [((at - low) / span, text) for at, text in _spread(steps, _TICKS)]
        return [(0.0, number(low, 3)), (1.0, number(low + span, 3))]


def steps_of(data: TableData) -> list[list[tuple[float, str]]]:
    """For each column its categories or levels, with their names."""
    known = {column.name: column for column in data.schema.varying}
    result = []
    for variable in data.designs.variables:
        column, every = known.get(variable.name), []
        if variable.categories:
            every = [(float(i), short(text, 12)) for i, text in enumerate(variable.categories)]
        elif column is not None:
            every = [(value, number(value, 3)) for value in column.levels]
        result.append(every)
    return result


def _lines(axes: Axes, rows: Numbers, colour: str, width: float, alpha: float, label: str) -> None:
    """Rows (n, D) as lines, in one path."""
    count = rows.shape[1]
    x = np.tile([*range(count), np.nan], len(rows))
    y = np.concatenate([rows, np.full((len(rows), 1), np.nan)], axis=1).ravel()
    marker = "o" if count == 1 else ""
    axes.plot(x, y, color=colour, lw=width, alpha=alpha, label=label, marker=marker, ms=3)


def _spread(steps: Sequence[tuple[float, str]], most: int) -> list[tuple[float, str]]:
    """At most so many of the steps, evenly taken, both ends among them."""
    if len(steps) <= most:
        return [*steps]
    return [steps[round(i)] for i in np.linspace(0, len(steps) - 1, most)]


def _some(rows: Numbers, most: int) -> Numbers:
    """At most so many rows, evenly taken."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _legend(drawn: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    shown = drawn.legend(handles, labels, loc="outside upper left", ncols=2, handlelength=1.4)
    for line in shown.get_lines():
        line.set_alpha(1.0)
        line.set_linewidth(2.0)

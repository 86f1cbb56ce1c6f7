"""Pictures of a table's columns: how their values are spread, and what responses do along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from invcore_solve.page.drawing import GREY, MEASURED, PREDICTED, grid
from invcore_solve.page.wording import number, short, with_unit
from invcore_solve.schema.importance import importance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from invcore_solve.schema.column_schema import ColumnSchema
    from invcore_solve.schema.inspection import Inspection

Numbers = npt.NDArray[np.float64]

_ACROSS = 4
_MOST = 40  # columns that are drawn
_BINS = 24
_BARS = 8  # names of categories and levels that stand at an axis
_SCATTERS = 4
_POINTS = 1500


def histograms_height(inspection: Inspection) -> float:
    """Inches."""
    return 1.75 * -(-max(1, len(_drawn(inspection))) // _ACROSS) + 0.2


def draw_histograms(drawn: Figure | SubFigure, inspection: Inspection) -> None:
    """A histogram, or bars, of each design and response."""
    columns = _drawn(inspection)
    down = -(-max(1, len(columns)) // _ACROSS)
    every = drawn.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes, (column, values) in zip(every, columns, strict=False):
        _spread(axes, column, values[~np.isnan(values)])
    for axes in every[len(columns) :]:
        axes.set_axis_off()


def draw_scatters(
    drawn: Figure | SubFigure, inspection: Inspection, responses: Sequence[str]
) -> None:
    """The most important columns against the first response, or the mean of many."""
    columns = inspection.schema.varying
    y = inspection.y
    many = len(responses) > _BARS
    response = _mean(y) if many else y[:, 0]
    names = [column.name for column in columns]
    shares = importance(inspection.x, response[:, None], names, np.random.default_rng(0))
    shares = shares or _correlations(inspection.x, response, columns)  # of too few rows
    order = sorted(range(len(columns)), key=lambda i: -shares.get(columns[i].name, 0.0))[:_SCATTERS]
    every = drawn.subplots(1, _SCATTERS, squeeze=False, sharey=True).ravel()
    for axes, i in zip(every, order, strict=False):
        grid(axes)
        rows = np.linspace(0, len(y) - 1, min(_POINTS, len(y))).astype(int)
        axes.plot(inspection.x[rows, i], response[rows], "o", ms=2.6, mew=0, color=GREY, alpha=0.6)
        axes.set_xlabel(short(with_unit(columns[i].name, columns[i].unit)))
        axes.locator_params(nbins=4)
        _name_ticks(axes, columns[i])
    for axes in every[len(order) :]:
        axes.set_axis_off()
    every[0].set_ylabel("mean of the responses" if many else short(responses[0]))


def _drawn(inspection: Inspection) -> list[tuple[ColumnSchema, Numbers]]:
    """Designs that vary, then responses, with their values."""
    schema = inspection.schema
    designs = zip(schema.varying, inspection.x.T, strict=False)
    answers = zip(schema.of_role("response"), inspection.y.T, strict=False)
    return [*designs, *answers][:_MOST]


def _spread(axes: Axes, column: ColumnSchema, values: Numbers) -> None:
    colour = MEASURED if column.role == "response" else PREDICTED
    grid(axes, "y")
    if column.kind in ("category", "levels") or len(np.unique(values)) <= _BARS:
        found, counts = np.unique(values, return_counts=True)
        axes.bar(np.arange(len(found)), counts, color=colour, width=0.7)
        names = [_name(column, value) for value in found.tolist()]
        step = -(-len(found) // _BARS) if len(found) else 1
        axes.set_xticks(
            np.arange(len(found))[::step], names[::step], rotation=30, ha="right", fontsize=7
        )
    else:
        axes.hist(values, bins=min(_BINS, max(5, int(np.sqrt(len(values))))), color=colour)
        axes.locator_params(axis="x", nbins=4)
    axes.locator_params(axis="y", nbins=3)
    axes.set_title(short(with_unit(column.name, column.unit), 24))
    ends = ""
    if column.kind != "category" and column.low is not None and column.high is not None:
        ends = f", {number(column.low)} to {number(column.high)}"
    axes.set_xlabel(f"{column.kind}{ends}", fontsize=7.5)


def _name(column: ColumnSchema, value: float) -> str:
    if column.categories:
        return short(column.categories[int(value)], 12)
    return number(value)


def _name_ticks(axes: Axes, column: ColumnSchema) -> None:
    """Names of categories at an axis."""
    if column.categories:
        places = np.arange(len(column.categories))[:: -(-len(column.categories) // _BARS)]
        names = [short(column.categories[i], 12) for i in places]
        axes.set_xticks(places, names, rotation=30, ha="right")


def _mean(y: Numbers) -> Numbers:
    """Mean over known responses (N,) of (N, Dy)."""
    known = ~np.isnan(y)
    count = known.sum(axis=1)
    return np.where(known, y, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan)


def _correlations(x: Numbers, y: Numbers, columns: Sequence[ColumnSchema]) -> dict[str, float]:
    """Absolute correlation of each column with a response, by name."""
    known = ~np.isnan(y)
    a, b = x[known] - x[known].mean(axis=0), y[known] - y[known].mean()
    size = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum())
    found = np.abs(a.T @ b) / np.where(size > 0, size, 1.0)
    return {column.name: float(v) for column, v in zip(columns, found, strict=True)}

"""Pictures of which columns move the responses: bars, and effects along columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from invcore_solve.page.drawing import COLOURS, PREDICTED, grid
from invcore_solve.page.target_pictures import CURVE
from invcore_solve.page.wording import axis_of, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from invcore_solve.answers.sensitivities import Sensitivities

Numbers = npt.NDArray[np.float64]

_BARS = 20
_EFFECTS = 6
_LINES = 8  # responses in one panel
_NAMED = 6  # categories whose names stand at an axis


def relative_sizes(found: Sensitivities) -> Numbers:
    """How far each column moves the responses (Dx,), as shares that add up to one."""
    total = np.linalg.norm(found.sizes, axis=0)
    sizes = np.sqrt(np.square(found.sizes / np.where(total > 0, total, 1.0)).mean(axis=1))
    whole = float(sizes.sum())
    return sizes / whole if whole > 0 else sizes


def importance_order(found: Sensitivities) -> list[int]:
    """Positions of the columns, those that move the responses most first."""
    return [int(i) for i in np.argsort(-relative_sizes(found), kind="stable")]


def draw_bars(drawn: Figure | SubFigure, found: Sensitivities) -> None:
    """Bars of the columns' sizes, the largest above."""
    order = importance_order(found)[:_BARS]
    axes = drawn.subplots()
    grid(axes, "x")
    places = np.arange(len(order))
    axes.barh(places, 100 * relative_sizes(found)[order], color=PREDICTED, height=0.62)
    axes.set_yticks(places, [short(found.names[i]) for i in order])
    axes.invert_yaxis()
    axes.set_xlabel("share of what all columns do, %")


def bars_height(found: Sensitivities) -> float:
    """Inches."""
    return 0.26 * min(_BARS, len(found.names)) + 0.7


def draw_effects(drawn: Figure | SubFigure, found: Sensitivities) -> None:
    """The mean response along each of the most important columns."""
    order = importance_order(found)[:_EFFECTS]
    across = min(3, len(order))
    down = -(-len(order) // across)
    every = drawn.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes, i in zip(every, order, strict=False):
        grid(axes)
        if len(found.responses) >= CURVE:
            _curves(axes, found, i)
        else:
            _lines(axes, found, i)
    for axes in every[len(order) :]:
        axes.set_axis_off()
    label = "value of the response"
    if len(found.responses) < CURVE:
        one = len(found.responses) == 1
        label = short(found.responses[0]) if one else "standardised response"
    for axes in every[::across]:
        axes.set_ylabel(label)
    if 1 < len(found.responses) < CURVE:
        handles, labels = every[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside upper left", ncols=3)


def effects_height(found: Sensitivities) -> float:
    """Inches."""
    return 2.35 * -(-min(_EFFECTS, len(found.names)) // 3) + 0.4


def effects_caption(found: Sensitivities) -> str:
    """What the picture of effects shows."""
    text = (
        "The response that is expected along each of the columns that move it most, on average "
        "over rows of the table, of which the other columns stay as they are."
    )
    if len(found.responses) >= CURVE:
        text += " The curve is shown for the lowest, the middle and the highest value."
    elif len(found.responses) > 1:
        text += " Each response is counted in units of how far the columns move it."
    return text


def _lines(axes: Axes, found: Sensitivities, i: int) -> None:
    """Mean responses along a column of designs."""
    curves = found.curves[i]
    several = len(found.responses) > 1
    if several:
        unit = np.linalg.norm(found.sizes, axis=0)
        curves = (curves - curves.mean(axis=0)) / np.where(unit > 0, unit, 1.0)
    labels = found.labels[i]
    style = "o" if labels else "o-"
    for j, name in enumerate(found.responses[:_LINES]):
        axes.plot(
            found.values[i], curves[:, j], style, color=COLOURS[j % len(COLOURS)], ms=3, lw=1.3,
            label=short(name),
        )  # fmt: skip
    axes.locator_params(nbins=4)
    axes.set_xlabel(short(found.names[i]))
    if labels:
        _named(axes, found.values[i], labels)


def _named(axes: Axes, values: Numbers, labels: Sequence[str]) -> None:
    step = -(-len(values) // _NAMED)
    shown = values[::step]
    axes.set_xticks(shown, [short(labels[int(v)], 12) for v in shown], rotation=25, ha="right")
    axes.set_xlim(values.min() - 0.5, values.max() + 0.5)


def _curves(axes: Axes, found: Sensitivities, i: int) -> None:
    """The mean curve at the lowest, the middle and the highest value of a column."""
    x, title = axis_of(found.responses)
    values, labels = found.values[i], found.labels[i]
    places = sorted({0, len(values) // 2, len(values) - 1})
    for place, colour in zip(places, COLOURS, strict=False):
        value = float(values[place])
        text = short(labels[int(value)], 12) if labels else f"{value:.4g}"
        axes.plot(x, found.curves[i][place], color=colour, lw=1.2, label=text)
    axes.locator_params(nbins=4)
    axes.set_title(short(found.names[i]))
    axes.set_xlabel(short(title))
    axes.legend(handlelength=1.2)

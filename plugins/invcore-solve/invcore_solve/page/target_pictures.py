"""Pictures of one target: what was wanted, what is predicted, what the nearest rows have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from invcore_solve.page.drawing import MEASURED, PREDICTED, WANTED, figure, grid, inline
from invcore_solve.page.shown_rows import unmeasured
from invcore_solve.page.wording import axis_of, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from invcore_solve.answers.proposal import Proposal

Numbers = npt.NDArray[np.float64]

CURVE = 12
"""Responses from which on they are drawn as a curve."""

_PANELS = 3  # beside each other
_INCHES = 4.2  # of a single picture


def target_picture(
    ranked: Proposal, rows: Sequence[int], nearest: Numbers | None, name: str
) -> tuple[str, str]:
    """A target's picture and its caption.

    Args:
        ranked: the designs.
        rows: those that are shown, best first.
        nearest: (R, Dy), measured responses of the row nearest to each; None if there is no table.
        name: goes before ids of the picture.
    """
    if len(ranked.names[1]) >= CURVE:
        return _curve(ranked, [*unmeasured(ranked, rows), *rows][0], nearest, name)
    return _values(ranked, rows, nearest, name)


def _values(
    ranked: Proposal, rows: Sequence[int], nearest: Numbers | None, name: str
) -> tuple[str, str]:
    """A panel for each response, the designs beside each other."""
    names = ranked.names[1]
    across = min(_PANELS, len(names))
    down = math.ceil(len(names) / across)
    caption = (
        f"{_wanted_is(ranked)} Filled points are predictions of the designs, best "
        "first, with bars as wide as the stated error."
    )
    if nearest is not None:
        caption += (
            " Hollow points are what was measured of the table's row that is nearest to each "
            "design."
        )
    width = _INCHES if across == 1 else min(9.2, 3.2 * across)
    with figure(width, 2.5 * down + 0.35) as drawn:
        every = drawn.subplots(down, across, squeeze=False).ravel()
        for i, axes in enumerate(every):
            if i >= len(names):
                axes.set_axis_off()
                continue
            grid(axes, "y")
            _designs(axes, ranked, rows, i, None if nearest is None else nearest[:, i])
            axes.set_ylabel(short(names[i]))
            if i >= len(names) - across:
                axes.set_xlabel("rank of the design")
        _legend(drawn, every[0])
        return inline(drawn, name, f"{caption}"), caption


def _designs(
    axes: Axes, ranked: Proposal, rows: Sequence[int], place: int, nearest: Numbers | None
) -> None:
    ranks, places = ranked.rank[list(rows)].tolist(), np.arange(len(rows))
    if ranked.wanted is None:
        axes.axhline(float(ranked.target[rows[0], place]), color=WANTED, label="wanted")
    if nearest is not None:
        axes.plot(
            places + 0.16, nearest[list(rows)], "o", mfc="none", mec=MEASURED, ms=5,
            label="measured, nearest row",
        )  # fmt: skip
    if ranked.predicted is not None:
        said = ranked.predicted[list(rows), place].numpy()
        off = np.zeros(len(rows))
        if ranked.predicted_error is not None:
            off = ranked.predicted_error[list(rows), place].numpy()
        axes.errorbar(
            places - 0.16, said, off, fmt="o", color=PREDICTED, ms=4, elinewidth=1.4, capsize=2,
            label="predicted",
        )  # fmt: skip
    axes.set_xticks(places, [str(rank) for rank in ranks])
    axes.set_xlim(-0.6, len(rows) - 0.4)
    if ranked.wanted is not None:
        low, high = (float(end[rows[0], place]) for end in (ranked.wanted.low, ranked.wanted.high))
        _interval(axes, low, high)


def _interval(axes: Axes, low: float, high: float) -> None:
    """What is wanted of a response, behind what is predicted: a band, to the edge on a free side.

    Where nothing limits the response, a line that is not seen keeps the words.
    """
    ends = axes.get_ylim()
    if math.isinf(low) and math.isinf(high):
        return
    size = ends[1] - ends[0]
    bottom = min(ends[0], high - 0.1 * size) if math.isinf(low) else low
    top = max(ends[1], low + 0.1 * size) if math.isinf(high) else high
    axes.axhspan(bottom, top, color=WANTED, alpha=0.15, lw=0, label="wanted", zorder=0)
    for end in (low, high):
        if not math.isinf(end):
            axes.axhline(end, color=WANTED, lw=1.2)
    axes.set_ylim(min(ends[0], bottom), max(ends[1], top))


def _wanted_is(ranked: Proposal) -> str:
    if ranked.wanted is None:
        return "The line is the wanted response."
    return "The band is what is wanted; a response without one may have any value, or has a goal."


def _curve(ranked: Proposal, row: int, nearest: Numbers | None, name: str) -> tuple[str, str]:
    """The wanted curve, the best design's and its nearest row's."""
    x, title = axis_of(ranked.names[1])
    caption = (
        "The dashed line is the wanted response, the solid one the prediction of the best "
        "new design, with a band as wide as the stated error"
    )
    if ranked.wanted is not None:
        caption = (
            "The shaded parts are where the response must not be, the line is the prediction of "
            "the best new design, with a band as wide as the stated error"
        )
    caption += "." if nearest is None else "; dots are what was measured of the row nearest to it."
    with figure(4.8, 3.2) as drawn:
        axes = drawn.add_subplot()
        grid(axes)
        if nearest is not None:
            axes.plot(x, nearest[row], color=MEASURED, ls=":", label="measured, nearest row")
        if ranked.predicted is not None:
            said = ranked.predicted[row].numpy()
            if ranked.predicted_error is not None:
                off = ranked.predicted_error[row].numpy()
                axes.fill_between(x, said - off, said + off, color=PREDICTED, alpha=0.25, lw=0)
            axes.plot(x, said, color=PREDICTED, lw=1.6, label="predicted, best design")
        if ranked.wanted is None:
            axes.plot(x, ranked.target[row].numpy(), color=WANTED, lw=1.6, ls="--", label="wanted")
        else:
            _limits(axes, x, ranked.wanted.low[row].numpy(), ranked.wanted.high[row].numpy())
        axes.set_xlabel(short(title))
        axes.set_ylabel("value of the response")
        _legend(drawn, axes)
        return inline(drawn, name, caption), caption


def _limits(axes: Axes, x: Sequence[float], low: Numbers, high: Numbers) -> None:
    """The ends of a curve's intervals, and hatching where the curve must not be."""
    bottom, top = axes.get_ylim()
    finite = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]])
    if len(finite):
        margin = 0.05 * (max(top, finite.max()) - min(bottom, finite.min()))
        bottom, top = min(bottom, finite.min() - margin), max(top, finite.max() + margin)
    for end, edge in ((low, bottom), (high, top)):
        shown = np.where(np.isfinite(end), end, np.nan)
        axes.fill_between(x, shown, edge, color=WANTED, alpha=0.15, lw=0)
        axes.plot(x, shown, color=WANTED, lw=1.4, label="wanted" if end is low else None)
    axes.set_ylim(bottom, top)


def _legend(drawn: Figure, axes: Axes) -> None:
    """The words for an axes' lines, above the picture."""
    handles, labels = axes.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside upper left", ncols=3, handlelength=1.4)

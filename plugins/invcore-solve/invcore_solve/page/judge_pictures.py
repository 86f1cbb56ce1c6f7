"""Pictures of how good a judge is: measured against predicted, stated against achieved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from invcore_solve.page.drawing import GREY, MEASURED, PREDICTED, WANTED, figure, grid, inline
from invcore_solve.page.judge_facts import Coverage
from invcore_solve.page.target_pictures import CURVE
from invcore_solve.page.wording import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from invcore_solve.judging.fitted_stack import FittedStack

Numbers = npt.NDArray[np.float64]

_POINTS = 800
_PANELS = 4  # responses that are shown


def parity(judge: FittedStack, responses: Sequence[str], name: str) -> tuple[str, str]:
    """Measured against predicted by fits that did not see the row, and the caption."""
    y, said = judge.y, judge.held_out[-1]
    titles = [*responses]
    caption = (
        "Each point is a row of the table: what was measured of it, and what a fit that did not "
        "see the row predicts. Points on the line are predicted exactly."
    )
    if len(responses) >= CURVE:
        y, said = _principal(y, said)
        titles = ["main way in which curves differ"]
        caption += (
            " Of each curve the number is shown that tells most about it: its part along the "
            "first principal component of all curves."
        )
    elif len(titles) > _PANELS:
        caption += f" Shown are the first {_PANELS} of {len(titles)} responses."
    titles = titles[:_PANELS]
    across = min(2, len(titles))
    down = -(-len(titles) // across)
    with figure(3.5 * across + 0.3, 3.3 * down) as drawn:
        every = drawn.subplots(down, across, squeeze=False).ravel()
        for i, axes in enumerate(every):
            if i < len(titles):
                _parity(axes, y[:, i], said[:, i], titles[i])
            else:
                axes.set_axis_off()
        return inline(drawn, name, caption), caption


def _parity(axes: Axes, y: Numbers, said: Numbers, title: str) -> None:
    known = np.flatnonzero(~np.isnan(y) & ~np.isnan(said))
    if len(known) > _POINTS:
        known = known[np.linspace(0, len(known) - 1, _POINTS).astype(int)]
    y, said = y[known], said[known]
    grid(axes)
    if len(y):
        ends = [min(y.min(), said.min()), max(y.max(), said.max())]
        axes.plot(ends, ends, color=GREY, lw=1.0)
    axes.plot(said, y, "o", ms=2.6, mew=0, color=PREDICTED, alpha=0.6)
    axes.locator_params(nbins=5)
    axes.set_xlabel("predicted without the row")
    axes.set_ylabel("measured")
    axes.set_title(short(title, 34))


def _principal(y: Numbers, said: Numbers) -> tuple[Numbers, Numbers]:
    """Measured and predicted curves (N, Dy) along the first principal component, two (n, 1)."""
    whole = ~(np.isnan(y).any(axis=1) | np.isnan(said).any(axis=1))
    y, said = y[whole], said[whole]
    if not len(y):
        return y[:, :1], said[:, :1]
    centre = y.mean(axis=0)
    direction = np.linalg.svd(y - centre, full_matrices=False)[2][0]
    direction = direction * (1.0 if direction.sum() >= 0 else -1.0)
    return ((y - centre) @ direction)[:, None], ((said - centre) @ direction)[:, None]


def coverage_picture(found: Sequence[Coverage], name: str) -> tuple[str, str]:
    """Stated against achieved coverage, and the caption; empty where rows are too few."""
    known = [c for c in found if c.rows is not None and c.picked is not None]
    if not known:
        return "", ""
    caption = (
        "The share of held-out rows within the stated error, against the level that is stated, "
        "for all rows and for those that a ranking picks. Points on the line keep what is "
        "promised; those above it are on the safe side."
    )
    stated = [c.stated for c in known]
    with figure(3.8, 3.3) as drawn:
        axes = drawn.add_subplot()
        grid(axes)
        axes.plot([0.4, 1], [0.4, 1], color=GREY, lw=1.0)
        rows = [c.rows or 0.0 for c in known]
        picked = [c.picked or 0.0 for c in known]
        axes.plot(stated, rows, "s-", color=MEASURED, lw=1.0, ms=4.5, label="all rows")
        axes.plot(stated, picked, "o-", color=WANTED, lw=1.0, ms=4.5, label="rows that are picked")
        axes.set_xlabel("stated")
        axes.set_ylabel("achieved")
        axes.set_ylim(min(0.4, *rows, *picked) - 0.02, 1.02)
        axes.legend(loc="lower right")
        return inline(drawn, name, caption), caption

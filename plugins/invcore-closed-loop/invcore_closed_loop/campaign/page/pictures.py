"""Pictures of a campaign: how it went, and what was learnt of the designs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from invcore_solve.answers.sensitivities import Sensitivities, sensitivities_of
from invcore_solve.page.drawing import GREY, MEASURED, PREDICTED, WANTED, figure, grid, inline
from invcore_solve.page.effect_pictures import (
    bars_height,
    draw_bars,
    draw_effects,
    effects_caption,
    effects_height,
)
from invcore_solve.page.page import Picture
from invcore_solve.page.wording import short, with_unit
from invcore_solve.tables.table_data import TableData
from torch import Tensor

from invcore.plugin import FittedJudge, Pairs, Targets, Verdict
from invcore_closed_loop.campaign.tables.row_frames import scaled_targets

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.standing.expectation import Expectation

_PANELS = 6  # responses


def progress_picture(campaign: Campaign) -> Picture | None:
    """Each wanted response by the number of the experiment; None where nothing was measured."""
    y = campaign.data()[1]
    targets = scaled_targets(campaign, y)
    value = targets.objective(y[None])[0]
    value = torch.where(value.isfinite(), value, torch.inf)
    if not bool(value.isfinite().any()):
        return None
    leader = _leaders(value)
    goal = targets.goals(torch.ones_like(targets.low))[0]
    shown = [j for j in range(y.shape[1]) if bool(targets.wanted[0, j]) or float(goal[j])]
    shown, known = shown[:_PANELS], len(campaign.journal.pairs)
    caption = (
        "Each response that something is wanted of, by the number of the experiment. Filled "
        "points meet all that is wanted; the line is the best row so far, which is judged by all "
        "responses together; what is wanted of a response is shaded."
    )
    with figure(8.4, 2.3 * len(shown) + 0.3) as drawn:
        every = drawn.subplots(len(shown), 1, squeeze=False, sharex=True).ravel()
        for axes, j in zip(every, shown, strict=True):
            variable = campaign.problem.responses.variables[j]
            _progress(axes, y[:, j].numpy(), leader, targets.met(y[None])[0].numpy(), known)
            _wanted(axes, targets, j)
            axes.set_ylabel(short(with_unit(variable.name, variable.unit)))
        every[-1].set_xlabel("experiment")
        return Picture(inline(drawn, "progress", caption), caption, wide=True)


def _leaders(value: Tensor) -> list[int | None]:
    """After each row, the place of the best one so far."""
    best: int | None = None
    leaders = []
    for i, own in enumerate(value.tolist()):
        if own != float("inf") and (best is None or own < float(value[best])):
            best = i
        leaders.append(best)
    return leaders


def _progress(axes: Axes, y: Any, leader: list[int | None], met: Any, known: int) -> None:
    grid(axes)
    number = np.arange(1, len(y) + 1)
    asked = number > known
    for which, colour in ((~asked, GREY), (asked, PREDICTED)):
        axes.scatter(number[which & met], y[which & met], s=22, color=colour, zorder=3)
        axes.scatter(
            number[which & ~met], y[which & ~met], s=22, facecolors="none", edgecolors=colour,
            zorder=3,
        )  # fmt: skip
    best = [np.nan if place is None else y[place] for place in leader]
    axes.plot(number, best, color=MEASURED, lw=1.3, drawstyle="steps-post")


def _wanted(axes: Axes, targets: Targets, j: int) -> None:
    low, high = float(targets.low[0, j]), float(targets.high[0, j])
    if not (np.isfinite(low) or np.isfinite(high)):
        return
    ends = axes.get_ylim()
    for end in (low, high):
        if np.isfinite(end):
            axes.axhline(end, color=WANTED, lw=0.9)
    margin = 0.08 * (max(ends) - min(ends))
    bottom = min(ends[0], low - margin if np.isfinite(low) else ends[0])
    top = max(ends[1], high + margin if np.isfinite(high) else ends[1])
    axes.axhspan(
        low if np.isfinite(low) else bottom, high if np.isfinite(high) else top, color=WANTED,
        alpha=0.08, lw=0,
    )  # fmt: skip
    axes.set_ylim(bottom, top)


class _Asked(FittedJudge):
    """What a campaign expects of designs, as a judge says it."""

    def __init__(self, said: Expectation) -> None:
        self._said = said

    def predict(self, x: Tensor, level: float = 0.9) -> Verdict:
        """The responses that are expected."""
        there = self._said.at(x)
        return Verdict(there.mean, there.std, there.std)

    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """Nobody asks for it."""
        raise NotImplementedError

    def state(self) -> dict[str, Tensor]:
        """It is kept by nobody."""
        return {}


def effects_of(campaign: Campaign, said: Expectation) -> Sensitivities | None:
    """How the responses change along each design; None where too few rows are known."""
    if not said.able or len(said.x) < 2:
        return None
    problem = campaign.problem
    pairs = Pairs(said.x, said.made.mean)
    data = TableData.simulated(pairs, problem.designs, problem.responses, campaign.name)
    return sensitivities_of(data, _Asked(said), np.random.default_rng(0))


def effect_pictures(effects: Sensitivities) -> list[Picture]:
    """Bars of how much each design matters, and the responses along the most important ones."""
    caption = (
        "How far each design moves the responses while the others stay as they are in the rows "
        "that are known; of several responses the root mean square."
    )
    with figure(5.2, bars_height(effects)) as drawn:
        draw_bars(drawn, effects)
        bars = Picture(inline(drawn, "sizes", caption), caption)
    caption = effects_caption(effects)
    with figure(8.4, effects_height(effects)) as drawn:
        draw_effects(drawn, effects)
        return [bars, Picture(inline(drawn, "effects", caption), caption, wide=True)]

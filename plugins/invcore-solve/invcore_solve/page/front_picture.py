"""A picture of several goals: what is measured, and how far designs go beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import GOALS
from invcore_solve.page.drawing import GREY, MEASURED, PREDICTED, figure, grid, inline
from invcore_solve.page.wording import short

if TYPE_CHECKING:
    from invcore_solve.answers.proposal import Proposal

Numbers = npt.NDArray[np.float64]

_POINTS = 1500  # of the table


def goal_places(ranked: Proposal, row: int) -> list[int]:
    """The responses that a row's specification minimises or maximises."""
    if ranked.wanted is None:
        return []
    kinds = [GOALS[int(goal)] for goal in ranked.wanted.goal[row]]
    return [i for i, kind in enumerate(kinds) if kind in ("minimise", "maximise")]


def front_picture(
    ranked: Proposal, rows: Sequence[int], measured: Numbers | None, name: str,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> tuple[str, str]:  # fmt: skip
    """The first two goals of a target against each other, and a caption; empty with one goal.

    Args:
        ranked: the designs.
        rows: those of the target.
        measured: (M, Dy), responses of the table's designs; None where there is no table.
        name: goes before ids of the picture.
        allowed: (M,), which of the table's designs may be proposed; None: all.
    """
    places = goal_places(ranked, rows[0])[:2]
    own = ranked.predicted if ranked.responses is None else ranked.responses
    if len(places) < 2 or own is None or ranked.wanted is None:
        return "", ""
    caption = (
        "Two goals against each other. Diamonds are designs: filled ones probably meet all else "
        "that is wanted, and none of them is better than another in every goal."
    )
    if measured is not None:
        caption += (
            " Grey points are rows of the table, green ones those that are allowed and meet all "
            "else."
        )
    with figure(4.8, 3.6) as drawn:
        axes = drawn.add_subplot()
        grid(axes)
        if measured is not None:
            few = np.linspace(0, len(measured) - 1, min(_POINTS, len(measured))).astype(int)
            some = measured[few]
            met = ranked.wanted[rows[0] : rows[0] + 1].met(torch.from_numpy(some)[None])[0].numpy()
            met = met if allowed is None else met & allowed[few]
            for chosen, colour, label in (
                (~met, GREY, "rows of the table"),
                (met, MEASURED, "allowed rows that meet all else"),
            ):
                axes.plot(*some[chosen][:, places].T, "o", ms=2.8, mew=0, color=colour, alpha=0.6,
                          label=label)  # fmt: skip
        points = own[list(rows)][:, places].numpy()
        good = _front(ranked, rows)
        axes.plot(*points[~good].T, "D", ms=3.6, mfc="none", mec=PREDICTED, alpha=0.5,
                  label="other designs")  # fmt: skip
        axes.plot(*points[good].T, "D", ms=4.4, mew=0, color=PREDICTED, label="best designs")
        axes.set_xlabel(_title(ranked, rows[0], places[0]))
        axes.set_ylabel(_title(ranked, rows[0], places[1]))
        handles, labels = axes.get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside upper left", ncols=2, handlelength=1.2)
        return inline(drawn, name, caption), caption


def _front(ranked: Proposal, rows: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Which designs are probable, and not beaten in every goal by another such."""
    from invcore_solve.answers.preference import undominated
    from invcore_solve.proposals.aims.specified import ACCEPTABLE

    own = ranked.predicted if ranked.responses is None else ranked.responses
    assert ranked.wanted is not None and own is not None
    some = ranked.wanted[torch.tensor(list(rows))]
    goals = some.goals(own[list(rows)].double()[:, None])[:, 0].numpy()
    if ranked.responses is not None:
        chance = some.met(own[list(rows)].double()[:, None])[:, 0].double().numpy()
    elif ranked.probability is not None:
        chance = ranked.probability[list(rows)].numpy()
    else:
        chance = np.ones(len(goals))
    good = chance >= ACCEPTABLE * chance.max()
    good[good] = undominated(goals[good])
    return good


def _title(ranked: Proposal, row: int, place: int) -> str:
    assert ranked.wanted is not None
    kind = GOALS[int(ranked.wanted.goal[row, place])]
    return f"{short(ranked.names[1][place])}, {'less' if kind == 'minimise' else 'more'} is better"

"""Pictures of wishes: the set of best trade-offs between goals, and intervals with responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from invcore.plugin import GOALS, InvcoreError, Targets, drawn
from invcore.results import Store, pareto_front, specification_of
from invcore_report.collect import Collection
from invcore_report.leaderboard import Board
from invcore_report.method_summary import SPECIFICATION, Summary, tensors
from invcore_report.pictures import Gallery, Picture
from invcore_report.style import Style

METHODS = 4  # in one picture
_SIZE = (4.6, 3.8)
_MOST = 256  # candidates of one picture
_SPECTRUM = 16  # responses that are drawn as a curve
_BAND = "tab:green"


def wish_pictures(
    board: Board, collection: Collection, store: Store, styles: Mapping[str, Style],
    gallery: Gallery,
) -> list[Picture]:  # fmt: skip
    """Of the first target of a task: its goals against each other, and each method's responses.

    Nothing where exact responses are wanted. What cannot be drawn is left out, and said to be.
    """
    shown = []
    for summary in [row.summary for row in board.rows][:METHODS]:
        try:
            found = _first(summary, store)
            if found is None:
                continue
            names = store.json(summary.records[0].id, "model")["problem"]["responses"]["variables"]
            shown.append((summary, *found, [str(variable["name"]) for variable in names]))
        except (InvcoreError, KeyError, TypeError) as error:
            collection.omit(f"wishes of {board.task}, {summary.method}", str(error))
    if not shown:
        return []
    pictures = []
    goals = _goals(shown[0][1])
    if len(goals) > 1:
        pictures.append(_trade_off(board.task, shown, goals, styles, gallery))
    for summary, wanted, y, names in shown:
        pictures.append(_intervals(summary, wanted, y, names, gallery))
    return pictures


def _first(summary: Summary, store: Store) -> tuple[Targets, Tensor] | None:
    """The first target's specification, and its candidates' responses (K, Dy)."""
    run = summary.records[0].id
    arrays = tensors(store, run, *SPECIFICATION)
    wanted = specification_of(arrays)
    if wanted is None or wanted.exact:
        return None
    y = tensors(store, run, "resimulated", target=0)["resimulated"][:_MOST]
    return wanted[slice(0, 1)], y


def _goals(wanted: Targets) -> list[int]:
    """The responses with a goal."""
    goal = wanted.goal[0]
    return ((goal > 0) & (goal < GOALS.index("ignore"))).nonzero()[:, 0].tolist()


def _trade_off(
    task: str, shown: Sequence[tuple[Summary, Targets, Tensor, list[str]]], goals: Sequence[int],
    styles: Mapping[str, Style], gallery: Gallery,
) -> Picture:  # fmt: skip
    """The first two goals of all methods' candidates; those that meet the rest filled, and lines
    through those that none of the same method is better than.
    """
    first, second = goals[:2]
    with gallery.figure(*_SIZE) as figure:
        axes = figure.add_subplot()
        for summary, wanted, y, _ in shown:
            style = styles[summary.method]
            met = wanted.met(y[None])[0]
            out, good = y[~met][:, [first, second]], y[met][:, [first, second]]
            look: dict[str, Any] = {"color": style.colour, "markersize": 3.5, "linestyle": ""}
            axes.plot(*out.T.numpy(), marker=style.marker, fillstyle="none", alpha=0.35, **look)
            axes.plot(*good.T.numpy(), marker=style.marker, label=drawn(summary.method), **look)
            front = good[pareto_front(wanted.goals(y[None])[0][met][:, [first, second]])]
            axes.plot(*front.T.numpy(), color=style.colour, linewidth=1, alpha=0.8)
        names = shown[0][3]
        words = {1: "minimised", 2: "maximised"}
        labels = [f"{names[g]} ({words[int(shown[0][1].goal[0, g])]})" for g in (first, second)]
        axes.grid(True)
        axes.set(xlabel=drawn(labels[0]), ylabel=drawn(labels[1]))

        def finish() -> None:
            axes.set_title(drawn(f"{task}: best trade-offs"), fontsize="medium")
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")

        caption = "Goals of the first target: filled where all else is met, a line through the best"
        return gallery.chart(f"{task}-trade-offs", caption, figure, finish)


def _intervals(
    summary: Summary, wanted: Targets, y: Tensor, names: list[str], gallery: Gallery
) -> Picture:
    """The responses of a method's candidates, and between which values they are wanted."""
    low, high = wanted.low[0], wanted.high[0]
    curve = len(names) >= _SPECTRUM
    met = wanted.met(y[None])[0]
    with gallery.figure(*_SIZE) as figure:
        axes = figure.add_subplot()
        if curve:
            _curve(axes, low, high, y)
        else:
            _strips(axes, wanted, y, met, names)
        axes.set_title(drawn(summary.method), fontsize="medium")
        caption = f"{int(met.sum())} of {len(y)} candidates meet all that is wanted"
        name = f"{summary.task}-wishes-{summary.method}"
        return gallery.photo(name, caption, figure, summary.method)


def _curve(axes: Any, low: Tensor, high: Tensor, y: Tensor) -> None:
    """Responses as a curve, between shaded parts where they must not be."""
    place = torch.arange(len(low)).numpy()
    whole = y[y.isfinite().all(dim=1)]
    axes.plot(place, whole.T.numpy(), color="tab:blue", alpha=0.3, linewidth=0.8)
    ends = [*axes.get_ylim()]
    for edge, bound in ((low, ends[0]), (high, ends[1])):
        limit = edge.clamp(*ends).numpy()
        where = edge.isfinite().numpy()
        axes.fill_between(place, limit, bound, where=where, color="tab:red", alpha=0.2, step="mid")
    axes.set(xlabel="response's number", ylabel="response", ylim=ends)


def _strips(axes: Any, wanted: Targets, y: Tensor, met: Tensor, names: list[str]) -> None:
    """A line for each response that counts, in units of its spread about the candidates' middle."""
    rows = (wanted.goal[0] < GOALS.index("ignore")).nonzero()[:, 0]
    middle, scale = y[:, rows].nanmedian(dim=0).values.nan_to_num(), wanted.spread[rows]
    away = (y[:, rows] - middle) / scale
    low, high = ((end[0, rows] - middle) / scale for end in (wanted.low, wanted.high))
    near = torch.minimum(low.abs(), high.abs())  # so that an interval that nothing meets is there
    far = torch.cat([away.abs().flatten(), near, near.new_ones(1)])
    reach = 1.25 * float(far[far.isfinite()].max())
    for place, column in enumerate(rows.tolist()):
        if bool(wanted.wanted[0, column]):
            ends = [float(end[place].clamp(-reach, reach)) for end in (low, high)]
            width = max(ends[1] - ends[0], 0.02 * reach)
            axes.barh(place, width, left=ends[0], height=0.6, color=_BAND, alpha=0.25)
        for which, colour in ((~met, "0.5"), (met, "tab:blue")):
            x = away[which, place].numpy()
            axes.plot(x, [place] * len(x), "|", color=colour, markersize=14, alpha=0.6)
    arrows = {1: "◀ ", 2: "▶ "}
    labels = [arrows.get(int(wanted.goal[0, c]), "") + drawn(names[c]) for c in rows.tolist()]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="response about the candidates' middle, in spreads")
    axes.set(xlim=(-reach, reach), ylim=(-0.6, len(labels) - 0.4))

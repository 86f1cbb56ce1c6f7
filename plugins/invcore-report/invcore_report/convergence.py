"""How searches on the simulator went on: the best error so far over calls, and over seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.plugin import InvcoreError, drawn
from invcore.results import Store, median
from invcore_report.collect import Collection
from invcore_report.leaderboard import Board
from invcore_report.method_summary import search_calls, tensors
from invcore_report.pictures import Gallery, Picture
from invcore_report.style import Style

METHODS = 8  # in one picture
_SIZE = (7.2, 3.4)
_EVERY = 0.12  # of the diagonal of the axes, between a line's markers
_MOST = 0.9  # of the targets, whose errors are below the dotted line
_NAMES = ("error", "calls", "seconds")


def convergence_chart(
    board: Board,
    collection: Collection,
    store: Store,
    styles: Mapping[str, Style],
    gallery: Gallery,
) -> list[Picture]:
    """The median over targets of the smallest error so far, and its 90th percentile, over simulator
    calls a target and over seconds, of the best methods that search on the simulator.

    What cannot be read is left out, and said to be. Nothing where no method has a history.
    """
    task = board.task
    histories: dict[str, SearchHistory] = {}
    for summary in [row.summary for row in board.rows if search_calls(row.summary.records[0])]:
        try:
            history = search_history(store, summary.records[0].id)
        except InvcoreError as error:
            collection.omit(f"convergence of {task}, {summary.method}", str(error))
            continue
        if history is not None and len(histories) < METHODS:
            histories[summary.method] = history
    if not histories:
        return []
    with gallery.figure(*_SIZE) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, name, label in zip(
            panels, ("calls", "seconds"), ("simulator calls a target", "seconds, all targets"),
            strict=True,
        ):  # fmt: skip
            for method, history in histories.items():
                style, across = styles[method], getattr(history, name).numpy()
                axes.plot(
                    across, history.middle.numpy(), color=style.colour, linestyle=style.dash,
                    linewidth=1.4, marker=style.marker, markersize=4, markevery=_EVERY,
                    label=drawn(method) if name == "calls" else None,
                )  # fmt: skip
                axes.plot(
                    across, history.most.numpy(), color=style.colour, linestyle=":", linewidth=0.8
                )
            axes.set(xscale="log", yscale="log", xlabel=label)
            axes.grid(True)
        panels[0].set_ylabel("smallest error so far")

        def finish() -> None:
            panels[0].set_title(drawn(f"{task}: convergence"), fontsize="medium")
            figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize="small")

        one = " (first seed)" if any(len(row.summary.records) > 1 for row in board.rows) else ""
        caption = (
            "The median over targets of the smallest error so far, as searches went on, and dotted "
            f"the 90th percentile{one}"
        )
        return [gallery.chart(f"{task}-convergence", caption, figure, finish)]


@dataclass(frozen=True)
class SearchHistory:
    """How a search went on.

    Args:
        middle: (S,), median over targets of the smallest error so far.
        most: (S,), its 90th percentile; infinite while a tenth of the targets have no response.
        calls: (S,), simulator calls a target.
        seconds: (S,), of all targets.
    """

    middle: Tensor
    most: Tensor
    calls: Tensor
    seconds: Tensor


def search_history(store: Store, run: str) -> SearchHistory | None:
    """The history of a run; None for a method without one.

    Before every start has been simulated the median may be infinite: such steps are left out.

    Raises:
        StoreError: the file is missing or damaged.
    """
    arrays = tensors(store, run, *(f"history.{name}" for name in _NAMES))
    if len(arrays) < len(_NAMES):
        return None
    error, calls, seconds = (arrays[f"history.{name}"].double() for name in _NAMES)
    middle = torch.tensor([median(row) for row in error], dtype=torch.float64)
    lost = error.nan_to_num(torch.inf, torch.inf)  # sorted last
    most = lost.sort(dim=1).values[:, min(error.shape[1] - 1, int(_MOST * error.shape[1]))]
    good = middle.isfinite() & (calls > 0) & (seconds > 0)
    if not bool(good.any()):
        return None
    return SearchHistory(middle[good], most[good], calls[good] / error.shape[1], seconds[good])

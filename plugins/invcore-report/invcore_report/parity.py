"""What was got over what was wanted, for tasks of one response."""

from collections.abc import Mapping

import torch
from torch import Tensor

from invcore.plugin import InvcoreError, drawn
from invcore.results import Store
from invcore_report.collect import Collection
from invcore_report.leaderboard import Board
from invcore_report.method_summary import tensors
from invcore_report.pictures import Gallery, Picture
from invcore_report.style import Style

METHODS = 4  # in one picture
_SIZE = (4.6, 4.3)
_POINTS = 300  # targets that are shown of each method


def parity_chart(
    board: Board,
    collection: Collection,
    store: Store,
    styles: Mapping[str, Style],
    gallery: Gallery,
) -> list[Picture]:
    """The response of the first candidate over the wanted one, of the best methods.

    What cannot be read is left out, and said to be. Nothing for tasks of several responses.
    """
    task, results = board.task, {}
    for summary in [row.summary for row in board.rows if board.headline in row.cells][:METHODS]:
        try:
            results[summary.method] = _pairs(store, summary.records[0].id)
        except InvcoreError as error:
            collection.omit(f"parity of {task}, {summary.method}", str(error))
    points = {method: pairs for method, pairs in results.items() if pairs is not None}
    if not points:
        return []
    every = torch.cat([torch.cat(pair) for pair in points.values()])
    ends = [float(every.min()), float(every.max())]
    with gallery.figure(*_SIZE) as figure:
        axes = figure.add_subplot()
        axes.plot(ends, ends, color="0.5", linewidth=1)
        for method, (target, response) in points.items():
            style = styles[method]
            axes.plot(
                target.numpy(), response.numpy(), style.marker, color=style.colour,
                label=drawn(method),
                markersize=3, alpha=0.6, markeredgewidth=0,
            )  # fmt: skip
        axes.grid(True)
        axes.set(xlabel="wanted response", ylabel="response of the first candidate")

        def finish() -> None:
            axes.set_title(drawn(f"{task}: wanted and got"), fontsize="medium")
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")

        caption = "The first candidate's response over the wanted one; on the line they agree"
        return [gallery.chart(f"{task}-parity", caption, figure, finish)]


def _pairs(store: Store, run: str) -> tuple[Tensor, Tensor] | None:
    """Wanted and got (N,) of some targets; None where a response has several numbers."""
    arrays = tensors(store, run, "targets")
    if "targets" not in arrays or arrays["targets"].shape[1] != 1:
        return None
    responses = tensors(store, run, "resimulated").get("resimulated")
    if responses is None:
        return None
    target, first = arrays["targets"][:, 0], responses[:, 0, 0]
    rows = (first.isfinite() & target.isfinite()).nonzero()[:, 0]
    if not len(rows):
        return None
    places = torch.linspace(0, len(rows) - 1, min(len(rows), _POINTS)).round().long()
    return target[rows[places]], first[rows[places]]

"""Pictures of one target with the candidates of a few methods, as their task draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from invcore.plugin import InvcoreError, Task, drawn, installed, with_responses
from invcore.results import Store
from invcore_report.collect import Collection
from invcore_report.leaderboard import Board
from invcore_report.method_summary import Summary, tensors
from invcore_report.pictures import Gallery, Picture
from invcore_report.wording import number

if TYPE_CHECKING:
    from invcore.results import RunRecord

METHODS = 4  # side by side
_SIZE = (3.7, 3.7)
_MOST = 256  # candidates of one picture


def build_task(record: RunRecord) -> Task[Any]:
    """The task of a run, as it was set then.

    Raises:
        InvcoreError: it is not installed, or has other settings now.
    """
    own = dict(record.config.get("task", {}))
    settings = {k: v for k, v in own.items() if k not in ("name", "fingerprint")}
    component = installed().registry.load("task", record.task)
    task = component(component.Config.parse(settings, where=f"task {record.task!r}"))
    assert isinstance(task, Task)
    return with_responses(task, record.config.get("responses", ()))


def candidate_pictures(
    board: Board, collection: Collection, store: Store, gallery: Gallery
) -> list[Picture]:
    """One target of a task, with the candidates of its best methods.

    The target is the one at which the winner's error is the median: neither its best nor its
    worst. What cannot be drawn is left out, and said to be.
    """
    summaries = [row.summary for row in board.rows if board.headline in row.cells][:METHODS]
    if not summaries:
        return []
    try:
        task = build_task(summaries[0].records[0])
        which, target = _typical(summaries[0], store)
        pictures = []
        for summary in summaries:
            picture = _picture(task, summary, which, target, store, gallery)
            if picture is not None:
                pictures.append(picture)
    except Exception as error:  # a task of others may raise anything; the report goes on
        text = str(error) if isinstance(error, InvcoreError) else f"{type(error).__name__}: {error}"
        collection.omit(f"pictures of {board.task}", text)
        return []
    return pictures


def _typical(summary: Summary, store: Store) -> tuple[int, Tensor]:
    """The number of the target whose smallest error is the median, and the target."""
    arrays = tensors(store, summary.records[0].id, "errors", "targets")
    best = torch.nan_to_num(arrays["errors"], nan=torch.inf, posinf=torch.inf).amin(dim=1)
    which = int(best.argsort(stable=True)[(len(best) - 1) // 2])
    return which, arrays["targets"][which]


def _picture(
    task: Task[Any], summary: Summary, which: int, target: Tensor, store: Store, gallery: Gallery
) -> Picture | None:
    """The candidates of one method for a target; None where it had another, or none is drawn."""
    for record in summary.records:
        every = tensors(store, record.id, "targets")["targets"]
        if len(every) > which and torch.equal(every[which], target):
            names = ("errors", "candidates", "resimulated")
            arrays = tensors(store, record.id, *names, target=which)
            context_names = [f"context.{name}" for name in task.context_shapes]
            context = tensors(store, record.id, *context_names, target=which)
            break
    else:
        return None
    errors = arrays["errors"][:_MOST]
    order = torch.nan_to_num(errors, nan=torch.inf, posinf=torch.inf).argsort(stable=True)
    designs, responses = arrays["candidates"][:_MOST][order], arrays["resimulated"][:_MOST][order]
    with gallery.figure(*_SIZE) as figure:
        axes = figure.add_subplot()
        contexts = {name.removeprefix("context."): value[None] for name, value in context.items()}
        if not task.draw(axes, target, designs, responses, contexts or None):
            return None
        best = number(float(errors[order[0]]))
        caption = f"{len(designs)} candidates, best error {best}"
        axes.set_title(drawn(summary.method), fontsize="medium")
        return gallery.photo(
            f"{summary.task}-candidates-{summary.method}", caption, figure, summary.method
        )

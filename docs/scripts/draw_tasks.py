"""Draw the pictures of docs/tasks.md: for each task a wanted response and what a method proposes.

    invcore bench docs/benchmarks/real-tasks.toml --jobs 2 --out store
    python docs/scripts/draw_tasks.py store [--method na] [--task architecture ...] [--target 7]

From the first run of the method on each task in the store; the target is the one whose smallest
error is the median, if none is given.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure

from invcore import Store
from invcore.plugin import installed

FOLDER = Path(__file__).resolve().parents[1] / "tasks"
_NO_SETTINGS = ("name", "fingerprint")  # in a record beside them
SIZE, DPI = (5.0, 3.6), 110


def draw(store: Store, run: str, target: int | None = None) -> Path | None:
    """Draw the picture of one run; None if its task draws nothing."""
    record, kept = store.read(run), store.tensors(run, "candidates")
    kind = installed().registry.load("task", record.task)
    settings = {
        key: value for key, value in record.config["task"].items() if key not in _NO_SETTINGS
    }
    errors = kept["errors"].nan_to_num(nan=torch.inf)
    middle = int(errors.amin(dim=1).argsort(stable=True)[(len(errors) - 1) // 2])
    which = middle if target is None else target
    order = errors[which].argsort(stable=True)
    figure = Figure(figsize=SIZE, layout="constrained")
    shown = kept["candidates"][which][order], kept["resimulated"][which][order]
    task = kind(kind.Config.parse(settings))
    context = {name: kept[f"context.{name}"][which][None] for name in task.context_shapes}
    if not task.draw(figure.add_subplot(), kept["targets"][which], *shown, context or None):
        return None
    path = FOLDER / f"{record.task}.png"
    figure.savefig(path, dpi=DPI)
    return path


def main() -> None:
    """Draw the asked tasks, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="Folder of runs.")
    parser.add_argument("--method", default="na", help="Whose candidates.")
    parser.add_argument("--task", action="append", help="Only these.")
    parser.add_argument("--target", type=int, help="Its number in the run, from 0.")
    given = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    store, done = Store(given.store), set()
    for run in store.ids():
        record = store.read(run)
        wanted = record.method == given.method and (not given.task or record.task in given.task)
        if wanted and record.status == "ok" and record.task not in done:
            done.add(record.task)
            path = draw(store, run, given.target)
            sys.stdout.write(f"{path or f'{record.task} draws nothing'}\n")


if __name__ == "__main__":
    main()

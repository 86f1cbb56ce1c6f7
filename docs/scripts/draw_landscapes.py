"""Draw the pictures of docs/tasks.md for equations: the error of all designs, and a solution.

    python docs/scripts/draw_landscapes.py [--task billiards ...] [--points 120]

For one target with a known truth: on the left the error over the first two variables (or the only
one), with the others at the truth; on the right the best of 64 designs by BFGS, each from its own
start of the prior.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from invcore_optimisers import Problems, minimise_bfgs
from invcore_physics.drawing import draw_landscape
from matplotlib.figure import Figure

from invcore.plugin import Simulator, Targets, Task, generator, installed

TASKS = ("wave-packet", "billiards", "kuramoto-sivashinsky", "incompressible-flow")
FOLDER = Path(__file__).resolve().parents[1] / "tasks"
SIZE, DPI = (9.0, 3.6), 80
SEED, STARTS = 1, 64


def draw(task: Task[Any], name: str, points: int) -> Path:
    """Draw one task."""
    test = task.dataset(10, 1, SEED).test
    figure = Figure(figsize=SIZE, layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_landscape(
        left, task, test.y[0], test.context, centre=test.x[0], truth=test.x[0],
        points=points if task.designs.dim > 1 else 0,
    )  # fmt: skip
    starts = task.designs.sample(STARTS, generator(SEED, "starts"))[None]
    problems = Problems(Simulator(task), task.designs, Targets(test.y, test.context), starts)
    found = problems.result(minimise_bfgs(problems, problems.start).x)
    order = found.error.argsort()
    task.draw(right, test.y[0], found.x[order], found.y[order], test.context)
    path = FOLDER / f"{name}.png"
    figure.savefig(path, dpi=DPI)
    return path


def main() -> None:
    """Draw the asked tasks, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", nargs="+", default=list(TASKS), help="Only these.")
    parser.add_argument("--points", type=int, default=120, help="Of a map, in each direction.")
    given = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name in given.task:
        kind = installed().registry.load("task", name)
        sys.stdout.write(f"{draw(kind(), name, given.points)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

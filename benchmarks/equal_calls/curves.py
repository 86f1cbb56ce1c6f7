"""The best error against calls, one panel a task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from equal_calls.rows import LEVELS, Line, best_after
from equal_calls.tables import groups, quantile

WIDTH, HEIGHT, COLUMNS = 3.4, 2.6, 3


def draw(lines: Sequence[Line], path: Path) -> None:
    """Draw medians, and 90th percentiles dashed, of one target at a time into a picture."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    own = groups([line for line in lines if line["part"] == "single"], "task")
    rows = -(-len(own) // COLUMNS)
    figure = Figure(figsize=(WIDTH * COLUMNS, HEIGHT * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flat
    names = list(dict.fromkeys(line["competitor"] for part in own.values() for line in part))
    for ((task,), some), panel in zip(own.items(), panels, strict=False):
        for (name,), runs in groups(some, "competitor").items():
            calls = np.arange(1, max(line["cap"] for line in runs) + 1)
            errors = np.array([[best_after(line["best"], n) for n in calls] for line in runs])
            errors = np.maximum(errors, LEVELS[-1])
            for share, style in ((0.5, "-"), (0.9, ":")):
                curve = [quantile(column, share) for column in errors.T]
                label = name if share == 0.5 else None
                colour = colormaps["tab20"](names.index(name))
                panel.plot(calls, curve, style, color=colour, label=label, linewidth=1.2)
        panel.set(yscale="log", title=task, xlabel="calls", ylabel="error / variance")
    for panel in list(panels):  # those that no task has
        panel.set_axis_off()
    found: dict[str, Any] = {}
    for panel in figure.axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=5)
    figure.savefig(path, dpi=80)

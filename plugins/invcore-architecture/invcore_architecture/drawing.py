"""How a wanted modulus and cells look; given axes of matplotlib, which is not imported."""

import math
from typing import Any

import torch
from torch import Tensor

SHOWN = 12
_GAP = 0.35  # between pictures, of a cell's side


def draw_cells(axes: Any, title: str, cells: Tensor, captions: list[str]) -> None:
    """Draw cells as greyscale pictures, each repeated 2 × 2, solid black.

    Args:
        axes: of matplotlib, empty.
        title: above the cells.
        cells: (K, n, n), densities; the first ones are shown, row 0 at the bottom.
        captions: one a cell, below it.
    """
    cells = cells[:SHOWN].detach().cpu().double().clamp(0.0, 1.0)
    side = cells.shape[-1]
    columns = max(1, math.ceil(math.sqrt(1.6 * len(cells))))
    rows = max(1, math.ceil(len(cells) / columns))
    pitch = 2 * side + round(_GAP * side)
    canvas = torch.full((rows * pitch, columns * pitch), torch.nan, dtype=torch.float64)
    for place, cell in enumerate(cells):
        bottom = (rows - 1 - place // columns) * pitch + pitch - 2 * side
        left = place % columns * pitch
        canvas[bottom : bottom + 2 * side, left : left + 2 * side] = cell.repeat(2, 2)
        axes.text(
            left + side, bottom - 0.04 * side, captions[place],
            ha="center", va="top", fontsize="x-small",
        )  # fmt: skip
    axes.imshow(
        canvas.numpy(), cmap="Greys", vmin=0.0, vmax=1.0, origin="lower", interpolation="nearest"
    )
    axes.set_title(title, fontsize="medium")
    axes.set_axis_off()

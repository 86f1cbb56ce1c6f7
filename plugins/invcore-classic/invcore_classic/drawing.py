"""Pictures of candidates of the classic tasks: error maps, arms and flights.

Each function draws into axes of matplotlib, without an import of it, and returns whether it drew.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_GRID = 241  # pixels a side: the narrowest valley of sine-wave is 20 of them wide
_SHOWN = 30  # arms and flights that the eye can still tell apart
_ARM, _WANTED = "#0072B2", "#D55E00"  # told apart by all kinds of colour vision, and in grey


def spread(designs: Tensor, most: int = _SHOWN) -> Tensor:
    """Some of many candidates, evenly by rank, so that the picture flatters no method.

    Args:
        designs: (K, Dx), best first.
        most: how many are wanted at most.

    Returns:
        At most ``most`` of those designs that are finite, the best always among them.

    Example:
        >>> spread(torch.arange(7.0)[:, None], 3).flatten()
        tensor([0., 3., 6.])
    """
    rows = designs[designs.isfinite().all(dim=1)]
    if len(rows) <= most:
        return rows
    return rows[torch.linspace(0, len(rows) - 1, most).long()]


def draw_error_map(
    axes: Any, simulate: Callable[[Tensor], Tensor], target: Tensor, designs: Tensor
) -> bool:
    """Draw |F(x) - y*| over a box of two designs, the curve where it is 0, and the candidates.

    Args:
        axes: of matplotlib.
        simulate: gives responses (N, 1) of designs (N, 2) in [-1, 1]².
        target: (1,).
        designs: (K, 2).
    """
    side = torch.linspace(-1.0, 1.0, _GRID, dtype=torch.float64)
    up, across = torch.meshgrid(side, side, indexing="ij")
    y = simulate(torch.stack([across.flatten(), up.flatten()], dim=1))[:, 0]
    apart = (y - target[0].double()).reshape(_GRID, _GRID)
    image = axes.imshow(
        apart.abs().numpy(), origin="lower", extent=(-1, 1, -1, 1), cmap="Greys", alpha=0.75,
        interpolation="bilinear",
    )  # fmt: skip
    axes.figure.colorbar(image, ax=axes, label="|F(x) - y*|", fraction=0.046, pad=0.03)
    if float(apart.min()) < 0 < float(apart.max()):
        axes.contour(
            side.numpy(), side.numpy(), apart.numpy(), levels=[0.0], colors=_WANTED, linewidths=1.2
        )
    axes.plot([], [], color=_WANTED, linewidth=1.2, label="solutions")
    points = designs[designs.isfinite().all(dim=1)].numpy()
    axes.scatter(
        points[:, 0], points[:, 1], s=14, color=_ARM, edgecolors="white", linewidths=0.5, zorder=3,
        label=f"{len(points)} candidates",
    )  # fmt: skip
    axes.set(
        xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="x1 (no unit)", ylabel="x2 (no unit)"
    )
    _legend(axes)
    return True


def draw_arms(axes: Any, corners: Tensor, target: Tensor, candidates: int) -> bool:
    """Draw the segments of some arms, the rail that they start on, and the wanted hand position.

    Args:
        axes: of matplotlib.
        corners: (N, 4, 2), from the rail to the hand (length unit).
        target: (2,), the wanted hand position (length unit).
        candidates: how many there are, drawn or not.
    """
    for corner in corners.numpy():
        axes.plot(corner[:, 0], corner[:, 1], color=_ARM, alpha=0.35, linewidth=1.2)
        axes.scatter(corner[:-1, 0], corner[:-1, 1], s=7, color=_ARM, alpha=0.5, linewidths=0)
    axes.axvline(0.0, color="0.35", linewidth=3, alpha=0.5, label="rail")
    axes.plot([], [], color=_ARM, label=f"{len(corners)} of {candidates} candidates")
    _mark(axes, float(target[0]), float(target[1]), "wanted hand position")
    axes.set(aspect="equal", xlabel="horizontal (length unit)", ylabel="vertical (length unit)")
    _legend(axes)
    return True


def draw_discs(axes: Any, discs: Tensor) -> None:
    """Draw discs (K, 3), horizontal and vertical place of the centre and radius, as obstacles."""
    turn = torch.linspace(0.0, 2 * torch.pi, 73, dtype=torch.float64)
    for across, up, radius in discs.tolist():
        x, y = across + radius * turn.cos(), up + radius * turn.sin()
        axes.fill(x.numpy(), y.numpy(), color="0.6", linewidth=0, zorder=0)


def draw_flights(axes: Any, paths: Tensor, target: Tensor, candidates: int) -> bool:
    """Draw some flights up to the landing, and the wanted landing place.

    Args:
        axes: of matplotlib.
        paths: (N, steps, 2), from the throw to the landing (m).
        target: (1,), the wanted landing place (m).
        candidates: how many there are, drawn or not.
    """
    for path in paths.numpy():
        axes.plot(path[:, 0], path[:, 1], color=_ARM, alpha=0.4, linewidth=1.2)
        axes.scatter(path[:1, 0], path[:1, 1], s=8, color=_ARM, alpha=0.6, linewidths=0)
    axes.axhline(0.0, color="0.35", linewidth=2, alpha=0.6, label="ground")
    axes.plot([], [], color=_ARM, label=f"{len(paths)} of {candidates} candidates")
    _mark(axes, float(target[0]), 0.0, "wanted landing place")
    axes.set(xlabel="horizontal (m)", ylabel="height (m)")
    _legend(axes)
    return True


def _mark(axes: Any, across: float, up: float, label: str) -> None:
    """The wanted place: a cross that is seen on top of many lines."""
    axes.scatter(
        [across], [up], s=110, marker="X", color=_WANTED, edgecolors="white", linewidths=1.2,
        zorder=5, label=label,
    )  # fmt: skip


def _legend(axes: Any) -> None:
    """Below the picture, where it hides nothing."""
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2, frameon=False, fontsize="small"
    )

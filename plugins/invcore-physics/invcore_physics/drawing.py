"""Pictures of problems, candidates and landscapes; no import of matplotlib."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from invcore.plugin import Task
from invcore_physics.rolling import Table

_BEST, _OTHERS, _WANTED = "#D55E00", "#0072B2", "black"  # told apart by all kinds of colour vision
_LEAST = 1e-12  # the error that is drawn where it is smaller
_BALLS = ("white", "#F0E442", "0.75")  # cue ball, object ball, others


def draw_signals(axes: Any, times: Tensor, target: Tensor, responses: Tensor, few: int = 5) -> bool:
    """Draw the wanted signal, as measured, and those of the best few candidates.

    Args:
        axes: of matplotlib.
        times: (Dy,), s.
        target: (Dy,).
        responses: (K, Dy), best first; rows of NaN are left out.
        few: how many candidates at most.

    Returns:
        True: there is always a target to draw.
    """
    signals = responses[responses.isfinite().all(dim=1)][:few].cpu().numpy()
    axes.plot(times, target.cpu().numpy(), ".", color=_WANTED, markersize=4, label="wanted")
    for rank in reversed(range(1, len(signals))):  # the better, the further in front
        label = f"next {len(signals) - 1} of {len(responses)}" if rank == 1 else None
        axes.plot(times, signals[rank], color=_OTHERS, alpha=0.5, linewidth=1, label=label)
    if len(signals):
        axes.plot(times, signals[0], color=_BEST, linewidth=1.5, label="best candidate")
    axes.set(xlabel="time (s)", ylabel="signal", xlim=(float(times[0]), float(times[-1])))
    axes.legend(frameon=False, fontsize="small")
    return True


def draw_table(
    axes: Any, table: Table, balls: Tensor, target: Tensor, ends: Tensor, paths: Tensor | None
) -> bool:
    """Draw a table, its balls, the best candidate's paths, and where the object ball shall end.

    Args:
        axes: of matplotlib.
        table: its size.
        balls: where they lie at the start (n, 2): the cue ball, the object ball, others.
        target: where the object ball shall end (2,).
        ends: where it ends by each candidate (K, 2), best first.
        paths: all balls' places at the best candidate's events (E, n, 2), if there is one.

    Returns:
        True: there is always a table to draw.
    """
    axes.plot(
        [0, table.length, table.length, 0, 0], [0, 0, table.width, table.width, 0],
        color="0.35", linewidth=2,
    )  # fmt: skip
    for i, (x, y) in enumerate(balls.tolist()):
        _circle(
            axes, x, y, table.radius, color=_BALLS[min(i, 2)],
            label=("cue ball", "object ball", "others")[i] if i < 3 else None,
        )  # fmt: skip
    if paths is not None:
        for i, path in enumerate(paths.unbind(dim=1)):
            axes.plot(
                path[:, 0], path[:, 1], color=_BEST if i == 1 else _OTHERS,
                linewidth=1.8 if i == 1 else 1, alpha=0.9, linestyle="-" if i < 2 else ":",
            )  # fmt: skip
    if len(ends) > 1:
        axes.scatter(
            ends[1:, 0], ends[1:, 1], s=9, color=_OTHERS, alpha=0.5, label="ends, other candidates"
        )
    if len(ends):
        axes.scatter(ends[:1, 0], ends[:1, 1], s=30, color=_BEST, zorder=4, label="end, best")
    axes.scatter(
        [float(target[0])], [float(target[1])], s=90, marker="X", color=_WANTED,
        edgecolors="white", zorder=5, label="wanted end",
    )  # fmt: skip
    axes.set(aspect="equal", xlabel="along the table (m)", ylabel="across the table (m)")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False, fontsize="small"
    )
    return True


def _circle(axes: Any, x: float, y: float, radius: float, color: str, label: str | None) -> None:
    angle = torch.linspace(0, 2 * math.pi, 49)
    axes.fill(
        x + radius * angle.cos(), y + radius * angle.sin(), facecolor=color, edgecolor="black",
        linewidth=0.8, label=label,
    )  # fmt: skip


def draw_landscape(
    axes: Any,
    task: Task[Any],
    target: Tensor,
    context: Mapping[str, Tensor] | None = None,
    *,
    across: tuple[int, ...] | None = None,
    centre: Tensor | None = None,
    truth: Tensor | None = None,
    points: int = 0,
) -> bool:
    """Draw the error of all designs for one target: a curve over one of the design's variables, or
    a map over two.

    Args:
        axes: of matplotlib.
        task: whose simulator.
        target: (Dy,).
        context: what is known of the problem; leading dimension 1.
        across: which one or two variables; the default is the first two, or the only one.
        centre: the others' values, a design (Dx,); the default is the prior's median.
        truth: a design to be marked (Dx,).
        points: along each variable; 0 for 2,000 of a curve, 200 of a map.

    Returns:
        True.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from invcore_physics.wave_packet import WavePacket
        >>> task, axes = WavePacket(), Figure().add_subplot()
        >>> draw_landscape(axes, task, task.simulate(torch.tensor([[5.0]]))[0])
        True
    """
    space = task.designs
    across = tuple(range(min(space.dim, 2))) if across is None else across
    points = points or (2000 if len(across) == 1 else 200)
    if centre is None:
        centre = space.from_unit(torch.full((1, space.dim), 0.5, dtype=torch.float64))[0]
    edge = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    unit = space.to_unit(centre[None].double()).repeat(points ** len(across), 1)
    for i, column in zip(across, torch.meshgrid(*[edge] * len(across), indexing="ij"), strict=True):
        unit[:, i] = column.flatten()
    x = space.from_unit(unit)
    contexts = context and {n: v[:1].expand(len(x), *v.shape[1:]) for n, v in context.items()}
    with torch.no_grad():
        error = (task.simulate(x, contexts) - target.to(x)).square().mean(dim=1)
    names = [f"{v.name} ({v.unit or 'no unit'})" for v in (space.variables[i] for i in across)]
    if len(across) == 1:
        axes.plot(x[:, across[0]].numpy(), error.numpy(), color=_OTHERS, linewidth=1)
        axes.set(xlabel=names[0], ylabel="error", yscale="log")
        if truth is not None:
            axes.axvline(float(truth[across[0]]), color=_BEST, linestyle="--", label="truth")
    else:
        sides = x[:, across].reshape(points, points, 2)
        levels = error.clamp(min=_LEAST).log10().reshape(points, points).T
        image = axes.pcolormesh(
            sides[:, 0, 0].numpy(), sides[0, :, 1].numpy(), levels.numpy(),
            cmap="viridis", shading="nearest", rasterized=True,
        )  # fmt: skip
        axes.figure.colorbar(image, ax=axes, label="log10 of the error")
        axes.set(xlabel=names[0], ylabel=names[1])
        if truth is not None:
            place = [[float(truth[i])] for i in across]
            axes.scatter(*place, s=90, marker="X", color=_BEST, edgecolors="white", label="truth")
    if truth is not None:  # the legend goes to the other corner
        unit = space.to_unit(truth[None].double())[0, list(across)]
        side = "left" if unit[0] > 0.5 else "right"
        height = "lower" if len(across) > 1 and unit[1] > 0.5 else "upper"
        axes.legend(loc=f"{height} {side}", fontsize="small")
    return True

"""Pictures of late states, of flows and of their losses; no import of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from invcore import Task

_BEST, _OTHERS, _WANTED = "#D55E00", "#0072B2", "black"  # told apart by all kinds of colour vision
_BEFORE = "0.6"


def draw_states(
    axes: Any,
    places: Tensor,
    target: Tensor,
    responses: Tensor,
    initial: Tensor | None = None,
    few: int = 5,
) -> bool:
    """Draw the wanted state, that of the best candidate, and those of the next few.

    Args:
        axes: of matplotlib.
        places: of the grid's points (Dy,).
        target: (Dy,).
        responses: (K, Dy), best first; rows of NaN are left out.
        initial: where all start (Dy,), or None.
        few: how many candidates at most.

    Returns:
        True: there is always a target to draw.
    """
    shown = responses[responses.isfinite().all(dim=1)][:few].numpy()
    if initial is not None:
        axes.plot(places, initial.numpy(), color=_BEFORE, linewidth=1, label="initial")
    for rank in reversed(range(1, len(shown))):  # the better, the further in front
        label = f"next {len(shown) - 1} of {len(responses)}" if rank == 1 else None
        axes.plot(places, shown[rank], color=_OTHERS, alpha=0.5, linewidth=1, label=label)
    axes.plot(places, target.numpy(), color=_WANTED, linewidth=2, label="wanted")
    if len(shown):
        axes.plot(
            places, shown[0], color=_BEST, linewidth=1.5, linestyle="--", label="best candidate"
        )
    axes.set(xlabel="x", ylabel="u", xlim=(float(places[0]), float(places[-1])))
    axes.legend(frameon=False, fontsize="small")
    return True


def draw_flow(
    axes: Any,
    sensors: Tensor,
    target: Tensor,
    response: Tensor | None = None,
    vorticity: Tensor | None = None,
) -> bool:
    """Draw a candidate's vorticity, and the velocities at the sensors, wanted and proposed.

    Args:
        axes: of matplotlib.
        sensors: x and y of the sensors (S, 2), in the unit square.
        target: wanted velocities (2 S,): u at all sensors, then v.
        response: the best candidate's (2 S,), or None.
        vorticity: the best candidate's on the grid (G, G), axes x and y, or None.

    Returns:
        True: there is always a target to draw.
    """
    if vorticity is not None:
        size = float(vorticity.abs().max().clamp(min=1e-12))
        half = 0.5 / len(vorticity)  # values are at the pixels' middles
        axes.imshow(
            vorticity.mT.numpy(), origin="lower", cmap="RdBu_r", vmin=-size, vmax=size,
            extent=(-half, 1 - half, -half, 1 - half), alpha=0.6, interpolation="bilinear",
        )  # fmt: skip
    scale = 8 * max(float(target.abs().max()), 1e-12)
    arrows = {"wanted": (target, _WANTED, 0.012), "best candidate": (response, _BEST, 0.006)}
    for label, (velocity, colour, width) in arrows.items():
        if velocity is not None:
            u, v = velocity.reshape(2, -1).numpy()
            axes.quiver(
                *sensors.mT.numpy(), u, v, color=colour, label=label, width=width,
                scale=scale, scale_units="xy", angles="xy",
            )  # fmt: skip
    axes.set(xlabel="x", ylabel="y", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    return True


def loss_landscape(
    task: Task[Any],
    target: Tensor,
    design: Tensor,
    across: tuple[int, int],
    points: int = 41,
    context: Mapping[str, Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The error over two design variables, the others being as in a given design.

    Args:
        task: whose simulator.
        target: (Dy,).
        design: (Dx,).
        across: the positions of the two variables; each goes over its prior's quantiles.
        points: how many values of each.
        context: what is known of the problem; leading dimension 1.

    Returns:
        The values of both variables (points,), and the mean squared error (points, points), NaN
        where there is no response; the first variable goes with the first axis.

    Example:
        >>> from invcore_physics.incompressible_flow import IncompressibleFlow
        >>> task = IncompressibleFlow(IncompressibleFlow.Config(steps=20, time=0.2))
        >>> x = task.designs.sample(1, torch.Generator().manual_seed(0))
        >>> loss_landscape(task, task.simulate(x)[0], x[0], (0, 1), points=3)[2].shape
        torch.Size([3, 3])
    """
    quantiles = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    along = task.designs.from_unit(quantiles[:, None].expand(points, task.designs.dim))
    first, second = along[:, across[0]], along[:, across[1]]
    x = design.to(torch.float64).repeat(points, points, 1)
    x[..., across[0]], x[..., across[1]] = first[:, None], second[None, :]
    x = x.flatten(0, 1)
    known = context and {
        name: value.expand(len(x), *value.shape[1:]) for name, value in context.items()
    }
    with torch.no_grad():
        error = (task.simulate(x, known) - target.to(x)).square().mean(dim=1)
    return first, second, error.unflatten(0, (points, points))


def draw_landscape(
    axes: Any,
    task: Task[Any],
    target: Tensor,
    design: Tensor,
    across: tuple[int, int],
    points: int = 41,
    context: Mapping[str, Tensor] | None = None,
) -> None:
    """Draw the logarithm of ``loss_landscape``, and where the given design is.

    Args:
        axes: of matplotlib.
        task: as for ``loss_landscape``, as are the others.
        target: (Dy,).
        design: (Dx,), for instance the one behind the target.
        across: the positions of the two variables.
        points: how many values of each.
        context: what is known of the problem; leading dimension 1.
    """
    first, second, error = loss_landscape(task, target, design, across, points, context)
    least = 1e-6 * error.nan_to_num().max().clamp(min=1e-300)
    picture = axes.pcolormesh(
        first.numpy(), second.numpy(), error.clamp(min=least).log10().mT.numpy(),
        shading="nearest", cmap="viridis",
    )  # fmt: skip
    axes.figure.colorbar(picture, ax=axes, label="log10 of the error")
    here = [float(design[i]) for i in across]
    axes.plot(*here, marker="x", color=_BEST, linestyle="none", label="design")
    names = [task.designs.variables[i].name for i in across]
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.legend(frameon=False, fontsize="small")

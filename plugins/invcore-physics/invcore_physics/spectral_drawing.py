"""Pictures of late states and of flows; no import of matplotlib."""

from typing import Any

from torch import Tensor

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
    states = responses[responses.isfinite().all(dim=1)][:few].cpu().numpy()
    if initial is not None:
        axes.plot(places, initial.cpu().numpy(), color=_BEFORE, linewidth=1, label="initial")
    for rank in reversed(range(1, len(states))):  # the better, the further in front
        label = f"next {len(states) - 1} of {len(responses)}" if rank == 1 else None
        axes.plot(places, states[rank], color=_OTHERS, alpha=0.5, linewidth=1, label=label)
    axes.plot(places, target.cpu().numpy(), color=_WANTED, linewidth=2, label="wanted")
    if len(states):
        axes.plot(
            places, states[0], color=_BEST, linewidth=1.5, linestyle="--", label="best candidate"
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
            vorticity.mT.cpu().numpy(), origin="lower", cmap="RdBu_r", vmin=-size, vmax=size,
            extent=(-half, 1 - half, -half, 1 - half), alpha=0.6, interpolation="bilinear",
        )  # fmt: skip
    scale = 8 * max(float(target.abs().max()), 1e-12)
    arrows = {"wanted": (target, _WANTED, 0.012), "best candidate": (response, _BEST, 0.006)}
    for label, (velocity, colour, width) in arrows.items():
        if velocity is not None:
            u, v = velocity.reshape(2, -1).cpu().numpy()
            axes.quiver(
                *sensors.mT.cpu().numpy(), u, v, color=colour, label=label, width=width,
                scale=scale, scale_units="xy", angles="xy",
            )  # fmt: skip
    axes.set(xlabel="x", ylabel="y", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    return True

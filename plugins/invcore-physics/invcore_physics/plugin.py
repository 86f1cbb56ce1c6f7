"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_HOLL = (
    "Holl, Thuerey, The unreasonable effectiveness of solving inverse problems with neural "
    "networks, 2024, https://arxiv.org/abs/2408.08119"
)


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the four tasks with a differentiable simulator."""
    return [
        Component(
            "wave-packet",
            "Arrival time (and frequency) of a modulated packet to the signal that it leaves.",
            "invcore_physics.wave_packet:WavePacket",
            references=(_HOLL,),
            tags=("exact", "differentiable", "noise"),
        ),
        Component(
            "billiards",
            "A cue ball's velocity to the place where another ball comes to rest.",
            "invcore_physics.billiards:Billiards",
            references=(_HOLL,),
            tags=("exact", "differentiable", "context"),
        ),
        Component(
            "kuramoto-sivashinsky",
            "Parameters of the Kuramoto-Sivashinsky equation to a late state.",
            "invcore_physics.kuramoto_sivashinsky:KuramotoSivashinsky",
            references=(_HOLL,),
            tags=("differentiable", "chaos", "context"),
        ),
        Component(
            "incompressible-flow",
            "Initial vortices to the velocity at sensors some time later.",
            "invcore_physics.incompressible_flow:IncompressibleFlow",
            references=(_HOLL,),
            tags=("differentiable", "sensors"),
        ),
    ]

"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_REN = "Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919"
_KRUSE = "Kruse, Ardizzone, Rother, Köthe, 2021, https://arxiv.org/abs/2101.10763"


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the classic tasks, and the arm with obstacles."""
    return [
        Component(
            "sine-wave",
            "Two numbers to sin(3πx1) + cos(3πx2): many separate solution curves.",
            "invcore_classic.sine_wave:SineWave",
            references=(_REN,),
            tags=("closed form", "differentiable"),
        ),
        Component(
            "robotic-arm",
            "Start height and three joint angles to the hand's position in the plane.",
            "invcore_classic.robotic_arm:RoboticArm",
            references=(_KRUSE, _REN),
            tags=("closed form", "differentiable"),
        ),
        Component(
            "robotic-arm-obstacles",
            "The arm of robotic-arm, whose segments must not cross discs.",
            "invcore_classic.arm_obstacles:RoboticArmObstacles",
            references=(_KRUSE,),
            tags=("closed form", "differentiable", "constraints"),
        ),
        Component(
            "ballistics",
            "A throw with air drag to the place where the ball lands, solved exactly.",
            "invcore_classic.ballistics:Ballistics",
            references=(_KRUSE, _REN),
            tags=("implicit", "differentiable", "integer design"),
        ),
    ]

"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "jpo",
            "Joint parameterised optimisation: one network trained on the targets at hand, through "
            "the simulator.",
            "invcore_jpo.method:JointOptimisation",
            references=(
                "Holl, Thuerey, The unreasonable effectiveness of solving inverse problems with "
                "neural networks, 2024, https://arxiv.org/abs/2408.08119",
            ),
            tags=("simulator", "gradient", "joint", "deterministic"),
        )
    ]

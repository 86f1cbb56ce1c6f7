"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the architecture task."""
    return [
        Component(
            "architecture",
            "A periodic cell of 32 by 32 pixels to its effective Young's modulus, homogenised.",
            "invcore_architecture.task:Architecture",
            references=(
                "Zhang et al., AAAI 2023, https://arxiv.org/abs/2212.01016",
                "Andreassen, Andreasen, Computational Materials Science 83, 2014, "
                "https://doi.org/10.1016/j.commatsci.2013.09.006",
            ),
            tags=("finite elements", "differentiable", "high-dimensional", "shipped data"),
        )
    ]

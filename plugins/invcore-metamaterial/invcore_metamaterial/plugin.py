"""What this plugin adds; imports no torch."""

from pathlib import Path

from invcore import Component, hookimpl

API_VERSION = 1

SHIPPED = Path(__file__).parent / "proxy"


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the meta-material task."""
    return [
        Component(
            "meta-material",
            "Heights and radii of four cylinders to a reflectance spectrum, 0.8-1.5 THz.",
            "invcore_metamaterial.task:MetaMaterial",
            references=(
                "Ren, Padilla, Malof, NeurIPS 2020 (D4), https://arxiv.org/abs/2009.12919",
            ),
            tags=("proxy simulator", "spectrum", "differentiable"),
        )
    ]

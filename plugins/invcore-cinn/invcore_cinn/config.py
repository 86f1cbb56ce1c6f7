"""Settings of the conditional invertible network."""

from collections.abc import Mapping
from typing import Any, ClassVar

from invcore_invertible import CouplingConfig

from invcore.learning import EnlargeConfig, GenerativeConfig, TrainingConfig
from invcore.plugin import Field


def _paper(blocks: int) -> dict[str, Any]:
    """The published settings of one task; the ten trainings are restarts."""
    return {
        "network": {
            "blocks": blocks, "width": 160, "depth": 3, "gain": 1.0, "mixing": "permutation",
        },
        "training": {
            "epochs": 500, "batch_size": 1024, "min_steps": 1, "lr": 1e-3, "schedule": "plateau",
            "average": 0.0, "clip": 0.0, "restarts": 10,
        },
    }  # fmt: skip


class ConditionalINNConfig(GenerativeConfig):
    """Settings of the conditional invertible network.

    Example:
        >>> ConditionalINNConfig.resolve({}, preset="paper", task="sine-wave").network.blocks
        10
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "default/sine-wave": {  # its solutions are sixteen closed curves
            "padding": 2,
            "network": {"blocks": 12, "gain": 3.0},
            "enlarge": {"times": 8},
            "training": {"epochs": 12},
        },
        "default/ballistics": {"enlarge": {"times": 8}, "training": {"epochs": 14}},
        "quick": {"network": {"blocks": 4, "width": 64}, "training": {"epochs": 30}},
        "default/architecture": {"network": {"blocks": 4}, "training": {"epochs": 40}},
        "quick/architecture": {"training": {"epochs": 6}},
        "paper": _paper(10),
        "paper/robotic-arm": {"network": {"blocks": 6, "width": 256}},
        "paper/ballistics": {"network": {"blocks": 13}},
        "paper/meta-material": {"network": {"blocks": 14}},
    }

    padding: int = Field(
        0, ge=0, description="Dimensions of noise beside x, so that one response's designs may "
        "form curves and separate pieces; at least 1 for a single design variable."
    )  # fmt: skip
    network: CouplingConfig = CouplingConfig(blocks=8)
    enlarge: EnlargeConfig = EnlargeConfig()
    training: TrainingConfig = TrainingConfig(
        epochs=140, batch_size=256, lr=3e-3, clip=10.0, average=0.99
    )

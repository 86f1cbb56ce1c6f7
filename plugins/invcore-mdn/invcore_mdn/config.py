"""Settings of the mixture density network."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.learning import EnlargeConfig, TrainingConfig
from invcore.plugin import Config, Field


def _paper(components: int, width: int, depth: int) -> dict[str, Any]:
    """The published settings of one task, and those that all share."""
    return {
        "network": {
            "components": components, "width": width, "depth": depth, "activation": "relu",
            "batch_norm": True, "gain": 1.0, "covariance": "full",
        },
        "training": {
            "epochs": 200, "batch_size": 512, "lr": 1e-3, "schedule": "plateau",
            "weight_decay": 1e-3, "average": 0.0, "clip": 0.0, "min_steps": 1, "restarts": 10,
        },
        "enlarge": {"times": 0},
    }  # fmt: skip


class NetworkConfig(Config):
    """The network from responses to mixtures."""

    components: int = Field(48, ge=1, description="Gaussians in a mixture.")
    covariance: Literal["auto", "full", "diagonal"] = Field(
        "auto", description="Of a Gaussian; auto: full up to 32 features, beyond diagonal."
    )
    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    depth: int = Field(3, ge=0, description="Hidden layers.")
    activation: Literal["silu", "relu", "gelu", "tanh"] = Field(
        "silu", description="After each hidden layer."
    )
    batch_norm: bool = Field(False, description="Normalise over the batch, as the papers do.")
    gain: float = Field(
        2.0, gt=0, description="First layer's initial weights, times torch's own: more for "
        "mixtures that change quickly with the response."
    )  # fmt: skip
    narrowest: float = Field(
        1e-3, gt=0, description="Least standard deviation of a feature given the later ones, "
        "scaled: no Gaussian collapses onto a design."
    )  # fmt: skip
    widest: float = Field(4.0, gt=0, description="Largest such standard deviation, scaled.")


class MixtureDensityConfig(Config):
    """Settings of the mixture density network.

    Example:
        >>> MixtureDensityConfig.resolve({}, preset="paper", task="sine-wave").network.components
        13
    """

    # fmt: off
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {
            "enlarge": {"surrogate": {"training": {"epochs": 60}}},
            "training": {"epochs": 4},
        },
        # Images are shifted and mirrored instead
        "default/architecture": {
            "network": {"components": 8}, "enlarge": {"times": 0}, "training": {"epochs": 60},
        },
        "quick/architecture": {
            "network": {"components": 8}, "enlarge": {"times": 0}, "training": {"epochs": 15},
        },
        "paper": _paper(13, 1000, 5),
        "paper/robotic-arm": _paper(4, 500, 7),
        "paper/ballistics": _paper(7, 1000, 4),
        "paper/meta-material": _paper(4, 1000, 7),
    }
    # fmt: on

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig(epochs=16, batch_size=256, average=0.998, clip=10.0)
    enlarge: EnlargeConfig = EnlargeConfig(times=10)

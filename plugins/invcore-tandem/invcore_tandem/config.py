"""Settings of tandem."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.learning import SurrogateConfig, TrainingConfig
from invcore.plugin import Config, Field

# PAPERS: 500 epochs, batch 1024, rate 1e-3 halved on a plateau, the best of ten trainings.
_PAPER_TRAINING = {
    "epochs": 500,
    "batch_size": 1024,
    "lr": 1e-3,
    "schedule": "plateau",
    "average": 0.0,
    "min_steps": 1,
    "restarts": 10,
}


def _paper(forward: tuple[int, int], inverse: tuple[int, int]) -> dict[str, Any]:
    """The published widths and depths of one task."""
    sizes: list[dict[str, Any]] = [
        {"width": width, "depth": depth, "activation": "relu", "batch_norm": True}
        for width, depth in (forward, inverse)
    ]
    decayed = {**_PAPER_TRAINING, "weight_decay": 5e-4}
    return {
        "surrogate": {**sizes[0], "network": "mlp", "training": decayed},
        "network": {**sizes[1], "gain": 1.0},
        "training": _PAPER_TRAINING,
        "weight": 1.0,
    }


class NetworkConfig(Config):
    """The inverse network."""

    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    depth: int = Field(3, ge=0, description="Hidden layers.")
    activation: Literal["silu", "relu", "gelu", "tanh"] = Field(
        "silu", description="After each hidden layer."
    )
    batch_norm: bool = Field(False, description="Normalise over the batch, as the papers do.")
    gain: float = Field(1.0, gt=0, description="First layer's initial weights, times torch's own.")


class TandemConfig(Config):
    """Settings of tandem.

    Example:
        >>> TandemConfig.resolve({}, preset="paper", task="robotic-arm").surrogate.depth
        2
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {
            "surrogate": {
                "training": {"epochs": 60},
                "image": {"training": {"epochs": 8}},
            },
            "training": {"epochs": 40},
        },
        # Each step goes through the network of images
        "quick/architecture": {"training": {"epochs": 8}},
        "paper": _paper((500, 4), (500, 4)),
        "paper/robotic-arm": _paper((300, 2), (500, 3)),
        "paper/ballistics": _paper((500, 3), (500, 5)),
    }

    surrogate: SurrogateConfig = SurrogateConfig(training=TrainingConfig(epochs=300, average=0.998))
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig(epochs=150, average=0.998)
    boundary: bool = Field(
        True, description="Stay in the box of the training data: the boundary loss."
    )
    weight: float = Field(
        1.0, ge=0, description="Weight of the boundary loss, the sum of distances outside the box."
    )

"""Settings of the conditional variational auto-encoder."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.learning import EnlargeConfig, SurrogateConfig, TrainingConfig
from invcore.plugin import Config, Field


def _paper(latent: int, depth: int, kl: float, width: int = 500) -> dict[str, Any]:
    """The published settings of one task, and those that all share."""
    return {
        "network": {
            "latent": latent, "width": width, "depth": depth, "activation": "relu",
            "batch_norm": True, "gain": 1.0,
        },
        "training": {
            "epochs": 500, "batch_size": 1024, "lr": 1e-3, "schedule": "plateau",
            "weight_decay": 5e-3, "average": 0.0, "min_steps": 1, "restarts": 10,
        },
        "kl": kl,
        "consistency": 0.0,
        "enlarge": {"times": 0},
    }  # fmt: skip


class NetworkConfig(Config):
    """Encoder and decoder."""

    latent: int = Field(0, ge=0, description="Dimensions of z; 0: max(2, F - Dy).")
    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    depth: int = Field(3, ge=0, description="Hidden layers, of the encoder and of the decoder.")
    activation: Literal["silu", "relu", "gelu", "tanh"] = Field(
        "silu", description="After each hidden layer."
    )
    batch_norm: bool = Field(False, description="Normalise over the batch, as the papers do.")
    gain: float = Field(
        2.0, gt=0, description="First layers' initial weights, times torch's own: more for "
        "responses that oscillate."
    )  # fmt: skip


class ConditionalVAEConfig(Config):
    """Settings of the conditional variational auto-encoder.

    Example:
        >>> ConditionalVAEConfig.resolve({}, preset="paper", task="ballistics").network.latent
        5
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {
            "enlarge": {"surrogate": {"training": {"epochs": 60}}},
            "training": {"epochs": 4},
        },
        # Images are shifted and mirrored instead
        "default/architecture": {"enlarge": {"times": 0}, "training": {"epochs": 40}},
        "quick/architecture": {
            "enlarge": {"times": 0, "surrogate": {"image": {"training": {"epochs": 8}}}},
            "training": {"epochs": 10},
        },
        "paper": _paper(3, 6, 0.02),
        "paper/robotic-arm": _paper(3, 7, 1.0),
        "paper/ballistics": _paper(5, 6, 0.01),
        "paper/meta-material": _paper(30, 10, 0.005, width=1000),
    }

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig(epochs=20, average=0.998)
    kl: float = Field(
        0.02, gt=0, description="Weight of the KL divergence beside the squared error of x: twice "
        "the variance of the decoder's Gaussian."
    )  # fmt: skip
    consistency: float = Field(
        2.0, ge=0, description="Weight of the squared error of the surrogate at designs decoded "
        "from z of the prior; 0 for none, as published."
    )  # fmt: skip
    enlarge: EnlargeConfig = EnlargeConfig(
        times=10, surrogate=SurrogateConfig(training=TrainingConfig(epochs=400, average=0.998))
    )

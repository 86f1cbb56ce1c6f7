"""Settings of the conditional variational auto-encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore import Config, Field, SurrogateConfig, TrainingConfig


class NetworkConfig(Config):
    """Encoder and decoder."""

    latent: int = Field(0, ge=0, description="Dimensions of z; 0: F - Dy, at least 2.")
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
    """Settings of the conditional variational auto-encoder."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    kl: float = Field(0.01, gt=0, description="x")
    consistency: float = Field(0.0, ge=0, description="x")
    enlarge: int = Field(0, ge=0, description="x")
    spread: float = Field(0.1, ge=0, description="x")
    surrogate: SurrogateConfig = SurrogateConfig(training=TrainingConfig(epochs=300, average=0.998))

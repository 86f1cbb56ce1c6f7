"""Settings of the mixture density network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore import Config, Field, SurrogateConfig, TrainingConfig


class NetworkConfig(Config):
    """The network from responses to mixtures."""

    components: int = Field(48, ge=1, description="Gaussians in a mixture.")
    covariance: Literal["full", "diagonal"] = Field(
        "full", description="Of a Gaussian; diagonal is for designs of many columns."
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
    """Settings of the mixture density network."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    enlarge: int = Field(0, ge=0, description="x")
    spread: float = Field(0.1, ge=0, description="x")
    surrogate: SurrogateConfig = SurrogateConfig(training=TrainingConfig(epochs=300, average=0.998))

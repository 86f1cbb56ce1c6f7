"""Settings of a surrogate."""

from __future__ import annotations

from typing import Literal

from invcore.configs.config import Config, Field
from invcore.learning.networks import Activation
from invcore.learning.training_config import TrainingConfig


class ImageConfig(Config):
    """A convolutional network, for designs that are the pixels of an image."""

    channels: int = Field(
        16, ge=1, description="Of the first layer; each further one doubles them."
    )
    width: int = Field(128, ge=1, description="Units in the hidden layer after the last of them.")
    training: TrainingConfig = TrainingConfig(epochs=30, batch_size=128, lr=4e-3, weight_decay=1e-4)


class SurrogateConfig(Config):
    """A network that stands in for the simulator, and how it is trained."""

    network: Literal["auto", "mlp", "image"] = Field(
        "auto",
        description="mlp: of the sizes here; image: convolutional, with the settings `image`; "
        "auto: image where the designs are the pixels of one.",
    )
    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    depth: int = Field(3, ge=0, description="Hidden layers.")
    activation: Activation = Field("silu", description="After each hidden layer.")
    batch_norm: bool = Field(False, description="Normalise over the batch, as the papers do.")
    training: TrainingConfig = TrainingConfig()
    image: ImageConfig = ImageConfig()

"""Settings of a surrogate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from invcore.configs.config import Config, Field
from invcore.configs.documents import parse_document
from invcore.learning.networks import Activation
from invcore.learning.training_config import TrainingConfig

CHOSEN = "chosen"
"""The tensor, in a surrogate's state, that holds the settings which validation chose."""


class ImageConfig(Config):
    """A convolutional network, for designs that are the pixels of an image."""

    channels: int = Field(
        16, ge=1, description="Of the first layer; each further one doubles them."
    )
    width: int = Field(128, ge=1, description="Units in the hidden layer after the last of them.")
    training: TrainingConfig = TrainingConfig(epochs=30, batch_size=128, lr=4e-3, weight_decay=1e-4)


class SurrogateConfig(Config):
    """A network that stands in for the simulator, and how it is trained."""

    shorthand: ClassVar[str] = "choice"

    network: Literal["auto", "mlp", "image"] = Field(
        "auto",
        description="mlp: of the sizes here; image: convolutional, with the settings `image`; "
        "auto: image where the designs are the pixels of one.",
    )
    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    depth: int = Field(3, ge=0, description="Hidden layers.")
    activation: Activation = Field("silu", description="After each hidden layer.")
    gain: float = Field(
        1.0, gt=0, description="The first layer's initial weights, times the usual ones: 2 to 4 "
        "for sines of a response that waves."
    )  # fmt: skip
    residual: bool = Field(
        False, description="From the second hidden layer on, each adds to what it is given."
    )
    batch_norm: bool = Field(False, description="Normalise over the batch, as the papers do.")
    sums: bool = Field(
        False, description="Show the network the depths of layers beside their thicknesses, where "
        "a task says that its variables lie on each other."
    )  # fmt: skip
    waves: int = Field(
        0, ge=0, le=16, description="Octaves of sines and cosines of the designs that stand beside "
        "them (Fourier features)."
    )  # fmt: skip
    components: int = Field(
        0, ge=0, description="Learn that many principal components of the responses, in place of "
        "all; 0 learns all."
    )  # fmt: skip
    weighting: Literal["own", "common"] = Field(
        "own", description="How responses count while it learns: each by its own spread, or all in "
        "one unit, as the points of a spectrum do."
    )  # fmt: skip
    choice: Literal["as-set", "auto"] = Field(
        "as-set", description="auto: of some activations, features and sizes those that do best on "
        "the validation pairs, each after a share of the training. `surrogate=auto` says the same."
    )  # fmt: skip
    minutes: float | None = Field(
        None, gt=0, description="How long choosing and training take, in place of epochs: of this "
        "process's time on a CPU, of the clock on a GPU. Results then depend on the machine."
    )  # fmt: skip
    finish: int = Field(
        0, ge=0, description="Further steps by a quasi-Newton method (L-BFGS) in float64, on all "
        "pairs at once; what they bring is kept if validation says so."
    )  # fmt: skip
    training: TrainingConfig = TrainingConfig()
    image: ImageConfig = ImageConfig()


def stored_config(config: SurrogateConfig) -> dict[str, Tensor]:
    """Settings as a tensor to store beside weights, by its name: UTF-8 text, (L,), uint8."""
    return {CHOSEN: torch.tensor([*config.model_dump_json().encode()], dtype=torch.uint8)}


def read_config(state: Mapping[str, Tensor], config: SurrogateConfig) -> SurrogateConfig:
    """The settings in a state; ``config`` where there are none.

    Raises:
        ConfigError: they are damaged.

    Example:
        >>> config = SurrogateConfig(width=32)
        >>> read_config(stored_config(config), SurrogateConfig()).width
        32
    """
    if CHOSEN not in state:
        return config
    text = bytes(state[CHOSEN].tolist()).decode(errors="replace")
    return SurrogateConfig.parse(parse_document(text, "json", CHOSEN), where=CHOSEN)

"""Settings of flow matching."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.learning import TrainingConfig
from invcore.plugin import Config, Field


class NetworkConfig(Config):
    """The network that tells velocities."""

    width: int = Field(256, ge=1, description="Units in each hidden layer.")
    blocks: int = Field(4, ge=0, description="Residual blocks.")
    design_waves: int = Field(
        4, ge=0, le=16, description="Sines and cosines of each design column, of frequencies "
        "that double; 0 for more than 64 columns."
    )  # fmt: skip
    response_waves: int = Field(
        3, ge=0, le=16, description="The same of each response and context column; more for "
        "responses that oscillate."
    )  # fmt: skip


class DensityConfig(Config):
    """How a density is computed: by the velocities' divergence, along the way to the noise."""

    steps: int = Field(32, ge=1, description="Steps of Heun's rule.")
    exact: int = Field(
        32, ge=0, description="Up to so many columns the divergence is exact; beyond, it is "
        "estimated by probes."
    )  # fmt: skip
    probes: int = Field(16, ge=1, description="Random directions of the estimate.")


class FlowMatchingConfig(Config):
    """Settings of flow matching.

    Example:
        >>> FlowMatchingConfig.resolve({}, preset="paper", task="sine-wave").time_power
        1.0
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "default/sine-wave": {"network": {"design_waves": 5}},
        "default/robotic-arm": {
            "network": {"design_waves": 1, "response_waves": 1},
            "training": {"epochs": 150},
        },
        "default/ballistics": {"network": {"design_waves": 6}},  # whole speeds: many steps
        "default/architecture": {"training": {"epochs": 60}},
        "quick": {
            "network": {"width": 96, "blocks": 3, "design_waves": 2, "response_waves": 2},
            "training": {"epochs": 40, "batch_size": 128, "lr": 3e-3, "average": 0.99},
            "density": {"steps": 16},
        },
        "quick/architecture": {"training": {"epochs": 6}},
        "paper": {
            "network": {"design_waves": 0, "response_waves": 0},
            "coordinates": "linear",
            "masked": 0.0,
            "time_power": 1.0,
            "steps": 64,
            "training": {"epochs": 500, "lr": 1e-3, "schedule": "cosine", "average": 0.0},
        },
    }

    network: NetworkConfig = NetworkConfig()
    coordinates: Literal["auto", "normal", "linear"] = Field(
        "auto", description="normal: variables with uniform priors go through their distribution "
        "function and the normal's inverse; linear: none; auto: those whose training pairs "
        "fill most of their range."
    )  # fmt: skip
    masked: float = Field(
        0.1, ge=0, lt=1, description="Share of training rows of which some responses are hidden, "
        "so that the model can be asked for the others alone; 0 hides none."
    )  # fmt: skip
    time_power: float = Field(
        2.0, gt=0, description="Times from the design (0) to the noise (1) are this power of even "
        "ones, in training and in sampling: more than 1 for more of them near the design."
    )  # fmt: skip
    steps: int = Field(
        16, ge=1, description="From the noise to a design, each with one evaluation of the network."
    )  # fmt: skip
    density: DensityConfig = DensityConfig()
    training: TrainingConfig = TrainingConfig(epochs=300, lr=2e-3, average=0.998, clip=10.0)

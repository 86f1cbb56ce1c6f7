"""Settings of the invertible network."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore_invertible import PaddedConfig

from invcore.learning import TrainingConfig
from invcore.plugin import Config, Field


class LikelihoodConfig(Config):
    """Training by maximum likelihood."""

    response: float = Field(
        0.05, gt=0, description="Standard deviation of y-hat about y, in that of the responses."
    )
    padding: float = Field(
        0.05, gt=0, description="Standard deviation of what the forward leaves in the padding of y."
    )


class DiscrepancyConfig(Config):
    """Training by squared errors and maximum mean discrepancies: the losses' weights."""

    response: float = Field(20.0, ge=0, description="Weight of the squared error of y-hat.")
    latent: float = Field(
        3.0, ge=0, description="Weight of the MMD of (y-hat, z-hat) and p(y) p(z)."
    )
    design: float = Field(3.0, ge=0, description="Weight of the MMD of x-hat and p(x).")
    padding_x: float = Field(
        20.0, ge=0, description="Weight of what the inverse leaves in the padding of x."
    )
    padding_y: float = Field(
        5.0, ge=0, description="Weight of what the forward leaves in the padding of y."
    )
    samples: int = Field(128, ge=2, description="Samples in an MMD, and in the inverse pass.")


def _paper(blocks: int, latent: int, width: int = 160, total: int = 4) -> dict[str, Any]:
    """The published settings of one task; the ten trainings are restarts."""
    return {
        "network": {
            "blocks": blocks, "width": width, "depth": 3, "gain": 1.0, "mixing": "permutation",
            "latent": latent, "total": total,
        },
        "training": {
            "epochs": 500, "batch_size": 1024, "min_steps": 1, "lr": 1e-3, "schedule": "plateau",
            "average": 0.0, "clip": 0.0, "restarts": 10,
        },
    }  # fmt: skip


class INNConfig(Config):
    """Settings of the invertible network.

    Example:
        >>> INNConfig.resolve({}, preset="paper", task="robotic-arm").network.blocks
        7
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "default/sine-wave": {  # its solutions are sixteen closed curves
            "noise": 1.0,
            "likelihood": {"response": 0.1},
            "network": {"blocks": 12, "gain": 3.0, "total": 6, "latent": 5},
            "training": {"epochs": 150},
        },
        "quick": {
            "network": {"blocks": 4, "width": 64},
            "training": {"epochs": 30, "min_steps": 16},
        },
        "default/architecture": {"network": {"blocks": 4}, "training": {"epochs": 30}},
        "quick/architecture": {"training": {"epochs": 8}},
        "paper": _paper(6, 0, total=0),
        "paper/sine-wave": _paper(4, 1),
        "paper/robotic-arm": _paper(7, 2, width=256),
        "paper/ballistics": _paper(6, 3),
        "paper/meta-material": _paper(7, 3, total=330),
    }

    objective: Literal["likelihood", "discrepancy"] = Field(
        "likelihood",
        description="Maximum likelihood; or squared errors of y and MMDs of (y, z) and of x.",
    )
    noise: float = Field(
        0.05, ge=0, description="Standard deviation of the noise in the padding of x."
    )
    network: PaddedConfig = PaddedConfig()
    likelihood: LikelihoodConfig = LikelihoodConfig()
    discrepancy: DiscrepancyConfig = DiscrepancyConfig()
    training: TrainingConfig = TrainingConfig(
        epochs=100, batch_size=256, lr=3e-3, clip=10.0, average=0.99
    )

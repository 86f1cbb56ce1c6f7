"""Settings of iPage."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore_invertible import PaddedConfig

from invcore.learning import TrainingConfig
from invcore.plugin import Config, Field
from invcore.search import LocalisationConfig


class LossConfig(Config):
    """Weights of the losses, and the schedule between them."""

    supervised_first: float = Field(100.0, gt=0, description="Weight of L_y at the start.")
    supervised_last: float = Field(20.0, gt=0, description="Weight of L_y in the end.")
    others_first: float = Field(
        0.02, ge=0, le=1, description="Share of all other weights at the start; 1 in the end."
    )
    converged: float = Field(
        1e-3, gt=0, lt=1, description="The L_y, normalised, at which the schedule has ended …"
    )
    ramp: float = Field(0.5, gt=0, le=1, description="… but not before this share of training.")
    latent: float = Field(
        3.0, ge=0, description="Weight of the MMD of (y-hat, z-hat) and p(y) p(z)."
    )
    design: float = Field(3.0, ge=0, description="Weight of the MMD of x-hat and p(x).")
    reconstruction: float = Field(5.0, ge=0, description="Weight of inverse(y, z-hat) against x.")
    padding_x: float = Field(
        20.0, ge=0, description="Weight of what the inverse leaves in the padding of x."
    )
    padding_y: float = Field(
        5.0, ge=0, description="Weight of what the forward leaves in the padding of y."
    )
    box: float = Field(
        1.0, ge=0, description="Weight of designs that the inverse puts outside the data's box."
    )
    noise: float = Field(0.02, ge=0, description="Noise on the padding while training.")
    samples: int = Field(128, ge=2, description="Samples in an MMD, and in the inverse pass.")
    every: int = Field(2, ge=1, description="Steps between two inverse passes.")


# PAPERS: three hidden layers; a rate that falls by a hundred; Adam on the frozen forward.
def _paper(
    blocks: int, width: int, batch: int, epochs: int, lr: float, step: float
) -> dict[str, Any]:
    """The published settings of one task."""
    return {
        "network": {"blocks": blocks, "width": width, "depth": 3, "image": {"blocks": 0}},
        "latents": "normal",
        "training": {
            "batch_size": batch, "epochs": epochs, "lr": lr, "schedule": "cosine",
            "final_lr": 0.01, "average": 0.0, "weight_decay": 0.0, "clip": 0.0, "min_steps": 1,
        },
        "localisation": {"solver": "adam", "lr": step, "trust": False},
    }  # fmt: skip


class IPageConfig(Config):
    """Settings of iPage.

    Example:
        >>> IPageConfig.resolve({}, preset="paper", task="sine-wave").network.blocks
        4
    """

    # fmt: off
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"training": {"epochs": 20}},
        # Spectra: a step costs as many passes as there are features, of a wide network
        "quick/meta-material": {"localisation": {"steps": 6}},
        "quick/nanoshell": {"localisation": {"steps": 6}},
        "quick/thin-film": {"localisation": {"steps": 6}},
        # Few inverse passes: 1,024 pixels are costly enough
        "default/architecture": {
            "network": {"blocks": 4}, "losses": {"every": 8}, "training": {"epochs": 30},
        },
        "quick/architecture": {
            "network": {"blocks": 3}, "losses": {"every": 8}, "training": {"epochs": 3},
            "localisation": {"steps": 2},
        },
        "paper": _paper(6, 256, 512, 500, 1e-2, 5e-3),
        "paper/sine-wave": _paper(4, 128, 1024, 1000, 1e-3, 1e-3),
        "paper/crystal-mos2": _paper(4, 64, 256, 1000, 1e-3, 1e-3),
        "paper/architecture": _paper(6, 512, 1024, 10000, 1e-3, 1e-4),
    }
    # fmt: on

    network: PaddedConfig = PaddedConfig()
    losses: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig(
        epochs=160, batch_size=256, lr=5e-3, weight_decay=1e-4, clip=10.0, average=0.995
    )
    localisation: LocalisationConfig = LocalisationConfig()
    latents: Literal["auto", "normal", "known"] = Field(
        "auto",
        description="Where latents of starts come from. normal: the sampler's points, as "
        "published; known: training designs near the target; auto: known where designs are "
        "images, among whose latents normal ones are strangers, else normal.",
    )

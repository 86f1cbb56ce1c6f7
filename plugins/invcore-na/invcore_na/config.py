"""Settings of the neural adjoint."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.learning import SurrogateConfig, TrainingConfig
from invcore.plugin import Config, Field
from invcore.search import LocalisationConfig

# PAPERS: 500 epochs, batch 1024, halved on a plateau, batch normalisation, 300 steps of Adam,
# the best of ten trainings.
_PAPER_TRAINING = {
    "epochs": 500,
    "batch_size": 1024,
    "schedule": "plateau",
    "average": 0.0,
    "min_steps": 1,
    "restarts": 10,
}


def _paper(depth: int, weight_decay: float, lr: float, width: int = 500) -> dict[str, Any]:
    """The published surrogate of one task."""
    training = {**_PAPER_TRAINING, "weight_decay": weight_decay, "lr": lr}
    sizes = {
        "network": "mlp",
        "width": width,
        "depth": depth,
        "activation": "relu",
        "batch_norm": True,
    }
    return {"surrogate": {**sizes, "training": training}}


class NeuralAdjointConfig(Config):
    """Settings of the neural adjoint.

    Example:
        >>> NeuralAdjointConfig.resolve({}, preset="paper", task="sine-wave").surrogate.width
        500
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {
            "surrogate": {
                "training": {"epochs": 60},
                "image": {"training": {"epochs": 8}},
            }
        },
        "paper": {
            **_paper(4, 5e-4, 5e-4),
            "localisation": {"solver": "adam", "trust": False},
            "start": "prior",
            "tries": 1,
        },
        "paper/robotic-arm": _paper(4, 2e-2, 1e-3),
        "paper/ballistics": _paper(3, 5e-3, 1e-2),
        "paper/meta-material": _paper(4, 2e-5, 5e-4, width=1000),
    }

    surrogate: SurrogateConfig = SurrogateConfig(training=TrainingConfig(epochs=500, average=0.998))
    localisation: LocalisationConfig = LocalisationConfig()
    boundary: bool = Field(
        True, description="Stay in the box of the training data: the boundary loss."
    )
    start: Literal["auto", "prior", "box", "known"] = Field(
        "auto",
        description="Where starts come from. prior: of the designs; box: uniform in that of the "
        "training data; known: training designs near the target; auto: known where designs are "
        "images, whose prior is noise, else prior.",
    )
    tries: int = Field(
        4,
        ge=1,
        description="Starts tried for each candidate, of which the one with the nearest prediction "
        "is moved; 1, as published, tries none.",
    )

"""Networks and their training, for methods: perceptrons, surrogates, ensembles, more pairs."""

from __future__ import annotations

from invcore.data.scaling import Normaliser, Scaling
from invcore.learning.augmentation import EnlargeConfig, enlarge, enlarged
from invcore.learning.image_network import Border
from invcore.learning.networks import MLP
from invcore.learning.surrogate import Surrogate, SurrogateConfig, fit_surrogate, substate
from invcore.learning.training import LossBatch, train
from invcore.learning.training_config import TrainingConfig

__all__ = [
    "MLP",
    "Border",
    "EnlargeConfig",
    "LossBatch",
    "Normaliser",
    "Scaling",
    "Surrogate",
    "SurrogateConfig",
    "TrainingConfig",
    "enlarge",
    "enlarged",
    "fit_surrogate",
    "substate",
    "train",
]

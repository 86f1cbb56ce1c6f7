"""Networks and their training, for methods: perceptrons, surrogates, ensembles, more pairs."""

from invcore.data.embedding import has_embedding
from invcore.data.normaliser import Normaliser
from invcore.data.scaling import Scaling
from invcore.learning.augmentation import EnlargeConfig, enlarge, enlarged
from invcore.learning.gaussian_process import (
    GaussianProcess,
    GaussianProcessConfig,
    Parameters,
    fit_process,
)
from invcore.learning.generative_method import (
    GenerativeConfig,
    GenerativeMethod,
    GenerativeModel,
)
from invcore.learning.networks import MLP, seeded_network
from invcore.learning.processes.forward import ProcessForward
from invcore.learning.response_density import ResponseDensity
from invcore.learning.scaled_network import ScaledNetwork, design_gradient, substate
from invcore.learning.surrogate.config import SurrogateConfig
from invcore.learning.surrogate.features import MOST_WITH_WAVES, waves_of
from invcore.learning.surrogate.fitting import fit_surrogate
from invcore.learning.surrogate.image_network import Border
from invcore.learning.surrogate.network import Surrogate
from invcore.learning.training import LossBatch, train
from invcore.learning.training_config import TrainingConfig

__all__ = [
    "MLP", "MOST_WITH_WAVES", "Border", "EnlargeConfig", "GaussianProcess", "GaussianProcessConfig",
    "GenerativeConfig", "GenerativeMethod", "GenerativeModel", "LossBatch", "Normaliser",
    "Parameters", "ProcessForward", "ResponseDensity", "ScaledNetwork", "Scaling", "Surrogate",
    "SurrogateConfig", "TrainingConfig", "design_gradient", "enlarge", "enlarged", "fit_process",
    "fit_surrogate", "has_embedding", "seeded_network", "substate", "train", "waves_of",
]  # fmt: skip

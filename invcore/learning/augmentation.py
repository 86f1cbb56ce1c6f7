"""More pairs for a network that learns a distribution: designs near known ones, by a surrogate."""

import torch

from invcore.configs.config import Config, Field
from invcore.contracts.environment import FitEnvironment
from invcore.data.pairs import Pairs
from invcore.data.scaling import Scaling
from invcore.learning.surrogate.config import SurrogateConfig
from invcore.learning.surrogate.fitting import fit_surrogate
from invcore.learning.surrogate.network import Surrogate
from invcore.learning.training_config import TrainingConfig


class EnlargeConfig(Config):
    """Whether a method learns from more pairs than it is given, which a surrogate makes."""

    times: int = Field(
        0, ge=0, le=1000, description="So many pairs of a surrogate for each known one; 0 for none."
    )
    spread: float = Field(
        0.1, ge=0, description="Standard deviation of their steps from known designs, in those of "
        "the features."
    )  # fmt: skip
    surrogate: SurrogateConfig = SurrogateConfig(training=TrainingConfig(epochs=300, average=0.998))

    def on_known_pairs(self, training: TrainingConfig) -> TrainingConfig:
        """The training by known pairs alone, in about as many steps.

        For stochastic systems, since the pairs of a surrogate have no noise.

        Example:
            >>> EnlargeConfig(times=4).on_known_pairs(TrainingConfig(epochs=10)).epochs
            50
        """
        return training.model_copy(update={"epochs": training.epochs * (1 + self.times)})


def enlarged(
    config: EnlargeConfig, scaling: Scaling, pairs: Pairs, val: Pairs, env: FitEnvironment
) -> Pairs:
    """The pairs, scaled, with those that a surrogate adds.

    Args:
        config: how many; 0 adds none, and fits none.
        scaling: from the training pairs.
        pairs: to train on, in their own units.
        val: to choose the surrogate's checkpoint with.
        env: device, seeds, progress.

    Example:
        >>> from invcore import Space, Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> pairs = Pairs(torch.rand(64, 1), torch.rand(64, 1))
        >>> scaling = Scaling.fit(space, pairs)
        >>> len(enlarged(EnlargeConfig(), scaling, pairs, pairs, FitEnvironment()))
        64
    """
    scaled_pairs = scaling.pairs(pairs)
    if not config.times:
        return scaled_pairs
    surrogate, _ = fit_surrogate(config.surrogate, scaling, pairs, val, env, label="enlarge")
    generator, count = env.generator("enlarge", "designs"), config.times * len(scaled_pairs)
    return enlarge(surrogate, scaled_pairs, count, generator, spread=config.spread)


def enlarge(
    surrogate: Surrogate, pairs: Pairs, count: int, generator: torch.Generator, *,
    spread: float = 0.1,
) -> Pairs:  # fmt: skip
    """Pairs and ``count`` more: a smoothed bootstrap of designs, with the surrogate's responses.

    Densities need many more pairs than functions do: a network that has learnt the function from
    the pairs is asked for as many as are wanted. It costs no simulation.

    Args:
        surrogate: fitted to the pairs, frozen.
        pairs: scaled; on the CPU.
        count: how many to add.
        generator: decides which designs, and where near them.
        spread: standard deviation of the steps from known designs, in those of the features.
            What comes in steps stays as it is, and all stay in the data's box and satisfy the
            constraints.

    Example:
        >>> from invcore.plugin import FitEnvironment
        >>> from invcore.learning import SurrogateConfig, fit_surrogate
        >>> from invcore.learning.training_config import TrainingConfig
        >>> from invcore.learning import Scaling
        >>> from invcore import Space, Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> pairs = Pairs(torch.rand(64, 1), torch.rand(64, 1))
        >>> scaling = Scaling.fit(space, pairs)
        >>> quick = SurrogateConfig(training=TrainingConfig(epochs=1))
        >>> surrogate, _ = fit_surrogate(quick, scaling, pairs, pairs, FitEnvironment())
        >>> len(enlarge(surrogate, scaling.pairs(pairs), 100, torch.Generator()))
        164
    """
    scaling, device = surrogate.scaling, surrogate.device
    rows = torch.randint(len(pairs), (count,), generator=generator)
    x, context_features = scaling.parts(pairs.x[rows])  # a problem's context stays with it
    steps = spread * torch.randn(count, x.shape[1], generator=generator)
    x = x + torch.where(scaling.movable()[1], steps, 0.0)
    low, high = scaling.box(x.device)
    x = torch.where(x < low, 2 * low - x, x)  # reflected: clipping would heap them on the edge
    x = torch.where(x > high, 2 * high - x, x).clamp(low, high)
    if scaling.designs.constraints:
        x = scaling.snap(x)
    x = torch.cat([x, context_features], dim=1)
    with torch.no_grad():
        y = torch.cat([surrogate(part.to(device)).cpu() for part in x.split(65536)])
    return Pairs(torch.cat([pairs.x, x]), torch.cat([pairs.y, y]))

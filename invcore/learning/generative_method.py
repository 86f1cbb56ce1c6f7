"""What methods share that are one network: from latents and a target to designs."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn

from invcore.base.types import Files
from invcore.configs.config import Config
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.method import InverseMethod, InverseModel
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs
from invcore.data.scaling import Scaling
from invcore.learning import training
from invcore.learning.networks import seeded_network
from invcore.learning.scaled_network import ScaledNetwork
from invcore.learning.training_config import TrainingConfig


class GenerativeConfig(Config):
    """Settings of a generative method; derive from it to add those of its network."""

    training: TrainingConfig = TrainingConfig()


G = TypeVar("G", bound=GenerativeConfig)


class GenerativeMethod(InverseMethod[G]):
    """A method that is one network; a subclass says what the network is, learns and makes.

    Designs are scaled features (N, F), conditions are scaled targets with what is known of their
    problems (N, Dy + C). Whole numbers and categories come with noise that rounding takes away.

    Example:
        >>> from invcore.learning import MLP
        >>> class Mean(GenerativeMethod):
        ...     Config = GenerativeConfig
        ...     def build(self, scaling):
        ...         return MLP(scaling.conditions, scaling.designs.features)
        ...     def loss(self, network, x, y, generator):
        ...         return (network(y) - x).square()
        ...     def decode(self, network, z, y):
        ...         return network(y) + 0 * z
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("line", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 64)[:, None]
        >>> mean = Mean(GenerativeConfig(training={"epochs": 20, "batch_size": 16}))
        >>> model = mean.fit(problem, Pairs(x, 2 * x), Pairs(x, 2 * x), FitEnvironment())
        >>> model.propose(Targets(torch.tensor([[1.0]])), torch.rand(1, 3, 1)).x.shape
        torch.Size([1, 3, 1])
    """

    uses_context = True
    label: ClassVar[str] = ""
    """Names its training, in progress, log and seeds; empty: the class's name."""

    @abstractmethod
    def build(self, scaling: Scaling) -> nn.Module:
        """The network; it is called with the global generators seeded."""

    @abstractmethod
    def loss(self, network: Any, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """What is minimised, of features (N, F) with conditions (N, Dy + C); its mean counts."""

    @abstractmethod
    def decode(self, network: Any, z: Tensor, y: Tensor) -> Tensor:
        """Features (N, F) of normal latents (N, L) and conditions (N, Dy + C)."""

    def latents(self, features: int) -> int:
        """L, of F features: as many by default."""
        return features

    def log_likelihood(self, network: Any, x: Tensor, y: Tensor) -> Tensor | None:
        """Log p(x | y) in nats of features (N, F) given conditions (N, Dy + C): (N,).

        None, the default, where the network has no density.
        """
        return None

    def training_pairs(
        self, scaling: Scaling, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> Pairs:
        """What it is trained on, scaled, from responses to designs; by default the pairs."""
        return scaling.turned(scaling.pairs(train))

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> GenerativeModel:
        """Train the network on pairs; the checkpoint is that of the smallest validation loss."""
        label, scaling = self.label or type(self).__name__, Scaling.fit(problem.designs, train)
        build = partial(self.build, scaling)
        network = seeded_network(build, env, label)

        def value(x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
            return self.loss(network, scaling.dequantise(x, generator), y, generator).mean()

        def loss(batch: training.LossBatch) -> Tensor:
            return value(batch.x, batch.y, batch.generator)

        def val_loss(part: Pairs) -> Tensor:  # with the same draws in every epoch
            return value(part.x, part.y, env.generator(label, "held"))

        shown = self.training_pairs(scaling, train, val, env)
        held = scaling.turned(scaling.pairs(val))
        training.train(
            network, loss, val_loss, shown, held, self.config.training, env, label=label,
            again=build, grid=scaling.designs.grid,
        )  # fmt: skip
        return GenerativeModel(self, problem, ScaledNetwork(network, scaling))

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> GenerativeModel:
        """Rebuild the model from its tensors."""
        return GenerativeModel(
            self, problem, ScaledNetwork.restore(self.build, problem.designs, state)
        )


class GenerativeModel(InverseModel):
    """A frozen network: each point is a latent, and each latent a design."""

    def __init__(
        self, method: GenerativeMethod[Any], problem: Problem, scaled: ScaledNetwork[Any]
    ) -> None:
        self._method, self._problem, self._scaled = method, problem, scaled
        self.point_dim = method.latents(scaled.scaling.designs.features)

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Latents from the points, designs from the network."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        decode = partial(self._method.decode, self._scaled.network)
        return self._scaled.generate(decode, targets, points)

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, in the designs' own units; None where designs have categories,
        or constraints.

        A whole number's probability is spread over the interval that is rounded to it.
        """
        network, scaling = self._scaled.network, self._scaled.scaling
        slopes = scaling.log_slopes(designs)
        if slopes is None:
            return None
        x, y = scaling.encode(designs), self._scaled.target_features(targets)
        scaled = self._method.log_likelihood(network, x.to(self._scaled.device), y)
        if scaled is None:
            return None
        return scaled.detach().cpu().double() + slopes

    def state(self) -> dict[str, Tensor]:
        """The network's weights, and the scaling."""
        return self._scaled.state()

"""A surrogate: a network that stands in for the simulator, and how it is fitted."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from invcore.base.errors import ConfigError
from invcore.base.types import Context
from invcore.configs.config import Config, Field
from invcore.contracts.environment import FitEnvironment
from invcore.data.pairs import Pairs
from invcore.data.scaling import Scaling
from invcore.learning.image_network import ImageNetwork
from invcore.learning.networks import MLP, Activation, seeded_network
from invcore.learning.scaled_network import ScaledNetwork, design_gradient, substate
from invcore.learning.training import LossBatch, TrainingReport, train
from invcore.learning.training_config import TrainingConfig
from invcore.spaces.space import Space


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


class Surrogate(nn.Module):
    """A forward model on scaled features: (N, F + C) to (N, Dy), both normalised.

    Args:
        config: sizes.
        scaling: between designs and features, responses and outputs.

    Raises:
        ConfigError: a network of images is asked for, and designs are none.
    """

    def __init__(self, config: SurrogateConfig, scaling: Scaling) -> None:
        super().__init__()
        self.scaling = scaling
        grid, outputs = scaling.designs.grid, len(scaling.y.centre)
        if config.network == "image" and grid is None:
            raise ConfigError("surrogate.network: image needs a task whose designs are images")
        # What is known of a problem is no image
        self.grid = None if config.network == "mlp" or scaling.columns else grid
        """How the pixels lie, if the network sees an image."""
        self.network: nn.Module
        if self.grid is not None:
            image = config.image
            self.network = ImageNetwork(
                self.grid, outputs, channels=image.channels, width=image.width
            )
        else:
            self.network = MLP(
                scaling.inputs, outputs, width=config.width, depth=config.depth,
                activation=config.activation, batch_norm=config.batch_norm,
            )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """Scaled features, and what is known (N, F + C), to scaled responses (N, Dy)."""
        out: Tensor = self.network(features)
        return out

    @torch.no_grad()
    def predict(self, designs: Tensor, context: Context | None = None) -> Tensor:
        """Responses of designs (N, Dx), in their own units: (N, Dy), float64.

        Args:
            designs: in their own units.
            context: what is known of each one's problem, where the training pairs had such.
        """
        columns = self.scaling.context_features(context, len(designs)).to(designs.device)
        out = self(torch.cat([self.scaling.encode(designs), columns], dim=1).to(self.device))
        return self.scaling.y.inverse(out.double()).to(designs.device)

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor:
        """How the responses change with designs (N, Dx): (N, Dy, Dx), float64, in their own units.

        0 for categories.
        """
        return design_gradient(self, self.scaling, designs, context, self.device)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def state(self) -> dict[str, Tensor]:
        """Weights and scaling, as flat tensors to store."""
        return {**self.state_dict(), **{f"scaling.{k}": v for k, v in self.scaling.state().items()}}

    @classmethod
    def restore(
        cls, config: SurrogateConfig, designs: Space, state: dict[str, Tensor]
    ) -> Surrogate:
        """The frozen surrogate that ``state`` came from, on the device of its weights."""
        scaling = Scaling.restore(designs, substate(state, "scaling."))
        weights = {k: v for k, v in state.items() if k.startswith("network.")}
        return ScaledNetwork.load(partial(cls, config), scaling, weights).network


def fit_surrogate(
    config: SurrogateConfig, scaling: Scaling, pairs: Pairs, val: Pairs, env: FitEnvironment, *,
    label: str = "surrogate", weights: tuple[Tensor, Tensor] | None = None,
) -> tuple[Surrogate, TrainingReport]:  # fmt: skip
    """Train a surrogate on pairs by mean squared error in scaled units; it comes back frozen.

    Responses that are NaN are unknown, and count for nothing.

    Images are shifted and mirrored while it learns, where that leaves the response as it is.

    Args:
        config: sizes and training.
        scaling: from the training pairs.
        pairs: to train on, in their own units.
        val: to choose the checkpoint with.
        env: device, seeds, progress.
        label: names the stage, and its seeds.
        weights: how much each response counts, of ``pairs`` and of ``val`` (N, Dy); all alike by
            default.

    Raises:
        DivergedError: the training diverged.
        ConfigError: a network of images is asked for, and designs are none.
    """
    build = partial(Surrogate, config, scaling)
    surrogate = seeded_network(build, env, label)

    scaled, held = scaling.pairs(pairs), scaling.pairs(val)
    plain = weights is None and not bool(scaled.y.isnan().any() | held.y.isnan().any())
    if not plain:  # shares stand beside the responses
        shares = weights or (None, None)
        scaled, held = _shared(scaled, shares[0]), _shared(held, shares[1])

    def mse(part: LossBatch | Pairs) -> Tensor:
        if plain:
            return (surrogate(part.x) - part.y).square().mean()
        y, share = part.y.chunk(2, dim=1)
        return (share * (surrogate(part.x) - y).square()).sum() / share.sum().clamp(min=1e-12)

    training = config.training if surrogate.grid is None else config.image.training
    report = train(
        surrogate, mse, mse, scaled, held, training, env,
        label=label, again=build, grid=surrogate.grid,
    )  # fmt: skip
    return surrogate.eval().requires_grad_(False), report


def _shared(pairs: Pairs, weights: Tensor | None) -> Pairs:
    """Pairs whose responses (N, 2 Dy) are these, 0 where they are unknown, and what they count."""
    known = ~pairs.y.isnan()
    share = known.to(pairs.y) if weights is None else known * weights.to(pairs.y)
    return Pairs(pairs.x, torch.cat([pairs.y.nan_to_num(0.0), share], dim=1))

"""A surrogate: a network that stands in for the simulator."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from invcore.base.errors import ConfigError
from invcore.base.types import Context
from invcore.data.scaling import Scaling
from invcore.learning.networks import MLP
from invcore.learning.scaled_network import ScaledNetwork, design_gradient, substate
from invcore.learning.surrogate.config import CHOSEN, SurrogateConfig, read_config
from invcore.learning.surrogate.features import InputFeatures
from invcore.learning.surrogate.image_network import ImageNetwork
from invcore.spaces.space import Space


class Surrogate(nn.Module):
    """A forward model on scaled features: (N, F + C) to (N, Dy), both normalised.

    Args:
        config: sizes and features.
        scaling: between designs and features, responses and outputs.
        components: (P, Dy), principal components of scaled responses; None where all are learnt,
            or where weights that are loaded will say.

    Raises:
        ConfigError: a network of images is asked for, and designs are none.
    """

    components: Tensor | None

    def __init__(
        self, config: SurrogateConfig, scaling: Scaling, components: Tensor | None = None
    ) -> None:
        super().__init__()
        self.scaling = scaling
        self.chosen: dict[str, Tensor] = {}
        """What is stored of a choice that validation made, so that it can be restored."""
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
            if 0 < config.components < outputs:
                if components is None:
                    components = torch.zeros(config.components, outputs)
                outputs = len(components)
            self.inputs = InputFeatures(scaling, sums=config.sums, waves=config.waves)
            self.network = MLP(
                self.inputs.width, outputs, width=config.width, depth=config.depth,
                activation=config.activation, batch_norm=config.batch_norm, gain=config.gain,
                residual=config.residual,
            )  # fmt: skip
        self.register_buffer("components", components)

    def forward(self, features: Tensor) -> Tensor:
        """Scaled features, and what is known (N, F + C), to scaled responses (N, Dy)."""
        if self.grid is None:
            features = self.inputs(features)
        out: Tensor = self.network(features)
        return out if self.components is None else out @ self.components

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
        state = {**self.state_dict(), **self.chosen}
        return state | {f"scaling.{k}": v for k, v in self.scaling.state().items()}

    @classmethod
    def restore(
        cls, config: SurrogateConfig, designs: Space, state: dict[str, Tensor]
    ) -> Surrogate:
        """The frozen surrogate that ``state`` came from, on the device of its weights."""
        scaling = Scaling.restore(designs, substate(state, "scaling."))
        config = read_config(state, config)
        weights = {k: v for k, v in state.items() if not k.startswith(("scaling.", CHOSEN))}
        return ScaledNetwork.load(partial(cls, config), scaling, weights).network

"""The invertible network: a bijection of (x, padding) and (y, z, padding).

Why padding: the designs of one response often form closed curves, which no bijection of x and
(y, z) alone can map to the whole latent space.
"""

import torch
from torch import Tensor, nn

from invcore.plugin import ConfigError, Field, Grid
from invcore_invertible.network import CouplingConfig, InvertibleNetwork


class PaddedConfig(CouplingConfig):
    """The invertible network, and what goes through it."""

    latent: int = Field(0, ge=0, description="Dimensions of z; 0: max(2, F - Dy).")
    total: int = Field(
        0, ge=0, description="Dimensions of the bijection, padding included; 0: half as many "
        "again as are needed, at least 8; for images no more than are needed."
    )  # fmt: skip


class PaddedNetwork(nn.Module):
    """A sequence of affine couplings. Wrap it in ``invcore.plugin.isolated`` to seed its weights.

    Args:
        config: sizes.
        features: F, of the designs.
        responses: Dy.
        grid: how the features lie, if they are an image.
        known: C, numbers that are known of a problem, and that every block is given.

    References:
        Ardizzone et al., ICLR 2019, https://arxiv.org/abs/1808.04730.

    Example:
        >>> network = PaddedNetwork(PaddedConfig(width=8), features=2, responses=1)
        >>> x = torch.zeros(3, 2)
        >>> y, z, padding = network.split(network(network.pad(x)))
        >>> bool((network.inverse(torch.cat([y, z, padding], 1))[:, :2] - x).abs().max() < 1e-5)
        True
    """

    def __init__(
        self,
        config: PaddedConfig,
        features: int,
        responses: int,
        grid: Grid | None = None,
        context_columns: int = 0,
    ) -> None:
        super().__init__()
        self.features, self.responses = features, responses
        self.latent = config.latent or max(2, features - responses)
        least = max(features, responses + self.latent)
        self.total = config.total or (max(8, least + (least + 1) // 2) if grid is None else least)
        self.total += self.total % 2  # the two halves that the blocks swap are equal
        if self.total < least:
            raise ConfigError(f"network.total: {self.total} is below the {least} that are needed")
        self.inn = InvertibleNetwork(config, self.total, context_columns, grid)

    @property
    def padding_x(self) -> int:
        """Padding beside x."""
        return self.total - self.features

    @property
    def padding_y(self) -> int:
        """Padding beside y and z."""
        return self.total - self.responses - self.latent

    def pad(self, values: Tensor) -> Tensor:
        """(N, less than total) to (N, total), with zeros."""
        return nn.functional.pad(values, (0, self.total - values.shape[1]))

    def split(self, out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, total) to y (N, Dy), z (N, latent) and padding."""
        y, z, padding = out.split([self.responses, self.latent, self.padding_y], dim=1)
        return y, z, padding

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """(x, padding) to (y, z, padding): (N, total) each; ``context`` is (N, C)."""
        out: Tensor = self.inn(x, self._condition(context))[0]
        return out

    def inverse(self, y: Tensor, context: Tensor | None = None) -> Tensor:
        """(y, z, padding) to (x, padding): (N, total) each; ``context`` is (N, C)."""
        out: Tensor = self.inn.inverse(y, self._condition(context))[0]
        return out

    def predict(self, inputs: Tensor) -> Tensor:
        """The frozen forward model: design and context features (N, F + C), to responses (N, Dy),
        all scaled.
        """
        features, context = inputs[:, : self.features], inputs[:, self.features :]
        return self(self.pad(features), context)[:, : self.responses]

    def starts(self, y: Tensor, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Designs for responses (N, Dy), latents (N, latent) and context features (N, C): features
        (N, F), scaled.
        """
        return self.inverse(self.pad(torch.cat([y, z], dim=1)), context)[:, : self.features]

    def _condition(self, context: Tensor | None) -> Tensor | None:
        return context if self.inn.condition else None

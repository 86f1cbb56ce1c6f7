"""Encoder and decoder."""

import torch
from torch import Tensor, nn

from invcore.learning import MLP
from invcore_cvae.config import NetworkConfig

_LEAST, _MOST = -12.0, 4.0  # log variance of z: wide enough, and safe for exp in float32


class EncoderDecoder(nn.Module):
    """q(z | x, y), and the mean of p(x | z, y); x and y are scaled.

    Args:
        config: sizes.
        features: F.
        responses: Dy.
        known: C, numbers that are known of a problem; they stand beside the responses.

    Example:
        >>> network = EncoderDecoder(NetworkConfig(width=8), 4, 1)
        >>> network.decode(torch.zeros(5, network.latent), torch.zeros(5, 1)).shape
        torch.Size([5, 4])
    """

    def __init__(
        self, config: NetworkConfig, features: int, responses: int, context_columns: int = 0
    ) -> None:
        super().__init__()
        self.latent = config.latent or max(2, features - responses)
        self.encoder = _mlp(config, features + responses + context_columns, 2 * self.latent)
        self.decoder = _mlp(config, self.latent + responses + context_columns, features)

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x, y): two (N, latent)."""
        mean, log_variance = self.encoder(torch.cat([x, y], dim=-1)).chunk(2, dim=-1)
        return mean, log_variance.clamp(_LEAST, _MOST)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Mean of p(x | z, y): (N, F)."""
        out: Tensor = self.decoder(torch.cat([z, y], dim=-1))
        return out


def _mlp(config: NetworkConfig, inputs: int, outputs: int) -> MLP:
    return MLP(
        inputs,
        outputs,
        width=config.width,
        depth=config.depth,
        activation=config.activation,
        batch_norm=config.batch_norm,
        gain=config.gain,
    )

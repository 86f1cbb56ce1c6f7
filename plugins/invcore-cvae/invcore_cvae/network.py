"""Encoder and decoder, and the bound on the likelihood that trains them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from invcore import MLP
from invcore_cvae.config import NetworkConfig

_LEAST, _MOST = -12.0, 4.0  # log variance of z: the ends where exp is still of use in float32


class EncoderDecoder(nn.Module):
    """q(z | x, y) and p(x | z, y), both Gaussian; x and y are scaled.

    Args:
        config: sizes.
        features: F.
        responses: Dy.
    """

    def __init__(self, config: NetworkConfig, features: int, responses: int) -> None:
        super().__init__()
        self.latent = config.latent or max(2, features - responses)
        self.encoder = _mlp(config, features + responses, 2 * self.latent)
        self.decoder = _mlp(config, self.latent + responses, features)

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x, y): two (N, latent)."""
        mean, log_variance = self.encoder(torch.cat([x, y], dim=-1)).chunk(2, dim=-1)
        return mean, log_variance.clamp(_LEAST, _MOST)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Mean of p(x | z, y): (N, F)."""
        out: Tensor = self.decoder(torch.cat([z, y], dim=-1))
        return out


def _mlp(config: NetworkConfig, inputs: int, outputs: int) -> MLP:
    net = MLP(
        inputs,
        outputs,
        width=config.width,
        depth=config.depth,
        activation=config.activation,
        batch_norm=config.batch_norm,
    )
    first = net[0]
    if config.depth and isinstance(first, nn.Linear):
        with torch.no_grad():
            first.weight.mul_(config.gain)
            first.bias.mul_(config.gain)
    return net


def draw(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z from its mean, log variance and standard normal noise."""
    return mean + (0.5 * log_variance).exp() * noise


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, variance) from N(0, 1), in nats: (N, latent) to (N,).

    Example:
        >>> divergence(torch.zeros(2, 3), torch.zeros(2, 3))
        tensor([0., 0.])
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def log_likelihood(x: Tensor, decoded: Tensor, variance: float) -> Tensor:
    """Log N(x; decoded, variance) in nats: (N, F) to (N,)."""
    constant = x.shape[-1] * math.log(2 * math.pi * variance)
    return -0.5 * ((x - decoded).square().sum(-1) / variance + constant)


def bound(
    network: EncoderDecoder, x: Tensor, y: Tensor, noise: Tensor, variance: float
) -> Tensor:
    """One draw of the evidence lower bound: its mean over noise is at most log p(x | y).

    Args:
        network: encoder and decoder.
        x: (N, F), scaled.
        y: (N, Dy), scaled.
        noise: (N, latent), standard normal.
        variance: of the decoder's Gaussian.

    Returns:
        (N,), in nats.

    References:
        Kingma, Welling, 2013, https://arxiv.org/abs/1312.6114, equation 10.
    """
    mean, log_variance = network.encode(x, y)
    decoded = network.decode(draw(mean, log_variance, noise), y)
    return log_likelihood(x, decoded, variance) - divergence(mean, log_variance)

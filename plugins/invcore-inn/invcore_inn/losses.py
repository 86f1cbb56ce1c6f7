"""The two published ways to train an invertible network."""

import torch
from invcore_invertible import PaddedNetwork, mmd, normal_log_density
from torch import Tensor

from invcore.learning import LossBatch
from invcore_inn.config import DiscrepancyConfig, LikelihoodConfig


def padded(network: PaddedNetwork, x: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Features (N, F) with normal noise in their padding: (N, D)."""
    beside = torch.randn(len(x), network.padding_x, generator=generator).to(x.device)
    return torch.cat([x, noise * beside], dim=1)


def log_likelihood(
    network: PaddedNetwork, whole: Tensor, condition: Tensor, config: LikelihoodConfig
) -> Tensor:
    """Log p(x, padding | y) in nats: (N,).

    The forward direction gives (y-hat, z, padding); p is the product of normals about (y, 0, 0)
    there, with the change of volume.

    Args:
        network: total D.
        whole: scaled features and the noise beside them, (N, D).
        condition: scaled responses, and context features beside them (N, Dy + C).
        config: standard deviations of y-hat and of the padding.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, appendix.
    """
    y, context = _parts(network, condition)
    out, log_det = network.inn(whole, context)
    predictions, z, left = network.split(out)
    about = normal_log_density(predictions - y, config.response)
    return about + normal_log_density(z) + normal_log_density(left, config.padding) + log_det


def discrepancy(
    network: PaddedNetwork, batch: LossBatch, config: DiscrepancyConfig, noise: float
) -> Tensor:
    """Squared errors of y-hat, and MMDs of (y-hat, z-hat) and of x-hat.

    The gradient of the first MMD reaches the latents alone: y-hat is the squared error's affair.

    Args:
        network: forward and inverse.
        batch: scaled pairs.
        config: weights.
        noise: standard deviation of the padding.

    References:
        Ardizzone et al., ICLR 2019, https://arxiv.org/abs/1808.04730, section 3.3.
    """
    generator, count = batch.generator, min(config.samples, len(batch.x))
    y, context = _parts(network, batch.y)
    out = network(padded(network, batch.x, noise, generator), context)
    predictions, z, left = network.split(out)
    loss = config.response * (predictions - y).square().mean()
    if network.padding_y:
        loss = loss + config.padding_y * left.square().mean()
    drawn = torch.randn(count, network.latent, generator=generator).to(z)
    target = torch.cat([y[:count], drawn], dim=1)
    sample = torch.cat([predictions[:count].detach(), z[:count]], dim=1)
    loss = loss + config.latent * mmd(sample, target)
    beside = noise * torch.randn(count, network.padding_y, generator=generator).to(z)
    context_rows = None if context is None else context[:count]
    back = network.inverse(torch.cat([target, beside], dim=1), context_rows)
    designs, rest = back[:, : network.features], back[:, network.features :]
    loss = loss + config.design * mmd(designs, batch.x[-count:])
    if network.padding_x:
        loss = loss + config.padding_x * rest.square().mean()
    return loss


def _parts(network: PaddedNetwork, condition: Tensor) -> tuple[Tensor, Tensor | None]:
    """Responses (N, Dy), and context features (N, C), if there are any."""
    y, context = condition[:, : network.responses], condition[:, network.responses :]
    return y, context if context.shape[1] else None

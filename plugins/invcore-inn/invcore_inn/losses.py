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
    network: PaddedNetwork, whole: Tensor, wanted: Tensor, config: LikelihoodConfig
) -> Tensor:
    """Log p(x, padding | y) in nats: (N,).

    The forward direction gives (y-hat, z, padding); p is the product of normals about (y, 0, 0)
    there, with the change of volume.

    Args:
        network: total D.
        whole: scaled features and the noise beside them, (N, D).
        wanted: scaled responses, and what is known beside them (N, Dy + C).
        config: standard deviations of y-hat and of the padding.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, appendix.
    """
    y, known = _parts(network, wanted)
    out, log_det = network.inn(whole, known)
    found, z, left = network.split(out)
    about = normal_log_density(found - y, config.response)
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
    y, known = _parts(network, batch.y)
    out = network(padded(network, batch.x, noise, generator), known)
    found, z, left = network.split(out)
    loss = config.response * (found - y).square().mean()
    if network.padding_y:
        loss = loss + config.padding_y * left.square().mean()
    drawn = torch.randn(count, network.latent, generator=generator).to(z)
    wanted = torch.cat([y[:count], drawn], dim=1)
    seen = torch.cat([found[:count].detach(), z[:count]], dim=1)
    loss = loss + config.latent * mmd(seen, wanted)
    beside = noise * torch.randn(count, network.padding_y, generator=generator).to(z)
    given = None if known is None else known[:count]
    back = network.inverse(torch.cat([wanted, beside], dim=1), given)
    designs, rest = back[:, : network.features], back[:, network.features :]
    loss = loss + config.design * mmd(designs, batch.x[-count:])
    if network.padding_x:
        loss = loss + config.padding_x * rest.square().mean()
    return loss


def _parts(network: PaddedNetwork, wanted: Tensor) -> tuple[Tensor, Tensor | None]:
    """Responses (N, Dy), and what is known (N, C), if anything is."""
    y, known = wanted[:, : network.responses], wanted[:, network.responses :]
    return y, known if known.shape[1] else None

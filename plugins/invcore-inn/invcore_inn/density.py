"""The density of designs by an invertible network: the noise in the padding is integrated out."""

from __future__ import annotations

import math

import torch
from invcore_invertible import PaddedNetwork
from torch import Tensor

from invcore_inn.config import INNConfig
from invcore_inn.losses import log_likelihood

_SAMPLES = 1024  # of (x, padding) for each target
_NEAR = 64  # of them, which tell what the padding is like at a design
_WIDER = 2.0  # than they are: standard deviations of what is drawn
_DRAWS = 128
_NUMBERS = 1 << 22  # held at once


@torch.no_grad()
def log_density(network: PaddedNetwork, x: Tensor, condition: Tensor, config: INNConfig) -> Tensor:
    """Log p(x | y) in nats: (N,), float64.

    p(x | y) is the integral of p(x, e | y) over the padding e. What e is like at a design is seen
    from samples of p(x, e | y), which the inverse gives: the padding of those near x, as a normal.
    Half of the draws come of that, half of the noise that was trained with, and each counts by
    the inverse of the density that it was drawn from.

    Args:
        network: trained by likelihood.
        x: scaled features (N, F).
        condition: scaled responses, and context features beside them (N, Dy + C).
        config: of the method.

    References:
        Owen, Zhou, Safe and effective importance sampling, JASA 2000,
        https://doi.org/10.1080/01621459.2000.10473909: mixtures of densities to draw from.
    """
    generator = torch.Generator().manual_seed(0)
    targets, group = condition.unique(dim=0, return_inverse=True)
    step = max(1, _NUMBERS // (_SAMPLES * network.total))
    values = torch.empty(len(x), dtype=torch.float64)
    for start in range(0, len(targets), step):  # a sample of each target once
        part = targets[start : start + step]
        samples = _samples(network, part, config, generator).double()
        rows = ((group >= start) & (group < start + len(part))).nonzero()[:, 0]
        for some in rows.split(step):
            whose = group[some] - start
            mean, root = _padding(network, x[some].double(), samples[whose], config)
            values[some.cpu()] = _integrated(
                network, x[some], condition[some], mean, root, config, generator
            ).cpu()
    return values


def _samples(
    network: PaddedNetwork, condition: Tensor, config: INNConfig, generator: torch.Generator
) -> Tensor:
    """Samples of (x, padding) for targets (U, Dy + C): (U, S, total)."""
    count, likelihood = len(condition), config.likelihood
    each = condition.repeat_interleave(_SAMPLES, dim=0)
    y, context = each[:, : network.responses], each[:, network.responses :]
    sizes = (network.responses, network.latent, network.padding_y)
    scales = (likelihood.response, 1.0, likelihood.padding)
    noise = [
        scale * torch.randn(len(each), size, generator=generator).to(each)
        for size, scale in zip(sizes, scales, strict=True)
    ]
    whole = network.inverse(torch.cat([y + noise[0], noise[1], noise[2]], dim=1), context)
    return whole.unflatten(0, (count, _SAMPLES))


def _padding(
    network: PaddedNetwork, x: Tensor, samples: Tensor, config: INNConfig
) -> tuple[Tensor, Tensor]:
    """Means (N, P) and Cholesky roots (N, P, P) of the padding at designs (N, F)."""
    features, padding = samples[..., : network.features], samples[..., network.features :]
    spread = features.std(dim=1) + 1e-6
    away = ((features - x[:, None]) / spread[:, None]).square().sum(dim=2).sqrt()  # (N, S)
    width = away.kthvalue(_NEAR, dim=1).values.clamp(min=1e-3)
    share = torch.softmax(-0.5 * (away / width[:, None]).square(), dim=1)
    mean = (share[:, :, None] * padding).sum(dim=1)
    off = padding - mean[:, None]
    covariance = (off * share[:, :, None]).mT @ off
    least = (0.3 * config.noise) ** 2 * torch.eye(padding.shape[2]).to(x)
    return mean, torch.linalg.cholesky(_WIDER**2 * covariance + least)


def _integrated(
    network: PaddedNetwork, x: Tensor, condition: Tensor, mean: Tensor, root: Tensor,
    config: INNConfig, generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """Log of the mean of p(x, e | y) / q(e) over draws e of q: (N,)."""
    count, size = mean.shape
    constant = 0.5 * size * math.log(2 * math.pi)
    volume = root.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    parts = []
    for draw in range(_DRAWS):
        z = torch.randn(count, size, generator=generator).to(mean)
        e = mean + (root @ z[..., None])[..., 0] if draw % 2 else config.noise * z
        back = torch.linalg.solve_triangular(root, (e - mean)[..., None], upper=False)[..., 0]
        near = -0.5 * back.square().sum(dim=1) - volume - constant
        trained = -0.5 * (e / config.noise).square().sum(dim=1) - constant
        q = torch.logaddexp(near, trained - size * math.log(config.noise)) - math.log(2)
        whole = torch.cat([x, e.to(x)], dim=1)
        parts.append(log_likelihood(network, whole, condition, config.likelihood).double() - q)
    return torch.stack(parts).logsumexp(dim=0) - math.log(_DRAWS)

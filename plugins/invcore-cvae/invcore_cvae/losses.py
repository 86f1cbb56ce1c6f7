"""The bound on the likelihood, and the error of what the decoder proposes."""

import math

import torch
from torch import Tensor

from invcore.learning import LossBatch, Surrogate
from invcore.plugin import Pairs
from invcore_cvae.network import EncoderDecoder

_FROM, _FULL = 0.3, 0.7  # shares of the training between which the consistency sets in


def draw(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Z from its mean, log variance and standard normal noise."""
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


def bound(network: EncoderDecoder, x: Tensor, y: Tensor, noise: Tensor, variance: float) -> Tensor:
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


class VariationalLoss:
    """What is minimised: squared error of x, plus ``kl`` times the KL divergence.

    That is, up to a constant, ``kl`` times the negative bound with a decoder whose Gaussian has
    the variance ``kl / 2``. With ``consistency``, the squared error of the surrogate's response
    to designs decoded from z of the prior is added: the bound alone says little of latents that
    no training pair is near. It sets in late: from the start, it is cheapest to decode all of the
    prior to one design, and to encode the pairs far outside.

    Args:
        network: to be trained.
        kl: weight of the divergence.
        consistency: weight of the surrogate's error.
        surrogate: frozen; None where there is no such weight.
    """

    def __init__(
        self, network: EncoderDecoder, kl: float, consistency: float, surrogate: Surrogate | None
    ) -> None:
        self._network, self._kl, self._consistency = network, kl, consistency
        self._surrogate = surrogate
        if surrogate is not None:
            self._box = surrogate.scaling.box(surrogate.device)
            self._responses = len(surrogate.scaling.y.centre)

    def __call__(self, batch: LossBatch) -> Tensor:
        """The loss of a batch, at fresh noise."""
        shape = (2, batch.x.shape[0], self._network.latent)
        noise = torch.randn(shape, generator=batch.generator).to(batch.x.device)
        share = min(max((batch.done - _FROM) / (_FULL - _FROM), 0.0), 1.0)
        return self._value(batch.x, batch.y, noise, share)

    def held_out(self, pairs: Pairs, noise: Tensor) -> Tensor:
        """The loss of validation pairs, as in the end of training.

        Args:
            pairs: N of them, scaled.
            noise: (2, N, latent), the same each time.
        """
        return self._value(pairs.x, pairs.y, noise, 1.0)

    def _value(self, x: Tensor, y: Tensor, noise: Tensor, share: float) -> Tensor:
        variance = self._kl / 2
        flat = 0.5 * x.shape[-1] * math.log(2 * math.pi * variance)  # the constant of the bound
        loss = -self._kl * (bound(self._network, x, y, noise[0], variance) + flat).mean()
        if self._surrogate is None or share == 0.0:
            return loss
        low, high = self._box
        proposed = self._network.decode(noise[1], y).clamp(low, high)  # as proposals are
        target, context = y.split([self._responses, y.shape[-1] - self._responses], dim=-1)
        predicted = self._surrogate(torch.cat([proposed, context], dim=-1))
        error = (predicted - target).square().sum(-1).mean()
        return loss + share * self._consistency * error

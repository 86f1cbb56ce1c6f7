"""Mixtures of Gaussians with full covariances, and the network that gives one for a response."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from invcore.learning import MLP
from invcore_mdn.config import NetworkConfig

_FULL = 32  # features: up to here covariances are full, unless it is said


@dataclass(frozen=True)
class Mixture:
    """A mixture of C Gaussians in F dimensions for each of N responses.

    The precision of a component is L Lᵀ with L = (1 + N) D: N strictly lower triangular, D
    diagonal and positive. So the first dimension, given the later ones, has the standard deviation
    1 / D₁ and depends on them by the first column of -N, and so on: both are numbers that a network
    can give without any bound between them, and log|det L| is the sum of log D.

    Components come last: sums over the few dimensions are then quick.

    Args:
        log_weights: (N, C); exp of it sums to one.
        means: (N, F, C).
        log_scales: (N, F, C), log of D.
        slopes: (N, P, C), the P = F (F - 1) / 2 entries of N, column by column; P = 0 for diagonal
            covariances.
    """

    log_weights: Tensor
    means: Tensor
    log_scales: Tensor
    slopes: Tensor

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats of x (N, F), one for each mixture: (N,)."""
        off = x[..., None] - self.means
        if self.slopes.shape[-2]:
            size, start, columns = x.shape[-1], 0, []
            for j in range(size - 1):
                below = self.slopes[..., start : start + size - 1 - j, :]
                columns.append(off[..., j, :] + (below * off[..., j + 1 :, :]).sum(-2))
                start += size - 1 - j
            off = torch.stack([*columns, off[..., -1, :]], dim=-2)
        white = off * self.log_scales.exp()
        constant = 0.5 * x.shape[-1] * math.log(2 * math.pi)
        parts = (self.log_scales - 0.5 * white.square()).sum(-2) - constant
        return torch.logsumexp(self.log_weights + parts, dim=-1)

    def factors(self) -> Tensor:
        """A with A Aᵀ the covariances: (N, C, F, F), upper triangular."""
        diagonal = torch.diag_embed((-self.log_scales).exp().transpose(-1, -2))
        if not self.slopes.shape[-2]:
            return diagonal
        size = self.means.shape[-2]
        column, row = torch.triu_indices(size, size, 1, device=diagonal.device)
        upper = torch.zeros_like(diagonal)  # the ones of 1 + Nᵀ are understood
        upper[..., column, row] = self.slopes.transpose(-1, -2)
        return torch.linalg.solve_triangular(upper, diagonal, upper=True, unitriangular=True)

    def sample(self, points: Tensor) -> Tensor:
        """Draw by points of the unit cube.

        Args:
            points: (N, K, 1 + F), float64. The first coordinate chooses the component, by the
                cumulative weights; the others become its Gaussian, by the normal's inverse
                distribution function.

        Returns:
            (N, K, F).
        """
        ends = self.log_weights.double().exp().cumsum(-1)[:, :-1].contiguous()
        choice = torch.searchsorted(ends, points[..., 0].contiguous(), right=True)
        normal = torch.special.ndtri(points[..., 1:]).to(self.means)
        rows = torch.arange(len(points), device=choice.device)[:, None]
        mean = self.means.transpose(-1, -2)[rows, choice]
        if not self.slopes.shape[-2]:  # whole matrices of many columns would fill the memory
            return mean + (-self.log_scales).exp().transpose(-1, -2)[rows, choice] * normal
        spread = self.factors()[rows, choice] @ normal[..., None]
        return mean + spread[..., 0]


class MixtureNetwork(nn.Module):
    """A network from responses to mixtures, both scaled.

    Args:
        config: sizes and bounds.
        responses: Dy.
        start: (C, F), where the components' means are at first.
    """

    def __init__(self, config: NetworkConfig, responses: int, start: Tensor) -> None:
        super().__init__()
        self.count, self.features = start.shape
        auto = "full" if self.features <= _FULL else "diagonal"
        full = (auto if config.covariance == "auto" else config.covariance) == "full"
        pairs = self.features * (self.features - 1) // 2 if full else 0
        self.sizes = [1, self.features, self.features, pairs]
        self.network = MLP(
            responses,
            self.count * sum(self.sizes),
            width=config.width,
            depth=config.depth,
            activation=config.activation,
            batch_norm=config.batch_norm,
            gain=config.gain,
        )
        low, high = -math.log(config.widest), -math.log(config.narrowest)
        self.middle, self.reach = (low + high) / 2, (high - low) / 2
        self._begin(start)

    @torch.no_grad()
    def _begin(self, start: Tensor) -> None:
        """Means at the start, standard deviations a half of the data's, equal weights."""
        last = self.network[-1]
        assert isinstance(last, nn.Linear)
        wide = min(max((math.log(2.0) - self.middle) / self.reach, -0.99), 0.99)
        bias = last.bias.view(-1, self.count)
        bias.zero_()
        bias[1 : 1 + self.features] = start.T
        bias[1 + self.features : 1 + 2 * self.features] = self.reach * math.atanh(wide)

    def forward(self, y: Tensor) -> Mixture:
        """Responses (N, Dy) to mixtures over features."""
        out = self.network(y).unflatten(-1, (-1, self.count))
        weights, means, scales, slopes = out.split(self.sizes, dim=-2)
        bounded = self.middle + self.reach * torch.tanh(scales / self.reach)
        return Mixture(torch.log_softmax(weights[..., 0, :], -1), means, bounded, slopes)

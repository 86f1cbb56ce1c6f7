"""The losses of both directions, and the schedule that weighs them."""

import math

import torch
from invcore_invertible import PaddedNetwork, mmd
from torch import Tensor

from invcore.learning import LossBatch, Scaling
from invcore.plugin import Pairs
from invcore_ipage.config import LossConfig


class BidirectionalLoss:
    """L_y forward; the MMDs, the reconstruction and the padding, by way of the inverse.

    Dynamic: the weight of L_y falls and the others rise as L_y itself falls, on a log scale, and
    not faster than training goes on. Beside the paper's terms stands the reconstruction of x from
    (y, z-hat): without it the inverse forgets most of the solution set.

    Args:
        config: weights and schedule.
        network: to be trained.
        scaling: gives the box.
        pairs: scaled training pairs, to draw p(y) from, with what is known.

    References:
        Zhang et al., AAAI 2023, https://arxiv.org/abs/2212.01016, section 3.
    """

    def __init__(
        self, config: LossConfig, network: PaddedNetwork, scaling: Scaling, pairs: Pairs
    ) -> None:
        self._config, self._network, self._scaling = config, network, scaling
        self._y, self._context = pairs.y, scaling.parts(pairs.x)[1]
        self._low, self._high = scaling.box(pairs.y.device)
        self._step = 0

    def __call__(self, batch: LossBatch) -> Tensor:
        """The weighted sum for one batch."""
        config, network = self._config, self._network
        noise = self._normal(batch, len(batch.x), network.padding_x) * config.noise
        x, context = self._scaling.parts(batch.x)
        y, z, padding = network.split(network(torch.cat([x, noise], dim=1), context))
        supervised = (y - batch.y).square().mean()
        weight, others = self._weights(supervised.detach(), batch.done)
        loss = weight * supervised
        if network.padding_y:
            loss = loss + others * config.padding_y * padding.square().mean()
        if self._step % config.every == 0:
            loss = loss + others * self._inverse_terms(batch, y, z)
        self._step += 1
        return loss

    def _weights(self, supervised: Tensor, done: float) -> tuple[Tensor, Tensor]:
        """Weight of L_y, and share of all others, now."""
        config = self._config
        reached = supervised.clamp(min=1e-12).log() / math.log(config.converged)
        share = reached.clamp(0.0, 1.0) * min(1.0, done / config.ramp)
        fall = config.supervised_last / config.supervised_first
        return config.supervised_first * fall**share, (
            config.others_first + (1 - config.others_first) * share
        )

    def _inverse_terms(self, batch: LossBatch, y: Tensor, z: Tensor) -> Tensor:
        """The inverse's terms for drawn latents, and for the latents of this batch's designs."""
        config, network = self._config, self._network
        x, context = self._scaling.parts(batch.x[: config.samples])
        count = len(x)
        responses, z = batch.y[:count], z[:count]
        rows = torch.randint(len(self._y), (count,), generator=batch.generator)
        rows = rows.to(self._y.device)
        drawn = self._normal(batch, count, network.latent)
        latent = mmd(
            torch.cat([y[:count].detach(), z], dim=1),
            torch.cat([responses, self._normal(batch, count, network.latent)], dim=1),
        )
        noise = self._normal(batch, 2 * count, network.padding_y) * config.noise
        of_drawn = torch.cat([self._y[rows], drawn], dim=1)
        of_batch = torch.cat([responses, z], dim=1)
        contexts = torch.cat([self._context[rows], context])
        back = network.inverse(torch.cat([torch.cat([of_drawn, of_batch]), noise], dim=1), contexts)
        new, again = back.split(count)
        designs, left = new[:, : network.features], new[:, network.features :]
        outside = torch.relu(designs - self._high) + torch.relu(self._low - designs)
        target = network.pad(x)
        terms = config.latent * latent + config.design * mmd(designs, x)
        terms = terms + config.box * outside.square().sum(dim=1).mean()
        for part in (slice(None, network.features), slice(network.features, None)):
            if target[:, part].numel():
                off = (again[:, part] - target[:, part]).square().mean()
                terms = terms + config.reconstruction * off
        if network.padding_x:
            terms = terms + config.padding_x * left.square().mean()
        return terms

    def _normal(self, batch: LossBatch, rows: int, columns: int) -> Tensor:
        return torch.randn(rows, columns, generator=batch.generator).to(batch.x.device)

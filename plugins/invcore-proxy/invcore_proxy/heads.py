"""From raw outputs to responses: plain, kept in a range, or never negative; and exact zeros."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from invcore.learning import Normaliser
from invcore.plugin import DataError, Pairs, Space
from invcore_proxy.config import ProxyConfig

_STEEPEST = 4.0  # a raw output of 1 moves a squashed response by a deviation, but no more than so
_DOUBT = 5e-5  # the least share of zeros, and of others, that a logit is trained to say
_EDGE = 1e-3  # how near to the end of the range the data's mean may lie, in shares of the range


@dataclass(frozen=True)
class Head:
    """What makes responses of raw outputs; a raw output of 0 gives the data's mean.

    Args:
        config: the kind of output.
        y: centre and scale of the responses (Dy,) that are not exact zeros.
        offset: what is added to a raw output (Dy,).
        gain: what it is multiplied by before (Dy,).
    """

    config: ProxyConfig
    y: Normaliser
    offset: Tensor
    gain: Tensor

    @classmethod
    def fit(cls, config: ProxyConfig, y: Tensor) -> Head:
        """From training responses (N, Dy), float64."""
        counted = y != 0 if config.zero_part else torch.ones_like(y, dtype=torch.bool)
        rows = counted.sum(0)
        centre = torch.where(counted, y, 0.0).sum(0) / rows.clamp(min=1)
        spread = torch.where(counted, (y - centre).square(), 0.0).sum(0) / rows.clamp(min=1)
        scale = spread.sqrt()
        # A deviation of rounding errors is none.
        scale = torch.where(scale > 1e-12 * centre.abs(), scale, torch.ones_like(scale))
        if config.sequence:  # a quiet stretch of a curve must not be blown up to full size
            scale = spread.mean().sqrt().clamp(min=1e-300).expand_as(scale).clone()
        offset, gain = torch.zeros_like(centre), torch.ones_like(scale)
        if config.output == "squash":
            width = config.high - config.low
            share = ((centre - config.low) / width).clamp(_EDGE, 1 - _EDGE)
            offset = share.logit()
            gain = (scale / (width * share * (1 - share))).clamp(max=_STEEPEST)
        elif config.output == "non-negative":
            mean = (centre / scale).clamp(min=_EDGE)
            offset = mean + (-torch.expm1(-mean)).log()  # softplus(offset) is the mean
        return cls(config, Normaliser(centre, scale), offset, gain)

    def scaled(self, raw: Tensor) -> Tensor:
        """Values in deviations from the data's mean, of raw outputs (…, Dy); for a loss."""
        return self.y(self.values(raw)) if self.config.output != "plain" else raw

    def values(self, raw: Tensor) -> Tensor:
        """Responses (…, Dy) of raw outputs (…, Dy), before exact zeros."""
        if self.config.output == "plain":
            return self.y.inverse(raw)
        inner = self.offset.to(raw) + self.gain.to(raw) * raw
        if self.config.output == "squash":
            low, high = self.config.low, self.config.high
            return (low + (high - low) * torch.sigmoid(inner)).clamp(low, high)
        return self.y.scale.to(raw) * softplus(inner)

    def part(self, pairs: Pairs) -> Tensor:
        """What a loss compares with, of responses: scaled values, and with exact zeros also which
        are not zero: (N, Dy) or (N, 2 Dy), float32.
        """
        y = pairs.y.double()
        scaled = self.y(y)
        if self.config.zero_part:
            nonzero = (y != 0).double()
            scaled = torch.cat([torch.where(y != 0, scaled, 0.0), nonzero], dim=1)
        return scaled.float()

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Mean squared error in deviations; with exact zeros on the other rows alone, plus the
        cross-entropy of zero or not.

        Args:
            raw: outputs of a member (N, Dy) or (N, 2 Dy).
            target: from ``part``, likewise.
        """
        if not self.config.zero_part:
            return (self.scaled(raw) - target).square().mean()
        value, logit = raw.chunk(2, dim=-1)
        y, nonzero = target.chunk(2, dim=-1)
        squares = (self.scaled(value) - y).square() * nonzero
        # log(1 + e^l) - l t is the cross-entropy, in a form that vmap computes. Targets a little
        # inside 0 and 1: else logits grow without end, and gradients to numbers so small that the
        # arithmetic of a CPU takes several times as long.
        entropy = (softplus(logit) - logit * nonzero.clamp(_DOUBT, 1 - _DOUBT)).mean()
        return squares.sum() / nonzero.sum().clamp(min=1.0) + entropy

    def to(self, device: torch.device) -> Head:
        """The same on a device, float32: a training calls it with each batch."""
        parts = (self.y.centre, self.y.scale, self.offset, self.gain)
        centre, scale, offset, gain = (part.to(device, torch.float32) for part in parts)
        return Head(self.config, Normaliser(centre, scale), offset, gain)

    def state(self) -> dict[str, Tensor]:
        """Tensors to store, float64."""
        return {
            "head.centre": self.y.centre,
            "head.scale": self.y.scale,
            "head.offset": self.offset,
            "head.gain": self.gain,
        }

    @classmethod
    def restore(cls, config: ProxyConfig, state: dict[str, Tensor]) -> Head:
        """The head that ``state`` came from."""
        y = Normaliser(state["head.centre"], state["head.scale"])
        return cls(config, y, state["head.offset"], state["head.gain"])


def check_range(config: ProxyConfig, y: Tensor, responses: Space) -> None:
    """Refuse responses that the output cannot give.

    Raises:
        DataError: it names the column and a value.
    """
    low = 0.0 if config.output == "non-negative" else config.low
    high = config.high if config.output == "squash" else torch.inf
    if config.output == "plain":
        return
    outside = (y < low) | (y > high)
    if config.zero_part:
        outside &= y != 0
    if bool(outside.any()):
        row, column = (int(i) for i in outside.nonzero()[0])
        raise DataError(
            f"output {config.output!r} gives responses from {low:g} to {high:g}, but row {row + 1} "
            f"of {responses.names[column]!r} is {float(y[row, column]):g}; widen the range, or use "
            "output 'plain'"
        )

"""The proxy itself: an ensemble's mean, and how far its members are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from invcore.learning import Normaliser
from invcore.plugin import ConfigError, ShapeError, Space
from invcore_proxy.config import ProxyConfig
from invcore_proxy.heads import Head
from invcore_proxy.networks import Member, expected_shapes
from invcore_proxy.symmetry import group, images

_NUMBERS = 1 << 24  # in one layer of all members: bounds memory, not the result


class Prediction(NamedTuple):
    """What a proxy says of designs.

    Args:
        mean: of the ensemble (N, Dy).
        spread: standard deviation of the members (N, Dy).
    """

    mean: Tensor
    spread: Tensor


class Proxy:
    """An ensemble of networks that stands in for a simulator.

    Args:
        config: what it is made of.
        designs: space of the designs; symmetries are declared by its names.
        x: centre and scale of the designs' features (F,).
        head: makes responses of the networks' raw outputs.
        weights: ``member.M.NAME`` to the weights of member M.

    Raises:
        ShapeError: a tensor is missing, too many, or of another shape than the config says.
        ConfigError: symmetries that the designs' space does not allow.
    """

    def __init__(
        self,
        config: ProxyConfig,
        designs: Space,
        x: Normaliser,
        head: Head,
        weights: dict[str, Tensor],
    ) -> None:
        self.config, self.designs, self._x, self._head = config, designs, x, head
        self.dim = len(head.y.centre)
        self.elements = group(config.symmetries, designs)
        self._weights = {name: value.detach() for name, value in weights.items()}
        self._check()
        with torch.device("meta"):  # forms alone: the weights are passed with each call
            self._forms = [
                Member(config, config.member_shapes[g[0]], designs.features, self.dim)
                for g in config.groups
            ]
        self._stacks: dict[tuple[torch.device, torch.dtype], list[dict[str, Tensor]]] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """The ensemble's mean (N, Dy) of designs (N, Dx)."""
        return self.predict(x).mean

    def predict(self, x: Tensor) -> Prediction:
        """The ensemble's mean and spread, differentiable, in x's type and on its device.

        Args:
            x: designs (N, Dx). Memory is bounded for any N, unless gradients are asked for.

        Returns:
            Mean and spread, (N, Dy) each, in the responses' units. With ``zero_part`` the mean is
            exactly 0 where the members' mean logit says so, and the spread is the standard
            deviation of the members' mixture: it has their doubt whether the response is 0.

        Raises:
            ShapeError: x has another number of columns.
        """
        parts = [self._prediction(chunk) for chunk in self._chunks(x)]
        return Prediction(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def members(self, x: Tensor) -> Tensor:
        """What each member says of designs (N, Dx), as if it were alone: (M, N, Dy)."""
        parts = []
        for chunk in self._chunks(x):
            values, logits = self._outputs(chunk)
            parts.append(values if logits is None else torch.where(logits > 0, values, 0.0))
        return torch.cat(parts, dim=1)

    def state(self) -> dict[str, Tensor]:
        """Weights (16 bits each if the config says so), and scales, as flat tensors to store."""
        kind = torch.float16 if self.config.half else torch.float32
        weights = {name: value.to("cpu", kind) for name, value in self._weights.items()}
        scales = self._x.state("x.") | self._head.state()
        return weights | {k: v.cpu().double() for k, v in scales.items()}

    @classmethod
    def restore(cls, config: ProxyConfig, designs: Space, state: dict[str, Tensor]) -> Proxy:
        """The proxy that ``state`` came from.

        Raises:
            ShapeError: a tensor is missing, too many, or of another shape than the config says.
        """
        scales = (
            "x.centre",
            "x.scale",
            *(f"head.{n}" for n in ("centre", "scale", "offset", "gain")),
        )
        if "x.varies" in state:  # there is a feature that was constant
            scales = (*scales, "x.varies")
        for name in scales:
            if name not in state:
                raise ShapeError(f"tensor {name!r} is missing")
            expected = (designs.features,) if name.startswith("x.") else state["head.centre"].shape
            if state[name].ndim != 1 or state[name].shape != torch.Size(expected):
                raise ShapeError(
                    f"tensor {name!r} has shape {tuple(state[name].shape)}, "
                    f"expected {tuple(expected)}"
                )
        weights = {name: value for name, value in state.items() if name not in scales}
        x = Normaliser.restore(state, "x.")
        return cls(config, designs, x, Head.restore(config, state), weights)

    def rounded(self) -> Proxy:
        """The same proxy with weights rounded to 16 bits.

        Raises:
            ConfigError: a weight is too large for 16 bits.
        """
        weights = {name: value.half().float() for name, value in self._weights.items()}
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            raise ConfigError("half: a weight is too large for 16 bits; leave half out")
        return Proxy(self.config, self.designs, self._x, self._head, weights)

    @property
    def parameters(self) -> int:
        """Number of weights of all members."""
        return sum(value.numel() for value in self._weights.values())

    def _chunks(self, x: Tensor) -> tuple[Tensor, ...]:
        """Designs (N, Dx) in parts that memory holds; one at least."""
        self.designs.check(x)
        widest = max(self.dim * self.config.channels, *(s.width for s in self.config.shapes))
        copies = len(self.elements) if self.config.symmetrise else 1
        return x.split(max(1, _NUMBERS // (widest * self.config.members * copies)))

    def _prediction(self, x: Tensor) -> Prediction:
        """Mean and spread of a chunk."""
        values, logits = self._outputs(x)
        mean = values.mean(0)
        if logits is None:
            variance = _variance(values)
        else:
            share = logits.sigmoid()
            mean = torch.where(logits.mean(0) > 0, mean, 0.0)
            doubt = (share * (1 - share) * values.square()).mean(0)
            variance = _variance(share * values) + doubt
        apart = variance > 0  # the root has no slope at 0
        spread = torch.where(apart, torch.where(apart, variance, 1.0).sqrt(), 0.0)
        return Prediction(mean, spread)

    def _outputs(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Values and logits of all members (M, N, Dy), averaged over the symmetries if wanted."""
        turned = images(x, self.elements) if self.config.symmetrise else x[None]
        features = self._x(self.designs.encode(turned.flatten(0, 1)))
        outputs = self._raw(features)
        shape = (self.config.members, *turned.shape[:2], self.dim)
        if not self.config.zero_part:
            return self._head.values(outputs).view(shape).mean(1), None
        raw, logits = outputs.chunk(2, dim=-1)
        values = self._head.values(raw)
        return values.reshape(shape).mean(1), logits.reshape(shape).mean(1)

    def _raw(self, features: Tensor) -> Tensor:
        """Raw outputs of all members for features (N, F): (M, N, …), in the members' order."""
        outputs: list[Tensor | None] = [None] * self.config.members
        stacks = self._stacked(features.device, features.dtype)
        for form, members, stack in zip(self._forms, self.config.groups, stacks, strict=True):

            def one(weights: dict[str, Tensor], form: Member = form) -> Tensor:
                result: Tensor = functional_call(form, weights, (features,))
                return result

            for member, output in zip(members, vmap(one)(stack), strict=True):
                outputs[member] = output
        return torch.stack([output for output in outputs if output is not None])

    def _stacked(self, device: torch.device, dtype: torch.dtype) -> list[dict[str, Tensor]]:
        """The weights of each group's members as one tensor a name; kept for the next call."""
        key = (device, dtype)
        if key not in self._stacks:
            self._stacks[key] = [
                {
                    name: torch.stack(
                        [self._weights[f"member.{m}.{name}"].to(device, dtype) for m in members]
                    )
                    for name in form.state_dict()
                }
                for form, members in zip(self._forms, self.config.groups, strict=True)
            ]
        return self._stacks[key]

    def _check(self) -> None:
        """Names and shapes of the weights."""
        expected = expected_shapes(self.config, self.designs.features, self.dim)
        unknown = sorted(set(self._weights) - set(expected))
        if unknown:
            raise ShapeError(f"tensor {unknown[0]!r} belongs to no member")
        for name, shape in expected.items():
            if name not in self._weights:
                raise ShapeError(f"tensor {name!r} is missing")
            if self._weights[name].shape != shape:
                raise ShapeError(
                    f"tensor {name!r} has shape {tuple(self._weights[name].shape)}, "
                    f"expected {tuple(shape)}"
                )


def _variance(values: Tensor) -> Tensor:
    """Of members (M, …), around their mean."""
    return (values - values.mean(0)).square().mean(0)


def weights_of(members: Sequence[Member]) -> dict[str, Tensor]:
    """The weights of trained members by the names of ``Proxy.state``, on the CPU."""
    return {
        f"member.{m}.{name}": value.detach().cpu().clone()
        for m, member in enumerate(members)
        for name, value in member.state_dict().items()
    }

"""Aims: what searches on a forward model go for, in its own scaled units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.contracts.problem import Targets
from invcore.data.scaling import Scaling

_SAFE = 2.0  # of a model's errors, by which what it says stays inside an interval


@dataclass(frozen=True)
class Aim:
    """Intervals of scaled responses, and how much what is outside of them counts.

    A search that follows only what violates an interval stops at its end, and half of the designs
    there violate it by the forward model's error. So intervals end further inside.

    Args:
        low: (N, Dy), scaled; minus infinity where nothing limits a response.
        high: (N, Dy); the same tensor as ``low`` where exact responses are wanted.
        factor: (N, Dy), what violations are multiplied by, of mean square one; None: all alike.

    Example:
        >>> low, high = torch.tensor([[0.0, -torch.inf]]), torch.tensor([[1.0, 2.0]])
        >>> Aim(low, high).residual(torch.tensor([[1.5, 0.0]])).tolist()
        [[0.5, 0.0]]
    """

    low: Tensor
    high: Tensor
    factor: Tensor | None = None

    @classmethod
    def of(
        cls, targets: Targets, scaling: Scaling, error: Tensor | None, device: torch.device
    ) -> Aim:
        """The aim for targets (B, Dy), in the scaled units of a forward model.

        Args:
            targets: B of them.
            scaling: of the forward model.
            error: (Dy,), that of the forward model, scaled; None for none.
            device: of the model.
        """
        if targets.exact:
            y = scaling.y(targets.low.double()).float().to(device)
            return cls(y, y)
        if error is not None:
            targets = targets.narrowed(_SAFE * error.cpu().double() * scaling.y.scale.cpu())
        low, high = (scaling.y(end.double()).float() for end in (targets.low, targets.high))
        weight = torch.where(targets.wanted, targets.weight, 0.0)
        weight = weight * (scaling.y.scale.to(weight) / targets.scale).square()
        weight = weight / weight.mean(dim=1, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny)
        return cls(*(part.to(device) for part in (low, high, weight.sqrt().float())))

    @classmethod
    def at(cls, wanted: Tensor | Aim) -> Aim:
        """The aim at exact scaled responses (N, Dy); an aim stays what it is."""
        return wanted if isinstance(wanted, Aim) else cls(wanted, wanted)

    @property
    def exact(self) -> bool:
        """Whether exact responses are wanted."""
        return self.low is self.high

    def residual(self, y: Tensor) -> Tensor:
        """What is violated by scaled responses (N, Dy), with the sign: (N, Dy).

        Its derivative by what is violated is that of the responses.
        """
        if self.exact:
            return y - self.low
        apart = y - y.clamp(self.low, self.high).detach()
        return apart if self.factor is None else apart * self.factor

    def slopes(self, y: Tensor, jacobian: Tensor) -> Tensor:
        """The residual's Jacobian (N, Dy, F) at responses (N, Dy), from that of the responses."""
        if self.exact:
            return jacobian
        met = (y >= self.low) & (y <= self.high) & (self.low < self.high)
        slopes = jacobian if self.factor is None else jacobian * self.factor[..., None]
        return slopes.masked_fill(met[..., None], 0.0)

    def error(self, y: Tensor) -> Tensor:
        """The mean squared residual (N,) of scaled responses (N, Dy)."""
        return self.residual(y).square().mean(dim=1)

    def less(self, part: Tensor) -> Aim:
        """The aim of what is added to a part (N, Dy) of the responses."""
        low = self.low - part
        return Aim(low, low if self.exact else self.high - part, self.factor)

    def repeated(self, count: int) -> Aim:
        """Each row ``count`` times in a row."""
        return self._with(lambda part: part.repeat_interleave(count, dim=0))

    def with_zeros(self, count: int) -> Aim:
        """The aim with ``count`` further columns, which shall be zero."""

        def wider(part: Tensor, value: float) -> Tensor:
            return torch.cat([part, part.new_full((len(part), count), value)], dim=1)

        low = wider(self.low, 0.0)
        high = low if self.exact else wider(self.high, 0.0)
        return Aim(low, high, None if self.factor is None else wider(self.factor, 1.0))

    def beside(self) -> Aim:
        """The rows (N, 1, Dy), to compare each with responses (M, Dy)."""
        return self._with(lambda part: part[:, None])

    def __getitem__(self, rows: slice | Tensor) -> Aim:
        """Some of the rows."""
        return self._with(lambda part: part[rows])

    def __len__(self) -> int:
        return len(self.low)

    def _with(self, change: Callable[[Tensor], Tensor]) -> Aim:
        low = change(self.low)
        high = low if self.exact else change(self.high)
        return Aim(low, high, None if self.factor is None else change(self.factor))

"""What a method may know of a task, and the responses that are wanted of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.spaces.space import Space


@dataclass(frozen=True)
class Problem:
    """What a method may know of a task.

    Args:
        name: of the task, for messages.
        designs: space of x.
        responses: space of y.
        differentiable: whether the simulator has gradients.
    """

    name: str
    designs: Space
    responses: Space
    differentiable: bool = False


@dataclass(frozen=True)
class Targets:
    """The responses that are wanted.

    Args:
        y: (B, Dy).
        context: what is known of each problem; tensors with leading dimension B.
    """

    y: Tensor
    context: Context | None = None

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> Targets:
        """The same targets on another device."""
        context = self.context and {name: v.to(device) for name, v in self.context.items()}
        return Targets(self.y.to(device), context)

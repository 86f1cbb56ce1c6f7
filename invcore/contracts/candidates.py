"""Candidates: the designs that a model proposes, and how a search on the simulator found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class History:
    """How a search on the simulator went on, a row a step.

    Args:
        error: (S, B), the smallest error of each target so far.
        calls: (S,), simulator calls so far, of all targets together.
        seconds: (S,), wall time so far.

    Example:
        >>> first = History(torch.tensor([[4.0], [1.0]]), torch.arange(2), torch.zeros(2))
        >>> short = History(torch.tensor([[9.0]]), torch.tensor([5]), torch.zeros(1))
        >>> both = History.beside([first, short])
        >>> both.error.tolist(), both.calls.tolist()
        ([[4.0, 9.0], [1.0, 9.0]], [5, 6])
    """

    error: Tensor
    calls: Tensor
    seconds: Tensor

    @classmethod
    def beside(cls, parts: Sequence[History]) -> History:
        """The history of batches of targets as if they had gone on side by side."""
        steps = max(len(part.calls) for part in parts)

        def whole(values: Tensor) -> Tensor:  # a search that has ended stays where it is
            last = values[-1:].expand(steps - len(values), *values.shape[1:])
            return torch.cat([values, last])

        return cls(
            torch.cat([whole(part.error) for part in parts], dim=1),
            torch.stack([whole(part.calls) for part in parts]).sum(0),
            torch.stack([whole(part.seconds) for part in parts]).sum(0),
        )


@dataclass(frozen=True)
class Candidates:
    """Designs proposed for targets.

    Args:
        x: (B, K, Dx), in the task's own units; best first if the model is ``ranked``.
        predicted: (B, K, Dy), what the model expects of them, if it has an expectation.
        history: how the search went on, of a method that searches on the simulator.
    """

    x: Tensor
    predicted: Tensor | None = None
    history: History | None = None

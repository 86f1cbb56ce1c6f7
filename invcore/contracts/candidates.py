"""Candidates: the designs that a model proposes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Candidates:
    """Designs proposed for targets.

    Args:
        x: (B, K, Dx), in the task's own units; best first if the model is ``ranked``.
        predicted: (B, K, Dy), what the model expects of them, if it has an expectation.
    """

    x: Tensor
    predicted: Tensor | None = None

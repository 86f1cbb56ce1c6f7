"""Where and how a fit happens: device, randomness, progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from invcore.base import seeding
from invcore.base.progress import Progress


def _forget(record: dict[str, Any]) -> None:
    """Where records go that nobody asked for."""


@dataclass(frozen=True)
class FitEnvironment:
    """Where and how a fit happens.

    Args:
        seed: the run's seed; use ``generator`` and ``derive`` rather than the number.
        device: where networks live.
        progress: shows what goes on.
        log: takes one record of plain values, say for each epoch.
    """

    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    progress: Progress = field(default_factory=Progress)
    log: Callable[[dict[str, Any]], None] = _forget

    def generator(self, *names: object) -> torch.Generator:
        """A generator for one use within this fit."""
        return seeding.generator(self.seed, "fit", *names)

    def derive(self, *names: object) -> int:
        """A seed for one use within this fit, for ``invcore.plugin.isolated``."""
        return seeding.derive(self.seed, "fit", *names)

"""How long a training goes on: for so many steps, or for so many minutes."""

from __future__ import annotations

import time

import torch

from invcore.learning.training_config import TrainingConfig


class Span:
    """The span of a training, and what share of it is done.

    Minutes on a CPU are those of this process, shared out over its threads: what else the machine
    does changes nothing. A GPU's work is in no process's time, so there it is the clock's.

    Args:
        config: epochs or minutes.
        steps: of an epoch.
        device: that works.

    Example:
        >>> span = Span(TrainingConfig(epochs=2), 10, torch.device("cpu"))
        >>> span.share(5), span.over(19), span.over(20)
        (0.25, False, True)
    """

    def __init__(self, config: TrainingConfig, steps: int, device: torch.device) -> None:
        self._total = steps * config.epochs
        self._seconds = None if config.minutes is None else 60 * config.minutes
        self._clock = time.process_time if device.type == "cpu" else time.perf_counter
        self._threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._begun = self._clock()
        self.bar = config.epochs if self._seconds is None else 100
        """What a progress bar counts to: epochs, or hundredths."""

    def share(self, steps: int) -> float:
        """What part is done after so many steps in all: 0 to 1."""
        if self._seconds is None:
            return steps / self._total
        spent = (self._clock() - self._begun) / self._threads
        return min(1.0, spent / self._seconds)

    def over(self, steps: int) -> bool:
        """Whether it is over after so many steps in all."""
        return self.share(steps) >= 1.0

    def shown(self, steps: int) -> int:
        """Where a progress bar stands at the end of an epoch."""
        return round(self.bar * self.share(steps))

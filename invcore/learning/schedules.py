"""How a training's rate changes, and the average of the weights that it passes through."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from invcore.learning.training_config import TrainingConfig

_GAIN = 1e-4  # a loss that falls by a smaller share than this is stuck


class Rate:
    """The learning rate over the steps of a training; each member has its own plateau.

    Args:
        config: which schedule.
        optimiser: whose rate it is.
        members: networks that are trained together, along the first dimension of the weights.
    """

    def __init__(
        self, config: TrainingConfig, optimiser: torch.optim.Optimizer, members: int
    ) -> None:
        self._config, self._optimiser = config, optimiser
        self._best = torch.full((members,), math.inf)
        self._stuck, self._share = torch.zeros(members), torch.ones(members)
        self._set(0.0)

    @property
    def value(self) -> float:
        """The highest rate of a member, now."""
        return self._group["lr"] * float(self._share.max())

    def step(self, weights: Sequence[Tensor], done: float) -> None:
        """Step the optimiser, each member by its share, and move on.

        Args:
            weights: that are trained.
            done: share of the training that is done with this step, 0 to 1.
        """
        if bool((self._share == 1.0).all()):
            self._optimiser.step()
        else:
            before = [w.detach().clone() for w in weights]
            self._optimiser.step()
            for old, new in zip(before, weights, strict=True):
                share = self._share.to(new)  # one member's weights have no dimension for it
                share = share if len(share) == 1 else share.view(-1, *[1] * (new.ndim - 1))
                new.detach().copy_(old.lerp(new.detach(), share.expand_as(new)))
        self._set(done)

    def epoch(self, val_losses: Tensor) -> None:
        """See the members' validation losses (members,): a plateau lowers those that are stuck."""
        if self._config.schedule != "plateau":
            return
        better = val_losses < self._best * (1 - _GAIN)
        self._best = torch.where(better, val_losses, self._best)
        self._stuck = torch.where(better, 0.0, self._stuck + 1)
        lower = self._stuck > self._config.plateau_patience
        self._share = torch.where(lower, self._share * self._config.plateau_factor, self._share)
        self._stuck = torch.where(lower, 0.0, self._stuck)

    @property
    def _group(self) -> dict[str, float]:
        return self._optimiser.param_groups[0]

    def _set(self, done: float) -> None:
        if self._config.schedule in ("one-cycle", "cosine"):
            warm = self._config.warm_up
            if warm is None:
                warm = 0.25 if self._config.schedule == "one-cycle" else 0.0
            share = _cycle(done, warm, self._config.final_lr)
            self._group["lr"] = self._config.lr * share


def _cycle(done: float, warm: float, last: float) -> float:
    """Half a cosine up from 1/25 during ``warm``, and half a cosine down to ``last``."""
    if done < warm:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * done / warm))
    part = min((done - warm) / (1 - warm), 1.0)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * part))


class Average:
    """An exponential average of the weights, put in their place while it is judged and kept.

    Args:
        weights: that are trained.
        decay: of the average; 0 averages none.
    """

    def __init__(self, weights: list[Tensor], decay: float) -> None:
        self._weights, self._decay, self._steps = weights, decay, 0
        self._mean = [w.detach().clone() for w in weights] if decay else []

    def update(self) -> None:
        """See the weights after a step."""
        if not self._decay:
            return
        self._steps += 1  # forget the start quickly: the decay grows to its value
        keep = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._mean, [w.detach() for w in self._weights], 1 - keep)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """The average in the weights' place, inside the block."""
        if not self._decay:
            yield
            return
        weights = [w.detach() for w in self._weights]
        now = [w.clone() for w in weights]
        torch._foreach_copy_(weights, self._mean)
        try:
            yield
        finally:
            torch._foreach_copy_(weights, now)
